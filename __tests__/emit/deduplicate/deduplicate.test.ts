/**
 * The same message is emitted once within the window, and nothing good is lost to it.
 */
import {
  HTTPException,
  memoryDeduplication,
  type DeduplicationStore,
  type Message,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { send, serveNode, until, type Answered, type ServedNode } from "../../support/serve";
import { watchUnhandled } from "../../support/unhandled";

watchUnhandled();

const pair = [{ scopes: [] }, { isAuthenticated: true, displayName: "shop" }] as const;
const source = {
  name: "shop",
  authenticator: () => pair,
  deliveryId: ({ request }: { request: { headers: Record<string, unknown> } }) => request.headers["x-id"] as string,
};

/** A node with deduplication, on a store of its own unless told otherwise. */
function serve(options: Partial<WebhookNodeOptions> = {}): Promise<ServedNode> {
  return serveNode({ source, deduplicate: { store: memoryDeduplication() }, ...options });
}

function deliver({ port }: ServedNode, id: string | undefined, body = "{}"): Promise<Answered> {
  return send(port, { body, headers: id === undefined ? {} : { "x-id": id } });
}

/** An emitter that waits for the test at each message. */
function held() {
  const messages: Message[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const emitter = (message: Message): Promise<void> =>
    new Promise((resolve, reject) => {
      messages.push(message);
      ends.push((error) => (error ? reject(error) : resolve()));
    });
  return { emitter, messages, ends };
}

describe("deduplicate [J3]", () => {
  it("emits a delivery once, and answers the second with the first one's tracking id [J4]", async () => {
    const node = await serve();
    const first = await deliver(node, "d1");
    const second = await deliver(node, "d1");

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.json.trackingId).toBe(first.json.trackingId);
    expect(node.messages).toHaveLength(1);
    expect(node.outcomes.map(({ kind, trackingId }) => [kind, trackingId])).toEqual([
      ["delivered", first.json.trackingId],
      ["duplicate", first.json.trackingId],
    ]);
    expect(node.outcomes[1]).toMatchObject({ deliveryId: "d1", status: 200 });
  });

  it("loses nothing: other octets, another id, no id, another node, another source", async () => {
    const store = memoryDeduplication();
    const node = await serve({ deduplicate: { store } });
    await deliver(node, "d1", '{"a":1}');
    await deliver(node, "d1", '{"a":2}');
    await deliver(node, "d2", '{"a":1}');
    await deliver(node, undefined, '{"a":1}');
    await deliver(node, undefined, '{"a":1}');
    expect(node.messages).toHaveLength(5);
    const other = await serve({ deduplicate: { store }, name: "other" });
    const elsewhere = await serve({ deduplicate: { store }, source: { ...source, name: "elsewhere" } });
    await deliver(other, "d1", '{"a":1}');
    await deliver(elsewhere, "d1", '{"a":1}');
    expect([other.messages.length, elsewhere.messages.length]).toEqual([1, 1]);
  });

  it("lets the second wait for the first, and emits once for both", async () => {
    const { emitter, messages, ends } = held();
    const node = await serve({ emitter });
    const both = [deliver(node, "d"), deliver(node, "d"), deliver(node, "d")];
    await until(() => messages.length === 1);
    ends[0]?.();
    const answers = await Promise.all(both);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ json }) => json.trackingId)).size).toBe(1);
    expect(messages).toHaveLength(1);
  });

  it("lets the second try where the first has failed", async () => {
    const { emitter, messages, ends } = held();
    const node = await serve({ emitter });
    const both = [deliver(node, "d"), deliver(node, "d")];
    await until(() => messages.length === 1);
    ends[0]?.(new Error("down"));
    await until(() => messages.length === 2);
    ends[1]?.();

    expect(new Set((await Promise.all(both)).map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect((await deliver(node, "d")).status).toBe(200);
    expect(messages).toHaveLength(2);
  });

  it("waits for a message that another process has under way", async () => {
    const store = memoryDeduplication();
    const { emitter, messages, ends } = held();
    const one = await serve({ deduplicate: { store }, emitter });
    const other = await serve({ deduplicate: { store } });
    const first = deliver(one, "d");
    await until(() => messages.length === 1);
    const second = deliver(other, "d");
    setTimeout(() => ends[0]?.(), 60);

    expect((await second).json).toEqual((await first).json);
    expect(other.messages).toEqual([]);
  });

  it("is 503 while a process that has crashed holds the lease, and takes over once it has run out [J1]", async () => {
    const store = memoryDeduplication();
    const node = await serve({ deduplicate: { store, leaseSeconds: 1 }, deadlineMs: 150 });
    // The crashed one had the same key.
    const seen: string[] = [];
    const crashing: DeduplicationStore = {
      ...store,
      claim: (key, options) => (seen.push(key), store.claim(key, options)),
      release: async () => {},
    };
    const crashed = await serve({
      deadlineMs: 500,
      deduplicate: { store: crashing, leaseSeconds: 1 },
      emitter: async () => {
        throw new Error("down");
      },
    });
    expect((await deliver(crashed, "d")).status).toBe(503);
    expect((await deliver(node, "d")).json.code).toBe("ERR_WEBHOOK_DEADLINE");
    expect(node.messages).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await deliver(node, "d")).status).toBe(200);
    expect(node.messages).toHaveLength(1);
  });

  it("knows a message that was confirmed after its sender was told to come again [J2]", async () => {
    const { emitter, messages, ends } = held();
    const node = await serve({ emitter, deadlineMs: 200 });
    expect((await deliver(node, "d")).status).toBe(503);
    ends[0]?.();
    const again = await deliver(node, "d");

    expect(again.status).toBe(200);
    expect(messages).toHaveLength(1);
    expect(again.json.trackingId).toBe(messages[0]?.trackingId);
    expect(node.outcomes.map(({ kind }) => kind)).toEqual(["failed", "duplicate"]);
  });

  it.each(
    (["claim", "confirm", "release"] as const).flatMap((method) => [
      [method, "rejects", () => Promise.reject(new Error("no store"))] as const,
      [
        method,
        "throws",
        () => {
          throw new Error("no store");
        },
      ] as const,
    ]),
  )("never takes a failure of the store's %s for a duplicate, where it %s", async (method, _, fail) => {
    const memory = memoryDeduplication();
    const released: string[] = [];
    const release: DeduplicationStore["release"] = (key, options) => (released.push(key), memory.release(key, options));
    const store: DeduplicationStore = { ...memory, release, [method]: fail };
    let isDown = method === "release";
    const emitted: Message[] = [];
    const emitter = async (message: Message): Promise<void> => {
      if (isDown) throw new Error("down");
      emitted.push(message);
    };
    const node = await serve({ deduplicate: { store }, emitter });
    const { status, headers } = await deliver(node, "d");
    expect(status).toBe(method === "confirm" ? 200 : 503);
    expect(headers["retry-after"]).toBe(method === "confirm" ? undefined : "1");
    await until(() => node.lines.some((line) => line.includes("no store")));
    isDown = false;
    // What is with the receiver is never let go.
    expect([emitted.length, released.length]).toEqual(method === "confirm" ? [1, 0] : [0, 0]);
  });

  it("asks for each item of a delivery that is split, and emits those that are new", async () => {
    const items = {
      ...source,
      deliveryId: ({ payload }: { payload: unknown }) => String((payload as { id: number }).id),
      split: (payload: unknown) => payload as unknown[],
    };
    const key = ({ deliveryId }: Message) => deliveryId;
    const node = await serve({ source: items, deduplicate: { store: memoryDeduplication(), key } });
    const first = await deliver(node, undefined, '[{"id":1},{"id":2}]');
    const more = await deliver(node, undefined, '[{"id":2},{"id":3}]');
    const again = await deliver(node, undefined, '[{"id":1},{"id":2}]');

    expect(node.messages.map(({ deliveryId }) => deliveryId)).toEqual(["1", "2", "3"]);
    expect(node.outcomes.map(({ kind, messages }) => [kind, messages])).toEqual([
      ["delivered", 2],
      ["delivered", 1],
      ["duplicate", 0],
    ]);
    expect(more.json.trackingId).not.toBe(first.json.trackingId);
    expect(again.json.trackingId).toBe(first.json.trackingId);
  });

  it("takes two equal items of one delivery for two, and for one by a key of the app's", async () => {
    const items = { ...source, deliveryId: () => "d", split: (payload: unknown) => payload as unknown[] };
    const node = await serve({ source: items });
    await deliver(node, undefined, "[1,1]");
    expect(node.messages).toHaveLength(2);
    const byKey = await serve({
      source: items,
      deduplicate: { store: memoryDeduplication(), key: ({ payload }) => String(payload) },
    });
    const { status } = await deliver(byKey, undefined, "[1,1]");
    expect(status).toBe(200);
    expect(byKey.messages).toHaveLength(1);
  });

  it("lets no delivery without a right proof take the place of one that has it [J3]", async () => {
    let isProven = false;
    const prove = (): typeof pair => {
      if (isProven) return pair;
      throw new HTTPException(401);
    };
    const node = await serve({
      enforcement: "report",
      source: { ...source, authenticator: prove },
    });
    expect((await deliver(node, "d")).status).toBe(200);
    isProven = true;
    expect((await deliver(node, "d")).status).toBe(200);
    expect((await deliver(node, "d")).status).toBe(200);
    expect(node.messages.map(({ isUnverified = false }) => isUnverified)).toEqual([true, false]);
  });

  it("audits what was confirmed late, and the confirmed part of a delivery that failed [I1]", async () => {
    const audits: { readonly tracking_id: string }[] = [];
    const auditSink = (record: object): void => void audits.push(record as { tracking_id: string });
    const { emitter, messages, ends } = held();
    const late = await serve({ emitter, deadlineMs: 100, auditSink });
    expect((await deliver(late, "d")).status).toBe(503);
    ends[0]?.();
    expect((await deliver(late, "d")).status).toBe(200);
    await late.node.drain();
    expect(audits.map(({ tracking_id }) => tracking_id)).toEqual(messages.map(({ trackingId }) => trackingId));

    audits.length = 0;
    let isDown = true;
    const emitted: Message[] = [];
    const split = await serve({
      source: { ...source, split: (payload: unknown) => payload as unknown[] },
      auditSink,
      emitter: async (message) => {
        if (message.payload === 2 && isDown) throw new Error("down");
        emitted.push(message);
      },
    });
    expect((await deliver(split, "d", "[1,2]")).status).toBe(503);
    isDown = false;
    expect((await deliver(split, "d", "[1,2]")).status).toBe(200);
    await split.node.drain();
    expect(emitted).toHaveLength(2);
    expect(audits.map(({ tracking_id }) => tracking_id)).toEqual(emitted.map(({ trackingId }) => trackingId));
  });

  it("gives respond the first one's tracking id, and audits a message once [I1]", async () => {
    const audits: unknown[] = [];
    const node = await serve({
      respond: ({ trackingId }) => trackingId,
      auditSink: (record) => void audits.push(record),
    });
    const first = await deliver(node, "d");
    const second = await deliver(node, "d");
    await node.node.drain();

    expect(second.json).toBe(first.json);
    expect(audits).toHaveLength(1);
  });

  it("keeps a message that has gone to the dead letters from going there twice", async () => {
    const { PermanentError } = await import("express-webhook-node");
    const dead: Message[] = [];
    const node = await serve({
      emitter: async () => {
        throw new PermanentError("never");
      },
      deadLetter: async (message) => void dead.push(message),
    });
    await deliver(node, "d");
    await deliver(node, "d");
    expect(dead).toHaveLength(1);
    expect(node.outcomes.map(({ kind }) => kind)).toEqual(["delivered", "duplicate"]);
  });

  it("does not wait for ever for an emitter that never settles", async () => {
    let calls = 0;
    const emitter = (): Promise<void> => (++calls === 1 ? new Promise(() => {}) : Promise.resolve());
    const node = await serve({
      emitter,
      deadlineMs: 150,
      deduplicate: { store: memoryDeduplication(), leaseSeconds: 1 },
    });
    expect((await deliver(node, "d")).status).toBe(503);
    expect((await deliver(node, "d")).status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await deliver(node, "d")).status).toBe(200);
  });

  it.each<[string, object, string]>([
    ["no store", {}, "store"],
    ["a store itself", memoryDeduplication(), "deduplicate: it is a store itself; pass it as { store }."],
    ["a store that is none", { store: new Map() }, "store"],
    ["a window of no length", { store: memoryDeduplication(), windowSeconds: 0 }, "windowSeconds"],
    ["a lease of no length", { store: memoryDeduplication(), leaseSeconds: -1 }, "leaseSeconds"],
    ["a lease that no timer waits for", { store: memoryDeduplication(), leaseSeconds: 2_147_484 }, "leaseSeconds"],
    ["a key that is no function", { store: memoryDeduplication(), key: "id" }, "key"],
    ["an unknown word", { store: memoryDeduplication(), window: 7 }, "window"],
  ])("throws at start with %s", async (_, deduplicate, word) => {
    await expect(serve({ deduplicate: deduplicate as never })).rejects.toThrow(word);
  });
});
