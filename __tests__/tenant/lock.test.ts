import { getEventListeners } from "node:events";
import { array, assert, asyncProperty, nat, option, record } from "fast-check";
import { createLock } from "express-webhook-node/tenant/lock";
import { watchUnhandled } from "../support/unhandled";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

watchUnhandled();

describe("acquire", () => {
  it("gives the lock to one at a time, in the order in which they asked [F3]", async () => {
    const lock = createLock();
    const seen: number[] = [];
    let holders = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const hold = await lock.acquire();
        expect(++holders).toBe(1);
        seen.push(index);
        if (index % 3 === 0) await turn();
        holders--;
        hold.release();
      }),
    );
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(lock.locked()).toBe(false);
  });

  it("holds a free lock at once, before its promise is looked at [F3]", async () => {
    const lock = createLock();
    const first = lock.acquire();
    expect(lock.locked()).toBe(true);
    const second = lock.acquire();
    (await first).release();
    // The second one has its turn already: a third that asks now cannot come between.
    expect(lock.locked()).toBe(true);
    const third = lock.acquire();
    const order: string[] = [];
    void third.then(() => order.push("third"));
    void second.then(() => order.push("second"));
    await turn();
    expect(order).toEqual(["second"]);
    (await second).release();
    await third;
    expect(order).toEqual(["second", "third"]);
  });

  it("is not re-entrant: a holder that asks again waits for itself [F3]", async () => {
    const lock = createLock();
    const hold = await lock.acquire();
    let isIn = false;
    const again = lock.acquire().then(() => (isIn = true));
    await turn();
    expect(isIn).toBe(false);
    hold.release();
    await again;
    expect(isIn).toBe(true);
  });

  it("rejects with the signal's reason, and leaves the queue [F3]", async () => {
    const lock = createLock();
    const controller = new AbortController();
    const reason = new Error("too late");
    const hold = await lock.acquire();
    const gone = lock.acquire({ signal: controller.signal });
    const stays = lock.acquire();
    controller.abort(reason);
    await expect(gone).rejects.toBe(reason);
    await expect(lock.acquire({ signal: controller.signal })).rejects.toBe(reason);
    hold.release();
    (await stays).release();
    expect(lock.locked()).toBe(false);
  });

  it("keeps a lock that is held when the signal fires later, and leaves no listener on the signal [F3]", async () => {
    const lock = createLock();
    const controller = new AbortController();
    const { signal } = controller;
    const hold = await lock.acquire();
    const next = lock.acquire({ signal });
    hold.release();
    const held = await next;
    expect(getEventListeners(signal, "abort")).toEqual([]);
    controller.abort();
    expect(lock.locked()).toBe(true);
    held.release();
    expect(lock.locked()).toBe(false);
  });

  it("keeps order and exclusion whoever leaves the queue, and whenever [F3]", async () => {
    const asking = record({ leavesAt: option(nat(20)), turns: nat(2) });
    await assert(
      asyncProperty(array(asking, { maxLength: 12 }), async (askings) => {
        const lock = createLock();
        const entered: number[] = [];
        let holders = 0;
        const controllers = askings.map(() => new AbortController());
        const all = askings.map(async ({ turns }, index) => {
          const { signal } = controllers[index]!;
          await lock.withLock(
            async () => {
              expect(++holders).toBe(1);
              entered.push(index);
              for (let left = turns; left > 0; left--) await Promise.resolve();
              holders--;
            },
            { signal },
          );
        });
        const settled = Promise.allSettled(all);
        for (let step = 0; step <= 20; step++) {
          askings.forEach(({ leavesAt }, index) => leavesAt === step && controllers[index]!.abort());
          await Promise.resolve();
        }
        const results = await settled;
        expect(entered).toEqual([...entered].sort((a, b) => a - b));
        expect(entered.length).toBe(results.filter(({ status }) => status === "fulfilled").length);
        expect(lock.locked()).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});

describe("release", () => {
  it("throws where nobody holds the lock [F3]", async () => {
    const lock = createLock();
    expect(() => lock.release()).toThrow("nobody holds the lock");
    await lock.acquire();
    lock.release();
    expect(() => lock.release()).toThrow("nobody holds the lock");
  });

  it("of a hold ends that turn alone, once [F3]", async () => {
    const lock = createLock();
    const first = await lock.acquire();
    first.release();
    const second = await lock.acquire();
    first.release();
    expect(lock.locked()).toBe(true);
    lock.release();
    second.release();
    expect(lock.locked()).toBe(false);
  });
});

describe("withLock", () => {
  it.each([
    ["a value", () => 7],
    ["a promise", async () => 7],
  ])("returns what the work returns: %s [F3]", async (_, work) => {
    const lock = createLock();
    await expect(lock.withLock(work)).resolves.toBe(7);
    expect(lock.locked()).toBe(false);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("releases the lock when the work %s, and passes on why [F3]", async (_, work) => {
    const lock = createLock();
    const broken = lock.withLock(work);
    const next = lock.withLock(() => "in");
    await expect(broken).rejects.toThrow("broken");
    await expect(next).resolves.toBe("in");
    expect(lock.locked()).toBe(false);
  });

  it("refuses what is no function, and leaves the lock free [F3]", async () => {
    const lock = createLock();
    await expect(lock.withLock(undefined as never)).rejects.toThrow("withLock: undefined is not a function.");
    expect(lock.locked()).toBe(false);
  });

  it("does not run work whose signal has fired while it waited [F3]", async () => {
    const lock = createLock();
    const controller = new AbortController();
    const hold = await lock.acquire();
    const work = jest.fn();
    const waiting = lock.withLock(work, { signal: controller.signal });
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    hold.release();
    await turn();
    expect(work).not.toHaveBeenCalled();
  });
});

describe("a hold", () => {
  it("ends with the block that it is declared in by `await using`, also when that throws [F3]", async () => {
    const lock = createLock();
    const block = async (): Promise<void> => {
      await using _hold = await lock.acquire();
      expect(lock.locked()).toBe(true);
      throw new Error("broken");
    };
    await expect(block()).rejects.toThrow("broken");
    expect(lock.locked()).toBe(false);
  });

  it("ends with the block that it is declared in by `using` [F3]", async () => {
    const lock = createLock();
    {
      using _hold = await lock.acquire();
      expect(lock.locked()).toBe(true);
    }
    expect(lock.locked()).toBe(false);
  });
});
