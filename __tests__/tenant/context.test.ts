import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { gunzipSync } from "node:zlib";
import {
  AuthCredentials,
  createWebhookNode,
  SimpleUser,
  type Authenticator,
  type Context,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { folderBulkStore } from "express-webhook-node/tenant/bulk-store";
import { createTenant } from "express-webhook-node/tenant/tenant";
import { send, serve, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

const pair = [new AuthCredentials(), new SimpleUser("sender")] as const;
const emitter = async (): Promise<void> => {};

/** A node that hands its context to a function at each request. */
const withContext = (
  look: (context: Context) => unknown,
  options: Partial<WebhookNodeOptions> = {},
): ReturnType<typeof serveNode> =>
  serveNode({
    authenticator: async ({ context }) => {
      await look(context);
      return pair;
    },
    ...options,
  });

/** The context of a node that receives nothing. */
const contextOf = (options: Partial<WebhookNodeOptions> = {}): Context =>
  createWebhookNode({ anonymous: "accept", emitter, ...options }).context;

watchUnhandled();

describe("the context", () => {
  it("is one object for the life of a node: what is set on it is there at the next call [F1, F4]", async () => {
    const seen: unknown[] = [];
    const { node, port } = await withContext((context) => {
      seen.push(context);
      context["calls"] = Number(context["calls"] ?? 0) + 1;
    });
    for (let call = 0; call < 3; call++) await send(port, { body: "1" });

    expect(new Set(seen)).toEqual(new Set([node.context]));
    expect(node.context["calls"]).toBe(3);
  });

  it("is each node's own, of one tenant too [F1]", async () => {
    const tenant = createTenant({ name: "acme" });
    const authenticator: Authenticator<Context> = ({ context }) => {
      context["seen"] = context.node;
      return pair;
    };
    const [orders, invoices] = [
      await serveNode({ tenant, name: "orders", authenticator }),
      await serveNode({ tenant, name: "invoices", authenticator }),
    ];
    await send(orders.port, { body: "1" });

    expect(orders.node.context["seen"]).toBe("orders");
    expect(invoices.node.context["seen"]).toBeUndefined();
  });

  it("has the names of node and tenant, and the tenant's table [F2]", () => {
    const table = new Map();
    const tenant = createTenant({ name: "acme", table });

    expect(contextOf({ tenant, name: "orders" })).toMatchObject({ node: "orders", tenant: "acme" });
    expect(contextOf({ tenant }).table).toBe(table);
    expect(contextOf()).toMatchObject({ node: "webhook", tenant: "default", table: undefined });
  });

  it.each([
    "config",
    "logger",
    "node",
    "tenant",
    "table",
    "handleBulkData",
    "acquire",
    "release",
    "locked",
    "withLock",
  ])("has a member %s that nobody can replace or take away [F2]", (name) => {
    const context = contextOf();
    const before = context[name];
    expect(() => {
      context[name] = "mine";
    }).toThrow(TypeError);
    expect(() => delete context[name]).toThrow(TypeError);
    expect(context[name]).toBe(before);
    expect(Object.keys(context)).toContain(name);
  });

  it("has functions that can be taken off it [F2, F3]", async () => {
    const { acquire, release, locked, withLock } = contextOf();
    await acquire();
    expect(locked()).toBe(true);
    release();
    await expect(withLock(() => "in")).resolves.toBe("in");
  });
});

describe("context.config", () => {
  it.each([
    ["neither", undefined, undefined, {}],
    ["the tenant's", { a: 1 }, undefined, { a: 1 }],
    ["the node's", undefined, { b: 2 }, { b: 2 }],
    ["both", { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ["both, the node's key first", { a: 1, b: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ["both, a key at a time, whole", { a: { x: 1, y: 1 } }, { a: { y: 2 } }, { a: { y: 2 } }],
    ["both, a value that the node takes away", { token: "t" }, { token: undefined }, { token: undefined }],
  ])("is what tenant and node say: %s [F2]", (_, ofTenant, ofNode, expected) => {
    expect(contextOf({ tenant: createTenant({ config: ofTenant }), config: ofNode }).config).toStrictEqual(expected);
  });

  it("is read only at every depth, and the app's own object is left as it is [F2]", () => {
    const own = { list: [{ deep: { a: 1 } }], map: { b: 2 } };
    const theirs = { shared: { c: 3 } };
    const config = contextOf({ tenant: createTenant({ config: theirs }), config: own }).config as typeof own &
      typeof theirs;
    for (const change of [
      () => (config.list[0]!.deep.a = 9),
      () => config.list.push({ deep: { a: 2 } }),
      () => (config.map.b = 9),
      () => (config.shared.c = 9),
      () => ((config as Record<string, unknown>)["new"] = 9),
      () => delete (config as Record<string, unknown>)["map"],
    ]) {
      expect(change).toThrow(TypeError);
    }
    own.list[0]!.deep.a = 7;
    own.list.push({ deep: { a: 8 } });
    theirs.shared.c = 7;
    expect(config).toEqual({ list: [{ deep: { a: 1 } }], map: { b: 2 }, shared: { c: 3 } });
  });

  it("keeps what is neither an object of keys nor a list as it is [F2]", () => {
    class Client {
      calls = 0;
    }
    const values = {
      octets: Buffer.from("key"),
      date: new Date(0),
      pattern: /x/g,
      map: new Map([["a", { b: 1 }]]),
      client: new Client(),
      find: () => 7,
    };
    const { config } = contextOf({ config: { values } });
    const copy = config["values"] as typeof values;
    for (const [name, value] of Object.entries(values)) expect(copy[name as keyof typeof values]).toBe(value);
    copy.client.calls++;
    expect(values.client.calls).toBe(1);
  });

  it("copies objects without a prototype, and those of another realm [F2]", () => {
    const bare = Object.assign(Object.create(null) as object, { a: { b: 1 } });
    const foreign = vm.runInNewContext("({ a: { b: 1 }, list: [1] })") as object;
    const { config } = contextOf({ config: { bare, foreign } });
    expect(JSON.stringify(config)).toBe('{"bare":{"a":{"b":1}},"foreign":{"a":{"b":1},"list":[1]}}');
    expect(Object.isFrozen((config["foreign"] as { a: object }).a)).toBe(true);
    expect(Object.isFrozen(foreign)).toBe(false);
  });

  it("keeps what refers to itself, and a value that is met twice [F2]", () => {
    const shared = { a: 1 };
    const round: Record<string, unknown> = { one: shared, two: [shared] };
    round["self"] = round;
    const { config } = contextOf({ config: { round } });
    const copy = config["round"] as { self: unknown; one: unknown; two: unknown[] };
    expect(copy.self).toBe(copy);
    expect(copy.two[0]).toBe(copy.one);
    expect(copy.one).not.toBe(shared);
  });

  it("holds keys such as __proto__ as keys, and poisons nothing [F2, T11]", () => {
    const config = JSON.parse(
      '{"a":{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}}',
    ) as Record<string, unknown>;
    const { a } = contextOf({ config }).config as { a: { isAdmin?: boolean } };
    expect(a.isAdmin).toBeUndefined();
    expect(Object.keys(a)).toEqual(["__proto__", "constructor"]);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it("holds such a key at its top too [F2, T11]", () => {
    const evil = JSON.parse('{"__proto__":{"isAdmin":true}}') as Record<string, unknown>;
    for (const options of [{ config: evil }, { tenant: createTenant({ config: evil }) }]) {
      const { config } = contextOf(options);
      expect(config["isAdmin"]).toBeUndefined();
      expect(Object.keys(config)).toEqual(["__proto__"]);
    }
  });

  it.each([
    ["null", null],
    ["a list", []],
    ["a text", "token"],
  ])("is refused at start where it is %s [F2]", (_, config) => {
    const wrong = config as unknown as Record<string, unknown>;
    expect(() => contextOf({ config: wrong })).toThrow("config: it must be an object.");
    expect(() => createTenant({ config: wrong })).toThrow("config: it must be an object.");
  });
});

describe("context.handleBulkData", () => {
  it("stores a body of any length while it comes, and hands its URL on [F2]", async () => {
    const folder = mkdtempSync(join(tmpdir(), "context-"));
    const tenant = createTenant({ bulkStore: folderBulkStore({ folder }) });
    let url = "";
    const { port } = await serveNode({
      tenant,
      maxBytes: 4_000_000,
      authenticator: async ({ context, body, signal }) => {
        url = await context.handleBulkData(body.stream(), { signal });
        return pair;
      },
    });
    const body = JSON.stringify(Array.from({ length: 100_000 }, (_, index) => ({ index })));

    expect((await send(port, { body })).status).toBe(200);
    expect(gunzipSync(readFileSync(fileURLToPath(url))).toString()).toBe(body);

    // A body beyond the limit is refused as ever, and what was written of it is gone.
    expect((await send(port, { body: [" ".repeat(3_000_000), " ".repeat(3_000_000)] })).status).toBe(413);
    await until(() => readdirSync(folder).length === 1);
    rmSync(folder, { recursive: true });
  });

  it("fails the request, and says in the log what is missing, where the tenant has no store [F2, C2]", async () => {
    const { port, lines } = await withContext((context) => context.handleBulkData("x"));
    const { status, text } = await send(port, { body: "1" });

    expect(status).toBe(500);
    expect(text).not.toContain("bulkStore");
    expect(lines.join("\n")).toContain("createTenant({ bulkStore: folderBulkStore({ folder }) })");
  });
});

describe("the lock of a context", () => {
  it("sets up once under concurrent calls [F3]", async () => {
    let connections = 0;
    const { port, messages } = await withContext(async (context) => {
      await context.withLock(async () => {
        if (context["connection"]) return;
        connections++;
        await new Promise((resolve) => setTimeout(resolve, 5));
        context["connection"] = connections;
      });
    });
    await Promise.all(Array.from({ length: 20 }, () => send(port, { body: "1" })));

    expect(connections).toBe(1);
    expect(messages).toHaveLength(20);
  });

  it("lets the next one try where setting up fails [F3]", async () => {
    let tries = 0;
    const { port, node } = await withContext((context) =>
      context.withLock(async () => {
        if (context["connection"]) return;
        if (++tries < 3) throw new Error("refused");
        context["connection"] = true;
      }),
    );
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(port, { body: "1" })));

    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 200, 200, 500, 500]);
    expect(node.context.locked()).toBe(false);
  });

  it("leaves nobody in the queue whose time is over, where they wait with their signal [F3]", async () => {
    let free = (): void => {};
    const held = new Promise<void>((resolve) => (free = resolve));
    let entered = 0;
    const { port, node } = await serveNode({
      deadlineMs: 200,
      authenticator: async ({ context, signal }) => {
        await context.withLock(() => (entered++, held), { signal });
        return pair;
      },
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(port, { body: "1" })));

    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    free();
    await until(() => !node.context.locked());
    expect(entered).toBe(1);
  });

  it("is each node's own [F3]", async () => {
    const tenant = createTenant();
    const [a, b] = [contextOf({ tenant }), contextOf({ tenant })];
    await a.acquire();
    expect(b.locked()).toBe(false);
  });
});

describe("makeContext", () => {
  it.each<[string, object, string]>([
    ["a tenant that is a name", { tenant: "acme" }, 'tenant: "acme" is no tenant; make one by createTenant({ name }).'],
    ["options in place of a tenant", { tenant: { name: "acme" } }, "tenant: an object is no tenant"],
    ["null for a tenant", { tenant: null }, "tenant: null is no tenant"],
    ["a misspelt option", { tennant: {} }, 'there is no option "tennant". Did you mean tenant?'],
  ])("throws at start with %s [F2]", (_, options, message) => {
    expect(() => contextOf(options)).toThrow(message);
  });

  it("takes a tenant of another copy of the package [F2]", async () => {
    const { name, config, close } = createTenant({ name: "acme", config: { a: 1 } });
    const { port, node } = await serveNode({ tenant: { name, config, close } });
    expect((await send(port, { body: "1" })).status).toBe(200);
    expect(node.context.config).toEqual({ a: 1 });
  });

  it("reads options where the node is made: changing them later changes nothing [F1]", async () => {
    const options = { anonymous: "accept" as const, emitter, config: { a: 1 } as Record<string, unknown> };
    const node = createWebhookNode(options);
    options.config = { a: 2 };
    await serve(node);
    expect(node.context.config).toEqual({ a: 1 });
  });
});
