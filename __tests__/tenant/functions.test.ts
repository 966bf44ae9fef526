import { createHmac } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import {
  AuthCredentials,
  HTTPException,
  SimpleUser,
  type Authenticator,
  type AuthenticatorArguments,
} from "express-webhook-node";
import { hashPassword } from "express-webhook-node/authenticate/password";
import { nameProblem } from "express-webhook-node/request/library-name";
import {
  createFunctionLibrary,
  type FunctionLibraryOptions,
  type SystemContext,
} from "express-webhook-node/tenant/functions";
import { recordingLogger, send, serveNode, until } from "../support/serve";
import { folderWith, libraryOf, write } from "./child/library";

const nothing = (): null => null;

/** An authenticator that lets in nobody, and says who it is. */
const refusing =
  (name: string): Authenticator =>
  () => {
    throw new HTTPException(401, { detail: name });
  };

/** What is wrong with options, as the error says it. */
function complaint(options: unknown): string {
  try {
    createFunctionLibrary(options as FunctionLibraryOptions);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
}

describe("nameProblem [E1]", () => {
  it.each([
    "abc",
    "a".repeat(80),
    "AZ az 09",
    "_.:/=+-@",
    "orders/verify",
    "@acme/verify=1",
    "echo",
    "echoes.of",
    "Echo.basic",
    "my.echo.basic",
    "constructor",
    "__proto__",
  ])("takes %j", (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  it.each(["", "ab", "a".repeat(81), "näme", "a,b", "a\\b", "a\nb", "a\tb", "abc\n", "a*b", "a\u00a0b", "abc\u0000"])(
    "refuses %j",
    (name) => {
      expect(nameProblem(name)).toMatch(/^a name has 3 to 80 characters/);
    },
  );

  it.each(["echo.", "echo.basic", "echo.mine"])("keeps %j for the system", (name) => {
    expect(nameProblem(name)).toBe('names that begin with "echo." are the system\'s');
  });
});

describe("createFunctionLibrary", () => {
  it("holds the functions that it is given, by name [E1]", () => {
    const [verify, cancel] = [Object.assign(() => 1, { requirements: ["pg@>=8.11"] }), () => 2];
    const library = createFunctionLibrary({ functions: { "orders/verify": verify, "orders/cancel": cancel } });
    expect(library.get("orders/verify")).toBe(verify);
    expect(library.get("orders/other")).toBeUndefined();
    expect(library.get("constructor")).toBeUndefined();
    expect(library.list()).toEqual([
      { name: "orders/cancel", version: 1, since: expect.any(Date), requirements: [] },
      { name: "orders/verify", version: 1, since: expect.any(Date), requirements: ["pg@>=8.11"] },
    ]);
    expect(library.requirements("orders/verify")).toEqual(["pg@>=8.11"]);
    expect(library.requirements("orders/other")).toEqual([]);
    expect(createFunctionLibrary().list()).toEqual([]);
  });

  it("refuses all that cannot be taken in one error that lists it [E1]", () => {
    const functions = {
      ab: nothing,
      "echo.mine": nothing,
      value: 1,
      missing: undefined,
      wrong: Object.assign(() => 1, { requirements: [1] }),
      good: nothing,
    };
    expect(complaint({ functions })).toBe(
      [
        "createFunctionLibrary: 5 functions cannot be taken.",
        '- "ab": a name has 3 to 80 characters, of A-Z a-z 0-9 _ . : / = + - @ and space',
        '- "echo.mine": names that begin with "echo." are the system\'s',
        '- "value": 1 is not a function',
        '- "missing": undefined is not a function',
        '- "wrong": its requirements are not a list of texts, such as ["pg@>=8.11", "jose"]',
      ].join("\n"),
    );
    expect(complaint({ functions: { ab: nothing } })).toContain("one function cannot be taken.");
  });

  it("refuses a name that is both handed over and in the folder [E1]", () => {
    const folder = folderWith({ "verify.js": "module.exports = () => 1;", "other.js": "module.exports = () => 1;" });
    expect(complaint({ functions: { verify: nothing }, folder })).toBe(
      'createFunctionLibrary: one function cannot be taken.\n- "verify": it is there twice: in functions, and as verify.js',
    );
  });

  it("loads a folder in a user's jest, too [E3]", () => {
    const folder = folderWith({
      "verify.js": "module.exports = () => 1;",
      "_a.js": "",
      "next/two.js": "exports.two = () => 2;",
    });
    const library = createFunctionLibrary({ folder });
    expect(library.list().map(({ name, file }) => [name, file])).toEqual([
      ["next/two", "next/two.js"],
      ["verify", "verify.js"],
    ]);
    expect(library.get("next/two")?.()).toBe(2);
    library.close();
  });

  it.each([
    ["a word that is none", { function: {} }, 'there is no option "function". Did you mean functions?'],
    ["a folder that is no text", { folder: 1 }, "folder: 1 is not a text, or an empty one."],
    ["watching without a folder", { watch: true }, "watch: there is no folder to watch; pass folder, too."],
    ["a time that is none", { folder: ".", watch: { settleMs: 0 } }, "settleMs: 0 is not a positive whole number"],
    ["another one", { folder: ".", watch: { pollMs: "1s" } }, 'pollMs: "1s" is not a positive whole number'],
    ["a word of watch that is none", { folder: ".", watch: { pollMS: 1 } }, "Did you mean pollMs?"],
    ["a logger that is none", { logger: {} }, "logger: it has no method debug()"],
  ])("refuses %s", (_, options, message) => {
    expect(complaint(options)).toContain(message);
  });
});

describe("library.set [E3]", () => {
  it("puts a function in the place of another, and tells so", () => {
    const library = createFunctionLibrary({ functions: { verify: () => 1 } });
    const [before] = library.list();
    const entry = library.set("verify", () => 2);
    expect(entry).toEqual({ name: "verify", version: 2, since: expect.any(Date), requirements: [] });
    expect(library.get("verify")?.()).toBe(2);
    expect(library.list()).toEqual([entry]);
    expect(before?.version).toBe(1);
    expect(library.set("another", () => 3).version).toBe(1);
  });

  it.each([
    ["echo.basic", nothing, 'set: "echo.basic": names that begin with "echo." are the system\'s.'],
    ["ab", nothing, 'set: "ab": a name has 3 to 80 characters'],
    ["verify", "x", 'set: "verify": "x" is not a function.'],
    ["verify", Object.assign(() => 1, { requirements: "pg" }), 'set: "verify": its requirements are not a list'],
  ])("refuses %j with %p", (name, value, message) => {
    const library = createFunctionLibrary({ functions: { verify: nothing } });
    expect(() => library.set(name, value as never)).toThrow(message);
    expect(library.get("verify")).toBe(nothing);
  });

  it("is stronger than a module that changes later", async () => {
    const folder = folderWith({ "verify.js": "module.exports = () => 1;", "other.js": "module.exports = () => 1;" });
    const lines: string[] = [];
    const library = createFunctionLibrary({ folder, watch: { settleMs: 5 }, logger: recordingLogger(lines) });
    library.set("verify", () => "set");
    write(folder, { "verify.js": "module.exports = () => 2;" });
    await until(() => lines.length > 0);
    library.close();
    expect(library.get("verify")?.()).toBe("set");
    expect(lines).toEqual([
      "warn: functions: verify: the app has put a function there itself, which a module does not replace; version 2 stays in its place",
    ]);
  });
});

describe("library.authenticator", () => {
  it("is an authenticator of the function, with all that it is called with [B1, B2]", async () => {
    const seen: AuthenticatorArguments[] = [];
    const verify: Authenticator = (args) => {
      seen.push(args);
      return [new AuthCredentials(["push"]), new SimpleUser("shop")];
    };
    const library = createFunctionLibrary({ functions: { verify } });
    const context: SystemContext = { config: { token: "t" } };
    const { port, messages } = await serveNode({ authenticator: library.authenticator("verify", context) });
    expect((await send(port, { body: "{}" })).status).toBe(200);
    expect(messages[0]?.sender).toEqual({ name: "shop", scopes: ["push"] });
    expect(Object.keys(seen[0] ?? {})).toEqual(["context", "request", "body", "signal"]);
    expect(seen[0]?.request.url).toBe("/");
  });

  it.each([
    ["verfy", 'authenticator: the library has no function "verfy". Did you mean verify?'],
    ["echo.basik", 'authenticator: the library has no function "echo.basik". Did you mean echo.basic?'],
    [
      "something else",
      'authenticator: the library has no function "something else". There are: verify, echo.basic, echo.bearer, echo.x-hub-signature.',
    ],
    [undefined, "authenticator: the library has no function undefined."],
  ])("refuses %j at start, with the nearest name that it knows [E1]", (name, message) => {
    const library = createFunctionLibrary({ functions: { verify: nothing } });
    expect(() => library.authenticator(name as string, { config: {} })).toThrow(message);
  });

  it("calls the function that the library has at each request; those under way end with the one they began with [E3]", async () => {
    const library = createFunctionLibrary({ functions: { verify: refusing("first") } });
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let waiting = 0;
    library.set("verify", async (args: AuthenticatorArguments) => {
      waiting++;
      await released;
      return refusing("second")(args);
    });
    const { port } = await serveNode({ authenticator: library.authenticator("verify", { config: {} }) });

    const underWay = [send(port, { body: "{}" }), send(port, { body: "{}" })];
    await until(() => waiting === 2);
    library.set("verify", refusing("third"));
    expect((await send(port, { body: "{}" })).json.detail).toBe("third");
    release();
    expect((await Promise.all(underWay)).map(({ json }) => json.detail)).toEqual(["second", "second"]);
    expect((await send(port, { body: "{}" })).json.detail).toBe("third");
  });

  it("reaches the function of a module that changes; a request under way ends with the one it began with [E3]", async () => {
    const refuses = (detail: string): string => `
      let begun = 0;
      module.exports = async ({ body }) => {
        if (!body) return begun;
        begun++;
        await body.bytes();
        throw Object.assign(new Error(${JSON.stringify(detail)}), { status: 401, expose: true });
      };`;
    const folder = folderWith({ "verify.js": refuses("old") });
    const library = await libraryOf({ folder, watch: { settleMs: 20 } });
    const port = await library.serve("verify");

    const request = http.request({ port, method: "POST", headers: { "content-type": "application/json" } });
    const underWay = once(request, "response") as Promise<[http.IncomingMessage]>;
    request.write("{");
    while ((await library.call("verify", {})) !== 1) await new Promise((resolve) => setTimeout(resolve, 5));

    write(folder, { "verify.js": refuses("new") });
    await library.version("verify", 2);
    expect((await send(port, { body: "{}" })).json.detail).toBe("new");
    request.end("}");
    const [response] = await underWay;
    expect(await response.toArray().then((chunks) => JSON.parse(chunks.join("")).detail)).toBe("old");
  });
});

describe("the system's functions [E2]", () => {
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
  });
  /** A node that is authenticated by one of the system's functions. */
  const served = (name: string, config: object) =>
    serveNode({ authenticator: createFunctionLibrary().authenticator(name, { config }) });

  it("echo.basic lets in the users of the realm that the node picks, by the hashes in the config", async () => {
    const realms = { orders: { shop: await hashPassword("sesame") }, billing: { bank: await hashPassword("thyme") } };
    const { port, messages } = await served("echo.basic", {
      "echo.basic": { realms, scopes: ["push"] },
      realm: "orders",
    });
    expect((await send(port, { body: "{}", headers: basic("shop", "sesame") })).status).toBe(200);
    expect((await send(port, { body: "{}", headers: basic("bank", "thyme") })).status).toBe(401);
    const refused = await send(port, { body: "{}", headers: basic("shop", "thyme") });
    expect([refused.status, refused.headers["www-authenticate"]]).toEqual([
      401,
      'Basic realm="orders", charset="UTF-8"',
    ]);
    expect(messages.map(({ sender }) => sender)).toEqual([{ name: "shop", scopes: ["push"] }]);
  });

  it("echo.basic takes the only realm that there is", async () => {
    const realms = { orders: { shop: await hashPassword("sesame") } };
    const { port } = await served("echo.basic", { "echo.basic": { realms } });
    expect((await send(port, { body: "{}", headers: basic("shop", "sesame") })).status).toBe(200);
  });

  it.each([
    ["a token", "secret-token"],
    ["a list of tokens", { tokens: ["secret-token", "next-token"] }],
  ])("echo.bearer lets in who has %s", async (_, entry) => {
    const { port } = await served("echo.bearer", { "echo.bearer": entry });
    expect((await send(port, { body: "{}", headers: { authorization: "Bearer secret-token" } })).status).toBe(200);
    expect((await send(port, { body: "{}", headers: { authorization: "Bearer other-token" } })).status).toBe(401);
  });

  it.each([
    ["a secret", "It's a Secret to Everybody"],
    ["a list of secrets", { secrets: ["It's a Secret to Everybody"], name: "github" }],
  ])("echo.x-hub-signature lets in who has signed the body with %s", async (_, entry) => {
    const { port } = await served("echo.x-hub-signature", { "echo.x-hub-signature": entry });
    const sign = (body: string): string =>
      createHmac("sha256", "It's a Secret to Everybody").update(body).digest("hex");
    const sent = (signed: string) => ({
      body: '{"a":1}',
      headers: { "x-hub-signature-256": `sha256=${sign(signed)}` },
    });
    expect((await send(port, sent('{"a":1}'))).status).toBe(200);
    expect((await send(port, sent('{"a":2}'))).status).toBe(401);
  });

  it("are made of the config once, when the node is made", () => {
    let reads = 0;
    const config = {
      get "echo.bearer"() {
        reads++;
        return "secret-token";
      },
    };
    createFunctionLibrary().authenticator("echo.bearer", { config });
    expect(reads).toBe(1);
  });

  it.each([
    [
      "echo.basic",
      {},
      'echo.basic: config["echo.basic"] is undefined; it must be like { realms: { orders: { shop: process.env.SHOP_HASH } } }.',
    ],
    ["echo.basic", { "echo.basic": {} }, "echo.basic: realms: there is none, so nobody could be authenticated."],
    [
      "echo.basic",
      { "echo.basic": { realms: { a: {}, b: {} } } },
      "echo.basic: realm: the config says nothing of it, and there are several: a, b.",
    ],
    [
      "echo.basic",
      { "echo.basic": { realms: { a: {} } }, realm: "b" },
      'echo.basic: realm: there is no "b"; there are: a.',
    ],
    ["echo.basic", { "echo.basic": { realms: { a: {} } } }, "echo.basic: users: there is none"],
    [
      "echo.bearer",
      { "echo.bearer": undefined },
      'echo.bearer: config["echo.bearer"] is undefined; it must be like { tokens:',
    ],
    ["echo.bearer", { "echo.bearer": { tokens: [undefined] } }, "echo.bearer: tokens: number 1 is missing"],
    ["echo.bearer", { "echo.bearer": { token: "t" } }, "Did you mean tokens?"],
    [
      "echo.x-hub-signature",
      { "echo.x-hub-signature": 1 },
      'config["echo.x-hub-signature"] is 1; it must be like { secrets:',
    ],
    [
      "echo.x-hub-signature",
      { "echo.x-hub-signature": { secrets: [] } },
      "echo.x-hub-signature: secrets: the list is empty",
    ],
  ])("%s refuses %j at start", (name, config, message) => {
    expect(() => createFunctionLibrary().authenticator(name, { config })).toThrow(TypeError);
    expect(() => createFunctionLibrary().authenticator(name, { config })).toThrow(message);
  });
});
