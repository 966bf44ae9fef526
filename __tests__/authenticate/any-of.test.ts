/**
 * Authenticators made of authenticators: any of several.
 */
import {
  anyOf,
  AuthCredentials,
  HTTPException,
  hmacAuthenticator,
  SimpleUser,
  UnauthenticatedUser,
  type Authenticator,
  type AuthenticatorArguments,
} from "express-webhook-node";
import { createHmac } from "node:crypto";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

type Ending =
  "lets in a" | "lets in b" | "401" | "403" | "503" | "throws" | "null" | "unknown user" | "broken" | "text";

/** What each kind of authenticator does, sync or async in turn. */
const ENDINGS: Record<Ending, Authenticator> = {
  "lets in a": () => [new AuthCredentials(["a"]), new SimpleUser("a")],
  "lets in b": async () => [new AuthCredentials(["b"]), new SimpleUser("b")],
  "401": async () => {
    throw new HTTPException(401, { detail: "who?" });
  },
  "403": () => {
    throw new HTTPException(403, { detail: "not you" });
  },
  "503": async () => {
    throw new HTTPException(503, { detail: "later" });
  },
  throws: () => {
    throw new Error("outage");
  },
  null: () => null,
  "unknown user": async () => [new AuthCredentials(), new UnauthenticatedUser()],
  broken: () => undefined as never,
  text: () => "a" as never,
};

const NO_ARGUMENTS = {} as AuthenticatorArguments;

/** Calls each in turn by `anyOf`, and tells what comes of it and how many were asked. */
async function ask(...endings: Ending[]): Promise<readonly [result: unknown, asked: number]> {
  let asked = 0;
  const authenticators = endings.map((ending): Authenticator => (args) => {
    asked++;
    return ENDINGS[ending](args);
  });
  let result: unknown;
  try {
    const returned = await anyOf(...authenticators)(NO_ARGUMENTS);
    result = Array.isArray(returned) ? (returned[1].displayName ?? returned) : returned;
  } catch (error) {
    result = (error as HTTPException).status ?? (error as Error).message;
  }
  return [result, asked];
}

describe("anyOf", () => {
  it.each<[Ending[], unknown, number]>([
    [["lets in a"], "a", 1],
    [["lets in a", "lets in b"], "a", 1],
    [["401", "lets in b"], "b", 2],
    [["403", "lets in b"], "b", 2],
    [["503", "lets in b"], "b", 2],
    [["throws", "lets in b"], "b", 2],
    [["null", "lets in b"], "b", 2],
    [["unknown user", "lets in b"], "b", 2],
    [["401", "403", "null", "unknown user", "throws", "lets in a"], "a", 6],
  ])("lets in whom any vouches for, and asks no further: %j [B1]", async (endings, result, asked) => {
    expect(await ask(...endings)).toEqual([result, asked]);
  });

  it.each<[Ending[], unknown]>([
    [["401"], 401],
    [["401", "403"], 401],
    [["403", "401"], 403],
    [["null", "403"], 403],
    [["unknown user", "401"], 401],
  ])("refuses by the first refusal where nobody does: %j [B7]", async (endings, result) => {
    expect(await ask(...endings)).toEqual([result, endings.length]);
  });

  it.each<[Ending[], unknown]>([
    [["401", "503"], 503],
    [["503", "401"], 503],
    [["401", "throws", "403"], "outage"],
    [["throws", "503"], "outage"],
    [["503", "throws"], 503],
    [["null", "throws"], "outage"],
    [["throws", "unknown user"], "outage"],
  ])("remembers an outage, so that it is not told as a wrong proof: %j [C2]", async (endings, result) => {
    expect(await ask(...endings)).toEqual([result, endings.length]);
  });

  it.each<[Ending[], unknown]>([
    [["null"], null],
    [["null", "null"], null],
    [["null", "unknown user"], ""],
    [["unknown user", "null"], ""],
    [["unknown user"], ""],
  ])("returns what is undecided where nobody refuses: %j [B4, B5]", async (endings, result) => {
    expect(await ask(...endings)).toEqual([result, endings.length]);
  });

  it.each<[Ending[], unknown, number]>([
    [["broken"], undefined, 1],
    [["broken", "lets in a"], undefined, 1],
    [["401", "text", "lets in a"], "a", 2],
  ])("leaves what is no pair for the step to name: %j [B6]", async (endings, result, asked) => {
    expect(await ask(...endings)).toEqual([result, asked]);
  });

  it("hands each the arguments as they came, without asking for the body itself [B2]", async () => {
    const args = Object.defineProperty({ context: {} }, "body", {
      get: () => {
        throw new Error("nobody asked for it");
      },
    }) as unknown as AuthenticatorArguments;
    const seen: unknown[] = [];
    await anyOf((given) => {
      seen.push(given);
      return null;
    })(args);

    expect(seen[0]).toBe(args);
  });

  it.each<[string, unknown[], string]>([
    ["none", [], "anyOf: it needs at least one authenticator."],
    ["undefined", [undefined], "anyOf: undefined is not a function."],
    ["a source", [{ name: "a", authenticator: () => null }], "anyOf: an object is not a function."],
    ["a function and null", [() => null, null], "anyOf: null is not a function."],
  ])("throws at start with %s [B1]", (_, authenticators, message) => {
    expect(() => anyOf(...(authenticators as Authenticator[]))).toThrow(new TypeError(message));
  });

  it("keeps the list it was given [B1]", async () => {
    const list = [ENDINGS["401"]];
    const any = anyOf(...list);
    list.push(ENDINGS["lets in a"]);

    await expect(any(NO_ARGUMENTS)).rejects.toMatchObject({ status: 401 });
  });

  it("has a body that is read once serve several signatures [B2, B7]", async () => {
    const body = '{"a":1}';
    const sign = (secret: string): string => createHmac("sha256", secret).update(body).digest("hex");
    const { port, messages } = await serveNode({
      authenticator: anyOf(
        hmacAuthenticator({ name: "new", header: "X-New", secrets: ["n"] }),
        hmacAuthenticator({ name: "old", header: "X-Old", secrets: ["o"] }),
      ),
    });

    expect((await send(port, { headers: { "x-old": sign("o") }, body })).status).toBe(200);
    expect((await send(port, { headers: { "x-new": sign("n") }, body })).status).toBe(200);
    expect((await send(port, { headers: { "x-new": sign("o"), "x-old": sign("n") }, body })).status).toBe(401);
    expect((await send(port, { body })).json.detail).toBe("X-New must hold one sha256 signature in hex.");
    expect(messages.map(({ sender }) => sender?.name)).toEqual(["old", "new"]);
  });

  it("is refused for a broken one in a node: 500 [B6]", async () => {
    const { port, lines } = await serveNode({ authenticator: anyOf(ENDINGS["401"], ENDINGS.broken) });

    expect((await send(port, { body: "1" })).json.code).toBe("ERR_WEBHOOK_AUTHENTICATOR");
    expect(lines[0]).toContain("it returned undefined");
  });

  it.each([
    ["[a, b, c]", [new AuthCredentials(), new SimpleUser("a"), 1]],
    ["[a, b, c] of a user that is not authenticated", [new AuthCredentials(), new UnauthenticatedUser(), 1]],
    ["scopes in one text", [{ scopes: "push" }, new SimpleUser("a")]],
    ["isAuthenticated that is text", [new AuthCredentials(), { isAuthenticated: "true" }]],
  ])("is not let in by what is no pair: %s [B6]", async (_, value) => {
    const { port, messages } = await serveNode({ authenticator: anyOf((() => value) as never) });

    expect((await send(port, { body: "1" })).status).toBe(500);
    expect(messages).toEqual([]);
  });
});
