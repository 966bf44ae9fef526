/**
 * Authenticators made of authenticators: all of several.
 */
import {
  allOf,
  AuthCredentials,
  HTTPException,
  SimpleUser,
  UnauthenticatedUser,
  type Authenticator,
  type AuthenticatorArguments,
  type Source,
} from "express-webhook-node";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const a: Authenticator = () => [new AuthCredentials(["read", "push"]), new SimpleUser("a")];
const b: Authenticator = async () => [new AuthCredentials(["push", "admin"]), new SimpleUser("b")];
const refuses: Authenticator = async () => {
  throw new HTTPException(403, { detail: "not you" });
};
const fails: Authenticator = () => {
  throw new Error("outage");
};
const none: Authenticator = () => null;
const unknown: Authenticator = async () => [new AuthCredentials(["x"]), new UnauthenticatedUser()];
const broken: Authenticator = () => undefined as never;

const NO_ARGUMENTS = {} as AuthenticatorArguments;

describe("allOf", () => {
  it.each<[string, Authenticator[], string, string[]]>([
    ["one", [a], "a", ["read", "push"]],
    ["two", [a, b], "a", ["read", "push", "admin"]],
    ["two the other way", [b, a], "b", ["push", "admin", "read"]],
  ])("lets in the first one's sender, with the scopes of all, each once: %s [B3]", async (_, all, name, scopes) => {
    const [credentials, user] = (await allOf(...all)(NO_ARGUMENTS))!;

    expect(credentials).toBeInstanceOf(AuthCredentials);
    expect([user.displayName, credentials.scopes]).toEqual([name, scopes]);
  });

  it("returns the first one's own user [B3]", async () => {
    const user = new SimpleUser("own");

    expect((await allOf(() => [new AuthCredentials(), user], b)(NO_ARGUMENTS))![1]).toBe(user);
  });

  it.each<[string, Authenticator[], unknown, number]>([
    ["null comes first", [none, a], null, 1],
    ["null comes last", [a, none], null, 2],
    ["a user is not authenticated", [a, unknown, b], "", 2],
    ["one refuses", [a, refuses, b], 403, 2],
    ["one fails", [a, b, fails], "outage", 3],
    ["one is broken", [a, broken, b], undefined, 2],
    ["a refusal comes before an outage", [refuses, fails], 403, 1],
    ["an outage comes before a refusal", [fails, refuses], "outage", 1],
  ])(
    "stops at the first that does not accept, and that is the result: %s [B4, B5, C1, C2]",
    async (_, all, expected, count) => {
      let asked = 0;
      const counted = all.map((one): Authenticator => (args) => {
        asked++;
        return one(args);
      });
      let result: unknown;
      try {
        const returned = await allOf(...counted)(NO_ARGUMENTS);
        result = Array.isArray(returned) ? (returned[1].displayName ?? returned) : returned;
      } catch (error) {
        result = (error as HTTPException).status ?? (error as Error).message;
      }

      expect([result, asked]).toEqual([expected, count]);
    },
  );

  it.each<[string, unknown[], string]>([
    ["none", [], "allOf: undefined is not a function."],
    ["undefined behind a function", [a, undefined], "allOf: undefined is not a function."],
    ["null", [null], "allOf: null is not a function."],
    ["a source that is none", [{ name: "x" }], "allOf: undefined is not a function."],
    ["a source behind a function", [a, { name: "x", authenticator: a }], "allOf: an object is not a function."],
  ])("throws at start with %s [B1]", (_, authenticators, message) => {
    expect(() => allOf(...(authenticators as Authenticator[]))).toThrow(new TypeError(message));
  });

  it.each([
    ["[]", []],
    ["[a, b, c]", [new AuthCredentials(), new SimpleUser("a"), new SimpleUser("a")]],
    ["a list-like", { 0: new AuthCredentials(), 1: new SimpleUser("a"), length: 2 }],
    ["scopes in one text", [{ scopes: "push" }, new SimpleUser("a")]],
    ["no scopes", [{}, new SimpleUser("a")]],
    ["no credentials", [null, new SimpleUser("a")]],
    ["isAuthenticated that is text", [new AuthCredentials(), { isAuthenticated: "true" }]],
    ["isAuthenticated that is 1", [new AuthCredentials(), { isAuthenticated: 1 }]],
  ])("is not let in by what is no pair, first or last: %s [B6]", async (_, value) => {
    const wrong = (() => value) as never;
    for (const all of [allOf(wrong), allOf(wrong, a), allOf(a, wrong)]) {
      const { port, messages, outcomes, lines } = await serveNode({ authenticator: all });

      expect((await send(port, { body: "1" })).status).toBe(500);
      expect(messages).toEqual([]);
      expect(outcomes[0]!.code).toBe("ERR_WEBHOOK_AUTHENTICATOR");
      expect(lines[0]).toContain("The authenticator is broken");
    }
  });
});

describe("allOf with a source", () => {
  const source: Source<{ id: string }> = {
    name: "shop",
    authenticator: a,
    deliveryId: ({ payload }) => payload.id,
    success: { status: 202 },
  };

  it("is the source, and checks of one's own after it [B1]", async () => {
    const both = allOf(source, ({ request }) => {
      if (request.get("x-region") !== "eu") throw new HTTPException(403, { detail: "Not from there" });
      return [new AuthCredentials(["eu"]), new SimpleUser("check")];
    });
    const { port, messages, outcomes } = await serveNode({ source: both });

    expect(both).toMatchObject({ name: "shop", success: { status: 202 }, deliveryId: source.deliveryId });
    expect((await send(port, { headers: { "x-region": "eu" }, body: '{"id":"1"}' })).status).toBe(202);
    expect((await send(port, { headers: { "x-region": "us" }, body: '{"id":"2"}' })).status).toBe(403);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({
      source: "shop",
      deliveryId: "1",
      sender: { name: "a", scopes: ["read", "push", "eu"] },
    });
    expect(outcomes.map((outcome) => outcome.source)).toEqual(["shop", "shop"]);
  });

  it("asks the source first [B1]", async () => {
    let isAsked = false;
    const both = allOf({ ...source, authenticator: refuses }, () => {
      isAsked = true;
      return null;
    });

    await expect(both.authenticator(NO_ARGUMENTS)).rejects.toMatchObject({ status: 403 });
    expect(isAsked).toBe(false);
  });

  it("leaves the source itself as it is", () => {
    const before = { ...source };
    allOf(source, b);

    expect(source).toEqual(before);
  });
});
