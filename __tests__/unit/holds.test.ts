/**
 * What holds the octets of a request that is over.
 */
import { Holds } from "express-webhook-node/request/holds";
import { collectGarbage } from "../support/collect";
import { until } from "../support/serve";

describe("Holds", () => {
  it("releases once the request is done and all works have settled, either way [T17]", async () => {
    const holds = new Holds();
    let released = 0;
    let fail = (_: Error): void => {};
    holds.whenReleased(() => released++);
    holds.add(Promise.resolve());
    holds.add(new Promise((_, reject) => (fail = reject)));
    await Promise.resolve();
    holds.done();
    expect(released).toBe(0);
    fail(new Error("down"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(released).toBe(1);
    holds.whenReleased(() => released++);
    expect(released).toBe(2);
  });

  it("releases what can settle no more once it is collected [T17]", async () => {
    const holds = new Holds();
    const released: true[] = [];
    holds.whenReleased(() => released.push(true));
    holds.add(new Promise(() => {}));
    holds.done();
    expect(released).toEqual([]);
    await until(() => {
      collectGarbage();
      return released.length > 0;
    });
  });
});
