/**
 * What schemas and message types earn for a payload's type. The compiler is the judge: this file is checked with the rest.
 */
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { allOf, createWebhookNode, requires, type Emitter, type Message, type Source } from "express-webhook-node";
import type { AuditRecord } from "express-webhook-node/emit/audit";
import { defineMessageType, type MessageType } from "express-webhook-node/emit/message-type";
import { createMessageTypes } from "express-webhook-node/emit/message-types";
import type { PayloadOf } from "express-webhook-node/emit/payload-of";
import type { StandardSchemaV1 } from "express-webhook-node/emit/schema";
import { github } from "express-webhook-node/sources/github";

type IsAny<T> = 0 extends 1 & T ? true : false;
type Same<A, B> = IsAny<A> extends IsAny<B> ? ([A] extends [B] ? ([B] extends [A] ? true : false) : false) : false;

/** Never called: what is in it is for the compiler alone. */
function onlyCompiled(..._cases: readonly (() => unknown)[]): void {}

/** Compiles only where both are the same. */
function same<A, B>(..._isSame: Same<A, B> extends true ? [] : [never]): void {}

/** A node as far as its types go. */
function node<Payload = unknown>(options: {
  readonly messageType?: string | MessageType<Payload> | undefined;
  readonly emitter: Emitter<Payload>;
  readonly respond?: ((message: Message<Payload>) => unknown) | undefined;
}): typeof options {
  return options;
}

describe("the payload of a JSON Schema", () => {
  it("is what its keywords allow", () => {
    same<PayloadOf<{ type: "string" }>, string>();
    same<PayloadOf<{ type: "integer" }>, number>();
    same<PayloadOf<{ type: "number" }>, number>();
    same<PayloadOf<{ type: "boolean" }>, boolean>();
    same<PayloadOf<{ type: "null" }>, null>();
    same<PayloadOf<{ readonly type: readonly ["string", "null"] }>, string | null>();
    same<PayloadOf<{ type: "string"; nullable: true }>, string | null>();
    same<PayloadOf<{ readonly enum: readonly ["a", 1, null] }>, "a" | 1 | null>();
    same<PayloadOf<{ const: "a" }>, "a">();
    same<PayloadOf<{ type: "array" }>, unknown[]>();
    same<PayloadOf<{ type: "array"; items: { type: "string" } }>, string[]>();
    same<PayloadOf<{ type: "array"; items: { enum: readonly ["a", "b"] } }>, ("a" | "b")[]>();
    same<PayloadOf<{ type: "object"; additionalProperties: { type: "number" } }>, { [name: string]: number }>();
    same<PayloadOf<{ readonly anyOf: readonly [{ type: "string" }, { type: "number" }] }>, string | number>();
    same<PayloadOf<{ readonly oneOf: readonly [{ type: "string" }, { type: "null" }] }>, string | null>();
    expect(true).toBe(true);
  });

  it("has its members, required or not, and others unless there are none", () => {
    type Order = PayloadOf<{
      type: "object";
      required: readonly ["id", "extra"];
      properties: { id: { type: "integer" }; note: { type: "string" } };
    }>;
    same<Order, { id: number; note?: string; extra: unknown; [name: string]: unknown }>();
    type Strict = PayloadOf<{
      type: "object";
      required: readonly ["id"];
      properties: { id: { type: "integer" }; note: { type: "string" } };
      additionalProperties: false;
    }>;
    same<Strict, { id: number; note?: string }>();
    onlyCompiled(
      (order: Strict = { id: 1 }) => order.id.toFixed(),
      // @ts-expect-error -- a member that may be missing
      (order: Strict = { id: 1 }) => order.note.length,
      // @ts-expect-error -- a member that the schema does not have
      (order: Strict = { id: 1 }) => order.other,
    );
    expect(true).toBe(true);
  });

  it("is never narrower than the schema", () => {
    same<PayloadOf<{ properties: { id: { type: "integer" } } }>, unknown>();
    same<PayloadOf<{ required: readonly ["id"] }>, unknown>();
    same<PayloadOf<{ minLength: 1 }>, unknown>();
    same<PayloadOf<{ $ref: "#/$defs/a" }>, unknown>();
    same<PayloadOf<{ not: { type: "string" } }>, unknown>();
    same<PayloadOf<{ if: { type: "string" } }>, unknown>();
    same<PayloadOf<{ type: "array"; prefixItems: readonly [{ type: "string" }] }>, unknown[]>();
    same<PayloadOf<{ type: "array"; items: readonly [{ type: "string" }] }>, unknown[]>();
    same<PayloadOf<{ readonly anyOf: readonly [{ type: "string" }, { minLength: 1 }] }>, unknown>();
    same<
      PayloadOf<{ type: "object"; patternProperties: { "^a": { type: "string" } }; additionalProperties: false }>,
      { [name: string]: unknown }
    >();
    same<
      PayloadOf<{ readonly allOf: readonly [{ type: "object"; required: readonly ["a"] }, { minProperties: 1 }] }>,
      { a: unknown; [name: string]: unknown }
    >();
    expect(true).toBe(true);
  });

  it("is unknown where the compiler sees mere strings, as in an imported file", () => {
    same<PayloadOf<{ type: string; properties: { id: { type: string } }; required: string[] }>, unknown>();
    same<PayloadOf<{ type: string[] }>, unknown>();
    same<PayloadOf<{ readonly [keyword: string]: unknown }>, unknown>();
    same<PayloadOf<object>, unknown>();
    type Wide = PayloadOf<{ type: "object"; properties: { id: { type: "string" } }; required: string[] }>;
    same<Wide, { id?: string; [name: string]: unknown }>();
    expect(true).toBe(true);
  });
});

describe("the payload of a Standard Schema", () => {
  it("is what the schema puts out", () => {
    const zod = z.object({ at: z.string().transform((at) => new Date(at)), n: z.number().optional() });
    const valibot = v.object({ id: v.number(), note: v.optional(v.string(), "") });
    const ark = type({ id: "number", "note?": "string" });
    same<PayloadOf<typeof zod>, { at: Date; n?: number | undefined }>();
    same<PayloadOf<typeof valibot>, { id: number; note: string }>();
    same<PayloadOf<typeof ark>, { id: number; note?: string }>();
    same<PayloadOf<StandardSchemaV1<string, number>>, number>();
    expect(true).toBe(true);
  });
});

describe("defineMessageType", () => {
  const order = defineMessageType({
    name: "shop.order",
    schema: {
      type: "object",
      required: ["id", "state"],
      properties: {
        id: { type: "integer" },
        state: { enum: ["new", "paid"] },
        lines: { type: "array", items: { type: "object", required: ["sku"], properties: { sku: { type: "string" } } } },
      },
      additionalProperties: false,
    },
    auditor: ({ payload }) => ({ id: payload.id, state: payload.state }),
  });

  it("types the payload by a JSON Schema that is written in place", () => {
    type Payload = typeof order extends MessageType<infer Found> ? Found : never;
    same<Payload["id"], number>();
    same<Payload["state"], "new" | "paid">();
    onlyCompiled(() =>
      node({
        messageType: order,
        emitter: async ({ payload }) => {
          same<typeof payload.id, number>();
          same<typeof payload.state, "new" | "paid">();
          payload.lines?.[0]?.sku.toUpperCase();
          // @ts-expect-error -- a member that the schema does not have
          return payload.total;
        },
        respond: ({ payload }) => payload.id.toFixed(),
      }),
    );
    expect(order.name).toBe("shop.order");
  });

  it("types the payload by a Standard Schema", () => {
    const schema = z.object({ id: z.number() });
    const mine = defineMessageType({ name: "mine", schema, auditor: ({ payload }) => ({ id: payload.id }) });
    onlyCompiled(() =>
      node({
        messageType: mine,
        emitter: async ({ payload }) => same<typeof payload, { id: number }>(),
      }),
    );
    expect(mine.schema).toBe(schema);
  });

  it("leaves the payload of a type without a schema unknown", () => {
    const plain = defineMessageType({ name: "plain" });
    same<typeof plain, MessageType>();
    onlyCompiled(() => node({ messageType: plain, emitter: async ({ payload }) => same<typeof payload, unknown>() }));
    expect(plain).toEqual({ name: "plain" });
  });

  it("refuses words that no message type has, and auditors that are not flat", () => {
    onlyCompiled(
      // @ts-expect-error -- a misspelt word
      () => defineMessageType({ name: "mine", shema: {} }),
      // @ts-expect-error -- no name
      () => defineMessageType({ schema: {} }),
      // @ts-expect-error -- an attribute that is not flat
      () => defineMessageType({ name: "mine", auditor: () => ({ list: [1] }) }),
      // @ts-expect-error -- neither kind of schema
      () => defineMessageType({ name: "mine", schema: 5 }),
    );
    expect(true).toBe(true);
  });
});

describe("a message type in place", () => {
  it("types the payload of a node by a Standard Schema", () => {
    onlyCompiled(
      () =>
        node({
          messageType: { name: "mine", schema: z.object({ id: z.number() }) },
          emitter: async ({ payload }) => same<typeof payload, { id: number }>(),
        }),
      () =>
        node({
          messageType: { name: "mine", schema: v.object({ id: v.number() }) },
          emitter: async ({ payload }) => same<typeof payload, { id: number }>(),
        }),
      () =>
        node({
          messageType: { name: "mine", schema: type({ id: "number" }) },
          emitter: async ({ payload }) => same<typeof payload, { id: number }>(),
        }),
      () =>
        node({
          messageType: { name: "mine", schema: { type: "object" } },
          emitter: async ({ payload }) => same<typeof payload, unknown>(),
        }),
      () => node({ messageType: "echo.json", emitter: async ({ payload }) => same<typeof payload, unknown>() }),
    );
    expect(true).toBe(true);
  });

  it("may be of any payload in a library", () => {
    const types: MessageType[] = [
      defineMessageType({
        name: "one",
        schema: z.object({ id: z.number() }),
        auditor: ({ payload }) => ({ a: payload.id }),
      }),
      { name: "two", schema: v.string() },
      { name: "three", schema: { type: "string" } as const, auditor: async () => ({ at: new Date(), n: 1n }) },
    ];
    expect(createMessageTypes(types).get("two")?.name).toBe("two");
  });
});

describe("an audit record", () => {
  it("has typed standard fields, and others to look at", () => {
    same<AuditRecord["tracking_id"], string>();
    onlyCompiled((record?: AuditRecord) => record?.["shop_order_total"]);
    expect(true).toBe(true);
  });
});

describe("createWebhookNode with a message type", () => {
  it("types the payload of its messages by the schema", () => {
    const order = defineMessageType({
      name: "shop.order",
      schema: { type: "object", required: ["id"], properties: { id: { type: "integer" } } },
    });
    createWebhookNode({
      anonymous: "accept",
      messageType: order,
      emitter: async ({ payload }) => {
        const id: number = payload.id;
        // @ts-expect-error: it is a number
        const text: string = payload.id;
        return [id, text];
      },
    });
    expect(order.name).toBe("shop.order");
  });
});

describe("createWebhookNode with a source and a message type", () => {
  type Order = { readonly id: number };
  const secrets = ["It's a secret to everybody"];
  const inJsonSchema = defineMessageType({
    name: "shop.order",
    schema: {
      type: "object",
      required: ["id"],
      properties: { id: { type: "integer" } },
      additionalProperties: false,
    },
  });
  const inZod = defineMessageType({ name: "shop.zod", schema: z.object({ id: z.number() }) });
  const untyped = github({ secrets });

  it("leaves the payload of a source without a type argument to the message type, in any order", () => {
    onlyCompiled(
      () =>
        createWebhookNode({
          source: github({ secrets }),
          messageType: inJsonSchema,
          emitter: async ({ payload }) => same<typeof payload, Order>(),
        }),
      () =>
        createWebhookNode({
          messageType: inJsonSchema,
          source: github({ secrets }),
          emitter: async ({ payload }) => same<typeof payload, Order>(),
        }),
      () =>
        createWebhookNode({
          emitter: async ({ payload }) => same<typeof payload, Order>(),
          source: github({ secrets }),
          messageType: inZod,
        }),
      () =>
        createWebhookNode({
          source: untyped,
          messageType: inZod,
          emitter: async ({ payload }) => same<typeof payload, Order>(),
          respond: ({ payload }) => payload.id.toFixed(),
        }),
      () =>
        createWebhookNode({
          messageType: { name: "mine", schema: z.object({ id: z.number() }) },
          source: untyped,
          emitter: async ({ payload }) => same<typeof payload, Order>(),
        }),
      () =>
        createWebhookNode({
          source: allOf(requires("push", github({ secrets })), () => null),
          messageType: inZod,
          emitter: async ({ payload }) => same<typeof payload, Order>(),
        }),
      () =>
        createWebhookNode({
          source: untyped,
          messageType: "echo.json",
          emitter: async ({ payload }) => same<typeof payload, unknown>(),
        }),
    );
    expect(untyped.name).toBe("github");
  });

  it("leaves it to the emitter, where that alone says what it takes", () => {
    const orders = (async () => {}) satisfies Emitter as Emitter<Order>;
    onlyCompiled(
      () => createWebhookNode({ source: github({ secrets }), emitter: orders }),
      () => createWebhookNode({ source: untyped, emitter: orders }),
      () => createWebhookNode({ source: untyped, messageType: inZod, emitter: orders }),
      () => createWebhookNode({ source: untyped, emitter: async ({ payload }: Message<Order>) => payload.id }),
      () => createWebhookNode<Order>({ source: untyped, emitter: async ({ payload }) => payload.id }),
    );
    expect(typeof orders).toBe("function");
  });

  it("types the payload by a source with a type argument", () => {
    type Paid = Order & { readonly paid: boolean };
    const typed = github<Paid>({ secrets });
    const ofOrders = (async () => {}) satisfies Emitter as Emitter<Order>;
    const ofOthers = (async () => {}) satisfies Emitter as Emitter<Paid & { readonly at: string }>;
    onlyCompiled(
      (): Source<Paid> => typed,
      () =>
        createWebhookNode({
          source: github<Paid>({ secrets }),
          messageType: "echo.json",
          emitter: async ({ payload }) => same<typeof payload, Paid>(),
        }),
      () =>
        createWebhookNode({
          source: allOf(requires("push", typed), async () => null),
          emitter: async ({ payload }) => same<typeof payload, Paid>(),
        }),
      () => createWebhookNode({ source: typed, emitter: ofOrders }),
      () => createWebhookNode({ source: typed, emitter: async ({ payload }: Message<Order>) => payload.id }),
      // @ts-expect-error -- an emitter that takes more than the source is said to send
      () => createWebhookNode({ source: typed, emitter: ofOthers }),
      // @ts-expect-error -- and one that takes more than the message type lets through
      () => createWebhookNode({ source: untyped, messageType: inZod, emitter: ofOthers }),
    );
    expect(typed.name).toBe("github");
  });
});
