/** What arrives together is sent together. */
import { batcher } from "express-webhook-node/emit/batch";
import { contextOf } from "../support/message";

describe("batcher", () => {
  const gate = () => {
    let open: () => void = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { open, opened };
  };

  it("sends in batches of no more items and octets than allowed, in order [J1]", async () => {
    const batches: (readonly number[])[] = [];
    const add = batcher<number>({
      send: async (items) => void batches.push(items),
      maxItems: 3,
      maxBytes: 10,
      bytesOf: (item) => item,
    });
    await Promise.all([1, 1, 1, 1, 9, 2, 50, 1].map((item) => add(item, contextOf())));
    expect(batches).toEqual([[1, 1, 1], [1, 9], [2], [50], [1]]);
  });

  it("settles each item by itself, and all where all have failed [J1]", async () => {
    const one = batcher<string>({
      send: async (items) => items.map((item) => (item === "bad" ? new Error("bad") : undefined)),
      maxItems: 10,
    });
    const settled = await Promise.allSettled(["a", "bad", "b"].map((item) => one(item, contextOf())));
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);

    const none = batcher<string>({ send: () => Promise.reject(new Error("down")), maxItems: 10 });
    await expect(none("a", contextOf())).rejects.toThrow("down");
  });

  it("lets go of what waits when its time is over, by timeoutMs or by the signal [J1, J2]", async () => {
    const { open, opened } = gate();
    const sent: string[] = [];
    const add = batcher<string>({
      send: async (items) => {
        sent.push(...items);
        await opened;
      },
      maxItems: 1,
      timeoutMs: 300,
    });
    const busy = { code: "ERR_WEBHOOK_EMITTER_BUSY" };
    const underWay = add("under way", contextOf()).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = add("waiting", contextOf()).catch((error: unknown) => error);
    await expect(add("aborted", { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    expect(await Promise.all([underWay, waiting])).toMatchObject([busy, busy]);

    // What is under way keeps its place until it settles, and what was given up is never sent.
    const last = add("last", contextOf());
    open();
    await last;
    expect(sent).toEqual(["under way", "last"]);
  });

  it("lets go of what came with others and was left over, when its time is over [J1, J2]", async () => {
    const { open, opened } = gate();
    const sent: number[] = [];
    const add = batcher<number>({
      send: async (items) => {
        sent.push(...items);
        await opened;
      },
      maxItems: 2,
      maxBytes: 10,
      bytesOf: (item) => item,
    });
    const gone = new AbortController();
    const adding = [1, 9, 1].map((item) => add(item, { signal: gone.signal }));
    await new Promise((resolve) => setImmediate(resolve));
    gone.abort(new Error("gone"));
    await expect(adding[2]).rejects.toThrow("gone");
    open();
    await Promise.all(adding.slice(0, 2));
    expect(sent).toEqual([1, 9]);
  });
});
