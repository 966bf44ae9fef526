/**
 * Turns of the event loop for large bodies.
 */
import { turnFor } from "express-webhook-node/request/turns";

const LARGE = 131_072;
const FULL = 4_194_304;

describe("turnFor", () => {
  it("lets small bodies go at once", () => {
    expect(turnFor(LARGE - 1)).toBeUndefined();
  });

  it("gives each that fills a turn one of its own, in their order, and lets others in between", async () => {
    await twoTurns();
    const order: string[] = [];
    const take = async (name: string, bytes: number): Promise<void> => {
      await turnFor(bytes);
      order.push(name);
    };
    const between = async (): Promise<void> => {
      while (order.length < 4) {
        await new Promise((resolve) => setImmediate(resolve));
        order.push("-");
      }
    };
    const heard = between();
    await Promise.all([take("a", FULL), take("b", FULL), take("c", LARGE), take("d", FULL - LARGE), heard]);
    expect(order.join("")).toMatch(/^a-+b-+cd-*$/);
  });

  it("makes those that a turn has room for wait for nothing", async () => {
    await twoTurns();
    expect([turnFor(LARGE), turnFor(LARGE)]).toEqual([undefined, undefined]);
  });

  it("lets one that is larger than a turn go by itself", async () => {
    await twoTurns();
    expect(turnFor(100 * FULL)).toBeUndefined();
    await expect(turnFor(LARGE)).resolves.toBeUndefined();
  });
});

/** Until nothing is left of those before. */
async function twoTurns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
