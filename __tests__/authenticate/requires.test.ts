import type { Request, Response } from "express";
import {
  allOf,
  anyOf,
  AuthCredentials,
  authenticate,
  problem,
  SimpleUser,
  UnauthenticatedUser,
  type Authenticator,
  type Source,
} from "express-webhook-node";
import { bearerAuthenticator } from "express-webhook-node/authenticate/bearer";
import { requires } from "express-webhook-node/authenticate/requires";
import { send, serve, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const granting = (...scopes: string[]): Authenticator => {
  return () => [new AuthCredentials(scopes), new SimpleUser("shop")];
};
const BODY = { body: "{}" };

describe("requires, of an authenticator [E2]", () => {
  it.each<[string, string | string[], string[], number]>([
    ["the scope", "push", ["push"], 200],
    ["the scope among others", "push", ["pull", "push"], 200],
    ["all of several", ["push", "orders:write"], ["orders:write", "push"], 200],
    ["none", "push", [], 403],
    ["another", "push", ["pull"], 403],
    ["one in another case", "push", ["Push"], 403],
    ["one that begins alike", "push", ["push:all"], 403],
    ["one of several", ["push", "orders:write"], ["push"], 403],
  ])("judges a sender with %s", async (_, scope, granted, status) => {
    const { port, messages } = await serveNode({ authenticator: requires(scope, granting(...granted)) });
    expect((await send(port, BODY)).status).toBe(status);
    expect(messages).toHaveLength(status === 200 ? 1 : 0);
  });

  it("says what is lacking, to the sender and in the log [B7]", async () => {
    const { port, outcomes, lines } = await serveNode({ authenticator: requires(["push", "pull"], granting("read")) });
    const answered = await send(port, BODY);
    expect([answered.json.code, answered.json.detail]).toEqual([
      "ERR_WEBHOOK_FORBIDDEN",
      "The sender may not deliver here: it needs the scopes push pull.",
    ]);
    expect(answered.headers).not.toHaveProperty("www-authenticate");
    expect(lines[0]).toContain("It was granted read.");
    expect(outcomes.map(({ kind }) => kind)).toEqual(["refused"]);
  });

  it("challenges a bearer of a token with insufficient_scope, as RFC 6750 section 3.1 asks", async () => {
    const tokens = [{ token: "a", scopes: ["push"] }, "b"];
    const { port } = await serveNode({ authenticator: requires("push", bearerAuthenticator({ tokens })) });
    const post = (token: string) => send(port, { ...BODY, headers: { authorization: `Bearer ${token}` } });
    expect((await post("a")).status).toBe(200);
    const lacking = await post("b");
    expect([lacking.status, lacking.headers["www-authenticate"]]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="push"',
    ]);
    expect((await post("c")).status).toBe(401);
  });

  it("leaves to the step whom the authenticator does not vouch for, and what is no pair [B4, B5, B6]", async () => {
    const returning = (value: unknown): Authenticator => (() => value) as Authenticator;
    for (const [value, status, code] of [
      [null, 403, "ERR_WEBHOOK_FORBIDDEN"],
      [[new AuthCredentials(), new UnauthenticatedUser()], 403, "ERR_WEBHOOK_FORBIDDEN"],
      [undefined, 500, "ERR_WEBHOOK_AUTHENTICATOR"],
      [[{ scopes: "push" }, new SimpleUser("shop")], 500, "ERR_WEBHOOK_AUTHENTICATOR"],
      [[new AuthCredentials(["push"]), { isAuthenticated: "yes" }], 500, "ERR_WEBHOOK_AUTHENTICATOR"],
      [[new AuthCredentials(["push"])], 500, "ERR_WEBHOOK_AUTHENTICATOR"],
    ]) {
      const { port } = await serveNode({ authenticator: requires("push", returning(value)) });
      const answered = await send(port, BODY);
      expect([answered.status, answered.json.code]).toEqual([status, code]);
    }
    const accepting = await serveNode({ anonymous: "accept", authenticator: requires("push", returning(null)) });
    expect((await send(accepting.port, BODY)).status).toBe(200);
  });

  it("takes promises, and goes with allOf and anyOf", async () => {
    const later: Authenticator = async (args) => granting("a")(args);
    const { port } = await serveNode({
      authenticator: anyOf(requires("c", later), requires(["a", "b"], allOf(later, granting("b")))),
    });
    expect((await send(port, BODY)).status).toBe(200);
  });

  it("keeps a source a source", async () => {
    const source: Source = { name: "shop", authenticator: granting("push"), success: { status: 202 } };
    const scoped = await serveNode({ source: requires("push", source) });
    expect((await send(scoped.port, BODY)).status).toBe(202);
    expect(scoped.messages[0]?.source).toBe("shop");
    const lacking = await serveNode({ source: requires("pull", source) });
    expect((await send(lacking.port, BODY)).status).toBe(403);
    expect(source.authenticator).not.toBe(requires("push", source).authenticator);
  });
});

describe("requires, as a step [E2]", () => {
  const done = (request: Request, response: Response): void => {
    response.json({ sender: (request as unknown as { user: SimpleUser }).user.displayName });
  };

  it("stands after authenticate(), before a handler of the app's own", async () => {
    jest.spyOn(console, "warn").mockImplementation(() => {});
    const { port } = await serve(authenticate({ authenticator: granting("push") }), requires("push"), done, problem());
    expect((await send(port, BODY)).json).toEqual({ sender: "shop" });
    const lacking = await serve(authenticate({ authenticator: granting() }), requires("push"), done, problem());
    const answered = await send(lacking.port, BODY);
    expect([answered.status, answered.json.code]).toEqual([403, "ERR_WEBHOOK_FORBIDDEN"]);
  });

  it("refuses where nobody was authenticated, and says where it belongs", async () => {
    const warn = jest.spyOn(console, "warn").mockImplementation(() => {});
    for (const before of [[], [authenticate({ anonymous: "accept" })]]) {
      const { port } = await serve(...before, requires("push"), done, problem());
      expect((await send(port, BODY)).status).toBe(403);
      expect(warn).toHaveBeenLastCalledWith(expect.stringContaining("requires() stands after authenticate()"));
    }
  });
});

describe("requires, of options [E2]", () => {
  it.each<[string, unknown[], RegExp]>([
    ["no scope", [undefined], /undefined is not a scope/],
    ["an empty scope", [""], /"" is not a scope/],
    ["an empty list", [[]], /the list of scopes is empty/],
    ["two scopes in one text", ["push pull"], /"push pull" is not a scope/],
    ["a quote", ['a"b'], /is not a scope/],
    ["no authenticator", ["push", "bearer"], /requires: "bearer" is not a function/],
    ["null for an authenticator", ["push", null], /is not a function/],
    ["a source without an authenticator", ["push", { name: "shop" }], /is not a function/],
  ])("refuses %s while the server starts", (_, args, message) => {
    expect(() => Reflect.apply(requires, undefined, args)).toThrow(TypeError);
    expect(() => Reflect.apply(requires, undefined, args)).toThrow(message);
  });
});
