/**
 * Watches for what nobody has caught, in a test file that calls `watchUnhandled()`.
 *
 * @module
 */
import vm from "node:vm";

/** Tests see a copy of `process`; what is not caught is told to the real one alone. */
const real = vm.runInThisContext("process") as NodeJS.Process;

/** Fails each test of the file that leaves a rejection or an exception uncaught. */
export function watchUnhandled(): void {
  const seen: unknown[] = [];
  const onUnhandled = (error: unknown): void => void seen.push(error);

  beforeEach(() => {
    seen.length = 0;
    real.on("unhandledRejection", onUnhandled).on("uncaughtException", onUnhandled);
  });
  afterEach(async () => {
    // A rejection is told as unhandled once the turn in which it came is over.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    real.off("unhandledRejection", onUnhandled).off("uncaughtException", onUnhandled);
    expect(seen).toEqual([]);
  });
}
