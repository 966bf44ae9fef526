/**
 * One delivery that holds several events becomes several messages.
 */
import { defineSource, PermanentError, type Message } from "express-webhook-node";
import { send, serveNode } from "../support/serve";

const body = '[{"id": 1}, {"id": 2}, {"id": 3}]';

describe("split [G1]", () => {
  it("makes a message of each item of a top-level array, with its own id, key and text", async () => {
    const { port, messages, outcomes } = await serveNode({ split: true });
    const { status, json } = await send(port, { body });

    expect(status).toBe(200);
    expect(messages.map(({ payload, body: text, octets }) => [payload, text, octets.toString()])).toEqual([
      [{ id: 1 }, '{"id":1}', '{"id":1}'],
      [{ id: 2 }, '{"id":2}', '{"id":2}'],
      [{ id: 3 }, '{"id":3}', '{"id":3}'],
    ]);
    expect(new Set(messages.map(({ trackingId }) => trackingId)).size).toBe(3);
    expect(messages.map(({ previousTrackingIds }) => previousTrackingIds)).toEqual(
      [1, 2, 3].map(() => [json.trackingId]),
    );
    expect(outcomes).toMatchObject([{ kind: "delivered", trackingId: json.trackingId, messages: 3 }]);
  });

  it("gives an item the same key when the delivery is sent again, and equal items different keys [J3]", async () => {
    const source = {
      name: "s",
      authenticator: () => [{ scopes: [] }, { isAuthenticated: true, displayName: "s" }] as const,
      deliveryId: () => "d",
    };
    const { port, messages } = await serveNode({ source, split: true });
    await send(port, { body: "[1,1]" });
    await send(port, { body: "[1,1]" });
    const keys = messages.map(({ key }) => key);
    expect(keys.slice(0, 2)).toEqual(keys.slice(2));
    expect(keys[0]).not.toBe(keys[1]);
  });

  it("leaves whole what is no array, unless a function says how", async () => {
    const whole = await serveNode({ split: true });
    await send(whole.port, { body: '{"events": [1, 2]}' });
    expect(whole.messages.map(({ payload }) => payload)).toEqual([{ events: [1, 2] }]);
    expect(whole.messages[0]).not.toHaveProperty("previousTrackingIds");

    const split = await serveNode({ split: (payload) => (payload as { events: unknown[] }).events });
    await send(split.port, { body: '{"events": [1, 2]}' });
    expect(split.messages.map(({ payload }) => payload)).toEqual([1, 2]);
  });

  it("is overruled by split: false where a source has it", async () => {
    const source = {
      name: "s",
      authenticator: () => [{ scopes: [] }, { isAuthenticated: true, displayName: "s" }] as const,
      split: (payload: unknown) => payload as unknown[],
    };
    const { port, messages } = await serveNode({ source, split: false });
    await send(port, { body });
    expect(messages).toHaveLength(1);
  });

  it("answers a delivery without items, and emits nothing [J4]", async () => {
    const { port, messages, outcomes } = await serveNode({ split: true });
    expect((await send(port, { body: "[]" })).status).toBe(200);
    expect(messages).toEqual([]);
    expect(outcomes).toMatchObject([{ kind: "answered", messages: 0 }]);
  });

  it("acknowledges only when all are confirmed [J1]", async () => {
    const seen: unknown[] = [];
    const emitter = async ({ payload }: Message) => {
      seen.push(payload);
      if ((payload as { id: number }).id === 2) throw new Error("full");
    };
    const { port } = await serveNode({ split: true, emitter });
    expect((await send(port, { body })).status).toBe(503);
    expect(seen).toHaveLength(3);
  });

  it("sends single items to the dead letters", async () => {
    const dead: unknown[] = [];
    const emitter = async ({ payload }: Message) => {
      if ((payload as { id: number }).id === 2) throw new PermanentError("no");
    };
    const deadLetter = async ({ payload }: Message) => void dead.push(payload);
    const { port, outcomes } = await serveNode({ split: true, emitter, deadLetter });
    expect((await send(port, { body })).status).toBe(200);
    expect(dead).toEqual([{ id: 2 }]);
    expect(outcomes).toMatchObject([{ kind: "delivered", isDeadLetter: true, messages: 3 }]);
  });

  it("is refused with 413 for more messages than maxMessages, before any is made [G1]", async () => {
    const { port, messages } = await serveNode({ split: true, maxMessages: 3 });
    expect((await send(port, { body: "[1,2,3]" })).status).toBe(200);
    expect((await send(port, { body: "[1,2,3,4]" })).json).toMatchObject({
      code: "ERR_WEBHOOK_BODY_TOO_LARGE",
      detail: "The delivery holds more than 3 items.",
    });
    expect(messages).toHaveLength(3);
    const open = await serveNode({ split: true });
    expect((await send(open.port, { body: `[${"0,".repeat(400_000)}0]` })).status).toBe(413);
  });

  it("holds only and ignore of a source to the items that the node makes, too [J4]", async () => {
    const source = defineSource(
      { name: "s", verify: () => {}, eventType: ({ payload }) => (payload as { type?: string }).type },
      { ignore: ["b"] },
    );
    const { port, messages } = await serveNode({ source, split: true });
    await send(port, { body: '[{"type":"a"},{"type":"b"},{"type":"c"}]' });
    expect(messages.map(({ eventType }) => eventType)).toEqual(["a", "c"]);
    const splitting = defineSource({ name: "s", verify: () => {}, split: (): unknown[] => [] }, { only: ["a"] });
    await expect(serveNode({ source: splitting, split: false })).rejects.toThrow("split: false");
  });
});
