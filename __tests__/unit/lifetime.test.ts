import { WebhookError } from "express-webhook-node";
import { Lifetime } from "../../lib/request/lifetime";

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const gone = new WebhookError("ERR_WEBHOOK_ABORTED", "Gone.");
const code = (reason: unknown): string => (reason as WebhookError).code;

describe("Lifetime [T13, T22]", () => {
  it("sets no timer as long as nobody waits", () => {
    const lifetime = new Lifetime(100);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(200);
    expect(lifetime.over).toBeUndefined();
  });

  it("is over when its budget is spent, for whoever began to wait when", () => {
    const lifetime = new Lifetime(100);
    const heard: string[] = [];
    jest.advanceTimersByTime(60);
    lifetime.whenOver((reason) => heard.push(code(reason)));
    jest.advanceTimersByTime(39);
    expect(heard).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(heard).toEqual(["ERR_WEBHOOK_DEADLINE"]);
    expect(code(lifetime.over)).toBe("ERR_WEBHOOK_DEADLINE");
    expect(lifetime.over?.headers).toEqual({ "Retry-After": "1" });
  });

  it("is over in the next turn for whoever begins to wait after its budget is spent", () => {
    const lifetime = new Lifetime(100);
    const heard: string[] = [];
    jest.advanceTimersByTime(500);
    lifetime.whenOver((reason) => heard.push(code(reason)));
    expect(heard).toEqual([]);
    jest.advanceTimersByTime(0);
    expect(heard).toEqual(["ERR_WEBHOOK_DEADLINE"]);
  });

  it("blames the sender for a deadline that strikes while the body is awaited, and only then", () => {
    const reading = new Lifetime(100);
    reading.whenOver(() => {});
    reading.reading++;
    const read = new Lifetime(100);
    read.whenOver(() => {});
    read.reading++;
    read.reading--;
    jest.advanceTimersByTime(100);
    expect([code(reading.over), code(read.over)]).toEqual(["ERR_WEBHOOK_BODY_TIMEOUT", "ERR_WEBHOOK_DEADLINE"]);
  });

  it("tells every listener once, with one reason, and those at once who come later", () => {
    const lifetime = new Lifetime(100);
    const heard: unknown[] = [];
    lifetime.whenOver((reason) => heard.push(reason));
    lifetime.whenOver((reason) => heard.push(reason));
    lifetime.end(gone);
    lifetime.end(new WebhookError("ERR_WEBHOOK_INTERNAL", "Second."));
    lifetime.close();
    jest.advanceTimersByTime(200);
    lifetime.whenOver((reason) => heard.push(reason))();
    expect(heard).toEqual([gone, gone, gone]);
    expect(lifetime.over).toBe(gone);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("tells nothing to a listener that was taken away", () => {
    const lifetime = new Lifetime(100);
    const listener = jest.fn();
    lifetime.whenOver(listener)();
    lifetime.end(gone);
    expect(listener).not.toHaveBeenCalled();
  });

  it("is not over once it is closed, and sets no timer any more", () => {
    const lifetime = new Lifetime(100);
    lifetime.whenOver(() => {})();
    lifetime.close();
    expect(jest.getTimerCount()).toBe(0);
    lifetime.end(gone);
    lifetime.whenOver(() => {});
    jest.advanceTimersByTime(200);
    expect(lifetime.over).toBeUndefined();
    expect(jest.getTimerCount()).toBe(0);
  });

  it("stops what still reads when it is closed", () => {
    const lifetime = new Lifetime(100);
    const heard: string[] = [];
    lifetime.whenOver((reason) => heard.push(code(reason)));
    lifetime.close();
    lifetime.close();
    expect(heard).toEqual(["ERR_WEBHOOK_ABORTED"]);
  });

  it("fires its signal at the deadline, with the reason", () => {
    const lifetime = new Lifetime(100);
    const { signal } = lifetime;
    expect(lifetime.signal).toBe(signal);
    jest.advanceTimersByTime(99);
    expect(signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect([signal.aborted, code(signal.reason)]).toEqual([true, "ERR_WEBHOOK_DEADLINE"]);
  });

  it("has a signal that has fired, if it is asked for afterwards", () => {
    const lifetime = new Lifetime(100);
    lifetime.end(gone);
    expect([lifetime.signal.aborted, lifetime.signal.reason]).toEqual([true, gone]);
  });

  it("leaves its signal alone when it is closed", () => {
    const lifetime = new Lifetime(100);
    const { signal } = lifetime;
    lifetime.close();
    jest.advanceTimersByTime(200);
    expect(signal.aborted).toBe(false);
  });

  it("is raced by work that settles first, and leaves no listener behind", async () => {
    const lifetime = new Lifetime(100);
    await expect(lifetime.race(Promise.resolve(5))).resolves.toBe(5);
    await expect(lifetime.race(Promise.reject(new RangeError("mine")))).rejects.toThrow("mine");
    const listener = jest.fn();
    lifetime.whenOver(listener);
    lifetime.end(gone);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it("wins the race against work that never settles, and against work where it is over already", async () => {
    const lifetime = new Lifetime(100);
    const raced = lifetime.race(new Promise(() => {}));
    jest.advanceTimersByTime(100);
    await expect(raced).rejects.toMatchObject({ code: "ERR_WEBHOOK_DEADLINE" });
    await expect(lifetime.race(Promise.resolve(5))).rejects.toMatchObject({ code: "ERR_WEBHOOK_DEADLINE" });
  });

  it("leaves no rejection of work that it has won against", async () => {
    const lifetime = new Lifetime(100);
    let fail = (_error: Error): void => {};
    const raced = lifetime.race(new Promise((_resolve, reject) => (fail = reject)));
    lifetime.end(gone);
    await expect(raced).rejects.toBe(gone);
    fail(new Error("late"));
  });
});
