/**
 * Node's own EventEmitter as an emitter.
 */
import { EventEmitter } from "node:events";
import { fromEventEmitter, PermanentError, type EmitContext, type Message } from "express-webhook-node";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const message = { trackingId: "t", payload: 1 } as Message;
const context: EmitContext = { signal: new AbortController().signal };
/** An EventEmitter by the methods used here, whose listeners may return a promise. */
type Emitter = Pick<EventEmitter, "listenerCount" | "rawListeners" | "removeAllListeners"> &
  Record<
    "on" | "once" | "prependListener",
    (name: string | symbol, listener: (message: Message, context: EmitContext) => unknown) => unknown
  >;
const newEmitter = (): Emitter => new EventEmitter();

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("fromEventEmitter", () => {
  it("calls each listener with the message and its context, in order, as methods of the emitter [J1]", async () => {
    const emitter = newEmitter();
    const calls: unknown[] = [];
    emitter.on("message", function first(this: unknown, ...args: unknown[]) {
      calls.push(["first", this === emitter, ...args]);
    });
    emitter.prependListener("message", async (...args: unknown[]) => void calls.push(["prepended", ...args]));
    emitter.on("other", () => calls.push("other"));
    await fromEventEmitter(emitter, "message")(message, context);

    expect(calls).toEqual([
      ["prepended", message, context],
      ["first", true, message, context],
    ]);
  });

  it("settles once all listeners have [J1]", async () => {
    const emitter = newEmitter();
    const done: string[] = [];
    emitter.on("message", async () => {
      await later(30);
      done.push("slow");
    });
    emitter.on("message", async () => {
      await later(5);
      done.push("quick");
    });
    emitter.on("message", () => void done.push("at once"));
    await fromEventEmitter(emitter, "message")(message, context);

    expect(done).toEqual(["at once", "quick", "slow"]);
  });

  it.each<[string, () => unknown]>([
    [
      "rejects",
      async () => {
        throw new Error("down");
      },
    ],
    [
      "rejects later",
      () =>
        later(5).then(() => {
          throw new Error("down");
        }),
    ],
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
  ])("fails where a listener %s, once the others have settled [J1]", async (_, listener) => {
    const emitter = newEmitter();
    let isDone = false;
    emitter.on("message", listener);
    emitter.on("message", async () => {
      await later(20);
      isDone = true;
    });

    await expect(fromEventEmitter(emitter, "message")(message, context)).rejects.toThrow("down");
    expect(isDone).toBe(true);
  });

  it("fails with the first failure in the order of the listeners, and leaves none unhandled [J1]", async () => {
    const emitter = newEmitter();
    emitter.on("message", () =>
      later(10).then(() => {
        throw new PermanentError("first");
      }),
    );
    emitter.on("message", () => {
      throw new Error("second");
    });

    await expect(fromEventEmitter(emitter, "message")(message, context)).rejects.toBeInstanceOf(PermanentError);
  });

  it("fails without a listener: nobody would have the message [J1]", async () => {
    const emitter = newEmitter();
    emitter.on("other", () => {});

    await expect(fromEventEmitter(emitter, "message")(message, context)).rejects.toThrow(
      "No listener for message: nobody would have the message.",
    );
    await expect(fromEventEmitter(emitter, Symbol("orders"))(message, context)).rejects.toThrow("Symbol(orders)");
  });

  it("calls a listener added by once for one message, and awaits it [J1]", async () => {
    const emitter = newEmitter();
    let calls = 0;
    emitter.once("message", async () => {
      await later(5);
      calls++;
    });
    const emit = fromEventEmitter(emitter, "message");
    await emit(message, context);

    expect([calls, emitter.listenerCount("message")]).toEqual([1, 0]);
    await expect(emit(message, context)).rejects.toThrow("No listener");
    expect(calls).toBe(1);
  });

  it("fails where a listener added by once rejects [J1]", async () => {
    const emitter = newEmitter();
    emitter.once("message", async () => {
      throw new Error("down");
    });

    await expect(fromEventEmitter(emitter, "message")(message, context)).rejects.toThrow("down");
  });

  it("takes a symbol, and the name error, for names [J1]", async () => {
    const emitter = newEmitter();
    const seen: unknown[] = [];
    const name = Symbol("orders");
    emitter.on(name, (got: Message) => void seen.push(got));
    emitter.on("error", (got: Message) => void seen.push(got));
    await fromEventEmitter(emitter, name)(message, context);
    await fromEventEmitter(emitter, "error")(message, context);

    expect(seen).toEqual([message, message]);
  });

  it("asks for the listeners at each message, so that one may be added later [J1]", async () => {
    const emitter = newEmitter();
    const emit = fromEventEmitter(emitter, "message");
    await expect(emit(message, context)).rejects.toThrow("No listener");
    emitter.on("message", () => {});

    await expect(emit(message, context)).resolves.toBeUndefined();
  });

  it("is not changed by a listener that takes others off while it runs [J1]", async () => {
    const emitter = newEmitter();
    const calls: string[] = [];
    emitter.on("message", () => {
      calls.push("first");
      emitter.removeAllListeners("message");
    });
    emitter.on("message", () => void calls.push("second"));
    await fromEventEmitter(emitter, "message")(message, context);

    expect(calls).toEqual(["first", "second"]);
  });

  it.each<[string, unknown, unknown, string]>([
    ["no emitter", undefined, "message", "fromEventEmitter: the first argument is no EventEmitter."],
    ["null", null, "message", "fromEventEmitter: the first argument is no EventEmitter."],
    ["a function", () => {}, "message", "fromEventEmitter: the first argument is no EventEmitter."],
    ["an EventTarget", new EventTarget(), "message", "fromEventEmitter: the first argument is no EventEmitter."],
    ["no name", new EventEmitter(), undefined, "eventName: undefined is not a text"],
    ["an empty name", new EventEmitter(), "", 'eventName: "" is not a text'],
    ["a number for name", new EventEmitter(), 7, "eventName: 7 is not a text"],
  ])("throws at start with %s", (_, emitter, name, told) => {
    const make = (): unknown => fromEventEmitter(emitter as EventEmitter, name as string);

    expect(make).toThrow(TypeError);
    expect(make).toThrow(told);
  });
});

describe("fromEventEmitter, in a node", () => {
  it("acknowledges once the listeners have settled, and is 503 for none and for one that fails [J1, T17]", async () => {
    const emitter = newEmitter();
    const seen: unknown[] = [];
    const { port, lines } = await serveNode({ emitter: fromEventEmitter(emitter, "message") });

    expect((await send(port, { body: "1" })).status).toBe(503);
    expect(lines[0]).toContain("No listener for message");
    emitter.on("message", async ({ payload }: Message) => void seen.push(payload));
    expect((await send(port, { body: "2" })).status).toBe(200);
    emitter.once("message", async () => {
      throw new Error("down");
    });
    expect((await send(port, { body: "3" })).status).toBe(503);
    emitter.once("message", async () => {
      throw new PermanentError("never");
    });
    expect((await send(port, { body: "4" })).status).toBe(422);
    expect(seen).toEqual([2, 3, 4]);
  });

  it("is 503 at the deadline for a listener that never settles [T17]", async () => {
    const emitter = newEmitter();
    emitter.on("message", () => new Promise(() => {}));
    const { port } = await serveNode({ emitter: fromEventEmitter(emitter, "message"), deadlineMs: 200 });

    expect((await send(port, { body: "1" })).json.code).toBe("ERR_WEBHOOK_DEADLINE");
  });
});
