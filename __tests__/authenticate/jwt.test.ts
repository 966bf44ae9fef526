/**
 * Signed tokens: made by jose, verified by keys that a real server on loopback publishes, or does not.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import * as jose from "jose";
import { anyOf } from "express-webhook-node";
import { bearerAuthenticator } from "express-webhook-node/authenticate/bearer";
import { jwtAuthenticator, JwtUser, type JwtAuthenticatorOptions } from "express-webhook-node/authenticate/jwt";
import { requires } from "express-webhook-node/authenticate/requires";
import { dial, head } from "../support/dial";
import { send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const ISSUER = "https://id.example";
const AUDIENCE = "https://hooks.example";

type Signer = { readonly kid: string; readonly alg: string; readonly secret: jose.CryptoKey; readonly open: jose.JWK };

async function makeSigner(kid: string, alg = "ES256"): Promise<Signer> {
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { kid, alg, secret: privateKey, open: { ...(await jose.exportJWK(publicKey)), kid, alg, use: "sig" } };
}

let signer: Signer;
let other: Signer;

beforeAll(async () => {
  [signer, other] = await Promise.all([makeSigner("one"), makeSigner("two")]);
});
afterEach(() => jest.restoreAllMocks());

/** A token that is good, but for what is told. `undefined` leaves a claim out. */
function makeToken(claims: jose.JWTPayload = {}, by: Signer = signer, header: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: ISSUER, aud: AUDIENCE, sub: "shop", iat: now, exp: now + 60 };
  return new jose.SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: by.alg, kid: by.kid, ...header })
    .sign(by.secret);
}

type KeyServer = {
  readonly url: string;
  readonly server: http.Server;
  /** How often it was asked. */
  readonly asked: () => number;
  /** What it does from now on. */
  serve: (answer: http.RequestListener) => void;
};

const opened: http.Server[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const keys = (...signers: Signer[]): http.RequestListener => {
  return (_, response) => response.end(JSON.stringify({ keys: signers.map(({ open }) => open) }));
};

async function startKeyServer(answer: http.RequestListener = keys(signer), port = 0): Promise<KeyServer> {
  let asked = 0;
  let current = answer;
  const server = http.createServer((request, response) => {
    asked++;
    current(request, response);
  });
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: bound } = server.address() as AddressInfo;
  return {
    server,
    url: `http://127.0.0.1:${bound}/.well-known/jwks.json`,
    asked: () => asked,
    serve: (next) => (current = next),
  };
}

function serveJwt(options: Partial<JwtAuthenticatorOptions>) {
  const from = options.jwksUrl === undefined ? { jwks: { keys: [signer.open] } } : {};
  return serveNode({ authenticator: jwtAuthenticator({ issuer: ISSUER, audience: AUDIENCE, ...from, ...options }) });
}

const post = (port: number, token: string) => send(port, { body: "{}", headers: { authorization: `Bearer ${token}` } });

/** What a refused token is told, but for what stands around it. */
const whyOf = (field: string | undefined): string | undefined =>
  /^Bearer realm="webhook", error="invalid_token", error_description="([^"]*)"$/.exec(field ?? "")?.[1];

const clocks = { date: Date.now, performance: performance.now.bind(performance) };
let passedMs = 0;
beforeEach(() => (passedMs = 0));

/** Lets so many seconds pass for all who ask what time it is. */
function pass(seconds: number): void {
  passedMs += seconds * 1000;
  jest.spyOn(Date, "now").mockImplementation(() => clocks.date() + passedMs);
  jest.spyOn(performance, "now").mockImplementation(() => clocks.performance() + passedMs);
}

describe("jwtAuthenticator [E2]", () => {
  it("lets in a token of the issuer, with its subject, its scopes and its claims [B3]", async () => {
    let user: unknown;
    const verify = jwtAuthenticator({ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.open] } });
    const { port, messages } = await serveNode({
      authenticator: async (args) => {
        const pair = await verify(args);
        user = pair?.[1];
        return pair;
      },
    });
    expect((await post(port, await makeToken({ scope: "push orders:write", tenant: "acme" }))).status).toBe(200);
    expect(messages.map(({ sender }) => sender)).toEqual([{ name: "shop", scopes: ["push", "orders:write"] }]);
    expect(user).toBeInstanceOf(JwtUser);
    expect((user as JwtUser).claims).toMatchObject({ iss: ISSUER, tenant: "acme" });
    expect(Object.isFrozen((user as JwtUser).claims)).toBe(true);
  });

  it.each<[string, jose.JWTPayload, string[]]>([
    ["none", {}, []],
    ["scope", { scope: "a b" }, ["a", "b"]],
    ["an empty scope", { scope: "" }, []],
    ["scope with spaces too many", { scope: "  a   b " }, ["a", "b"]],
    ["scp in a list", { scp: ["a", "b"] }, ["a", "b"]],
    ["scp in a text", { scp: "a b" }, ["a", "b"]],
    ["both", { scope: "a b", scp: ["b", "c"] }, ["a", "b", "c"]],
    ["what is no text", { scope: 1, scp: ["a", null, 2, {}, ["b"]] }, ["a"]],
  ])("reads scopes of %s", async (_, claims, scopes) => {
    const { port, messages } = await serveJwt({});
    expect((await post(port, await makeToken(claims))).status).toBe(200);
    expect(messages[0]?.sender?.scopes).toEqual(scopes);
  });

  it.each(["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256", "RS512"])("verifies %s", async (alg) => {
    const by = await makeSigner("k", alg);
    const { port } = await serveJwt({ jwks: { keys: [other.open, by.open] } });
    expect((await post(port, await makeToken({}, by))).status).toBe(200);
  });

  it.each<[string, jose.JWTPayload, string]>([
    ["has expired", { exp: 1_700_000_000 }, "The token has expired."],
    ["never expires", { exp: undefined as never }, "The token's exp is missing or not right."],
    ["is not good yet", { nbf: 4_000_000_000 }, "The token's nbf is missing or not right."],
    ["is of another issuer", { iss: `${ISSUER}/` }, "The token's iss is missing or not right."],
    ["is of no issuer", { iss: undefined as never }, "The token's iss is missing or not right."],
    ["is for others", { aud: ["https://other.example"] }, "The token's aud is missing or not right."],
    ["is for nobody", { aud: undefined as never }, "The token's aud is missing or not right."],
    ["has no subject", { sub: undefined as never }, "The token has no sub."],
    ["has an empty subject", { sub: "" }, "The token has no sub."],
    ["has a subject that is no text", { sub: 7 as never }, "The token has no sub."],
    ["has times that are no numbers", { exp: "tomorrow" as never }, "The token's exp is missing or not right."],
  ])("refuses a token that %s with invalid_token, and says why [B7]", async (_, claims, why) => {
    const { port, messages } = await serveJwt({});
    const answered = await post(port, await makeToken(claims));
    expect([answered.status, whyOf(answered.headers["www-authenticate"])]).toEqual([401, why]);
    expect(answered.json.detail).toBe(why);
    expect(messages).toEqual([]);
  });

  it("allows for clocks that differ by toleranceSeconds, and not by more", async () => {
    const now = Math.floor(Date.now() / 1000);
    const strict = await serveJwt({ toleranceSeconds: 0 });
    const usual = await serveJwt({});
    const statuses = async (claims: jose.JWTPayload) => {
      const token = await makeToken(claims);
      return [(await post(strict.port, token)).status, (await post(usual.port, token)).status];
    };
    expect(await statuses({ exp: now - 10 })).toEqual([401, 200]);
    expect(await statuses({ nbf: now + 10 })).toEqual([401, 200]);
    expect(await statuses({ exp: now - 40 })).toEqual([401, 401]);
    expect(await statuses({ nbf: now + 40 })).toEqual([401, 401]);
  });

  it("holds tokens to an age and a type where it is asked to", async () => {
    const now = Math.floor(Date.now() / 1000);
    const { port } = await serveJwt({ maxAgeSeconds: 300, type: "at+jwt", toleranceSeconds: 0 });
    const typ = { typ: "at+jwt" };
    expect((await post(port, await makeToken({}, signer, typ))).status).toBe(200);
    const untyped = await post(port, await makeToken());
    expect(whyOf(untyped.headers["www-authenticate"])).toBe("The token's typ is missing or not right.");
    const old = await post(port, await makeToken({ iat: now - 400 }, signer, typ));
    expect([old.status, whyOf(old.headers["www-authenticate"])]).toEqual([401, "The token has expired."]);
  });

  it("takes one of several issuers and audiences, and a name from another claim", async () => {
    const { port, messages } = await serveJwt({
      issuer: ["https://a.example", ISSUER],
      audience: ["x", "y"],
      nameClaim: "client_id",
    });
    const token = await makeToken({ aud: ["z", "y"], client_id: "till", sub: undefined as never });
    expect((await post(port, token)).status).toBe(200);
    expect(messages[0]?.sender?.name).toBe("till");
  });

  it("goes with requires() and anyOf()", async () => {
    const jwt = jwtAuthenticator({ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.open] } });
    const { port } = await serveNode({
      authenticator: anyOf(bearerAuthenticator({ tokens: ["shared"] }), requires("push", jwt)),
    });
    expect((await post(port, "shared")).status).toBe(200);
    expect((await post(port, await makeToken({ scope: "push" }))).status).toBe(200);
    expect((await post(port, await makeToken())).status).not.toBe(200);
  });
});

describe("jwtAuthenticator, of forged tokens [E2]", () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  it.each<[string, (good: string, pem: string) => string | Promise<string>]>([
    ["no signature", (good) => `${good.split(".").slice(0, 2).join(".")}.`],
    ["alg none", (good) => `${part({ alg: "none" })}.${good.split(".")[1]}.`],
    ["alg None, with a key", (good) => `${part({ alg: "None", kid: "one" })}.${good.split(".")[1]}.`],
    ["other claims under the same signature", (good) => good.replace(/\.[^.]+\./, `.${part({ sub: "root" })}.`)],
    ["a signature that is cut", (good) => good.slice(0, -4)],
    ["a signature with a letter changed", (good) => good.replace(/\.(.)([^.]+)$/, (_, a, rest) => `.${a === "A" ? "B" : "A"}${rest}`)], // prettier-ignore
    ["another's key under a known name", () => makeToken({}, { ...other, kid: "one" })],
    ["a key of its own in its header", () => makeToken({}, other, { kid: undefined, jwk: other.open })],
    [
      "the public key for a shared secret",
      async (_, pem) => {
        const claims = { iss: ISSUER, aud: AUDIENCE, sub: "root", exp: 4_000_000_000 };
        return new jose.SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "one" }).sign(Buffer.from(pem));
      },
    ],
    [
      "an extension that must be understood",
      () =>
        new jose.SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: "shop", exp: 4_000_000_000 })
          .setProtectedHeader({ alg: "ES256", kid: "one", crit: ["exp2"], exp2: 1 })
          .sign(signer.secret, { crit: { exp2: true } }),
    ],
    ["two parts", (good) => good.split(".").slice(0, 2).join(".")],
    ["four parts", (good) => `${good}.x`],
    ["five parts, as of encrypted ones", (good) => `${good}.x.y`],
    ["text that is no JSON", (good) => good.replace(/^[^.]+/, "AAAA")],
    ["one word", () => "word"],
    ["many dots", () => ".".repeat(4000)],
    ["claims that are a list", () => new jose.CompactSign(Buffer.from("[1]")).setProtectedHeader({ alg: "ES256", kid: "one" }).sign(signer.secret)], // prettier-ignore
  ])("refuses %s: 401, and nothing is emitted", async (_, forge) => {
    const pem = await jose.exportSPKI((await jose.importJWK(signer.open, "ES256")) as jose.CryptoKey);
    const { port, messages } = await serveJwt({});
    const good = await makeToken();
    expect((await post(port, good)).status).toBe(200);
    const answered = await post(port, await forge(good, pem));
    expect([answered.status, typeof whyOf(answered.headers["www-authenticate"])]).toEqual([401, "string"]);
    expect(messages).toHaveLength(1);
  });

  it("refuses algorithms that are not on the list", async () => {
    const { port } = await serveJwt({ algorithms: ["RS256", "EdDSA"] });
    const answered = await post(port, await makeToken());
    expect([answered.status, whyOf(answered.headers["www-authenticate"])]).toEqual([
      401,
      "The algorithm of the token is not allowed.",
    ]);
  });

  it("asks a token to name its key where several would do", async () => {
    const { port } = await serveJwt({ jwks: { keys: [signer.open, other.open] } });
    const answered = await post(port, await makeToken({}, signer, { kid: undefined }));
    expect(whyOf(answered.headers["www-authenticate"])).toBe("The token must name its key (kid).");
    const single = await serveJwt({});
    expect((await post(single.port, await makeToken({}, signer, { kid: undefined }))).status).toBe(200);
  });

  it("says the rest as the Bearer scheme does: 401 without a token, 400 for a malformed field, and in the query", async () => {
    const server = await startKeyServer();
    const { port } = await serveJwt({ jwksUrl: server.url });
    const none = await send(port, { body: "{}" });
    expect([none.status, none.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="webhook"']);
    const token = await makeToken();
    expect((await post(port, `${token} ${token}`)).status).toBe(400);
    expect((await send(port, { path: `/?access_token=${token}`, body: "{}" })).status).toBe(400);
    expect(server.asked()).toBe(0);
  });

  it("refuses before an octet of the body has come", async () => {
    const { port } = await serveJwt({});
    const client = await dial(port);
    client.write(head(["Content-Type: application/json", "Content-Length: 999999", "Authorization: Bearer a.b.c"]));
    await client.answered();
    expect(client.statuses()).toEqual([401]);
  });
});

describe("jwtAuthenticator, of keys at a URL [E2]", () => {
  it("fetches them when first needed, once for all who wait, and keeps them", async () => {
    let release = (): void => {};
    const server = await startKeyServer((request, response) => (release = () => keys(signer)(request, response)));
    const { port } = await serveJwt({ jwksUrl: server.url });
    const token = await makeToken();
    expect(server.asked()).toBe(0);
    const all = Array.from({ length: 10 }, () => post(port, token));
    await until(() => server.asked() === 1);
    release();
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(all.map(() => 200));
    expect((await post(port, token)).status).toBe(200);
    expect(server.asked()).toBe(1);
  });

  it("fetches them again after cacheSeconds", async () => {
    const server = await startKeyServer();
    const { port } = await serveJwt({ jwksUrl: server.url, cacheSeconds: 60, toleranceSeconds: 1000 });
    const token = await makeToken();
    await post(port, token);
    pass(59);
    await post(port, token);
    expect(server.asked()).toBe(1);
    pass(2);
    expect((await post(port, token)).status).toBe(200);
    expect(server.asked()).toBe(2);
  });

  it("follows a rotation: a key that is not known is looked for, every ten seconds at most", async () => {
    const server = await startKeyServer();
    const { port } = await serveJwt({ jwksUrl: server.url, toleranceSeconds: 1000 });
    expect((await post(port, await makeToken())).status).toBe(200);

    server.serve(keys(signer, other));
    const rotated = await makeToken({}, other);
    const tooSoon = await post(port, rotated);
    expect(whyOf(tooSoon.headers["www-authenticate"])).toBe("The key of the token is not known.");
    expect(server.asked()).toBe(1);
    pass(11);
    expect((await post(port, rotated)).status).toBe(200);
    expect(server.asked()).toBe(2);

    // Whoever makes up names of keys does not have the issuer asked each time.
    for (let n = 0; n < 5; n++) {
      const made = await post(port, await makeToken({}, { ...other, kid: `made up ${n}` }));
      expect(made.status).toBe(401);
    }
    expect(server.asked()).toBe(2);
  });

  it("forgets a key that is withdrawn", async () => {
    const server = await startKeyServer(keys(signer, other));
    const { port } = await serveJwt({ jwksUrl: server.url, cacheSeconds: 60, toleranceSeconds: 1000 });
    const token = await makeToken();
    expect((await post(port, token)).status).toBe(200);
    server.serve(keys(other));
    pass(61);
    expect((await post(port, token)).status).toBe(401);
  });

  const respond = (status: number, body: string, headers: http.OutgoingHttpHeaders = {}): http.RequestListener => {
    return (_, response) => response.writeHead(status, headers).end(body);
  };
  it.each<[string, () => http.RequestListener]>([
    ["is out of order", () => respond(500, "oops")],
    ["has no such page", () => respond(404, "{}")],
    ["says nothing", () => respond(204, "")],
    ["sends us elsewhere", () => respond(302, "", { location: "/elsewhere" })],
    ["has HTML", () => respond(200, "<html>")],
    ["has JSON that is no key set", () => respond(200, '{"keys":"none"}')],
    ["has a key that is none", () => respond(200, JSON.stringify({ keys: [{ kty: "EC", crv: "P-256", kid: "one", alg: "ES256", x: "AA", y: "AA" }] }))], // prettier-ignore
    ["has secret keys", () => respond(200, JSON.stringify({ keys: [{ ...signer.open, d: "AAAA" }] }))],
    ["hangs up", () => (_, response) => void response.socket?.destroy()],
    [
      "hangs up in the middle",
      () => (_, response) => {
        response.writeHead(200, { "content-length": 100 }).write('{"keys":');
        setImmediate(() => response.socket?.destroy());
      },
    ],
    ["says nothing for too long", () => () => {}],
    ["stops in the middle", () => (_, response) => void response.write('{"keys":')],
    [
      "has a set without end",
      () => (_, response) => {
        const more = (): void => {
          while (response.writable && response.write(" ".repeat(65_536)));
          if (response.writable) response.once("drain", more);
        };
        more();
      },
    ],
    [
      "has a set of a mebibyte, compressed",
      () => {
        const octets = gzipSync(JSON.stringify({ keys: [signer.open], pad: "x".repeat(1_048_576) }));
        return (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(octets);
      },
    ],
  ])("tells an outage as 503, and never as a wrong token: the issuer's server %s [T15]", async (_, answer) => {
    const server = await startKeyServer(answer());
    const { port, lines, messages } = await serveJwt({ jwksUrl: server.url, timeoutMs: 300 });
    const answered = await post(port, await makeToken());
    expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_KEYS"]);
    expect(Number(answered.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(answered.headers).not.toHaveProperty("www-authenticate");
    expect(answered.text).not.toContain("127.0.0.1");
    expect(lines[0]).toContain("The keys of the issuer could not be had from jwksUrl.");
    expect(messages).toEqual([]);
  });

  it("tells a server that is not there as an outage, asks it once a second, and goes on when it is back", async () => {
    const gone = await startKeyServer();
    const { port: keyPort } = gone.server.address() as AddressInfo;
    await new Promise((resolve) => gone.server.close(resolve));
    const { port } = await serveJwt({ jwksUrl: gone.url });
    const token = await makeToken();
    expect((await post(port, token)).status).toBe(503);

    const back = await startKeyServer(keys(signer), keyPort);
    expect((await post(port, token)).status).toBe(503);
    expect(back.asked()).toBe(0);
    pass(1);
    expect((await post(port, token)).status).toBe(200);
    expect(back.asked()).toBe(1);
  });

  it("goes on with the keys that it has through an outage, for cacheSeconds", async () => {
    const server = await startKeyServer();
    const { port } = await serveJwt({ jwksUrl: server.url, cacheSeconds: 60, toleranceSeconds: 1000 });
    const token = await makeToken();
    expect((await post(port, token)).status).toBe(200);
    server.serve(respond(503, ""));
    pass(59);
    expect((await post(port, token)).status).toBe(200);
    // Whether a key that is not known is the issuer's cannot be told now.
    expect((await post(port, await makeToken({}, other))).status).toBe(503);
    pass(2);
    expect((await post(port, token)).status).toBe(503);
  });
});

describe("jwtAuthenticator's options [E2]", () => {
  const good = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: "https://id.example/keys" };
  const set = { keys: [{ kty: "OKP" }] };

  it.each(["https://id.example/keys", "http://127.0.0.1:1/k", "http://localhost/k", "http://[::1]:1/k"])(
    "take keys from %s",
    (jwksUrl) => {
      expect(jwtAuthenticator({ ...good, jwksUrl })).toBeInstanceOf(Function);
      expect(jwtAuthenticator({ ...good, jwksUrl: new URL(jwksUrl) })).toBeInstanceOf(Function);
    },
  );

  it.each<[string, object, RegExp]>([
    ["no issuer", { issuer: undefined }, /issuer: undefined is not a text/],
    ["an empty issuer", { issuer: "" }, /issuer: ""/],
    ["no issuer in a list", { issuer: [] }, /issuer: the list is empty/],
    ["no audience", { audience: undefined }, /audience: undefined is not a text/],
    ["an empty audience in a list", { audience: ["a", ""] }, /audience: ""/],
    ["no keys", { jwksUrl: undefined }, /without jwksUrl or jwks/],
    ["keys twice", { jwks: set }, /not with both/],
    ["keys over http", { jwksUrl: "http://id.example/keys" }, /jwksUrl: it is not an https URL/],
    ["a host that only looks like loopback", { jwksUrl: "http://127.0.0.1.example/" }, /not an https URL/],
    ["keys in a file", { jwksUrl: "file:///etc/keys" }, /not an https URL/],
    ["what is no URL", { jwksUrl: "id.example" }, /not an https URL/],
    ["a set that is none", { jwksUrl: undefined, jwks: [] }, /jwks: it has no keys/],
    ["an empty set", { jwksUrl: undefined, jwks: { keys: [] } }, /jwks: it has no keys/],
    ["a private key", { jwksUrl: undefined, jwks: { keys: [{ kty: "EC", d: "x" }] } }, /one of its keys is secret/],
    ["a shared secret", { jwksUrl: undefined, jwks: { keys: [{ kty: "oct", k: "x" }] } }, /one of its keys is secret/],
    ["no algorithm", { algorithms: [] }, /algorithms: it must be a list/],
    ["none", { algorithms: ["ES256", "none"] }, /algorithms: "none" is not one of ES256/],
    ["an algorithm with a shared secret", { algorithms: ["HS256"] }, /algorithms: "HS256" is not one of/],
    ["an algorithm in a text", { algorithms: "ES256" }, /algorithms: it must be a list/],
    ["a tolerance below zero", { toleranceSeconds: -1 }, /toleranceSeconds: -1/],
    ["a tolerance of NaN", { toleranceSeconds: Number.NaN }, /toleranceSeconds: NaN/],
    ["a tolerance in words", { toleranceSeconds: "1m" }, /toleranceSeconds: "1m"/],
    ["an age of zero", { maxAgeSeconds: 0 }, /maxAgeSeconds: 0/],
    ["a lifetime of zero", { cacheSeconds: 0 }, /cacheSeconds: 0/],
    ["a time-out of zero", { timeoutMs: 0 }, /timeoutMs: 0/],
    ["an empty type", { type: "" }, /type: ""/],
    ["an empty claim", { nameClaim: "" }, /nameClaim: ""/],
    ["an empty realm", { realm: "" }, /realm: ""/],
    ["a misspelt option", { jwksUri: "x" }, /no option "jwksUri". Did you mean jwksUrl/],
  ])("refuse %s while the server starts", (_, wrong, message) => {
    const options = { ...good, ...wrong } as JwtAuthenticatorOptions;
    expect(() => jwtAuthenticator(options)).toThrow(TypeError);
    expect(() => jwtAuthenticator(options)).toThrow(message);
  });

  it("are read once", async () => {
    const jwks = { keys: [{ ...signer.open }] };
    const { port } = await serveJwt({ jwks });
    jwks.keys[0] = { ...other.open };
    expect((await post(port, await makeToken())).status).toBe(200);
    expect((await post(port, await makeToken({}, other))).status).toBe(401);
  });
});
