/**
 * What verifying passwords costs, and who pays it: hot senders, unknown names, and floods of wrong passwords.
 */
import { stat } from "node:fs/promises";
import http from "node:http";
import { basicAuthenticator, type BasicAuthenticatorOptions } from "express-webhook-node/authenticate/basic";
import { bounded } from "express-webhook-node/authenticate/bounded";
import { hashPassword } from "express-webhook-node/authenticate/password";
import { verified } from "express-webhook-node/authenticate/verified";
import { send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();
afterEach(() => jest.restoreAllMocks());

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
const as = (name: string, password: string) => ({ body: "{}", headers: { authorization: basic(name, password) } });

/** A `verify` for hashes such as `{plain}new`, which keeps what it is asked. */
function counting() {
  const calls: (readonly [password: string, hash: string])[] = [];
  const verify = async (password: string, hash: string): Promise<boolean> => {
    calls.push([password, hash]);
    return hash === `{plain}${password}`;
  };
  return { calls, verify };
}

/** A `verify` that settles when it is told to. */
function holding() {
  const held: ((isRight: boolean) => void)[] = [];
  const verify = (): Promise<boolean> => new Promise((resolve) => held.push(resolve));
  return { held, verify };
}

const serveBasic = (options: BasicAuthenticatorOptions) => serveNode({ authenticator: basicAuthenticator(options) });

describe("basicAuthenticator's memory [E2]", () => {
  it("has a hot sender pay for its password once", async () => {
    const { calls, verify } = counting();
    const { port } = await serveBasic({ users: { shop: "{plain}new" }, verify });
    for (let n = 0; n < 5; n++) expect((await send(port, as("shop", "new"))).status).toBe(200);
    expect(calls).toEqual([["new", "{plain}new"]]);
  });

  it("has those who come at the same time pay once together, whether they are right or wrong", async () => {
    const { held, verify } = holding();
    const authenticator = basicAuthenticator({ users: { shop: "{plain}new" }, verify, cacheSeconds: 0 });
    let arrived = 0;
    const { port } = await serveNode({
      authenticator: (args) => {
        arrived++;
        return authenticator(args);
      },
    });
    const right = Array.from({ length: 10 }, () => send(port, as("shop", "new")));
    const wrong = Array.from({ length: 10 }, () => send(port, as("shop", "old")));
    await until(() => arrived === 20);
    held[0]!(true);
    held[1]!(false);
    const statuses = async (all: typeof right) => new Set((await Promise.all(all)).map(({ status }) => status));
    expect([[...(await statuses(right))], [...(await statuses(wrong))]]).toEqual([[200], [401]]);
    expect(held).toHaveLength(2);
  });

  it("never remembers a wrong password, nor a right one for another name", async () => {
    const { calls, verify } = counting();
    const { port } = await serveBasic({ users: { shop: "{plain}new", till: "{plain}old" }, verify });
    for (const [name, password, status] of [
      ["shop", "old", 401],
      ["shop", "old", 401],
      ["shop", "new", 200],
      ["till", "new", 401],
      ["nobody", "new", 401],
      ["nobody", "new", 401],
      ["nobody", "old", 401],
    ] as const) {
      expect((await send(port, as(name, password))).status).toBe(status);
    }
    expect(calls).toHaveLength(7);
  });

  it("ends after cacheSeconds, and is none with 0", async () => {
    const { calls, verify } = counting();
    const { port } = await serveBasic({ users: { shop: "{plain}new" }, verify, cacheSeconds: 60 });
    const now = performance.now.bind(performance);
    let later = 0;
    jest.spyOn(performance, "now").mockImplementation(() => now() + later);
    const counts = [];
    for (later of [0, 59_000, 61_000, 62_000]) {
      await send(port, as("shop", "new"));
      counts.push(calls.length);
    }
    expect(counts).toEqual([1, 1, 2, 2]);

    const forgetful = await serveBasic({ users: { shop: "{plain}new" }, verify, cacheSeconds: 0 });
    for (let n = 0; n < 3; n++) await send(forgetful.port, as("shop", "new"));
    expect(calls).toHaveLength(5);
  });

  it("heeds a hash that has changed, and a user who is gone, at once", async () => {
    const { verify } = counting();
    let account: { readonly hash: string } | undefined = { hash: "{plain}new" };
    const { port } = await serveBasic({ users: () => account, verify });
    expect((await send(port, as("shop", "new"))).status).toBe(200);
    account = { hash: "{plain}newer" };
    expect((await send(port, as("shop", "new"))).status).toBe(401);
    expect((await send(port, as("shop", "newer"))).status).toBe(200);
    account = undefined;
    expect((await send(port, as("shop", "newer"))).status).toBe(401);
  });
});

describe("verified [E2]", () => {
  const yes = async (): Promise<boolean> => true;

  it("forgets the least recently used beyond maxEntries", async () => {
    const isVerified = verified({ cacheSeconds: 60, maxEntries: 2 });
    const no = jest.fn(async () => false);
    await isVerified(["a"], yes);
    await isVerified(["b"], yes);
    await isVerified(["a"], no);
    await isVerified(["c"], yes);
    const known = [];
    for (const key of ["a", "b", "c"]) known.push(await isVerified([key], no));
    expect(known).toEqual([true, false, true]);
  });

  it("keeps apart what only looks the same when it is joined", async () => {
    const isVerified = verified({ cacheSeconds: 60, maxEntries: 10 });
    await isVerified(["ab", "c"], yes);
    for (const parts of [["a", "bc"], ["abc"], ["ab,c"], ["ab", "c", ""], ['ab","c']]) {
      expect(await isVerified(parts, async () => false)).toBe(false);
    }
  });

  it("has a failure told to all who wait for it, and asks again afterwards", async () => {
    const isVerified = verified({ cacheSeconds: 60, maxEntries: 10 });
    const failing = async (): Promise<boolean> => {
      throw new Error("down");
    };
    const both = await Promise.allSettled([isVerified(["a"], failing), isVerified(["a"], yes)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await isVerified(["a"], yes)).toBe(true);
  });
});

describe("basicAuthenticator, of unknown users [E2]", () => {
  it("has an unknown name cost what a known one does: as many hashes, of the same kind", async () => {
    const { calls, verify } = counting();
    const users = { a: "{plain}1", b: ["{plain}2", "{plain}3"] };
    const { port } = await serveBasic({ users, verify });
    const work = async (name: string, password = "wrong") => {
      calls.length = 0;
      expect((await send(port, as(name, password))).status).toBe(401);
      return calls.map(([, hash]) => hash).join();
    };
    const known = new Set([await work("a"), await work("b")]);
    const unknown = new Set<string>();
    for (let n = 0; n < 20; n++) {
      const once = await work(`nobody ${n}`);
      // The same name costs the same each time: else asking often would tell.
      expect(await work(`nobody ${n}`)).toBe(once);
      unknown.add(once);
    }
    expect(unknown).toEqual(known);
  });

  it("does not let in an unknown name by the password of whose hash stands in", async () => {
    const { verify } = counting();
    const { port, messages } = await serveBasic({ users: { a: "{plain}1" }, verify });
    expect((await send(port, as("nobody", "1"))).status).toBe(401);
    expect((await send(port, as("a", "1"))).status).toBe(200);
    expect((await send(port, as("nobody", "1"))).status).toBe(401);
    expect(messages).toHaveLength(1);
  });

  it("has a function's unknown users cost what the last known one did, and before that what hashPassword makes", async () => {
    const { calls, verify } = counting();
    const { port } = await serveBasic({
      users: (name) => (name === "shop" ? { hash: ["{plain}1", "{plain}2"] } : null),
      verify,
    });
    const startedAt = performance.now();
    expect((await send(port, as("nobody", "1"))).status).toBe(401);
    // Hashing with scrypt at its default cost takes far longer than a refusal that does nothing.
    expect(performance.now() - startedAt).toBeGreaterThan(20);
    expect(calls).toEqual([]);
    await send(port, as("shop", "2"));
    calls.length = 0;
    expect((await send(port, as("nobody", "wrong"))).status).toBe(401);
    expect(calls).toEqual([
      ["wrong", "{plain}1"],
      ["wrong", "{plain}2"],
    ]);
  });
});

describe("basicAuthenticator, in a flood of wrong passwords [E2, T17]", () => {
  it("verifies a few at once, lets 64 wait, and refuses the rest with 503, while hot senders go on", async () => {
    const { held, verify } = holding();
    const { port, outcomes } = await serveBasic({ users: { shop: "{plain}new" }, verify });
    const first = send(port, as("shop", "new"));
    await until(() => held.length === 1);
    held[0]!(true);
    expect((await first).status).toBe(200);

    const agent = new http.Agent({ maxSockets: 200 });
    const flood = Array.from({ length: 100 }, (_, n) => send(port, { ...as(`user ${n}`, "wrong"), agent }));
    await until(() => outcomes.filter(({ status }) => status === 503).length === 100 - 64 - 4);
    const atOnce = held.length - 1;
    expect(atOnce).toBe(4);
    expect((await send(port, as("shop", "new"))).status).toBe(200);

    const late = await send(port, as("late", "wrong"));
    expect([late.status, late.json.code]).toEqual([503, "ERR_WEBHOOK_BUSY"]);
    expect(Number(late.headers["retry-after"])).toBeGreaterThanOrEqual(1);

    for (let n = 1; n < 1 + 4 + 64; n++) {
      await until(() => held.length > n);
      held[n]!(false);
    }
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(4 + 64);
    expect(statuses.filter((status) => status === 503)).toHaveLength(100 - 64 - 4);
    agent.destroy();
  });

  it("has a verify that hangs hold up nobody but its own authenticator", async () => {
    const { held, verify } = holding();
    const stuck = await serveBasic({ users: { shop: "{plain}new" }, verify });
    const hanging = Array.from({ length: 10 }, (_, n) => send(stuck.port, as("shop", `wrong ${n}`)));
    await until(() => held.length === 4);
    const { port } = await serveBasic({ users: { shop: "{plain}new" }, verify: counting().verify });
    expect((await send(port, as("shop", "new"))).status).toBe(200);
    for (let n = 0; n < 10; n++) {
      await until(() => held.length > n);
      held[n]!(false);
    }
    expect((await Promise.all(hanging)).map(({ status }) => status)).toEqual(hanging.map(() => 401));
  });

  it("leaves threads to everything else that Node does", async () => {
    const hash = await hashPassword("new", { ln: 13, r: 8, p: 1 });
    const { port, outcomes } = await serveBasic({ users: { shop: hash } });
    const agent = new http.Agent({ maxSockets: 200 });
    const flood = Array.from({ length: 30 }, (_, n) => send(port, { ...as("shop", `wrong ${n}`), agent }));
    await until(() => outcomes.length > 0);
    const before = outcomes.length;
    for (let n = 0; n < 5; n++) await stat(__filename);
    // With the whole pool hashing, each look at a file would have waited for all that stood before it.
    expect(outcomes.length - before).toBeLessThan(10);
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    agent.destroy();
  });
});

describe("bounded", () => {
  it("runs so much at once, the rest in the order it came, whatever becomes of it", async () => {
    const run = bounded({ atOnce: 2, waiting: 3, busy: () => new Error("busy") });
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3, 4, 5].map((n) =>
      run(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (n % 2) throw new Error(`odd ${n}`);
        return n;
      }),
    );
    const settled = Promise.allSettled(all);
    await expect(all[5]).rejects.toThrow("busy");
    expect(begun).toEqual([0, 1]);
    for (let n = 0; n < 5; n++) {
      await until(() => ends.length > n);
      expect(begun.length).toBeLessThanOrEqual(n + 2);
      ends[n]!();
    }
    expect((await settled).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
    ]);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(await run(async () => "free again")).toBe("free again");
  });
});
