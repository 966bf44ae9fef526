/**
 * The authenticator of a keyed hash: against published vectors, and against everything that is not quite a signature.
 */
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseSync } from "@swc/core";
import express from "express";
import {
  createWebhookNode,
  hmacAuthenticator,
  type AuthenticatorArguments,
  type HmacAuthenticatorOptions,
  type Secrets,
} from "express-webhook-node";
import { dial, head } from "../support/dial";
import { exchange, recordingLogger, send, serveApp, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const HEADER = "X-Signature";
const SECRET = "a secret of the shop";
const BODY = '{"order":7,"text":"é"}';

type Algorithm = "sha1" | "sha256" | "sha384" | "sha512";
type Encoding = "hex" | "base64";

function sign(
  body: string | Buffer = BODY,
  secret: string | Buffer = SECRET,
  algorithm: Algorithm = "sha256",
  encoding: Encoding = "hex",
): string {
  return createHmac(algorithm, secret).update(body).digest(encoding);
}

/** Calls an authenticator without a server, for bodies that a node does not take. */
function call(options: HmacAuthenticatorOptions, headers: Record<string, string>, body: string | Buffer) {
  const args = {
    request: { headers, rawHeaders: Object.entries(headers).flat() },
    body: { bytes: async () => Buffer.from(body) },
  };
  return hmacAuthenticator(options)(args as unknown as AuthenticatorArguments);
}

/** Serves a node under one secret, or as told. */
function serveHmac(options: Partial<HmacAuthenticatorOptions> = {}, node: object = {}) {
  return serveNode({ authenticator: hmacAuthenticator({ header: HEADER, secrets: [SECRET], ...options }), ...node });
}

describe("hmacAuthenticator", () => {
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload validation"
  it("accepts the signature that GitHub publishes [B3]", async () => {
    const options = {
      header: "X-Hub-Signature-256",
      prefix: "sha256=",
      secrets: ["It's a Secret to Everybody"],
      name: "github",
    };
    const signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const [credentials, user] = (await call(
      options,
      { "x-hub-signature-256": `sha256=${signature}` },
      "Hello, World!",
    ))!;

    expect([user.displayName, user.isAuthenticated, credentials.scopes]).toEqual(["github", true, []]);
  });

  it.each<[Algorithm, string]>([
    // RFC 2202 section 3, test case 2
    ["sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"],
    // RFC 4231 section 4.3, test case 2
    ["sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
    ["sha384", "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"],
    [
      "sha512",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ],
  ])("accepts the vector of the RFC for %s, in hex and in base64 [B3]", async (algorithm, signature) => {
    const data = "what do ya want for nothing?";
    for (const encoding of ["hex", "base64"] as const) {
      const field = Buffer.from(signature, "hex").toString(encoding);
      const options = { header: HEADER, secrets: ["Jefe"], algorithm, encoding };

      expect(await call(options, { "x-signature": field }, data)).not.toBeNull();
      await expect(call(options, { "x-signature": field }, `${data}?`)).rejects.toMatchObject({ status: 401 });
    }
  });

  it("tells the sender by the name given, or by the field's, with the scopes given [B3]", async () => {
    const named = await serveHmac({ name: "shop", scopes: ["push", "read"] });
    const unnamed = await serveHmac();
    for (const { port } of [named, unnamed]) await send(port, { headers: { "x-signature": sign() }, body: BODY });

    expect(named.messages[0]!.sender).toEqual({ name: "shop", scopes: ["push", "read"] });
    expect(unnamed.messages[0]!.sender).toEqual({ name: HEADER, scopes: [] });
  });

  it("judges the octets with content codings undone [B2]", async () => {
    const { port } = await serveHmac();
    const coded = gzipSync(BODY);
    const headers = { "content-encoding": "gzip" };

    expect((await send(port, { headers: { ...headers, "x-signature": sign() }, body: coded })).status).toBe(200);
    expect((await send(port, { headers: { ...headers, "x-signature": sign(coded) }, body: coded })).status).toBe(401);
  });

  it("judges octets, not text: a byte order mark is part of what was signed [B2]", async () => {
    const { port, messages } = await serveHmac();
    const body = Buffer.from(`\uFEFF${BODY}`);

    expect((await send(port, { headers: { "x-signature": sign(body) }, body })).status).toBe(200);
    expect((await send(port, { headers: { "x-signature": sign() }, body })).status).toBe(401);
    expect(messages[0]!.body).toBe(BODY);
  });

  it("parses nothing of what is not signed [B2, B7]", async () => {
    const { port } = await serveHmac();
    const no = "no json";

    expect((await send(port, { headers: { "x-signature": sign() }, body: no })).status).toBe(401);
    expect((await send(port, { headers: { "x-signature": sign(no) }, body: no })).status).toBe(400);
  });

  it("accepts a body in pieces, and an empty one is 400 with its right signature [B2]", async () => {
    const { port } = await serveHmac();
    const body = BODY.split(/(?:)/u).map((character) => Buffer.from(character));

    expect((await send(port, { headers: { "x-signature": sign() }, body })).status).toBe(200);
    expect((await send(port, { headers: { "x-signature": sign("") }, body: "" })).json.code).toBe(
      "ERR_WEBHOOK_BODY_EMPTY",
    );
  });
});

describe("a signature that is not quite right", () => {
  const right = sign();
  const swap = (text: string, at: number, put: string): string => text.slice(0, at) + put + text.slice(at + 1);

  const wrong: readonly (readonly [string, string | string[] | undefined])[] = [
    ["missing", undefined],
    ["empty", ""],
    ["the prefix alone", "v1="],
    ["without its prefix", right],
    ["another prefix", `v2=${right}`],
    ["the prefix in upper case", `V1=${right}`],
    ["the prefix twice", `v1=v1=${right}`],
    ["space behind the prefix", `v1= ${right}`],
    ["junk before it", `x v1=${right}`],
    ["upper-case hex", `v1=${right.toUpperCase()}`],
    ["one digit in upper case", `v1=${right.replace(/[a-f]/, (digit) => digit.toUpperCase())}`],
    ["hex junk behind it", `v1=${right}00`],
    ["other junk behind it", `v1=${right}zz`],
    ["a comma behind it", `v1=${right},`],
    ["a parameter behind it", `v1=${right}; a=b`],
    ["two in one line", `v1=${right}, v1=${right}`],
    ["two lines", [`v1=${right}`, `v1=${right}`]],
    ["two lines, the wrong one first", [`v1=${sign("other")}`, `v1=${right}`]],
    ["an octet too short", `v1=${right.slice(2)}`],
    ["a digit too short", `v1=${right.slice(1)}`],
    ["a digit too long", `v1=${right}0`],
    ["half of it", `v1=${right.slice(32)}`],
    ["one digit", "v1=0"],
    ["no digit of hex", `v1=${"g".repeat(64)}`],
    ["zeros", `v1=${"0".repeat(64)}`],
    ["base64", `v1=${sign(BODY, SECRET, "sha256", "base64")}`],
    ["sha1", `v1=${sign(BODY, SECRET, "sha1")}`],
    ["sha512", `v1=${sign(BODY, SECRET, "sha512")}`],
    ["of another body", `v1=${sign('{"order":8}')}`],
    ["by another secret", `v1=${sign(BODY, `${SECRET}.`)}`],
    ["by an empty secret", `v1=${sign(BODY, "")}`],
    ["letters that look like digits", `v1=${right.replace(/\d/, "\u0660")}`],
  ];

  it.each(wrong)("is 401, and nothing is emitted: %s [B7]", async (_, field) => {
    const { port, messages, outcomes } = await serveHmac({ prefix: "v1=" });
    const lines = [field].flat().filter((one) => one !== undefined);
    const octets = Buffer.from(BODY);
    const { statuses, text } = await exchange(port, [
      head([
        "Content-Type: application/json",
        "Connection: close",
        `Content-Length: ${octets.length}`,
        ...lines.map((one) => `${HEADER}: ${one}`),
      ]),
      octets,
    ]);

    expect(statuses).toEqual([401]);
    expect(text).toContain('"code":"ERR_WEBHOOK_HTTP_EXCEPTION"');
    expect(text).not.toContain(right);
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind, status }) => [kind, status])).toEqual([["refused", 401]]);
  });

  it("is let in once all of it is right", async () => {
    const { port } = await serveHmac({ prefix: "v1=" });

    expect((await send(port, { headers: { "x-signature": `v1=${right}` }, body: BODY })).status).toBe(200);
  });

  it.each<[Encoding, Algorithm, string]>([
    ["hex", "sha256", "0123456789abcdef"],
    ["base64", "sha1", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"],
    ["base64", "sha256", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"],
    ["base64", "sha384", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"],
    ["base64", "sha512", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"],
  ])("is refused with any one digit changed to any other: %s of %s [B7]", async (encoding, algorithm, alphabet) => {
    const field = sign(BODY, SECRET, algorithm, encoding);
    const options = { header: HEADER, secrets: [SECRET], algorithm, encoding };
    for (let at = 0; at < field.length; at++) {
      for (const digit of alphabet) {
        if (digit === field[at]) continue;
        const changed = { "x-signature": swap(field, at, digit) };
        await expect(call(options, changed, BODY)).rejects.toMatchObject({ status: 401 });
      }
    }
    expect(await call(options, { "x-signature": field }, BODY)).not.toBeNull();
  });

  it("is refused with any one bit of the body changed [B7]", async () => {
    const octets = Buffer.from(BODY);
    const options = { header: HEADER, secrets: [SECRET] };
    for (let bit = 0; bit < octets.length * 8; bit++) {
      const changed = Buffer.from(octets);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await expect(call(options, { "x-signature": right }, changed)).rejects.toMatchObject({ status: 401 });
    }
    for (const changed of [octets.subarray(1), octets.subarray(0, -1), Buffer.concat([octets, Buffer.from("\n")])]) {
      await expect(call(options, { "x-signature": right }, changed)).rejects.toMatchObject({ status: 401 });
    }
  });

  it.each<[Algorithm, string]>([
    ["sha1", "no padding"],
    ["sha256", "no padding"],
    ["sha512", "no padding"],
    ["sha1", "too much padding"],
    ["sha256", "too much padding"],
    ["sha384", "too much padding"],
    ["sha512", "too much padding"],
    ["sha256", "hex"],
    ["sha256", "the alphabet of URLs"],
    ["sha256", "junk behind the padding"],
    ["sha256", "a line feed's escape"],
  ])("is refused in base64 of %s with %s [B7]", async (algorithm, what) => {
    // A body whose signature holds "+" or "/", so that the other alphabet differs.
    let body = "0";
    while (!/[+/]/.test(sign(body, SECRET, algorithm, "base64"))) body += "0";
    const field = sign(body, SECRET, algorithm, "base64");
    const changed = {
      "no padding": field.replace(/=+$/, ""),
      "too much padding": `${field}=`,
      hex: sign(body, SECRET, algorithm),
      "the alphabet of URLs": field.replaceAll("+", "-").replaceAll("/", "_"),
      "junk behind the padding": `${field}AAAA`,
      "a line feed's escape": `${field}%0A`,
    }[what]!;
    const options = { header: HEADER, secrets: [SECRET], algorithm, encoding: "base64" as const };

    expect(await call(options, { "x-signature": field }, body)).not.toBeNull();
    await expect(call(options, { "x-signature": changed }, body)).rejects.toMatchObject({ status: 401 });
  });

  it.each(["missing", "malformed", "sent twice"])(
    "is refused before an octet of the body is read where the field is %s [B2, B7]",
    async (what) => {
      const { port } = await serveHmac();
      const fields = {
        missing: [],
        malformed: [`${HEADER}: ${right}0`],
        "sent twice": [`${HEADER}: ${right}`, `${HEADER.toLowerCase()}: ${right}`],
      }[what]!;
      const connection = await dial(port);
      const startedAt = performance.now();
      connection.write(head(["Content-Type: application/json", "Content-Length: 1000000", ...fields]));
      await connection.answered();

      expect(performance.now() - startedAt).toBeLessThan(800);
      expect(connection.statuses()).toEqual([401]);
      expect(connection.text()).toContain(`"detail":"${HEADER} must hold one sha256 signature in hex."`);
    },
  );

  it("waits for the body where the field has the right form [B2]", async () => {
    const { port } = await serveHmac({}, { deadlineMs: 200 });
    const connection = await dial(port);
    connection.write(head(["Content-Type: application/json", "Content-Length: 10", `${HEADER}: ${right}`]));
    await connection.answered();

    expect(connection.statuses()).toEqual([408]);
  });

  it("takes a prefix as it is written, not as a pattern [B7]", async () => {
    const { port } = await serveHmac({ prefix: "v1.*(a|b)=" });

    expect((await send(port, { headers: { "x-signature": `v1.*(a|b)=${right}` }, body: BODY })).status).toBe(200);
    expect((await send(port, { headers: { "x-signature": `v1.a=${right}` }, body: BODY })).status).toBe(401);
  });
});

describe("secrets", () => {
  it("are several, so that one can be replaced while the sender still uses the other [B1]", async () => {
    const { port } = await serveHmac({ secrets: ["new", "old", Buffer.from([0, 255, 1])] });
    const by = async (secret: string | Buffer): Promise<number> =>
      (await send(port, { headers: { "x-signature": sign(BODY, secret) }, body: BODY })).status;

    expect(await Promise.all(["new", "old", Buffer.from([0, 255, 1])].map(by))).toEqual([200, 200, 200]);
    expect(await by("older")).toBe(401);
  });

  it("are read once: the list may be changed later and nothing follows", async () => {
    const secrets = ["first"];
    const { port } = await serveHmac({ secrets });
    secrets[0] = "second";
    secrets.push("third");
    const by = async (secret: string): Promise<number> =>
      (await send(port, { headers: { "x-signature": sign(BODY, secret) }, body: BODY })).status;

    expect(await Promise.all(["first", "second", "third"].map(by))).toEqual([200, 401, 401]);
  });

  it.each<[string, Secrets]>([
    ["at once", ({ params }) => [`secret of ${String(params["tenant"])}`]],
    ["in a promise", async ({ params }) => ["other", `secret of ${String(params["tenant"])}`]],
  ])("are found for each request by a function, %s [B1]", async (_, secrets) => {
    const app = express();
    const node = createWebhookNode({
      authenticator: hmacAuthenticator({ header: HEADER, secrets }),
      emitter: async () => {},
      logger: recordingLogger([]),
    });
    app.use("/hooks/:tenant", node);
    const { port } = await serveApp(app);
    const headers = { "x-signature": sign(BODY, "secret of acme") };

    expect((await send(port, { path: "/hooks/acme", headers, body: BODY })).status).toBe(200);
    expect((await send(port, { path: "/hooks/other", headers, body: BODY })).status).toBe(401);
  });

  it.each<[string, Secrets]>([
    [
      "throws",
      () => {
        throw new Error("vault: permission denied for hunter2");
      },
    ],
    ["rejects", () => Promise.reject(new Error("vault: permission denied for hunter2"))],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what is no error is what is tested
    ["rejects with nothing", () => Promise.reject()],
    [
      "fails as a client's 404",
      () => Promise.reject(Object.assign(new Error("hunter2"), { status: 404, expose: true })),
    ],
  ])("that cannot be had are 503, and come again: the function %s [B1, C1]", async (_, secrets) => {
    const { port, messages, outcomes, lines } = await serveHmac({ secrets });
    const answered = await send(port, { headers: { "x-signature": sign() }, body: BODY });

    expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_KEYS"]);
    expect(answered.headers["retry-after"]).toBe("1");
    expect(answered.text).not.toContain("hunter2");
    expect(messages).toEqual([]);
    expect(outcomes).toHaveLength(1);
    expect(lines[0]).toContain("The function in secrets has failed.");
  });

  it("that take too long are 503 at the deadline [T16]", async () => {
    const { port } = await serveHmac({ secrets: () => new Promise(() => {}) }, { deadlineMs: 200 });

    expect((await send(port, { headers: { "x-signature": sign() }, body: BODY })).json.code).toBe(
      "ERR_WEBHOOK_DEADLINE",
    );
  });

  it.each<[string, Secrets]>([
    ["in a promise", async () => []],
    ["at once", () => []],
  ])("that are none are a sender not known: 401, %s [B7]", async (_, secrets) => {
    const { port } = await serveHmac({ secrets });

    expect((await send(port, { headers: { "x-signature": sign() }, body: BODY })).status).toBe(401);
    expect((await send(port, { headers: { "x-signature": sign(BODY, "") }, body: BODY })).status).toBe(401);
  });

  it.each([
    ["an empty one", [""]],
    ["an empty Buffer", [Buffer.alloc(0)]],
    ["an empty one behind a good one", [SECRET, ""]],
    ["undefined in the list", [undefined]],
    ["null in the list", [null]],
    ["a number in the list", [7]],
    ["undefined", undefined],
    ["null", null],
    ["one text", SECRET],
    ["an empty text", ""],
    ["an object", { secret: SECRET }],
  ])("found by a function are held to the same form: 500, and nobody is let in: %s [B1, C2]", async (_, found) => {
    const { port, messages, outcomes } = await serveHmac({ secrets: (async () => found) as unknown as Secrets });
    for (const headers of [{ "x-signature": sign() }, { "x-signature": sign(BODY, "") }]) {
      const answered = await send(port, { headers, body: BODY });

      expect([answered.status, answered.json]).toEqual([
        500,
        { type: "about:blank", title: "Internal Server Error", status: 500, code: "ERR_WEBHOOK_INTERNAL" },
      ]);
    }
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["failed", "failed"]);
    expect(outcomes[0]!.error).toBeInstanceOf(TypeError);
    expect((outcomes[0]!.error as Error).message).toMatch(/^secrets: /);
  });
});

describe("hmacAuthenticator, when it is made", () => {
  const good: HmacAuthenticatorOptions = { header: HEADER, secrets: [SECRET] };
  const missing = "is missing; is its environment variable set?";
  const empty = "is empty; is its environment variable set?";

  it.each<[string, object | undefined, string]>([
    ["no options", undefined, "hmacAuthenticator: the options must be one object."],
    ["null", null as never, "hmacAuthenticator: the options must be one object."],
    ["a list", [good], "hmacAuthenticator: the options must be one object."],
    [
      "no secrets",
      { header: HEADER },
      "secrets: it must be a list, such as [process.env.WEBHOOK_SECRET], or a function.",
    ],
    ["undefined for secrets", { ...good, secrets: undefined }, "secrets: it must be a list"],
    ["null for secrets", { ...good, secrets: null }, "secrets: it must be a list"],
    ["one text for secrets", { ...good, secrets: SECRET }, "secrets: it must be a list"],
    ["a Buffer for secrets", { ...good, secrets: Buffer.from(SECRET) }, "secrets: it must be a list"],
    ["an empty list", { ...good, secrets: [] }, "secrets: the list is empty, so nobody could be authenticated."],
    ["a secret that is undefined", { ...good, secrets: [undefined] }, `secrets: number 1 ${missing}`],
    ["a second one that is undefined", { ...good, secrets: [SECRET, undefined] }, `secrets: number 2 ${missing}`],
    ["a secret that is null", { ...good, secrets: [null] }, `secrets: number 1 ${missing}`],
    ["a secret that is a number", { ...good, secrets: [7] }, `secrets: number 1 ${missing}`],
    ["a secret that is empty", { ...good, secrets: [""] }, `secrets: number 1 ${empty}`],
    ["a Buffer that is empty", { ...good, secrets: [Buffer.alloc(0)] }, `secrets: number 1 ${empty}`],
    ["no header", { secrets: [SECRET] }, "header: undefined is not a text"],
    ["an empty header", { ...good, header: "" }, 'header: "" is not a text'],
    [
      "a header that is no field name",
      { ...good, header: "X Signature" },
      'header: "X Signature" is not a field name.',
    ],
    ["a header with a colon", { ...good, header: "X-Signature:" }, 'header: "X-Signature:" is not a field name.'],
    ["a number for header", { ...good, header: 7 }, "header: 7 is not a text"],
    [
      "an unknown algorithm",
      { ...good, algorithm: "md5" },
      'algorithm: "md5" is not one of sha1, sha256, sha384, sha512.',
    ],
    ["an algorithm in upper case", { ...good, algorithm: "SHA256" }, 'algorithm: "SHA256" is not one of'],
    ["an algorithm of every object", { ...good, algorithm: "constructor" }, 'algorithm: "constructor" is not one of'],
    ["null for algorithm", { ...good, algorithm: null }, "algorithm: null is not one of"],
    ["an unknown encoding", { ...good, encoding: "base64url" }, 'encoding: "base64url" is neither "hex" nor "base64".'],
    ["null for encoding", { ...good, encoding: null }, 'encoding: null is neither "hex" nor "base64".'],
    ["a number for prefix", { ...good, prefix: 7 }, "prefix: 7 is not a text"],
    ["null for prefix", { ...good, prefix: null }, "prefix: null is not a text"],
    ["an empty name", { ...good, name: "" }, 'name: "" is not a text'],
    ["a number for name", { ...good, name: 7 }, "name: 7 is not a text"],
    ["one text for scopes", { ...good, scopes: "push" }, "scopes must be a list of strings."],
    ["numbers for scopes", { ...good, scopes: [7] }, "scopes must be a list of strings."],
    ["secret for secrets", { header: HEADER, secret: SECRET }, 'there is no option "secret". Did you mean secrets?'],
    ["headers for header", { ...good, headers: HEADER }, 'there is no option "headers". Did you mean header?'],
    ["algoritm", { ...good, algoritm: "sha1" }, 'there is no option "algoritm". Did you mean algorithm?'],
    ["Prefix", { ...good, Prefix: "a" }, 'there is no option "Prefix". Did you mean prefix?'],
    [
      "a word like no other",
      { ...good, timestampTolerance: 5 },
      'there is no option "timestampTolerance". There are: algorithm, encoding, header, name, prefix, scopes, secrets.',
    ],
  ])("throws with %s, and says what is wrong [B1]", (_, options, message) => {
    const make = (): unknown => hmacAuthenticator(options as HmacAuthenticatorOptions);

    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  it("never shows a secret in what it throws [T15]", () => {
    const make = (): unknown => hmacAuthenticator({ header: HEADER, secrets: ["hunter2", ""] });

    expect(make).toThrow(/^secrets: (?!.*hunter2)/);
    expect(() => hmacAuthenticator({ header: HEADER, secrets: "hunter2" as never })).toThrow(/^secrets: (?!.*hunter2)/);
  });

  it("takes undefined for absent", async () => {
    const { port } = await serveHmac({
      name: undefined,
      scopes: undefined,
      prefix: undefined,
      algorithm: undefined,
      encoding: undefined,
    });

    expect((await send(port, { headers: { "x-signature": sign() }, body: BODY })).status).toBe(200);
  });
});

describe("lib/authenticate and lib/sources", () => {
  const files = ["authenticate", "sources"].flatMap((folder) =>
    readdirSync(join(__dirname, "../../lib", folder))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `lib/${folder}/${name}`),
  );

  it.each([
    "if (proof === digest) accept();",
    "const isRight = signature == expected;",
    "throw expected !== createHmac(algorithm, key).update(octets).digest();",
    "if (given.secret !== this.secret) throw unauthorized();",
    "keys.some((key) => hmac(key)?.proof === wanted);",
    "const isRight = proof.equals(wanted);",
    "Buffer.compare(wanted, signature);",
    "const isKnown = tokens.includes(token);",
  ])("are read by an eye that sees %j", (text) => {
    expect(revealing(text)).toHaveLength(1);
  });

  it.each([
    'if (typeof secret === "string" && secret !== "") use(secret);',
    "if (token === undefined || secret.length === 0) throw missing();",
    "if (a.length === b.length && timingSafeEqual(a, b)) throw ok();",
    "if ((tokens === undefined) === (find === undefined)) throw wrong();",
    "if (remembered.get(key)?.secrets === secrets) remembered.delete(key);",
  ])("are read by an eye that lets pass %j", (text) => {
    expect(revealing(text)).toEqual([]);
  });

  it.each(files)("compare no digest and no secret in a time that tells where they differ: %s [B7]", (file) => {
    expect(revealing(readFileSync(join(__dirname, "../..", file), "utf8"))).toEqual([]);
  });
});

type Node = { readonly type: string; readonly [member: string]: unknown };

/** Comparisons, in a text of TypeScript, of a digest or a secret (by the words that name such things) with what varies. */
function revealing(text: string): string[] {
  const holdsSecret = /(?:digest|hmac|mac|proof|signature|secret|token|password|hash)$/i;
  const comparing = ["equals", "compare", "localeCompare", "includes", "indexOf", "startsWith", "endsWith"];
  // bcrypt's own comparison takes the same time wherever they differ.
  const isBcrypt = (node: Node): boolean => nameOf(node) === "bcrypt";
  const found: string[] = [];

  const look = (comparison: string, values: readonly Node[]): void => {
    const names = values.map(nameOf).filter((name) => !["", "undefined", "Buffer"].includes(name));
    if (names.length > 1 && names.some((name) => holdsSecret.test(name)))
      found.push(`${comparison}: ${names.join(", ")}`);
  };
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, operator, left, right, callee, arguments: args } = node as Record<string, unknown>;
    if (type === "BinaryExpression" && typeof operator === "string" && /^[!=]==?$/.test(operator)) {
      look(operator, [left as Node, right as Node]);
    }
    if (type === "CallExpression" && (callee as Node).type === "MemberExpression") {
      const object = (callee as Node)["object"] as Node;
      const method = nameOf(callee as Node);
      const values = (args as { readonly expression: Node }[]).map(({ expression }) => expression);
      if (comparing.includes(method) && !isBcrypt(object)) look(method, [object, ...values]);
    }
    for (const child of Object.values(node)) walk(child);
  };
  walk(parseSync(text, { syntax: "typescript" }));
  return found;
}

/** The name that a value goes by: its own, its last member's or its function's. */
function nameOf(node: Node): string {
  switch (node.type) {
    case "Identifier":
      return String(node["value"]);
    case "MemberExpression":
      return nameOf(node["property"] as Node);
    case "CallExpression":
      return nameOf(node["callee"] as Node);
    case "OptionalChainingExpression":
      return nameOf(node["base"] as Node);
    case "ParenthesisExpression":
    case "TsAsExpression":
      return nameOf(node["expression"] as Node);
    case "AwaitExpression":
      return nameOf(node["argument"] as Node);
    default:
      return "";
  }
}
