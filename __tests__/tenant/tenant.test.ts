import { createWebhookNode, type Context } from "express-webhook-node";
import type { FunctionLibrary } from "express-webhook-node/tenant/functions";
import { createMessageTypes } from "express-webhook-node/emit/message-types";
import { createTenant, type TenantOptions } from "express-webhook-node/tenant/tenant";
import { recordingLogger, send, serve, serveNode } from "../support/serve";

const emitter = async (): Promise<void> => {};

/** A library of which a test wants to know one thing. */
const library = (close: () => void): FunctionLibrary => ({ close }) as FunctionLibrary;

describe("createTenant", () => {
  it("holds what nodes share, and cannot be changed [F2]", () => {
    const parts = {
      name: "acme",
      functions: library(() => {}),
      messageTypes: createMessageTypes([]),
      table: new Map(),
      bulkStore: async () => "memory:",
      logger: recordingLogger([]),
    };
    const tenant = createTenant({ ...parts, config: { a: { b: 1 } } });

    expect(tenant).toMatchObject({ ...parts, config: { a: { b: 1 } } });
    expect(tenant.table).toBe(parts.table);
    expect(Object.isFrozen(tenant)).toBe(true);
    expect(Object.isFrozen(tenant.config["a"])).toBe(true);
  });

  it("needs nothing [F2]", () => {
    expect(createTenant()).toMatchObject({ name: "default", config: {}, functions: undefined, table: undefined });
    expect(createTenant({ name: undefined, config: undefined, functions: undefined })).toMatchObject({
      name: "default",
    });
  });

  it.each<[string, unknown, string]>([
    ["a name in place of options", "acme", "createTenant: the options must be one object."],
    ["an empty name", { name: "" }, 'name: "" is not a text, or an empty one.'],
    ["a misspelt option", { bulkstore: () => {} }, 'there is no option "bulkstore". Did you mean bulkStore?'],
    ["functions by name", { functions: { a() {} } }, "functions: an object is no function library"],
    ["null for functions", { functions: null }, "functions: null is no function library"],
    ["a store that is a folder's name", { bulkStore: "bulk/" }, 'bulkStore: "bulk/" is not a function.'],
    ["a logger without levels", { logger: {} }, "logger: it has no method debug()"],
  ])("throws at start with %s [F2]", (_, options, message) => {
    expect(() => createTenant(options as TenantOptions)).toThrow(message);
  });
});

describe("a tenant", () => {
  it("is shared by its nodes: config, table, logger [F2]", async () => {
    const lines: string[] = [];
    const tenant = createTenant({
      name: "acme",
      config: { region: "eu" },
      table: new Map([["token", "t"]]),
      logger: recordingLogger(lines),
    });
    const seen: unknown[] = [];
    const node = (name: string, config: Record<string, unknown>) =>
      createWebhookNode({
        tenant,
        name,
        config,
        authenticator: ({ context }) => {
          seen.push([context.tenant, context.node, context.config, context.table]);
          return null;
        },
        emitter,
      });
    const [orders, invoices] = [await serve(node("orders", {})), await serve(node("invoices", { region: "us" }))];
    await send(orders.port, { body: "1" });
    await send(invoices.port, { body: "1" });

    expect(seen).toEqual([
      ["acme", "orders", { region: "eu" }, tenant.table],
      ["acme", "invoices", { region: "us" }, tenant.table],
    ]);
    // The tenant's logger has the nodes' own lines too.
    expect(lines).toEqual([
      expect.stringMatching(/^warn: webhook orders: refused, 403/),
      expect.stringMatching(/^warn: webhook invoices: refused, 403/),
    ]);
  });

  it("costs a node that has none of it nothing: each has one to itself [F1]", async () => {
    const [a, b] = [await serveNode(), await serveNode()];
    const { context }: { context: Context } = a.node;
    context["mine"] = 1;
    expect(b.node.context["mine"]).toBeUndefined();
    expect((await send(a.port, { body: "1" })).status).toBe(200);
  });

  it("closes its function library, once however often it is told [E3]", async () => {
    const close = jest.fn();
    const tenant = createTenant({ functions: library(close) });
    await Promise.all([tenant.close(), tenant.close()]);
    await tenant.close();
    expect(close).toHaveBeenCalledTimes(1);
    await expect(createTenant().close()).resolves.toBeUndefined();
  });

  it("tells what its function library fails with when it is closed [E3]", async () => {
    const tenant = createTenant({
      functions: library(() => {
        throw new Error("still open");
      }),
    });
    await expect(tenant.close()).rejects.toThrow("still open");
  });
});
