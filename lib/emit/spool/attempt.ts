/**
 * One attempt of a spool to hand a message on, and what its failure means.
 *
 * @module
 */
import { STATUS, type WebhookErrorCode } from "../../errors";
import type { Emitter, Message } from "../../message";
import { invoke } from "../invoke";
import { isPermanent } from "../permanent-error";

/** What an attempt has come to. */
export type Attempt =
  | { readonly kind: "delivered" }
  /** The same message would fail again: it is dead. */
  | { readonly kind: "refused"; readonly error: unknown }
  /** The emitter takes no message now: it says nothing of this one. */
  | { readonly kind: "busy"; readonly error: unknown; readonly waitMs: number }
  | { readonly kind: "failed"; readonly error: unknown; readonly waitMs: number };

const MAX_WAIT_SECONDS = 86_400;
const MAX_ERROR_LENGTH = 500;

/** Hands a message on, for so long at most. It never rejects; `signal` ends it early. */
export async function attempt(
  emitter: Emitter,
  message: Message,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Attempt> {
  const controller = new AbortController();
  const end = (): void => controller.abort(signal.reason);
  let timer: NodeJS.Timeout | undefined;
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", end, { once: true });
    await new Promise<void>((resolve, reject) => {
      controller.signal.addEventListener("abort", () => reject(controller.signal.reason as Error), { once: true });
      timer = setTimeout(() => controller.abort(new Error(`It had not settled after ${timeoutMs} ms.`)), timeoutMs);
      invoke("emitter of the spool", emitter, message, { signal: controller.signal }).then(resolve, reject);
    });
    return { kind: "delivered" };
  } catch (error) {
    return failureOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

function failureOf(error: unknown): Attempt {
  try {
    const { code, retryAfterSeconds } = (error ?? {}) as { code?: unknown; retryAfterSeconds?: unknown };
    // What a sender would be blamed for lies in the message: one too large for the broker.
    const isRefusal = typeof code === "string" && Object.hasOwn(STATUS, code) && STATUS[code as WebhookErrorCode] < 500;
    if (isRefusal || isPermanent(error)) return { kind: "refused", error };
    const seconds = typeof retryAfterSeconds === "number" && retryAfterSeconds > 0 ? retryAfterSeconds : 0;
    const waitMs = Math.min(seconds, MAX_WAIT_SECONDS) * 1000;
    return { kind: code === "ERR_WEBHOOK_EMITTER_BUSY" ? "busy" : "failed", error, waitMs };
  } catch {
    // A member that throws when it is looked at.
    return { kind: "failed", error: new Error("What was thrown cannot be read."), waitMs: 0 };
  }
}

/** Why it has failed, in words short enough to be kept. */
export function errorText(error: unknown): string {
  try {
    const { message, advice } = (error ?? {}) as { message?: unknown; advice?: unknown };
    return String(advice ?? message ?? error).slice(0, MAX_ERROR_LENGTH);
  } catch {
    return "What was thrown cannot be read.";
  }
}
