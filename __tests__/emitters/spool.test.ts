import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { PermanentError } from "express-webhook-node";
import type { Message } from "express-webhook-node";
import { attributesOf } from "express-webhook-node/emit/attributes";
import { BusyError } from "express-webhook-node/emit/busy-error";
import { fallback } from "express-webhook-node/emit/fallback";
import { spool, type Spool, type SpoolOptions } from "express-webhook-node/emit/spool";
import { contextOf, messageOf } from "../support/message";
import { recordingLogger, send, serveNode } from "../support/serve";
import { emitterContract } from "./contract";

const QUICK = { minDelayMs: 1, maxDelayMs: 20 };
const opened: Spool[] = [];
const folders: string[] = [];
const lines: string[] = [];
const write = (line: string): void => void lines.push(line);
const logger = { debug: write, info: write, warn: write, error: write };

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "spool-"));
  folders.push(folder);
  return folder;
}

function spoolOf(options: Partial<SpoolOptions> & Pick<SpoolOptions, "emitter">): Spool {
  const one = spool({ folder: newFolder(), logger, ...QUICK, ...options });
  opened.push(one);
  return one;
}

/** An emitter that fails until it is told not to, and what it has taken. */
function receiver(isOpen = true): {
  emitter: (message: Message) => Promise<void>;
  got: Message[];
  tried: string[];
  open: () => void;
} {
  const got: Message[] = [];
  const tried: string[] = [];
  return {
    got,
    tried,
    open: () => void (isOpen = true),
    async emitter(message) {
      tried.push(message.body);
      if (!isOpen) throw new Error("The broker is away.");
      got.push(message);
    },
  };
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error("It has not come true within 10 s.");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const never = (): Promise<void> => new Promise(() => {});

beforeEach(() => void lines.splice(0));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close({ timeoutMs: 1 })));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

emitterContract({
  name: "spool",
  isDeduplicated: false,
  isOrdered: true,
  isBinary: true,
  maxBytes: 2_000_000,
  async open() {
    const { emitter, got } = receiver();
    const one = spool({ folder: newFolder(), emitter, maxBytes: 2_000_000 });
    return {
      emitter: one,
      async received(count) {
        await until(() => got.length >= count || one.stats().pending === 0);
        return got.map((message) => ({
          octets: message.octets,
          contentType: message.contentType,
          attributes: attributesOf(message),
          fields: message.fields,
        }));
      },
      close: () => one.close(),
    };
  },
});

describe("spool", () => {
  it("hands on the message that the node has made, member for member [G1, G2]", async () => {
    const { emitter, got } = receiver();
    const one = spoolOf({ emitter });
    const message = messageOf({
      previousTrackingIds: ["a"],
      isUnverified: true,
      provenance: { deliveryId: "signed" },
      schemaIssues: [{ pointer: "#/order", detail: "must be a string" }],
      groupId: "g",
    });
    await one(message, contextOf());
    await until(() => got.length === 1);

    expect(got[0]).toEqual(message);
    expect(got[0]?.receivedAt).toBeInstanceOf(Date);
    expect(Object.isFrozen(got[0])).toBe(true);
    expect(Object.isFrozen(got[0]?.sender)).toBe(true);
  });

  it("hands on payloads that no JSON is: of a form, of a schema, of another charset [G1]", async () => {
    const { emitter, got } = receiver();
    const one = spoolOf({ emitter, concurrency: 1 });
    const at = new Date("2026-01-02T03:04:05Z");
    const messages = [
      messageOf({ body: "a=1&b=2", payload: { a: "1", b: "2" } }),
      messageOf({ body: '{"at":"2026-01-02T03:04:05Z"}', payload: { at, big: 12n, none: undefined } }),
      messageOf({ body: '"ü"', octets: Buffer.from('"ü"', "latin1"), payload: "ü" }),
      messageOf({ body: "7", octets: Buffer.from("\ufeff7") }),
      messageOf({ body: '{"__proto__":{"x":1},"deep":[[[-0]]]}' }),
    ];
    for (const message of messages) await one(message, contextOf());
    await until(() => got.length === messages.length);

    expect(got).toEqual(messages);
    expect(Object.keys(got[4]?.payload as object)).toEqual(["__proto__", "deep"]);
  });

  it("refuses a payload that cannot be stored, for good", async () => {
    const one = spoolOf({ emitter: never });
    await expect(one(messageOf({ payload: { call() {} } }), contextOf())).rejects.toThrow(PermanentError);
    expect(one.stats()).toMatchObject({ pending: 0, bytes: 0 });
  });

  it("acknowledges while the emitter behind it hangs, and goes on after a restart where it stopped [J1]", async () => {
    const folder = newFolder();
    const first = spoolOf({ folder, emitter: never });
    const messages = [1, 2, 3].map((n) => messageOf({ body: String(n), groupId: "g" }));
    for (const message of messages) await first(message, contextOf());
    expect(await first.pending()).toHaveLength(3);
    await first.close({ timeoutMs: 1 });

    const { emitter, got } = receiver();
    const second = spoolOf({ folder, emitter });
    await until(() => got.length === 3);
    expect(got).toEqual(messages);
    await until(() => second.stats().pending === 0);
    await second.close();

    const third = spoolOf({ folder, emitter });
    await third.ready();
    expect(third.stats()).toEqual({ pending: 0, underWay: 0, dead: 0, bytes: 0, failures: 0 });
    expect(got).toHaveLength(3);
  });

  it("tries again, later and later, until it is taken", async () => {
    const { emitter, got, tried, open } = receiver(false);
    const one = spoolOf({ emitter });
    await one(messageOf({ body: "7" }), contextOf());
    await until(() => tried.length >= 4);
    const [pending] = await one.pending();
    expect(pending).toMatchObject({ node: "orders", messageType: "echo.json", error: "The broker is away." });
    expect(pending?.attempts).toBeGreaterThanOrEqual(3);
    open();
    await until(() => got.length === 1);

    await until(() => one.stats().pending === 0);
    expect(lines.filter((line) => line.includes("will be tried again"))).toHaveLength(1);
    expect(lines.at(-1)).toMatch(/messages are delivered again$/);
  });

  it("counts failures over a restart, and waits no longer than it has to", async () => {
    const folder = newFolder();
    const { emitter, tried } = receiver(false);
    const first = spoolOf({ folder, emitter, minDelayMs: 600_000, maxDelayMs: 600_000 });
    await first(messageOf(), contextOf());
    await until(() => first.stats().failures === 1);
    await first.close();

    const second = spoolOf({ folder, emitter, minDelayMs: 600_000, maxDelayMs: 600_000 });
    expect(await second.pending()).toEqual([expect.objectContaining({ attempts: 1, error: "The broker is away." })]);
    await second.close();
    expect(tried).toHaveLength(1);

    // As after a clock that was set back.
    const third = spoolOf({ folder, emitter, maxAttempts: 2 });
    await until(async () => (await third.dead()).length === 1);
  });

  it("keeps the order of a group while its first one fails, and holds up no other group [G1]", async () => {
    const got: string[] = [];
    let failures = 0;
    const one = spoolOf({
      concurrency: 3,
      async emitter({ groupId, body }) {
        await new Promise((resolve) => setImmediate(resolve));
        if (body === "a1" && ++failures < 5) throw new Error("Not yet.");
        got.push(body);
        expect(groupId).toBe(body[0]);
      },
    });
    const bodies = [1, 2, 3, 4, 5].flatMap((n) => [`a${n}`, `b${n}`]);
    await Promise.all(
      bodies.map((body) => one(messageOf({ body, payload: body, groupId: body[0] as string }), contextOf())),
    );
    await until(() => got.length === 10);

    const of = (group: string): string[] => got.filter((body) => body.startsWith(group));
    expect(of("a")).toEqual(["a1", "a2", "a3", "a4", "a5"]);
    expect(of("b")).toEqual(["b1", "b2", "b3", "b4", "b5"]);
    expect(got.indexOf("b1")).toBeLessThan(got.indexOf("a1"));
  });

  it("hands on several at once, and no more than it may", async () => {
    let underWay = 0;
    let most = 0;
    let done = 0;
    const one = spoolOf({
      concurrency: 3,
      async emitter() {
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 2));
        underWay--;
        done++;
      },
    });
    await Promise.all(Array.from({ length: 20 }, (_, n) => one(messageOf({ body: String(n) }), contextOf())));
    await until(() => done === 20);
    expect(most).toBe(3);
  });

  it.each([
    ["a PermanentError", () => new PermanentError("No such customer."), "No such customer."],
    [
      "what is too large",
      () => Object.assign(new Error("Too large."), { code: "ERR_WEBHOOK_BODY_TOO_LARGE" }),
      "Too large.",
    ],
  ])("gives up at once after %s, and lets the group go on", async (_, make, error) => {
    const got: string[] = [];
    const one = spoolOf({
      async emitter({ body }) {
        if (body === "1") throw make();
        got.push(body);
      },
    });
    for (const body of ["1", "2"]) await one(messageOf({ body, groupId: "g" }), contextOf());
    await until(() => got.length === 1);

    expect(await one.dead()).toEqual([expect.objectContaining({ error, groupId: "g", attempts: 1 })]);
    expect(lines.join("\n")).toContain(`is dead, failed attempts 1: ${error}`);
  });

  it("gives up after maxAttempts; retry() makes it pending again, drop() removes it", async () => {
    const folder = newFolder();
    const { emitter, got, tried, open } = receiver(false);
    const first = spoolOf({ folder, emitter, maxAttempts: 3 });
    const messages = ["1", "2"].map((body) => messageOf({ body }));
    for (const message of messages) await first(message, contextOf());
    await until(async () => (await first.dead()).length === 2);
    expect(tried).toHaveLength(6);
    await first.close();

    const second = spoolOf({ folder, emitter, maxAttempts: 3 });
    const [one, two] = await second.dead();
    expect(second.stats()).toMatchObject({ pending: 0, dead: 2 });
    expect(await second.dead({ limit: 1 })).toEqual([one]);
    expect(await second.dead({ after: one?.id })).toEqual([two]);
    expect(await second.get(one?.id as string)).toEqual(messages[0]);
    open();
    expect(await Promise.all([second.retry(one?.id as string), second.retry(one?.id as string)])).toEqual([
      true,
      false,
    ]);
    await until(() => got.length === 1);
    expect(got).toEqual([messages[0]]);
    expect(await second.drop(two?.id as string)).toBe(true);
    expect(await second.drop(two?.id as string)).toBe(false);
    expect(await second.get(two?.id as string)).toBeUndefined();
    await until(() => second.stats().pending === 0);
    expect(second.stats()).toMatchObject({ dead: 0, bytes: 0 });
    await second.close();

    const third = spoolOf({ folder, emitter });
    await third.ready();
    expect(third.stats()).toMatchObject({ pending: 0, dead: 0, bytes: 0 });
  });

  it("hands what is dead to deadLetter, and keeps it where that fails", async () => {
    const letters: string[] = [];
    const one = spoolOf({
      async emitter() {
        throw new PermanentError("Never.");
      },
      async deadLetter({ body }) {
        if (body === "1") throw new Error("No room.");
        letters.push(body);
      },
    });
    for (const body of ["1", "2"]) await one(messageOf({ body }), contextOf());
    await until(() => one.stats().pending === 0);

    expect(letters).toEqual(["2"]);
    expect(await one.dead()).toHaveLength(1);
    expect(lines.join("\n")).toContain("the deadLetter has failed");
  });

  it("pauses for a BusyError, and counts it as no failure of the message", async () => {
    const { emitter, got } = receiver();
    let refusals = 0;
    const one = spoolOf({
      maxAttempts: 1,
      async emitter(message) {
        if (refusals++ < 5) throw new BusyError("The connection is closed.", { retryAfterSeconds: 0.002 });
        await emitter(message);
      },
    });
    for (let n = 0; n < 20; n++) await one(messageOf({ body: String(n) }), contextOf());
    await until(() => got.length === 20);
    expect(one.stats().dead).toBe(0);
  });

  it("takes an attempt that lasts too long for failed, and tells it by the signal", async () => {
    const reasons: unknown[] = [];
    const one = spoolOf({
      attemptTimeoutMs: 5,
      maxAttempts: 2,
      emitter: (_, { signal }) =>
        new Promise(() => signal.addEventListener("abort", () => reasons.push(signal.reason))),
    });
    await one(messageOf(), contextOf());
    await until(async () => (await one.dead()).length === 1);
    expect(reasons).toHaveLength(2);
    expect((await one.dead())[0]?.error).toBe("It had not settled after 5 ms.");
  });

  it("takes an emitter that returns no promise for failed, and says what is missing", async () => {
    const one = spoolOf({ maxAttempts: 1, emitter: (() => 7) as never });
    await one(messageOf(), contextOf());
    await until(async () => (await one.dead()).length === 1);
    expect((await one.dead())[0]?.error).toContain('is an "await" or "async" missing?');
  });

  it("confirms what is pending already, and keeps one of it; what is unverified stands for nothing [J3]", async () => {
    const { emitter, got, open, tried } = receiver(false);
    const one = spoolOf({ emitter });
    const message = messageOf();
    await Promise.all([1, 2, 3].map(() => one({ ...message, isUnverified: true }, contextOf())));
    await Promise.all([1, 2, 3].map(() => one(message, contextOf())));
    expect(await one.pending()).toHaveLength(2);
    await until(() => tried.length > 4);
    open();
    await until(() => one.stats().pending === 0);
    expect(got).toHaveLength(2);

    await one(message, contextOf());
    await until(() => got.length === 3);
  });

  it("shares one write and one fsync between messages that come together", async () => {
    const batch = jest.spyOn(ClassicLevel.prototype, "batch");
    try {
      const one = spoolOf({ emitter: never });
      await one.ready();
      batch.mockClear();
      await Promise.all(Array.from({ length: 400 }, (_, n) => one(messageOf({ body: String(n) }), contextOf())));
      const calls = batch.mock.calls as unknown as [unknown, { sync: boolean }][];
      const synced = calls.filter(([, { sync }]) => sync);
      expect(synced.length).toBeLessThanOrEqual(3);
      expect(one.stats().pending).toBe(400);
    } finally {
      batch.mockRestore();
    }
  });

  it("refuses with a BusyError what there is no room for, until there is [J1]", async () => {
    const { emitter, got, open } = receiver(false);
    const one = spoolOf({ emitter, maxMessages: 2 });
    for (const body of ["1", "2"]) await one(messageOf({ body }), contextOf());
    for (const body of ["3", "4"]) {
      await expect(one(messageOf({ body }), contextOf())).rejects.toThrow(
        /is full: 2 messages of \d+ bytes, 0 of them dead/,
      );
    }
    expect(lines.filter((line) => line.includes("is full"))).toHaveLength(1);
    open();
    await until(() => one.stats().pending === 0);
    await one(messageOf({ body: "5" }), contextOf());
    await until(() => got.length === 3);

    const small = spoolOf({ emitter: never, maxBytes: 2000 });
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map((n) => small(messageOf({ body: `"${n}${"x".repeat(300)}"` }), contextOf())),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    expect((results[3] as PromiseRejectedResult).reason).toMatchObject({ name: "BusyError", retryAfterSeconds: 10 });
  });

  it("takes out what nobody waits for any more, and holds no room for it", async () => {
    const one = spoolOf({ emitter: never });
    await one.ready();
    const over = new AbortController();
    const first = one(messageOf({ body: "1" }), contextOf());
    await new Promise((resolve) => setImmediate(resolve));
    const second = one(messageOf({ body: "2" }), { signal: over.signal });
    over.abort(new Error("Too late."));
    await first;
    await second.catch((error: Error) => expect(error.message).toBe("Too late."));
    const { pending } = one.stats();
    expect((await one.pending()).length).toBe(pending);
  });

  it("refuses what comes while it is being closed, and ends what is under way", async () => {
    let finish = (): void => {};
    const got: string[] = [];
    const one = spoolOf({
      concurrency: 1,
      emitter: ({ body }) => new Promise((resolve) => (finish = () => (got.push(body), resolve(undefined)))),
    });
    for (const body of ["1", "2"]) await one(messageOf({ body }), contextOf());
    const closed = one.close();
    expect(one.close()).toBe(closed);
    await expect(one(messageOf({ body: "3" }), contextOf())).rejects.toThrow(BusyError);
    finish();
    await closed;
    expect(got).toEqual(["1"]);
    await expect(one.pending())
      .resolves.toEqual([])
      .catch(() => {});
  });

  it("tells an attempt that outlasts close(), and makes it again at the next start", async () => {
    const folder = newFolder();
    const reasons: unknown[] = [];
    let calls = 0;
    const first = spoolOf({
      folder,
      emitter: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          calls++;
          signal.addEventListener("abort", () => (reasons.push(signal.reason), reject(signal.reason as Error)));
        }),
    });
    await first(messageOf({ body: "1" }), contextOf());
    await until(() => calls === 1);
    await first.close({ timeoutMs: 5 });
    expect(reasons).toEqual([expect.objectContaining({ message: "The spool is being closed." })]);

    const second = spoolOf({ folder, emitter: never });
    expect(await second.pending()).toEqual([expect.objectContaining({ attempts: 0 })]);
    await until(() => second.stats().underWay === 1);
  });

  it("begins no attempt while it is being closed, however slow the disk is", async () => {
    let calls = 0;
    const one = spoolOf({ emitter: () => (calls++, never()) });
    await one.ready();
    const getMany = Reflect.get(ClassicLevel.prototype, "getMany") as (keys: unknown) => unknown;
    const slow = jest.spyOn(ClassicLevel.prototype, "getMany").mockImplementation(async function (this: never, keys) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return Reflect.apply(getMany, this, [keys]) as Promise<string[]>;
    });
    try {
      await one(messageOf(), contextOf());
      await one.close({ timeoutMs: 1 });
      expect(slow).toHaveBeenCalledTimes(1);
      expect(calls).toBe(0);
    } finally {
      slow.mockRestore();
    }
  });

  it("tells what becomes of messages on a diagnostics channel", async () => {
    const { subscribe, unsubscribe } = await import("node:diagnostics_channel");
    const told: string[] = [];
    const listen = (event: unknown): void => {
      const { kind, stats } = event as { kind: string; stats: () => { pending: number; oldestAgeMs?: number } };
      told.push(`${kind} ${stats().pending}`);
    };
    subscribe("express-webhook-node:spool", listen);
    try {
      let attempts = 0;
      const one = spoolOf({
        async emitter({ body }) {
          if (body === "dead") throw new PermanentError("Never.");
          if (attempts++ === 0) throw new Error("Not yet.");
        },
      });
      await one(messageOf({ body: "1" }), contextOf());
      await until(() => one.stats().pending === 0);
      await one(messageOf({ body: "dead", payload: 1 }), contextOf());
      await until(() => one.stats().dead === 1);
      expect(told).toEqual(["stored 1", "failed 1", "delivered 0", "stored 1", "dead 0"]);
    } finally {
      unsubscribe("express-webhook-node:spool", listen);
    }
  });

  it("keeps for a node what its first emitter cannot take, until it can [J1]", async () => {
    const { emitter, got, open } = receiver(false);
    const keeper = spoolOf({ emitter });
    const { port } = await serveNode({ emitter: fallback(emitter, keeper, { logger: recordingLogger([]) }) });
    const answers = await Promise.all([1, 2, 3].map((n) => send(port, { body: String(n) })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    open();
    await until(() => got.length === 3);
    expect(got.map(({ trackingId }) => trackingId).sort()).toEqual(
      answers.map(({ json }) => json.trackingId as string).sort(),
    );
  });

  it("refuses wrong options at start", () => {
    const emitter = never;
    const folder = newFolder();
    const made =
      (options: object): (() => unknown) =>
      () =>
        spool({ folder, emitter, ...options });
    expect(made({ folder: "" })).toThrow(TypeError);
    expect(made({ emitter: undefined })).toThrow("emitter: undefined is not a function.");
    expect(made({ deadLetter: 7 })).toThrow("deadLetter: 7 is not a function.");
    expect(made({ maxAttempt: 7 })).toThrow("Did you mean maxAttempts?");
    expect(made({ concurrency: 0 })).toThrow("concurrency: 0 is not a positive whole number");
    expect(made({ maxBytes: "1mb" })).toThrow(TypeError);
    expect(made({ minDelayMs: 10, maxDelayMs: 9 })).toThrow("minDelayMs: 10 is more than maxDelayMs (9).");
    expect(made({ maxDelayMs: 2 ** 40 })).toThrow("is more than 24 days");
    expect(made({ logger: {} })).toThrow("logger: it has no method debug()");
    expect(made({ folder: join(__filename, "below") })).toThrow(/ENOTDIR/);
  });
});
