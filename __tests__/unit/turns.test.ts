/**
 * Turns of the event loop for large bodies.
 */
import { turnFor } from "express-webhook-node/request/turns";

const LARGE = 131_072;

describe("turnFor", () => {
  it("lets small bodies go at once", () => {
    expect(turnFor(LARGE - 1)).toBeUndefined();
  });

  it("gives each large one a turn of its own, in their order, and lets others in between", async () => {
    await new Promise((resolve) => setImmediate(resolve));
    const order: string[] = [];
    const take = async (name: string): Promise<void> => {
      await turnFor(LARGE);
      order.push(name);
    };
    const ended = Promise.all(["a", "b", "c"].map(take));
    const between = async (): Promise<void> => {
      while (order.length < 3) {
        await new Promise((resolve) => setImmediate(resolve));
        order.push("-");
      }
    };
    await Promise.all([ended, between()]);
    expect(order.join("")).toMatch(/^a-+b-+c-*$/);
  });

  it("makes the first of a turn wait for nothing", async () => {
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    let isMine = false;
    void turnFor(LARGE)?.then(() => (isMine = true));
    await Promise.resolve();
    await Promise.resolve();
    expect(isMine).toBe(true);
  });
});
