/**
 * The Bearer scheme (RFC 6750): tokens that are let in, and what is said to all others.
 */
import { createHash, createHmac } from "node:crypto";
import { bearerAuthenticator, type BearerAuthenticatorOptions } from "express-webhook-node/authenticate/bearer";
import { anyOf, AuthCredentials, hmacAuthenticator, SimpleUser, UnauthenticatedUser } from "express-webhook-node";
import { dial, head } from "../support/dial";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

/** The token of RFC 6750 section 2.1. */
const TOKEN = "mF_9.B5f-4.1JqM";
const OTHER = "abc123==";

const withField = (authorization: string, path = "/") => ({ path, body: "{}", headers: { authorization } });
const serveBearer = (options: Partial<BearerAuthenticatorOptions> = { tokens: [TOKEN] }) =>
  serveNode({ authenticator: bearerAuthenticator({ realm: "example", ...options }) });

describe("bearerAuthenticator [E2]", () => {
  it("lets in the token of RFC 6750 section 2.1, the scheme in any case [B3]", async () => {
    const { port, messages } = await serveBearer({ tokens: [TOKEN], scopes: ["push"], name: "shop" });
    for (const scheme of ["Bearer ", "bearer ", "BEARER ", "bEaReR   "]) {
      expect((await send(port, withField(scheme + TOKEN))).status).toBe(200);
    }
    expect(messages[0]?.sender).toEqual({ name: "shop", scopes: ["push"] });
  });

  it("knows several tokens, by the names and scopes that they have", async () => {
    const { port, messages } = await serveBearer({
      tokens: ["plain", { token: "a", name: "shop", scopes: ["orders"] }, { token: "b", name: "till" }, { token: "c" }],
      scopes: ["push"],
    });
    for (const token of ["plain", "a", "b", "c"]) {
      expect((await send(port, withField(`Bearer ${token}`))).status).toBe(200);
    }
    expect(messages.map(({ sender }) => sender)).toEqual([
      { name: "bearer", scopes: ["push"] },
      { name: "shop", scopes: ["push", "orders"] },
      { name: "till", scopes: ["push"] },
      { name: "bearer", scopes: ["push"] },
    ]);
  });

  it.each([
    ["nothing", undefined],
    ["another scheme", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
    ["a scheme that begins alike", `Bearerish ${TOKEN}`],
    ["a token without a scheme", TOKEN],
  ])("challenges who sends %s without an error, as RFC 6750 section 3.1 asks [B7]", async (_, authorization) => {
    const { port } = await serveBearer();
    const answered = await send(port, { body: "{}", headers: authorization ? { authorization } : {} });
    expect([answered.status, answered.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="example"']);
    expect(answered.json.detail).toBe("A token is missing (Authorization: Bearer).");
  });

  it.each([
    ["another", OTHER],
    ["one in another case", TOKEN.toUpperCase()],
    ["one that is cut", TOKEN.slice(0, -1)],
    ["one that goes on", `${TOKEN}x`],
    ["one that is padded", `${TOKEN}=`],
    ["a long one", "x".repeat(8000)],
  ])("refuses a token that is not known (%s) with invalid_token", async (_, token) => {
    const { port, messages, outcomes } = await serveBearer();
    const answered = await send(port, withField(`Bearer ${token}`));
    expect([answered.status, answered.headers["www-authenticate"]]).toEqual([
      401,
      'Bearer realm="example", error="invalid_token", error_description="The token is not known."',
    ]);
    expect(answered.text).not.toContain(token);
    expect(outcomes[0]?.advice).toBe("Is the token that the sender was given in tokens?");
    expect(messages).toEqual([]);
  });

  it.each([
    ["nothing behind the scheme", "Bearer"],
    ["two tokens", `Bearer ${TOKEN} ${TOKEN}`],
    ["a list", `Bearer ${TOKEN}, Bearer ${TOKEN}`],
    ["quotes", `Bearer "${TOKEN}"`],
    ["a parameter", `Bearer token=${TOKEN}`],
    ["padding in the middle", "Bearer a=b"],
    ["padding alone", "Bearer =="],
    ["a colon", "Bearer a:b"],
    ["letters that are no ASCII", "Bearer caf\u00e9"],
  ])("refuses a malformed field (%s) with 400 invalid_request", async (_, authorization) => {
    const { port } = await serveBearer();
    const answered = await send(port, withField(authorization));
    expect([answered.status, answered.headers["www-authenticate"]]).toEqual([
      400,
      'Bearer realm="example", error="invalid_request", error_description="Authorization must hold one token."',
    ]);
  });

  it("refuses a field sent twice, good as both are, with 400 invalid_request", async () => {
    const { port, messages } = await serveBearer();
    for (const second of [TOKEN, OTHER]) {
      const client = await dial(port);
      const fields = [`Authorization: Bearer ${TOKEN}`, `authorization: Bearer ${second}`];
      client.write(`${head(["Content-Type: application/json", "Content-Length: 2", ...fields])}{}`);
      await client.answered();
      expect(client.statuses()).toEqual([400]);
      expect(client.text()).toContain('error="invalid_request"');
    }
    expect(messages).toEqual([]);
  });

  it.each([
    ["alone", `/?access_token=${TOKEN}`, undefined],
    ["beside the field", `/?a=1&access_token=${TOKEN}`, `Bearer ${TOKEN}`],
    ["with its name encoded", `/?access%5Ftoken=${TOKEN}`, `Bearer ${TOKEN}`],
    ["empty", "/?access_token", `Bearer ${TOKEN}`],
  ])("refuses a token in the query (%s) with 400 invalid_request", async (_, path, authorization) => {
    const { port, messages } = await serveBearer();
    const answered = await send(port, { path, body: "{}", headers: authorization ? { authorization } : {} });
    expect([answered.status, answered.headers["www-authenticate"]]).toEqual([
      400,
      expect.stringMatching(/^Bearer realm="example", error="invalid_request", error_description="[^"]*query[^"]*"$/),
    ]);
    expect(messages).toEqual([]);
  });

  it("lets other queries be, and tokens that a body holds", async () => {
    const { port } = await serveBearer();
    expect((await send(port, withField(`Bearer ${TOKEN}`, "/?token=1&access_tokens=2"))).status).toBe(200);
    const inBody = await send(port, { body: JSON.stringify({ access_token: TOKEN }) });
    expect(inBody.status).toBe(401);
  });

  it("refuses before an octet of the body has come", async () => {
    const { port } = await serveBearer();
    const client = await dial(port);
    client.write(head(["Content-Type: application/json", "Content-Length: 999999", "Authorization: Bearer x"]));
    await client.answered();
    expect(client.statuses()).toEqual([401]);
  });

  it("finds tokens by a function of the request; an empty list is a sender not known", async () => {
    const { port } = await serveBearer({
      tokens: async (request) => (request.get("x-tenant") === "acme" ? ["t1", { token: "t2" }] : []),
    });
    const post = async (tenant: string, token: string) => {
      const headers = { authorization: `Bearer ${token}`, "x-tenant": tenant };
      return (await send(port, { body: "{}", headers })).status;
    };
    expect([await post("acme", "t1"), await post("acme", "t2"), await post("acme", "t3")]).toEqual([200, 200, 401]);
    expect(await post("other", "t1")).toBe(401);
  });

  it("finds who has a token by a function of the token, which may know users of its own", async () => {
    const store = new Map([[createHash("sha256").update(TOKEN).digest("hex"), "shop"]]);
    const { port, messages } = await serveBearer({
      find: async (token, request) => {
        const name = store.get(createHash("sha256").update(token).digest("hex"));
        if (token === "late") return [new AuthCredentials(), new UnauthenticatedUser()];
        return name === undefined
          ? undefined
          : [new AuthCredentials([String(request.get("x-scope"))]), new SimpleUser(name)];
      },
    });
    const post = (token: string) =>
      send(port, { body: "{}", headers: { authorization: `Bearer ${token}`, "x-scope": "push" } });
    expect((await post(TOKEN)).status).toBe(200);
    expect((await post(OTHER)).headers["www-authenticate"]).toContain('error="invalid_token"');
    expect((await post("late")).status).toBe(403);
    expect(messages.map(({ sender }) => sender)).toEqual([{ name: "shop", scopes: ["push"] }]);
  });

  it("takes null of find for a token that is not known, even where anonymous senders are accepted [B5]", async () => {
    const { port, messages } = await serveNode({
      anonymous: "accept",
      authenticator: bearerAuthenticator({ find: () => null }),
    });
    expect((await send(port, withField(`Bearer ${TOKEN}`))).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it("has the step name what find returns that is no pair [B6]", async () => {
    const { port, lines } = await serveBearer({ find: () => "shop" as never });
    expect((await send(port, withField(`Bearer ${TOKEN}`))).json.code).toBe("ERR_WEBHOOK_AUTHENTICATOR");
    expect(lines[0]).toContain('"shop"');
  });

  const down = async (): Promise<never> => {
    throw new Error("vault at 10.0.0.1 is sealed");
  };
  it.each<[string, Partial<BearerAuthenticatorOptions>]>([
    ["tokens fails", { tokens: down }],
    ["tokens finds no list", { tokens: () => undefined as never }],
    ["tokens finds an empty token", { tokens: () => [""] }],
    ["find fails", { find: down }],
    ["find throws", { find: () => JSON.parse("{") as never }],
  ])("tells an outage as 503 where %s, and the sender nothing of it [T15]", async (_, options) => {
    const { port, lines } = await serveBearer(options);
    const answered = await send(port, withField(`Bearer ${TOKEN}`));
    expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_KEYS"]);
    expect(Number(answered.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(answered.text).not.toMatch(/vault|JSON/);
    expect(lines[0]).toMatch(/The function in (?:tokens|find) has failed\./);
  });

  it("asks nobody for a field that is malformed or missing", async () => {
    const find = jest.fn(() => null);
    const { port } = await serveBearer({ find });
    await send(port, { body: "{}" });
    await send(port, withField("Bearer a b"));
    expect(find).not.toHaveBeenCalled();
  });

  it("is one of any: without a token the next is asked", async () => {
    const { port } = await serveNode({
      authenticator: anyOf(
        bearerAuthenticator({ tokens: [TOKEN] }),
        hmacAuthenticator({ header: "X-Signature", secrets: ["s"] }),
      ),
    });
    const signature = createHmac("sha256", "s").update("{}").digest("hex");
    expect((await send(port, { body: "{}", headers: { "x-signature": signature } })).status).toBe(200);
    expect((await send(port, withField(`Bearer ${TOKEN}`))).status).toBe(200);
    const neither = await send(port, { body: "{}" });
    expect([neither.status, neither.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="webhook"']);
  });

  it.each<[string, unknown, RegExp]>([
    ["nothing to know by", {}, /without tokens or find/],
    ["both ways to know", { tokens: ["a"], find: () => null }, /not with both/],
    ["no list", { tokens: "secret-token" }, /tokens: it must be a list/],
    ["an empty list", { tokens: [] }, /tokens: the list is empty/],
    ["a token that is not set", { tokens: ["a", undefined] }, /tokens: number 2 is missing; is its environment/],
    ["an empty token", { tokens: [{ token: "" }] }, /tokens: number 1 is empty/],
    ["a token of null", { tokens: [null] }, /tokens: number 1 is missing/],
    ["a token that nobody could send", { tokens: ["secret token"] }, /tokens: number 1 could not be sent/],
    ["a token with a line feed at its end", { tokens: ["secret-token\n"] }, /tokens: number 1 could not be sent/],
    ["a token twice", { tokens: ["secret-token", { token: "secret-token" }] }, /tokens: number 2 is there twice/],
    ["an empty name", { tokens: ["a"], name: "" }, /name: ""/],
    ["an empty name of a token", { tokens: [{ token: "a", name: "" }] }, /name: ""/],
    ["scopes that are no list", { tokens: ["a"], scopes: "push" }, /scopes must be a list/],
    ["scopes of a token that are no list", { tokens: [{ token: "a", scopes: [1] }] }, /scopes must be a list/],
    ["a find that is no function", { find: {} }, /find: an object is not a function/],
    ["an empty realm", { tokens: ["a"], realm: "" }, /realm: ""/],
    ["a misspelt option", { token: ["a"] }, /no option "token". Did you mean tokens/],
  ])("refuses %s while the server starts, and shows no token", (_, options, message) => {
    expect(() => bearerAuthenticator(options as BearerAuthenticatorOptions)).toThrow(TypeError);
    expect(() => bearerAuthenticator(options as BearerAuthenticatorOptions)).toThrow(message);
    expect(() => bearerAuthenticator(options as BearerAuthenticatorOptions)).not.toThrow(/secret.token/);
  });
});
