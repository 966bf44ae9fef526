/**
 * Emitters made of emitters: fanOut, fallback, route.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { fallback, fanOut, PermanentError, route, type Emitter, type Message } from "express-webhook-node";
import { Holds } from "express-webhook-node/request/holds";
import { collectGarbage } from "../support/collect";
import { contextOf, messageOf } from "../support/message";
import { quietConsole } from "../support/quiet";
import { recordingLogger, send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

/** An emitter that keeps what it was given, and fails with what `failures` holds, one at a call. */
function recording(...failures: readonly (Error | undefined)[]) {
  const seen: Message[] = [];
  const left = [...failures];
  const emitter: Emitter = async (message) => {
    const failure = left.shift();
    if (failure) throw failure;
    seen.push(message);
  };
  return { emitter, seen };
}

const down = new Error("down");
const never = new PermanentError("never");
const pending: Emitter = () => new Promise(() => {});

describe("fanOut", () => {
  it("hands a message to all, and settles when all have it [J1]", async () => {
    const [one, two, three] = [recording(), recording(), recording()];
    const message = messageOf();
    await fanOut(one.emitter, two.emitter, three.emitter)(message, contextOf());
    expect([one, two, three].map(({ seen }) => seen)).toEqual([[message], [message], [message]]);
  });

  it("fails with the one that fails, and sends again only where it is missing [J1]", async () => {
    const [one, two, three] = [recording(), recording(down, down), recording()];
    const emitter = fanOut(one.emitter, two.emitter, three.emitter);
    const message = messageOf();
    await expect(emitter(message, contextOf())).rejects.toBe(down);
    await expect(emitter({ ...message, trackingId: "2" }, contextOf())).rejects.toBe(down);
    await emitter({ ...message, trackingId: "3" }, contextOf());

    expect([one, two, three].map(({ seen }) => seen.map(({ trackingId }) => trackingId))).toEqual([
      [message.trackingId],
      ["3"],
      [message.trackingId],
    ]);
  });

  it("waits for a receiver that is at it already, when its sender comes again [J2]", async () => {
    let end = (): void => {};
    let calls = 0;
    const slow: Emitter = () => (calls++, new Promise((resolve) => (end = () => resolve(undefined))));
    const other = recording();
    const { port } = await serveNode({
      emitter: fanOut(slow, other.emitter),
      deadlineMs: 200,
      source: {
        name: "s",
        authenticator: () => [{ scopes: [] }, { isAuthenticated: true, displayName: "s" }] as const,
        deliveryId: () => "d",
      },
    });
    expect((await send(port, { body: "{}" })).status).toBe(503);
    end();
    expect((await send(port, { body: "{}" })).status).toBe(200);
    expect([calls, other.seen.length]).toEqual([1, 1]);
    // Whoever sends a delivery once more that was acknowledged has it handed over once more.
    const third = send(port, { body: "{}" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    end();
    expect((await third).status).toBe(200);
    expect([calls, other.seen.length]).toEqual([2, 2]);
  });

  it("hands over again what a receiver has not settled for a minute [J1]", async () => {
    jest.useFakeTimers();
    try {
      const ends: (() => void)[] = [];
      const slow: Emitter = () => new Promise((_, reject) => ends.push(() => reject(down)));
      let calls = 0;
      const stuck: Emitter = (...args) => (++calls === 1 ? slow(...args) : Promise.resolve());
      const other = recording();
      const third = recording(down, down);
      const emitter = fanOut(stuck, other.emitter, third.emitter);
      const message = messageOf();
      const first = emitter(message, contextOf()).catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(59_000);
      const second = emitter(message, contextOf()).catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(2_000);
      expect(calls).toBe(1);
      let isDone = false;
      void emitter(message, contextOf()).then(() => (isDone = true));
      await jest.advanceTimersByTimeAsync(1);
      expect([isDone, calls, other.seen.length, third.seen.length]).toEqual([true, 2, 1, 1]);
      ends[0]?.();
      expect(await Promise.all([first, second])).toEqual([down, down]);
    } finally {
      jest.useRealTimers();
    }
  });

  it("lets no message without a right proof take the place of one that has it [J3]", async () => {
    const [one, two] = [recording(), recording(down)];
    const emitter = fanOut(one.emitter, two.emitter);
    const message = messageOf();
    await expect(emitter({ ...message, isUnverified: true }, contextOf())).rejects.toBe(down);
    await emitter(message, contextOf());
    expect(one.seen.map(({ isUnverified = false }) => isUnverified)).toEqual([true, false]);
  });

  it("holds no request for a receiver that can settle no more [T17]", async () => {
    jest.useFakeTimers({ doNotFake: ["performance"] });
    try {
      const emitter = fanOut(pending, recording().emitter);
      const holds = new Holds();
      let released = false;
      holds.add(emitter(messageOf(), contextOf()));
      holds.done();
      holds.whenReleased(() => (released = true));
      await jest.advanceTimersByTimeAsync(61_000);
      jest.useRealTimers();
      await until(() => {
        collectGarbage();
        return released;
      });
    } finally {
      jest.useRealTimers();
    }
  });

  it("remembers nothing of a message without a delivery id [J3]", async () => {
    const [one, two] = [recording(), recording(down)];
    const emitter = fanOut(one.emitter, two.emitter);
    const { deliveryId: _, ...message } = messageOf();
    await expect(emitter(message, contextOf())).rejects.toBe(down);
    await emitter(message, contextOf());
    expect([one.seen.length, two.seen.length]).toEqual([2, 1]);
  });

  it("fails for good only where nothing else has failed [J1]", async () => {
    await expect(fanOut(recording(never).emitter, recording().emitter)(messageOf(), contextOf())).rejects.toBe(never);
    await expect(fanOut(recording(never).emitter, recording(down).emitter)(messageOf(), contextOf())).rejects.toBe(
      down,
    );
  });

  it("names the emitter that returned no promise [J1]", async () => {
    const { port, lines } = await serveNode({ emitter: fanOut(recording().emitter, (() => 7) as never) });
    expect((await send(port, { body: "{}" })).status).toBe(503);
    expect(lines.join()).toContain("emitter 1 of fanOut returned 7");
  });

  it("throws at start without two emitters", () => {
    expect(() => fanOut()).toThrow(TypeError);
    expect(() => fanOut(recording().emitter)).toThrow("two emitters");
    expect(() => fanOut(recording().emitter, {} as never)).toThrow("emitter 1");
  });
});

describe("fallback", () => {
  quietConsole();
  const told: unknown[] = [];
  const listen = (change: unknown): void => void told.push(change);
  beforeEach(() => {
    told.length = 0;
    subscribe("express-webhook-node:fallback", listen);
  });
  afterEach(() => void unsubscribe("express-webhook-node:fallback", listen));

  it("leaves the second alone while the first takes messages [J1]", async () => {
    const [one, two] = [recording(), recording()];
    await fallback(one.emitter, two.emitter)(messageOf(), contextOf());
    expect([one.seen.length, two.seen.length, told]).toEqual([1, 0, []]);
  });

  it("hands over what the first fails with, and tells why [J1]", async () => {
    const [one, two] = [recording(down), recording()];
    const message = messageOf();
    await fallback(one.emitter, two.emitter)(message, contextOf());
    expect(two.seen).toEqual([message]);
    expect(told).toEqual([{ message, error: down }]);
  });

  it("hands over what the first has not confirmed in time, and tells it by its signal [J1]", async () => {
    const two = recording();
    let signal: AbortSignal | undefined;
    const first: Emitter = (_, context) => {
      signal = context.signal;
      return new Promise(() => {});
    };
    await fallback(first, two.emitter, { timeoutMs: 30 })(messageOf(), contextOf());
    expect([two.seen.length, signal?.aborted]).toEqual([1, true]);
  });

  it("passes over a first that holds too much beyond its time, until it settles [J1]", async () => {
    const ends: (() => void)[] = [];
    let calls = 0;
    const first: Emitter = () => (calls++, new Promise((resolve) => ends.push(() => resolve(undefined))));
    const two = recording();
    const emitter = fallback(first, two.emitter, { timeoutMs: 20, maxLateBytes: 10 });
    const message = messageOf({ body: '"ten bytes."' });
    await emitter(message, contextOf());
    await emitter(message, contextOf());
    expect([calls, two.seen.length]).toEqual([1, 2]);
    ends[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    await emitter(message, contextOf());
    expect([calls, two.seen.length]).toEqual([2, 3]);
  });

  it("passes over the first no longer for what can settle no more [J1]", async () => {
    const seen: Message[] = [];
    const first: Emitter = (one) => (seen.push(one), new Promise(() => {}));
    const emitter = fallback(first, recording().emitter, { timeoutMs: 20, maxLateBytes: 10 });
    const message = messageOf({ body: '"ten bytes."' });
    await emitter(message, contextOf());
    const startedAt = performance.now();
    while (seen.length < 2 && performance.now() - startedAt < 2000) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 5));
      await emitter(message, contextOf());
    }
    expect(seen).toHaveLength(2);
  });

  it("says which time was over", async () => {
    await fallback(pending, recording().emitter, { timeoutMs: 20 })(messageOf(), contextOf());
    expect(told).toMatchObject([{ error: { message: expect.stringContaining("timeoutMs (20)") } }]);
  });

  it("fails with the second, and with what the first says for good [J1]", async () => {
    await expect(fallback(recording(down).emitter, recording(never).emitter)(messageOf(), contextOf())).rejects.toBe(
      never,
    );
    const two = recording();
    await expect(fallback(recording(never).emitter, two.emitter)(messageOf(), contextOf())).rejects.toBe(never);
    expect(two.seen).toEqual([]);
  });

  it("tells when the first fails, and when it works again, and not in between [J4]", async () => {
    const lines: string[] = [];
    const emitter = fallback(recording(down, down, down).emitter, recording().emitter, {
      logger: recordingLogger(lines),
    });
    for (let sent = 0; sent < 5; sent++) await emitter(messageOf(), contextOf());
    expect(lines).toEqual([
      "warn: fallback: messages go to the second emitter, as the first fails: down",
      "warn: fallback: the first emitter works again; 3 messages were passed on.",
    ]);
  });

  it("answers the sender once the second has the message [J1]", async () => {
    const two = recording();
    const { port } = await serveNode({ emitter: fallback(pending, two.emitter, { timeoutMs: 50 }), deadlineMs: 5000 });
    expect((await send(port, { body: "{}" })).status).toBe(200);
    expect(two.seen).toHaveLength(1);
  });

  it.each<[string, readonly unknown[], string]>([
    ["no second", [pending], "secondary"],
    ["no first", [undefined, pending], "primary"],
    ["a time of no length", [pending, pending, { timeoutMs: 0 }], "timeoutMs"],
    ["no room", [pending, pending, { maxLateBytes: -1 }], "maxLateBytes"],
    ["an unknown word", [pending, pending, { timeout: 7 }], "timeout"],
  ])("throws at start with %s", (_, args, word) => {
    expect(() => (fallback as (...args: readonly unknown[]) => unknown)(...args)).toThrow(word);
  });
});

describe("route", () => {
  it("asks for the emitter of each message [J1]", async () => {
    const [one, two] = [recording(), recording()];
    const emitter = route(({ eventType }) => (eventType === "a" ? one.emitter : two.emitter));
    await emitter(messageOf({ eventType: "a" }), contextOf());
    await emitter(messageOf({ eventType: "b" }), contextOf());
    expect([one.seen.map(({ eventType }) => eventType), two.seen.map(({ eventType }) => eventType)]).toEqual([
      ["a"],
      ["b"],
    ]);
  });

  it("is 503 for a message that nobody thought of, and names its event type [J1]", async () => {
    const { port, lines } = await serveNode({ emitter: route(() => undefined) });
    expect((await send(port, { body: "{}" })).status).toBe(503);
    expect(lines.join()).toContain("no emitter for the event type");
  });

  it("says so where it is given a promise, and lets none of it go uncaught", async () => {
    const emitter = route((() => Promise.reject(new Error("down"))) as never);
    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("promise");
  });

  it("throws at start for anything but a function", () => {
    expect(() => route({} as never)).toThrow(TypeError);
  });
});
