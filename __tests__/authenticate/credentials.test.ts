/**
 * What an authenticator says of a sender, and the exception that it may throw.
 */
import { AuthCredentials, BaseUser, HTTPException, SimpleUser, UnauthenticatedUser } from "express-webhook-node";

describe("AuthCredentials", () => {
  it("hold their scopes in the order given, for good [B3]", () => {
    const scopes = ["b", "a"];
    const credentials = new AuthCredentials(scopes);
    scopes.push("c");

    expect(credentials.scopes).toEqual(["b", "a"]);
    expect(Object.isFrozen(credentials.scopes)).toBe(true);
    expect(new AuthCredentials().scopes).toEqual([]);
    expect(new AuthCredentials(undefined).scopes).toEqual([]);
  });

  it.each([["push"], [null], [{}], [[1]], [["a", undefined]], [7]])(
    "refuse what is no list of strings: %j",
    (scopes) => {
      expect(() => new AuthCredentials(scopes as never)).toThrow(
        new TypeError("AuthCredentials: scopes must be a list of strings."),
      );
    },
  );
});

describe("users", () => {
  it.each<[string, BaseUser, boolean, string]>([
    ["SimpleUser", new SimpleUser("shop"), true, "shop"],
    ["UnauthenticatedUser", new UnauthenticatedUser(), false, ""],
  ])("say whether they are authenticated, and their name: %s [B3]", (_, user, isAuthenticated, name) => {
    expect(user).toBeInstanceOf(BaseUser);
    expect([user.isAuthenticated, user.displayName, user.identity]).toEqual([isAuthenticated, name, name]);
  });
});

describe("HTTPException", () => {
  it("is an error with the members that Express and http-errors know [C1]", () => {
    const headers = { "WWW-Authenticate": "Bearer" };
    const exception = new HTTPException(401, { detail: "Bad token", headers });

    expect(exception).toBeInstanceOf(Error);
    expect(exception).toMatchObject({
      name: "HTTPException",
      message: "Bad token",
      status: 401,
      statusCode: 401,
      detail: "Bad token",
      headers,
      expose: true,
      code: "ERR_WEBHOOK_HTTP_EXCEPTION",
    });
    expect(exception.headers).not.toBe(headers);
    expect(new HTTPException(404).message).toBe("HTTP 404");
    expect(new HTTPException(404, { detail: { a: 1 } }).message).toBe("HTTP 404");
  });

  it.each([200, 204, 299, 300, 404, 599])("takes a status of %d [C1]", (status) => {
    expect(new HTTPException(status).status).toBe(status);
  });

  it.each([199, 100, 0, -1, 600, 1000, 200.5, Number.NaN, Number.POSITIVE_INFINITY, "200", null, undefined])(
    "refuses a status of %p [C1]",
    (status) => {
      expect(() => new HTTPException(status as number)).toThrow(
        new TypeError(`HTTPException: the status ${String(status)} is not a whole number from 200 to 599.`),
      );
    },
  );

  it.each<[string, Record<string, string>]>([
    ["a line feed in a value", { "X-A": "a\nb" }],
    ["a carriage return in a value", { "X-A": "a\rb" }],
    ["a control character in a value", { "X-A": "a\u0000b" }],
    ["a character beyond Latin-1", { "X-A": "\u20ac" }],
    ["undefined for a value", { "X-A": undefined as never }],
    ["a space in a name", { "X A": "a" }],
    ["an empty name", { "": "a" }],
    ["a line feed in a name", { "X-A\n": "a" }],
  ])("refuses a field that HTTP does not allow: %s [C1]", (_, headers) => {
    expect(() => new HTTPException(401, { headers })).toThrow(
      expect.objectContaining({ name: "TypeError", message: expect.stringMatching(/header/i) }),
    );
  });

  it.each<[string, unknown]>([
    ["a function", () => "a"],
    ["a symbol", Symbol("a")],
    ["a bigint", 1n],
    ["a circle", circle()],
  ])("refuses a detail that is no JSON: %s [C1]", (_, detail) => {
    expect(() => new HTTPException(401, { detail })).toThrow(TypeError);
  });
});

function circle(): unknown {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}
