/**
 * Turns of the event loop for large bodies.
 */
import { turnFor } from "express-webhook-node/request/turns";

const LARGE = 131_072;
const TURN_MS = 60;

/** Keeps the process busy, as inflating and parsing do. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe("turnFor", () => {
  it("lets small bodies go at once", async () => {
    await nobodyWaits();
    expect(turnFor(LARGE)).toBeUndefined();
    work(TURN_MS);
    expect(turnFor(LARGE - 1)).toBeUndefined();
  });

  it("makes those that a turn has time for wait for nothing", async () => {
    await nobodyWaits();
    expect([turnFor(LARGE), turnFor(100 * LARGE)]).toEqual([undefined, undefined]);
  });

  it("lets others in once its time is over, and goes on in order", async () => {
    await nobodyWaits();
    const order: string[] = [];
    const take = async (name: string, ms: number): Promise<void> => {
      await turnFor(LARGE);
      order.push(name);
      work(ms);
    };
    const between = async (): Promise<void> => {
      while (order.filter((name) => name !== "-").length < 5) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        order.push("-");
      }
    };
    const heard = between();
    await take("a", TURN_MS);
    await Promise.all([take("b", 1), take("c", TURN_MS), take("d", 1), take("e", 1), heard]);
    expect(order.join("")).toMatch(/^a-+bc-+de-*$/);
  });
});

/** Until nothing is left of those before. */
async function nobodyWaits(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
