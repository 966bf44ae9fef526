/**
 * The Basic scheme (RFC 7617): by its own examples, from real clients, and everything that is not quite a credential.
 */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { basicAuthenticator, type BasicAuthenticatorOptions } from "express-webhook-node/authenticate/basic";
import { hashPassword } from "express-webhook-node/authenticate/password";
import { anyOf, hmacAuthenticator } from "express-webhook-node";
import { dial, head } from "../support/dial";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const CHEAP = { ln: 4, r: 8, p: 1 };
const hashes = new Map<string, string>();
const hashOf = (password: string): string => hashes.get(password)!;

beforeAll(async () => {
  for (const password of ["open sesame", "123£", "pä:ss: €", "new", "old"]) {
    hashes.set(password, await hashPassword(password, CHEAP));
  }
});

const encoded = (text: string | Buffer): string => Buffer.from(text).toString("base64");
const basic = (name: string, password: string): string => `Basic ${encoded(`${name}:${password}`)}`;
const withField = (authorization: string) => ({ body: "{}", headers: { authorization } });

/** Serves a node for Aladdin, or as told. */
function serveBasic(options: Partial<BasicAuthenticatorOptions> = {}) {
  return serveNode({
    authenticator: basicAuthenticator({ users: { Aladdin: hashOf("open sesame") }, realm: "WallyWorld", ...options }),
  });
}

/** A `verify` that keeps what it is asked. */
function asked() {
  const calls: (readonly [password: string, hash: string])[] = [];
  const verify = (...call: readonly [string, string]) => calls.push(call) > 0 && call[1] === `{plain}${call[0]}`;
  return { calls, verify };
}

describe("basicAuthenticator [E2]", () => {
  it("lets in the user of RFC 7617 section 2, by name and scopes [B3]", async () => {
    const { port, messages } = await serveBasic({ scopes: ["push"] });
    const answered = await send(port, withField("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    expect(answered.status).toBe(200);
    expect(messages.map(({ sender }) => sender)).toEqual([{ name: "Aladdin", scopes: ["push"] }]);
  });

  it("reads UTF-8, as in RFC 7617 section 2.1", async () => {
    const { port } = await serveBasic({ users: { test: hashOf("123£") } });
    expect((await send(port, withField("Basic dGVzdDoxMjPCow=="))).status).toBe(200);
  });

  it("challenges who sends nothing, with realm and charset [B7]", async () => {
    const { port, outcomes } = await serveBasic();
    const answered = await send(port, { body: "{}" });
    expect(answered.status).toBe(401);
    expect(answered.headers["www-authenticate"]).toBe('Basic realm="WallyWorld", charset="UTF-8"');
    expect(answered.json.detail).toBe("A user name and a password are missing (Authorization: Basic).");
    expect(outcomes.map(({ kind }) => kind)).toEqual(["refused"]);
  });

  it("quotes the realm", async () => {
    const { port } = await serveBasic({ realm: 'say "friend" \\ enter' });
    const { headers } = await send(port, { body: "{}" });
    expect(headers["www-authenticate"]).toBe('Basic realm="say \\"friend\\" \\\\ enter", charset="UTF-8"');
  });

  it("says the same of a wrong password and of an unknown user", async () => {
    const { port, messages } = await serveBasic();
    const wrong = await send(port, withField(basic("Aladdin", "close sesame")));
    const unknown = await send(port, withField(basic("Jafar", "open sesame")));
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(wrong.text).toBe(unknown.text);
    expect(wrong.headers["www-authenticate"]).toBe('Basic realm="WallyWorld", charset="UTF-8"');
    expect(messages).toEqual([]);
  });

  it("takes the scheme in any case, and a password with colons, spaces and letters of all kinds", async () => {
    const { port } = await serveBasic({ users: { "Zo\u00eb": hashOf("pä:ss: €") } });
    for (const name of ["Zo\u00eb", "Zoe\u0308"]) {
      for (const scheme of ["Basic", "basic", "BASIC", "bAsIc  "]) {
        const field = `${scheme} ${encoded(`${name}:pä:ss: €`)}`;
        expect([field, (await send(port, withField(field))).status]).toEqual([field, 200]);
      }
    }
  });

  it("takes the old password beside the new one, while both have a hash", async () => {
    const { port } = await serveBasic({ users: { shop: [hashOf("new"), hashOf("old")] } });
    const statuses = [];
    for (const password of ["new", "old", "open sesame"]) {
      statuses.push((await send(port, withField(basic("shop", password)))).status);
    }
    expect(statuses).toEqual([200, 200, 401]);
  });

  it("takes users in a list, each with scopes of its own beside those of all", async () => {
    const { port, messages } = await serveBasic({
      scopes: ["push"],
      users: [
        { name: "shop", hash: hashOf("new"), scopes: ["orders", "push"] },
        { name: "till", hash: hashOf("old") },
      ],
    });
    await send(port, withField(basic("shop", "new")));
    await send(port, withField(basic("till", "old")));
    expect((await send(port, withField(basic("till", "new")))).status).toBe(401);
    expect(messages.map(({ sender }) => sender)).toEqual([
      { name: "shop", scopes: ["push", "orders"] },
      { name: "till", scopes: ["push"] },
    ]);
  });

  it("is not misled by names that objects have", async () => {
    const { port } = await serveBasic();
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect((await send(port, withField(basic(name, "open sesame")))).status).toBe(401);
    }
    const own = await serveBasic({ users: JSON.parse(`{"__proto__": "${hashOf("new")}"}`) });
    expect((await send(own.port, withField(basic("__proto__", "new")))).status).toBe(200);
  });

  it("finds users by a function of the name and the request", async () => {
    const seen: unknown[] = [];
    const { port, messages } = await serveBasic({
      users: async (name, request) => {
        seen.push([name, request.get("x-region")]);
        return name === "shop" ? { hash: hashOf("new"), scopes: ["eu"] } : undefined;
      },
    });
    const headers = { authorization: basic("shop", "new"), "x-region": "eu" };
    expect((await send(port, { body: "{}", headers })).status).toBe(200);
    expect((await send(port, withField(basic("till", "new")))).status).toBe(401);
    expect(seen).toEqual([
      ["shop", "eu"],
      ["till", undefined],
    ]);
    expect(messages.map(({ sender }) => sender)).toEqual([{ name: "shop", scopes: ["eu"] }]);
  });

  it.each<[string, BasicAuthenticatorOptions["users"]]>([
    ["throws", () => Promise.reject(new Error("the directory is down at /var/lib"))],
    ["finds a user without a hash", () => ({}) as never],
    ["finds a user whose hash is none", () => ({ hash: "hunter2" })],
  ])("tells a function that %s as an outage: 503, and the sender nothing of it [T15]", async (_, users) => {
    const { port, outcomes, lines } = await serveBasic({ users });
    const answered = await send(port, withField(basic("shop", "new")));
    expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_KEYS"]);
    expect(Number(answered.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(answered.text).not.toMatch(/directory|hunter2/);
    expect(lines[0]).toContain("The function in users has failed.");
    expect(lines[0]).not.toContain("hunter2");
    expect(outcomes.map(({ kind }) => kind)).toEqual(["failed"]);
  });

  it("is one of any: another scheme is asked next", async () => {
    const { port } = await serveNode({
      authenticator: anyOf(
        basicAuthenticator({ users: { shop: hashOf("new") } }),
        hmacAuthenticator({ header: "X-Signature", secrets: ["s"] }),
      ),
    });
    const answered = await send(port, { body: "{}", headers: { authorization: "Bearer abc" } });
    expect([answered.status, answered.headers["www-authenticate"]]).toEqual([
      401,
      'Basic realm="webhook", charset="UTF-8"',
    ]);
  });
});

describe("basicAuthenticator, of what is malformed [E2, T16]", () => {
  const MALFORMED: readonly (readonly [string, string])[] = [
    ["nothing behind the scheme", "Basic"],
    ["another scheme", `Bearer ${encoded("shop:new")}`],
    ["a scheme that begins alike", `Basically ${encoded("shop:new")}`],
    ["no space", `Basic${encoded("shop:new")}`],
    ["a tab for a space", `Basic\t${encoded("shop:new")}`],
    ["no padding", `Basic ${encoded("shop:new").replace("=", "")}`],
    ["too much padding", `Basic ${encoded("shop:new1")}=`],
    ["junk behind it", `Basic ${encoded("shop:newnew")} x`],
    ["a comma and more", `Basic ${encoded("shop:new")}, Basic ${encoded("shop:new")}`],
    ["the alphabet of URLs", "Basic c2hvcDpuZXc_-w=="],
    ["bits left over", "Basic c2hvcDpuZXd="],
    ["one digit", "Basic A"],
    ["no colon", `Basic ${encoded("shopnew")}`],
    ["octets that are not UTF-8", `Basic ${encoded(Buffer.from("shop:n\u00e9w", "latin1"))}`],
    ["half a character", `Basic ${encoded(Buffer.from([...Buffer.from("shop:"), 0xe2, 0x82]))}`],
    ["a surrogate in UTF-8", `Basic ${encoded(Buffer.from([...Buffer.from("shop:"), 0xed, 0xa0, 0x80]))}`],
    ["a line feed in the name", `Basic ${encoded("sh\nop:new")}`],
    ["a NUL in the password", `Basic ${encoded("shop:new\0")}`],
    ["a DEL in the password", `Basic ${encoded("shop:new\u007f")}`],
    ["text in plain", "Basic shop:new"],
    ["parameters", 'Basic username="shop", password="new"'],
  ];

  it.each(MALFORMED)("refuses %s with 401, and does no work", async (_, field) => {
    const { calls, verify } = asked();
    const find = jest.fn(() => ({ hash: "{plain}new" }));
    const { port } = await serveBasic({ users: find, verify });
    const answered = await send(port, withField(field));
    expect(answered.status).toBe(401);
    expect(answered.headers["www-authenticate"]).toBe('Basic realm="WallyWorld", charset="UTF-8"');
    expect(calls).toEqual([]);
    expect(find).not.toHaveBeenCalled();
  });

  it("keeps a byte order mark as part of the name", async () => {
    const { calls, verify } = asked();
    const { port } = await serveBasic({ users: { shop: "{plain}new" }, verify });
    expect((await send(port, withField(basic("\ufeffshop", "new")))).status).toBe(401);
    expect(calls).toHaveLength(1);
  });

  it("refuses a field sent twice, good as both are, and does no work", async () => {
    const { calls, verify } = asked();
    const { port } = await serveBasic({ users: { shop: "{plain}new" }, verify });
    for (const second of ["Authorization", "authorization", "AUTHORIZATION"]) {
      const client = await dial(port);
      const field = basic("shop", "new");
      client.write(
        `${head(["Content-Type: application/json", "Content-Length: 2", `Authorization: ${field}`, `${second}: ${field}`])}{}`,
      );
      await client.answered();
      expect(client.statuses()).toEqual([401]);
    }
    expect(calls).toEqual([]);
  });

  it("refuses before an octet of the body has come", async () => {
    const { port } = await serveBasic();
    const client = await dial(port);
    client.write(
      head(["Content-Type: application/json", "Content-Length: 999999", `Authorization: ${basic("Jafar", "x")}`]),
    );
    await client.answered();
    expect(client.statuses()).toEqual([401]);
  });
});

describe("basicAuthenticator, and real clients [E2]", () => {
  const PASSWORD = "pä:ss: €";

  it("understands fetch", async () => {
    const { url } = await serveBasic({ users: { "Jürgen Müller": hashOf(PASSWORD) } });
    const post = (password: string) =>
      fetch(url, {
        method: "POST",
        body: "{}",
        headers: { "Content-Type": "application/json", Authorization: basic("Jürgen Müller", password) },
      });
    expect((await post(PASSWORD)).status).toBe(200);
    expect((await post("wrong")).status).toBe(401);
  });

  it("understands Node's own client", async () => {
    const { url } = await serveBasic({ users: { "Jürgen Müller": hashOf(PASSWORD) } });
    const target = new URL(url);
    target.username = "Jürgen Müller";
    target.password = PASSWORD;
    const { request } = await import("node:http");
    const status = await new Promise((resolve, reject) => {
      const sending = request(target, { method: "POST", headers: { "Content-Type": "application/json" } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sending.on("error", reject).end("{}");
    });
    expect(status).toBe(200);
  });

  const hasCurl = spawnSync("curl", ["--version"]).status === 0;
  it.each(hasCurl ? ["--basic", "--anyauth"] : [])("understands curl %s", async (how) => {
    const { url } = await serveBasic({ users: { "Jürgen Müller": hashOf(PASSWORD) } });
    const curl = async (password: string) => {
      const print = ["--output", "-", "--write-out", "\n%{http_code}"];
      const post = ["--header", "Content-Type: application/json", "--data", '{"a":1}', url];
      const args = ["--silent", "--noproxy", "*", how, "--user", `Jürgen Müller:${password}`, ...print, ...post];
      const { stdout } = await promisify(execFile)("curl", args);
      return stdout.trim().split("\n").at(-1);
    };
    expect(await curl(PASSWORD)).toBe("200");
    expect(await curl("wrong")).toBe("401");
  });
});

describe("basicAuthenticator's options [E2]", () => {
  const hash = "$scrypt$ln=4,r=8,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG";
  it.each<[string, unknown, RegExp]>([
    ["no users", {}, /users: undefined is neither/],
    ["users of another kind", { users: "shop" }, /users: "shop" is neither/],
    ["an empty object", { users: {} }, /users: there is none/],
    ["an empty list", { users: [] }, /users: there is none/],
    ["a user without a hash", { users: { shop: undefined } }, /users: "shop": hash: it is missing/],
    ["a user with no hashes", { users: { shop: [] } }, /users: "shop": hash: it is missing/],
    ["an empty hash", { users: { shop: "" } }, /users: "shop": hash: "" is not a text/],
    ["a password for a hash", { users: { shop: "hunter2" } }, /users: "shop": hash: it has none of the forms/],
    ["one bad hash of two", { users: { shop: [hash, "hunter2"] } }, /users: "shop": hash: it has none of the forms/],
    ["a user twice", { users: [{ name: "a", hash }, { name: "a", hash }] }, /users: "a" is there twice/], // prettier-ignore
    ["two names that are one", { users: { "Zo\u00eb": hash, "Zoe\u0308": hash } }, /is there twice/],
    ["a name with a colon", { users: { "sh:op": hash } }, /holds a colon/],
    ["a name with a line feed", { users: { "sh\nop": hash } }, /control character/],
    ["an empty name", { users: { "": hash } }, /users: "" is not a text/],
    ["a user without a name", { users: [{ hash }] }, /users: undefined is not a text/],
    ["an empty realm", { users: { a: hash }, realm: "" }, /realm: ""/],
    ["a realm with a line feed", { users: { a: hash }, realm: "a\r\nSet-Cookie: b" }, /realm: /],
    ["a realm that is no ASCII", { users: { a: hash }, realm: "Käse" }, /realm: /],
    ["a lifetime of NaN", { users: { a: hash }, cacheSeconds: Number.NaN }, /cacheSeconds: NaN/],
    ["a lifetime below zero", { users: { a: hash }, cacheSeconds: -1 }, /cacheSeconds: -1/],
    ["a lifetime without end", { users: { a: hash }, cacheSeconds: Infinity }, /cacheSeconds: Infinity/],
    ["a lifetime in words", { users: { a: hash }, cacheSeconds: "5m" }, /cacheSeconds: "5m"/],
    ["scopes that are no list", { users: { a: hash }, scopes: "push" }, /scopes must be a list/],
    ["scopes of a user that are no list", { users: [{ name: "a", hash, scopes: [1] }] }, /scopes must be a list/],
    ["a verify that is no function", { users: { a: hash }, verify: "bcrypt" }, /verify: "bcrypt" is not a function/],
    ["a misspelt option", { user: { a: hash } }, /no option "user". Did you mean users/],
  ])("refuse %s while the server starts, and show no hash", (_, options, message) => {
    expect(() => basicAuthenticator(options as BasicAuthenticatorOptions)).toThrow(TypeError);
    expect(() => basicAuthenticator(options as BasicAuthenticatorOptions)).toThrow(message);
    expect(() => basicAuthenticator(options as BasicAuthenticatorOptions)).not.toThrow(/hunter2|c29tZXNhbHQ/);
  });

  it("are read once", async () => {
    const users: Record<string, string[]> = { shop: [hashOf("new")] };
    const { port } = await serveBasic({ users });
    users["shop"]!.push(hashOf("old"));
    users["till"] = [hashOf("old")];
    expect((await send(port, withField(basic("shop", "old")))).status).toBe(401);
    expect((await send(port, withField(basic("till", "old")))).status).toBe(401);
    expect((await send(port, withField(basic("shop", "new")))).status).toBe(200);
  });
});
