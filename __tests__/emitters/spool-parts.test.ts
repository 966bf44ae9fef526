import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { backoff } from "express-webhook-node/emit/spool/backoff";
import { createHeap } from "express-webhook-node/emit/spool/heap";
import { spool } from "express-webhook-node/emit/spool";
import { createSchedule, type SpoolEntry } from "express-webhook-node/emit/spool/schedule";
import { createStore } from "express-webhook-node/emit/disk/store";
import { contextOf, messageOf } from "../support/message";

const top = mkdtempSync(join(tmpdir(), "spool-parts-"));
const lines: string[] = [];
const write = (line: string): void => void lines.push(line);
const logger = { debug: write, info: write, warn: write, error: write };

beforeEach(() => void lines.splice(0));
afterAll(() => rmSync(top, { recursive: true, force: true }));

describe("backoff", () => {
  it("doubles from the least wait to the longest, a half of it by chance", () => {
    const limits = { minDelayMs: 100, maxDelayMs: 1_000 };
    const waits = (random: number): number[] => [1, 2, 3, 4, 5, 2_000].map((n) => backoff(n, limits, () => random));
    expect(waits(0)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(waits(1)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });
});

describe("createHeap", () => {
  it("gives what was put in, in order", () => {
    for (let round = 0; round < 50; round++) {
      const numbers = Array.from({ length: round }, () => Math.floor(Math.random() * 20));
      const heap = createHeap<number>((a, b) => a < b);
      numbers.forEach(heap.push);
      expect(heap.peek()).toBe(round === 0 ? undefined : Math.min(...numbers));
      expect(numbers.map(() => heap.pop())).toEqual([...numbers].sort((a, b) => a - b));
      expect(heap.pop()).toBeUndefined();
    }
  });
});

describe("createSchedule", () => {
  const entryOf = (id: string, groupId?: string, dueAt = 0): SpoolEntry => {
    return { id, groupId, dueAt, key: id, bytes: 1, receivedAt: 0, attempts: 0 };
  };

  it("gives one of a group at a time, and the others in the order in which they are due", () => {
    const schedule = createSchedule();
    const [a1, a2, b1, c, d] = [
      entryOf("1", "a"),
      entryOf("2", "a"),
      entryOf("3", "b"),
      entryOf("4"),
      entryOf("5", undefined, 50),
    ] as const;
    [a1, a2, b1, d, c].forEach(schedule.add);
    const taken = (): (string | undefined)[] => [1, 2, 3, 4].map(() => schedule.take(10)?.id);
    expect(taken()).toEqual(["1", "3", "4", undefined]);
    expect(schedule.dueAt()).toBe(50);

    a1.dueAt = 20;
    schedule.putBack(a1);
    expect(taken()).toEqual([undefined, undefined, undefined, undefined]);
    expect(schedule.take(20)).toBe(a1);
    schedule.done(a1);
    expect(schedule.take(20)).toBe(a2);
    [a2, b1, c].forEach(schedule.done);
    schedule.add(entryOf("6", "a"));
    expect(schedule.take(20)?.id).toBe("6");
    expect(schedule.take(50)).toBe(d);
    expect(schedule.dueAt()).toBeUndefined();
  });
});

describe("createStore", () => {
  it("writes a removal that has failed once the folder can be written again", async () => {
    const folder = join(top, "owed");
    const store = createStore({ folder, kind: "spool", logger });
    const put = (key: string): Promise<void> => {
      return store.write({ operations: [{ type: "put", key, value: Buffer.from(key) }], isSynced: true, isNew: true });
    };
    await put("a");
    const batch = jest
      .spyOn(ClassicLevel.prototype, "batch")
      .mockRejectedValueOnce(new Error("The disk has failed.") as never);
    await expect(store.write({ operations: [{ type: "del", key: "a" }], isSynced: false })).rejects.toThrow(
      `The spool in ${folder} cannot be written: The disk has failed.`,
    );
    await expect(put("b")).rejects.toThrow("The disk has failed.");
    expect(batch).toHaveBeenCalledTimes(1);
    batch.mockRestore();

    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await put("c");
    expect(await store.getMany(["a", "b", "c"])).toEqual([undefined, undefined, Buffer.from("c")]);
    await store.close();
    await expect(put("d")).rejects.toThrow("is closed");
  });

  it("says which package it needs", () => {
    jest.isolateModules(() => {
      jest.doMock("classic-level", () => {
        throw Object.assign(new Error("Cannot find module 'classic-level'"), { code: "MODULE_NOT_FOUND" });
      });
      const fresh = jest.requireActual<{ spool: typeof spool }>("express-webhook-node/emit/spool");
      expect(() => fresh.spool({ folder: join(top, "none"), emitter: async () => {} })).toThrow(
        "npm install classic-level",
      );
    });
    jest.dontMock("classic-level");
  });
});

describe("spool, with a folder that is damaged", () => {
  it("leaves alone what it cannot read, says so, and hands on the rest", async () => {
    const folder = join(top, "damaged");
    const first = spool({ folder, logger, emitter: () => new Promise(() => {}) });
    for (const body of ["1", "2", "3"]) await first(messageOf({ body }), contextOf());
    const [one, two] = (await first.pending()).map(({ id }) => id);
    await first.close({ timeoutMs: 1 });
    const db = new ClassicLevel(folder);
    await db.put(`meta/${one}`, "no JSON");
    await db.del(`octets/${two}`);
    await db.put("payload/none", "");
    await db.close();

    const got: string[] = [];
    const second = spool({ folder, logger, emitter: async ({ body }) => void got.push(body) });
    await second.ready();
    while (second.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(got).toEqual(["3"]);
    expect(lines).toEqual([
      `spool ${folder}: message ${one} is damaged, and stays where it is`,
      `spool ${folder}: message ${two} is not on disk any more`,
    ]);
    await second.close();
  });

  it("counts as dead what was stored and can no longer be read", async () => {
    const folder = join(top, "payload");
    const first = spool({ folder, logger, emitter: () => new Promise(() => {}) });
    await first(messageOf({ body: "a=1", payload: { a: 1 } }), contextOf());
    const [one] = (await first.pending()).map(({ id }) => id);
    await first.close({ timeoutMs: 1 });
    const db = new ClassicLevel(folder);
    await db.put(`payload/${one}`, "nothing");
    await db.close();

    const second = spool({ folder, logger, emitter: async () => {} });
    await second.ready();
    while (second.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(await second.dead()).toEqual([
      expect.objectContaining({ id: one, error: expect.stringContaining("The stored message cannot be read") }),
    ]);
    await second.close();
  });
});
