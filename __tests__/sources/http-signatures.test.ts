/**
 * HTTP message signatures: the vectors of RFC 9421 appendix B.2 and RFC 9530 appendix B, and two libraries as signers and verifiers.
 */
import { createHash, generateKeyPairSync, webcrypto, type KeyObject } from "node:crypto";
import { gzipSync } from "node:zlib";
import { createVerifier, createSigner, httpbis } from "http-message-signatures";
import { verifySignature } from "http-message-sig";
import { httpSignatures, type SignatureAlgorithm } from "express-webhook-node/sources/http-signatures";
import { strictDictionary } from "express-webhook-node/sources/structured-fields";
import { signHttpSignatures } from "express-webhook-node/testing/http-signatures";
import { send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const inPem = ({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }) => ({
  publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
});
const ed25519 = inPem(generateKeyPairSync("ed25519"));
const other = inPem(generateKeyPairSync("ed25519"));
const p256 = inPem(generateKeyPairSync("ec", { namedCurve: "P-256" }));
const p384 = inPem(generateKeyPairSync("ec", { namedCurve: "P-384" }));
const rsa = inPem(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const weak = inPem(generateKeyPairSync("rsa", { modulusLength: 1024 }));
const SECRET = "a secret that both have";
const URL_OPTION = "https://example.com/webhooks/orders";
const PATH = "/?shop=1&x=%20y";
const URL_SIGNED = `${URL_OPTION}?shop=1&x=%20y`;
const NONCE = "b3k2pp5k7z-50gnwp.yemd";
const EVENT = { type: "order.created", id: "o1", note: "é" };
const FIELDS = ["content-digest", "signature-input", "signature"];

type Options = Partial<Parameters<typeof signHttpSignatures>[1]>;
const signed = (payload: unknown, options: Options = {}) =>
  signHttpSignatures(payload, {
    algorithm: "ed25519",
    key: ed25519.privateKey,
    keyid: "k1",
    url: URL_SIGNED,
    nonce: NONCE,
    now: NOW,
    ...options,
  });
const KEY = { id: "k1", algorithm: "ed25519", key: ed25519.publicKey } as const;
const OTHER_KEY = { id: "k1", algorithm: "ed25519", key: other.publicKey } as const;
const served = (options: object = {}, node: object = {}) =>
  serveNode({ source: httpSignatures({ keys: [KEY], url: URL_OPTION, now: () => NOW, ...options }), ...node });
const post = async (port: number, { headers, body }: { headers: object; body: Buffer | string }, path = PATH) =>
  send(port, { path, headers: headers as Record<string, string>, body });

sourceContract({
  name: "httpSignatures",
  sourceName: "http-signatures",
  source: httpSignatures,
  options: { keys: [KEY], url: URL_OPTION },
  otherKeys: { keys: [OTHER_KEY] },
  sign: (payload, { now }) => signed(payload, { now }),
  signTime(time) {
    const { headers, body } = signed(EVENT);
    const components = ["content-digest", "@method", "@target-uri"];
    const input = `(${components.map((name) => `"${name}"`).join(" ")});created=${time};keyid="k1"`;
    const base = `"content-digest": ${headers["content-digest"]}\n"@method": POST\n"@target-uri": ${URL_SIGNED}\n"@signature-params": ${input}`;
    const proof = createSigner(ed25519.privateKey, "ed25519").sign(Buffer.from(base));
    return proof.then((octets) => ({
      headers: { ...headers, "signature-input": `sig1=${input}`, signature: `sig1=:${octets.toString("base64")}:` },
      body,
    }));
  },
  payload: EVENT,
  path: PATH,
  messages: [{ deliveryId: NONCE, eventType: "order.created" }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: FIELDS,
  toleranceSeconds: 300,
  // The digest covers coded octets: below.
  codings: ["identity"],
  wrongOptions: [
    ["no url", { url: undefined }],
    ["a path for a url", { url: "/webhooks" }],
    ["no required components", { requiredComponents: [] }],
    ["a component in upper case", { requiredComponents: ["Content-Digest"] }],
    ["a component that is not derived", { requiredComponents: ["@status"] }],
    ["a component with parameters", { requiredComponents: ['"content-digest";bs'] }],
    ["an algorithm that is none", { keys: [{ ...KEY, algorithm: "ed448" }] }],
    ["an algorithm that objects have", { keys: [{ ...KEY, algorithm: "constructor" }] }],
    ["a key for another algorithm", { keys: [{ ...KEY, algorithm: "rsa-pss-sha512" }] }],
    ["a key of another curve", { keys: [{ algorithm: "ecdsa-p256-sha256", key: p384.publicKey }] }],
    ["an RSA key that is too short", { keys: [{ algorithm: "rsa-v1_5-sha256", key: weak.publicKey }] }],
    ["half a key", { keys: [{ ...KEY, key: ed25519.publicKey.slice(0, 60) }] }],
    ["an id that is empty", { keys: [{ ...KEY, id: "" }] }],
    ["a public key for a secret", { keys: [{ algorithm: "hmac-sha256", key: 7 }] }],
  ],
});

describe("httpSignatures, against http-message-signatures", () => {
  const verifier = { id: "k1", algs: ["ed25519"], verify: createVerifier(ed25519.publicKey, "ed25519") };

  againstSdk({
    sdk: "http-message-signatures, verifyMessage",
    source: httpSignatures({ keys: [KEY], url: URL_OPTION }),
    path: PATH,
    sign({ isOther, now = Date.now() } = {}) {
      const key = isOther ? other.privateKey : ed25519.privateKey;
      // A digit that stands for the same octets is another signature to us alone, and one in four ends in such a digit.
      for (let count = 0; ; count++) {
        const delivery = signed(EVENT, { key, now, nonce: `n${count}`, expiresAfter: 300 });
        if (!delivery.headers["signature"]?.endsWith("w==:")) return delivery;
      }
    },
    async sdkSigns() {
      const body = Buffer.from(JSON.stringify(EVENT));
      const digest = createHash("sha512").update(body).digest("base64");
      const { headers } = await httpbis.signMessage(
        {
          key: createSigner(ed25519.privateKey, "ed25519", "k1"),
          fields: ["@method", "@target-uri", "@query", "content-digest", "content-type"],
          params: ["created", "expires", "keyid", "alg", "nonce", "tag"],
          paramValues: { nonce: "n1", tag: "app" },
        },
        {
          method: "POST",
          url: URL_SIGNED,
          headers: { "content-type": "application/json", "content-digest": `sha-512=:${digest}:` },
        },
      );
      return { headers, body };
    },
    async verifies({ headers }) {
      try {
        const message = { method: "POST", url: URL_SIGNED, headers: { ...headers } };
        const config = {
          keyLookup: async () => verifier,
          requiredFields: ["content-digest", "@method", "@target-uri"],
          requiredParams: ["created"],
          maxAge: 300,
          tolerance: 1,
        };
        return (await httpbis.verifyMessage(config, message)) === true;
      } catch {
        return false;
      }
    },
    proof: FIELDS,
    isTimed: true,
    differs: {
      "an octet of the body changed": "it computes no digest",
      "an octet behind the body": "as above",
      "an octet of the body missing": "as above",
      "a byte order mark before the body": "as above",
      "no body": "as above",
      "signature twice": "of a member that comes twice the last one counts (RFC 9651 section 4.2.2)",
      "signature-input twice": "as above",
    },
  });

  it.each<readonly [SignatureAlgorithm, string, string]>([
    ["ed25519", ed25519.privateKey, ed25519.publicKey],
    ["hmac-sha256", SECRET, SECRET],
    ["ecdsa-p256-sha256", p256.privateKey, p256.publicKey],
    ["rsa-v1_5-sha256", rsa.privateKey, rsa.publicKey],
    ["rsa-pss-sha512", rsa.privateKey, rsa.publicKey],
  ])("verifies and signs %s as the library does [B7]", async (algorithm, privateKey, publicKey) => {
    const { port } = await served({ keys: [{ algorithm, key: publicKey }], requiredComponents: ["@method"] });
    const own = signed(EVENT, { algorithm, key: privateKey });
    expect((await post(port, own)).status).toBe(200);
    expect(
      await httpbis.verifyMessage(
        { keyLookup: async () => ({ verify: createVerifier(publicKey, algorithm) }) },
        { method: "POST", url: URL_SIGNED, headers: { ...own.headers } },
      ),
    ).toBe(true);

    const message = { method: "POST", url: URL_SIGNED, headers: { "content-type": "application/json" } };
    const { headers } = await httpbis.signMessage(
      {
        key: createSigner(privateKey, algorithm),
        fields: ["@method"],
        paramValues: { created: new Date(NOW), expires: new Date(NOW + 1000) },
      },
      message,
    );
    // With the longest salt there is room for, where section 3.3.1 says 64 octets.
    expect((await post(port, { headers, body: "{}" })).status).toBe(algorithm === "rsa-pss-sha512" ? 401 : 200);
  });
});

describe("httpSignatures, against http-message-sig", () => {
  it.each(["ed25519", "rsa-pss-sha512"] as const)("signs what the library accepts: %s [B7]", async (algorithm) => {
    const pair = algorithm === "ed25519" ? ed25519 : rsa;
    const components = ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"];
    const { headers } = signed(EVENT, {
      algorithm,
      key: pair.privateKey,
      components: [...components, "content-digest"],
    });
    const imported = await webcrypto.subtle.importKey(
      "spki",
      Buffer.from(pair.publicKey.replace(/-----[A-Z ]+-----|\s/g, ""), "base64"),
      algorithm === "ed25519" ? "Ed25519" : { name: "RSA-PSS", hash: "SHA-512" },
      false,
      ["verify"],
    );
    const verify = async (data: Uint8Array, proof: Uint8Array): Promise<boolean> =>
      webcrypto.subtle.verify(
        algorithm === "ed25519" ? "Ed25519" : { name: "RSA-PSS", saltLength: 64 },
        imported,
        proof,
        data,
      );
    const verified = await verifySignature(
      {
        kind: "request",
        method: "POST",
        targetUri: URL_SIGNED,
        requestTarget: "/webhooks/orders?shop=1&x=%20y",
        fields: Object.entries(headers).map(([name, value]) => ({ name, value })),
      },
      {
        policy: {
          algorithms: [algorithm],
          requiredComponents: [...components, "content-digest"],
          requiredParameters: ["created", "keyid"],
          now: NOW / 1000,
        },
        resolveVerifier: () => ({ algorithm, verify }),
      },
    );

    expect(verified.parameters.nonce).toBe(NONCE);
    const { port } = await served({ keys: [{ algorithm, key: pair.publicKey }], requiredComponents: components });
    expect((await post(port, { headers, body: JSON.stringify(EVENT) })).status).toBe(200);
  });
});

describe("httpSignatures, vectors", () => {
  // RFC 9421 appendix B.1 and B.2.
  const AT = 1_618_884_473_000;
  const BODY = '{"hello": "world"}';
  const REQUEST = {
    date: "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-length": "18",
    "content-digest":
      "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
  };
  const URL_OF_VECTORS = "https://example.com/foo";
  const TARGET = "/?param=Value&Pet=dog";
  const KEYS = [
    {
      id: "test-key-rsa-pss",
      algorithm: "rsa-pss-sha512",
      key: `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----`,
    },
    {
      id: "test-shared-secret",
      algorithm: "hmac-sha256",
      key: Buffer.from(
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
        "base64",
      ),
    },
    {
      id: "test-key-ed25519",
      algorithm: "ed25519",
      key: `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----`,
    },
  ] as const;

  it.each([
    [
      "B.2.3",
      ["date", "@method", "@path", "@query", "@authority", "content-type", "content-digest", "content-length"],
      "test-key-rsa-pss",
      "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
    ],
    [
      "B.2.5",
      ["date", "@authority", "content-type"],
      "test-shared-secret",
      "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
    ],
    [
      "B.2.6",
      ["date", "@method", "@path", "@authority", "content-type", "content-length"],
      "test-key-ed25519",
      "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    ],
  ] as const)(
    "accepts %s of RFC 9421, where no more is required than it covers [B7]",
    async (label, components, id, proof) => {
      const options = { keys: KEYS, url: URL_OF_VECTORS, now: () => AT };
      const input = `(${components.map((name) => `"${name}"`).join(" ")});created=1618884473;keyid="${id}"`;
      const name = `sig-${label.toLowerCase().replaceAll(".", "")}`;
      const headers = { ...REQUEST, "signature-input": `${name}=${input}`, signature: `${name}=:${proof}:` };
      const lax = await serveNode({ source: httpSignatures({ ...options, requiredComponents: components }) });
      const strict = await serveNode({ source: httpSignatures(options) });

      expect((await post(lax.port, { headers, body: BODY }, TARGET)).status).toBe(200);
      const isCovered = (components as readonly string[]).includes("content-digest");
      const changed = await post(lax.port, { headers, body: BODY.replace("world", "earth") }, TARGET);
      expect(changed.status).toBe(isCovered ? 401 : 200);
      expect((await post(strict.port, { headers, body: BODY }, TARGET)).status).toBe(401);
      expect((await post(lax.port, { headers: { ...headers, date: "now" }, body: BODY }, TARGET)).status).toBe(401);
    },
  );

  it.each([
    ["sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", 200],
    [
      "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
      200,
    ],
    ["md5=:AAAA:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", 200],
    ["sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:, sha-512=:AAAA:", 401],
    [
      "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
      401,
    ],
    ["sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:", 401],
    ["sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=", 401],
    ["sha-256", 401],
    ["sha-256=()", 401],
    ["sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:;x", 401],
    ["md5=:AAAA:", 401],
    ["sha=:AAAA:", 401],
    ["", 401],
  ])("answers the signed digest %p with %i, for the body of RFC 9530 appendix B.1 [B7]", async (digest, status) => {
    const { port } = await served();
    const delivery = signed('{"hello": "world"}\n', { headers: { "content-digest": digest } });

    expect((await post(port, delivery)).status).toBe(status);
  });
});

describe("httpSignatures", () => {
  it("holds the digest against the octets as sent, in any content coding [B2, A3]", async () => {
    const { port, messages } = await served();
    const coded = signed(gzipSync(JSON.stringify(EVENT)), { headers: { "content-encoding": "gzip" } });
    const plain = signed(EVENT);

    expect((await post(port, coded)).status).toBe(200);
    expect(messages).toMatchObject([{ payload: EVENT }]);
    const { headers } = plain;
    const gone = { headers: { ...headers, "content-encoding": "gzip" }, body: gzipSync(JSON.stringify(EVENT)) };
    expect((await post(port, gone)).status).toBe(401);
  });

  it("signs the URL as the sender knows it, with the query of each request [B7]", async () => {
    const { port } = await served();
    const delivery = signed(EVENT, { url: `${URL_OPTION}?a=1` });

    expect((await post(port, delivery, "/?a=1")).status).toBe(200);
    for (const path of ["/", "/?a=2", "/?a=1&b", "/?"]) expect((await post(port, delivery, path)).status).toBe(401);
    const bare = signed(EVENT, { url: URL_OPTION });
    expect((await post(port, bare, "/")).status).toBe(200);
    const functional = await served({ url: () => "https://other.example/x?y#z" });
    expect((await post(functional.port, signed(EVENT, { url: "https://other.example/x?y" }))).status).toBe(200);
  });

  it("tells for which URL it was signed [B7]", async () => {
    const { port, lines } = await served({}, { diagnose: true });
    const delivery = signed(EVENT, { url: URL_SIGNED.replace("https", "http") });

    expect((await post(port, delivery)).status).toBe(401);
    await until(() =>
      lines.some((line) => line.includes("It was signed for http://example.com/webhooks/orders?shop=1")),
    );
  });

  it("lets in what one of several signatures proves, each by its own key [B7]", async () => {
    const keys = [KEY, { id: "k2", algorithm: "hmac-sha256", key: SECRET }];
    const { port, messages } = await served({ keys });
    const first = signed(EVENT, { key: other.privateKey });
    const second = signed(EVENT, { algorithm: "hmac-sha256", key: SECRET, keyid: "k2", nonce: "n2" });
    const joined = (name: string) =>
      `${first.headers[name]}, ${(second.headers[name] as string).replace("sig1", "sig2")}`;
    const both = {
      headers: { ...first.headers, "signature-input": joined("signature-input"), signature: joined("signature") },
      body: first.body,
    };

    expect((await post(port, both)).status).toBe(200);
    expect(messages).toMatchObject([{ deliveryId: "n2" }]);
    expect((await post(port, first)).status).toBe(401);
    const proxied = {
      ...both.headers,
      "signature-input": both.headers["signature-input"].replace('"@method"', '"@method";bs'),
    };
    expect((await post(port, { headers: proxied, body: first.body })).status).toBe(200);
    const five = (name: string) =>
      [1, 2, 3, 4, 5].map((n) => (second.headers[name] as string).replace("sig1", `s${n}`)).join(", ");
    const many = { ...both.headers, "signature-input": five("signature-input"), signature: five("signature") };
    expect((await post(port, { headers: many, body: first.body })).status).toBe(401);
  });

  it("lets no public key be taken for a secret, nor a key sign by another algorithm [B7]", async () => {
    const confused = signed(EVENT, { algorithm: "hmac-sha256", key: ed25519.publicKey });
    const { port } = await served();
    const byRsa = await served({ keys: [{ algorithm: "rsa-pss-sha512", key: rsa.publicKey }] });

    expect((await post(port, confused)).status).toBe(401);
    const weaker = signed(EVENT, { algorithm: "rsa-v1_5-sha256", key: rsa.privateKey });
    expect((await post(byRsa.port, weaker)).status).toBe(401);
  });

  it("looks a key up by what the signature says, and refuses one that says otherwise [B7]", async () => {
    const hints: unknown[] = [];
    const keys = async (_: unknown, { keyid, alg, tag }: Record<string, unknown>) => {
      hints.push({ keyid, alg, tag });
      if (keyid === "broken") throw new Error("the vault is closed");
      return keyid === "k1" ? [KEY] : [];
    };
    const { port } = await served({ keys });

    expect((await post(port, signed(EVENT))).status).toBe(200);
    expect((await post(port, signed(EVENT, { keyid: "k2" }))).status).toBe(401);
    expect((await post(port, signed(EVENT, { keyid: "broken" }))).status).toBe(503);
    expect(hints).toMatchObject([{ keyid: "k1" }, { keyid: "k2" }, { keyid: "broken" }]);
    const listed = await served();
    expect((await post(listed.port, signed(EVENT, { keyid: "k2" }))).status).toBe(401);
    expect((await post(listed.port, signed(EVENT, { keyid: undefined }))).status).toBe(401);
  });

  it("takes keys as objects, too [B1]", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const { port } = await served({ keys: [{ algorithm: "ed25519", key: publicKey }] });

    expect((await post(port, signed(EVENT, { key: privateKey }))).status).toBe(200);
    expect(() => httpSignatures({ keys: [{ algorithm: "ed25519", key: privateKey }], url: URL_OPTION })).toThrow(
      TypeError,
    );
  });

  it.each<readonly [string, Options, number]>([
    ["without content-digest", { components: ["@method", "@target-uri"] }, 401],
    ["without @method", { components: ["content-digest", "@target-uri"] }, 401],
    ["of nothing", { components: [] }, 401],
    ["of a component twice", { components: ["content-digest", "@method", "@target-uri", "@method"] }, 401],
    ["of more than is required", { components: ["content-digest", "@method", "@target-uri", "content-type"] }, 200],
    ["in another order", { components: ["@target-uri", "@method", "content-digest"] }, 200],
    ["that is not over yet", { expiresAfter: 1 }, 200],
    ["that is over", { now: NOW - 100_000, expiresAfter: 10 }, 401],
    ["without a nonce", { nonce: null }, 200],
  ])("answers a signature %s with its status [B7]", async (_, options, status) => {
    const { port } = await served();

    expect((await post(port, signed(EVENT, options))).status).toBe(status);
  });

  it.each<readonly [string, object, string]>([
    [
      "of another curve",
      { id: "k2", algorithm: "ecdsa-p256-sha256", key: p384.publicKey },
      "a key of the curve P-256 in PEM",
    ],
    [
      "of another kind",
      { algorithm: "ed25519", key: rsa.publicKey },
      "number 2 is no public key for ed25519: it must be an Ed25519",
    ],
    [
      "that is private",
      { id: "k2", algorithm: "ed25519", key: generateKeyPairSync("ed25519").privateKey },
      'number 2 ("k2") is no',
    ],
    ["that is short", { algorithm: "rsa-pss-sha512", key: weak.publicKey }, "an RSA key of 2048 bits or more in PEM"],
    ["that is missing", { id: "k2", algorithm: "ed25519" }, 'number 2 ("k2") has no key'],
    [
      "of no known algorithm",
      { algorithm: "ed448", key: ed25519.publicKey },
      "hmac-sha256, ed25519, ecdsa-p256-sha256",
    ],
    [
      "that is public, for a secret",
      { algorithm: "hmac-sha256", key: generateKeyPairSync("ed25519").publicKey },
      "number 2 is no secret",
    ],
  ])("says which key is wrong that is %s, and what it must be [B1]", (_, key, words) => {
    expect(() => httpSignatures({ keys: [KEY, key as never], url: URL_OPTION })).toThrow(words);
  });

  it("tells what mends a signature that is over, or covers too little", async () => {
    const { port, outcomes } = await served();

    await post(port, signed(EVENT, { components: ["@method", "@target-uri"] }));
    await post(port, signed(EVENT, { components: ["content-digest", "@target-uri"] }));
    await post(port, signed(EVENT, { now: NOW - 100_000, expiresAfter: 10 }));
    expect(outcomes).toMatchObject([
      { advice: expect.stringMatching(/requiredComponents, but then nothing signs the body\.$/) },
      { advice: expect.stringMatching(/requiredComponents\.$/) },
      {
        detail: "The time of the signature's parameter expires is over.",
        advice: expect.stringMatching(/^It was 90 s ago/),
      },
    ]);
  });

  it.each<readonly [string, string | RegExp, string]>([
    ["signature-input", "sig1", "sig2"],
    ["signature-input", /created=\d+;/, ""],
    ["signature-input", '"@method"', '"@method";req'],
    ["signature-input", '"@method"', "@method"],
    ["signature-input", '"@method"', '"@status"'],
    ["signature-input", '"@method"', '"@signature-params"'],
    ["signature-input", '"@method"', '"x-gone"'],
    ["signature-input", '"k1"', "k1"],
    ["signature-input", "created=", "created=0"],
    ["signature-input", /$/, ';alg="hmac-sha256"'],
    ["signature-input", /.+/, 'sig1="x"'],
    ["signature-input", /.+/, "sig1"],
    ["signature-input", /.+/, "("],
    ["signature", /:(.+):/, "$1"],
    ["signature", /.+/, "sig1=()"],
    ["signature", /.+/, "sig1"],
    ["signature", /.+/, "sig1=::"],
    ["signature", /$/, ";x"],
    ["signature", /$/, ", sig2=:AAAA:"],
  ])("refuses a %s with %p made %p [B7]", async (field, from, to) => {
    const { port, messages } = await served();
    const { headers, body } = signed(EVENT);
    const mutated = (headers[field] as string).replace(from, to);

    expect(mutated).not.toBe(headers[field]);
    expect((await post(port, { headers: { ...headers, [field]: mutated }, body })).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it("joins the lines of a covered field, as section 2.1 has it, also of one that Node drops [B7]", async () => {
    const { port } = await served();
    const components = ["content-digest", "@method", "@target-uri", "x-list", "referer"];
    const { headers, body } = signed(EVENT, { components, headers: { "x-list": "a, b", referer: "c, d" } });

    expect(
      (await post(port, { headers: { ...headers, "x-list": ["a", "  b "], referer: ["c", "d"] }, body })).status,
    ).toBe(200);
    expect((await post(port, { headers: { ...headers, "x-list": "a, b", referer: "c" }, body })).status).toBe(401);
  });

  it.each(["a\u00a0", "\u00a0a"])(
    "takes no other octets for a covered field, such as a space that does not break: %j [B7]",
    async (value) => {
      const { port, messages } = await served();
      const components = ["content-digest", "@method", "@target-uri", "x-tenant"];
      const { headers, body } = signed(EVENT, { components, headers: { "x-tenant": "a" } });

      expect((await post(port, { headers: { ...headers, "x-tenant": value }, body })).status).toBe(401);
      expect(messages).toEqual([]);
    },
  );

  it("writes no query into the log: it may hold a token, and a stranger may have filled it [T15]", async () => {
    const { port, lines } = await served();

    expect((await post(port, signed(EVENT, { key: other.privateKey }), "/?token=5ecret")).status).toBe(401);
    expect(lines.join("\n")).toContain(`Is ${URL_OPTION} the URL`);
    expect(lines.join("\n")).not.toContain("5ecret");
  });

  it("tells for which URL it was signed behind proxies that have named several hosts [B7]", async () => {
    const { port, lines } = await served({}, { diagnose: true });
    const { headers, body } = signed(EVENT, { url: URL_SIGNED.replace("https", "http") });

    expect(
      (await post(port, { headers: { ...headers, "x-forwarded-host": "a.example, b.example" }, body })).status,
    ).toBe(401);
    await until(() => lines.some((line) => line.includes("why the signature did not match")));
    expect(lines.join("\n")).toContain("It was signed for http://example.com/webhooks/orders");
  });

  it("says that a type is unsigned where nothing signs the body [G2]", async () => {
    const { port, messages } = await served({ requiredComponents: ["@method", "@target-uri"] });

    expect((await post(port, signed(EVENT, { components: ["@method", "@target-uri"] }))).status).toBe(200);
    expect(messages).toMatchObject([{ provenance: { eventType: "unsigned" } }]);
  });
});

describe("strictDictionary", () => {
  it.each([
    ["a=1, b=(x y);c", true],
    ["a=1,b=2", true],
    ["a=1 ,\tb=2", true],
    ["", true],
    ["a=1, a=1", false],
    ["a=01", false],
    ["a=:AAA=:", true],
    ["a=:AAB=:", false],
    ["a=:AAA:", false],
    ["a=?1", false],
    ["a=1,", false],
    ["A=1", false],
    ["a=é", false],
    ['a="\\x"', false],
  ])("reads %p: %p [B7]", (text, isDictionary) => {
    expect(strictDictionary(text) !== undefined).toBe(isDictionary);
  });
});
