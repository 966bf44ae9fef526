/**
 * Signs as Slack does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignSlackOptions = SignOptions & {
  /**
   * Sends a form, as interactions and slash commands are: the payload in its field `payload`, or text as the whole form.
   *
   * @defaultValue `false`
   */
  readonly form?: boolean | undefined;
};

/** Signs a payload of Slack. */
export function signSlack(
  payload: SignPayload,
  { secret, now = Date.now(), form = false }: SignSlackOptions,
): SignedDelivery {
  const isWhole = typeof payload === "string" || Buffer.isBuffer(payload);
  const body = octetsOf(
    form && !isWhole ? new URLSearchParams({ payload: JSON.stringify(payload) }).toString() : payload,
  );
  const time = String(Math.floor(now / 1000));
  return {
    headers: {
      "content-type": form ? "application/x-www-form-urlencoded" : "application/json",
      "x-slack-request-timestamp": time,
      "x-slack-signature": `v0=${hmacOf(secret, [`v0:${time}:`, body])}`,
    },
    body,
  };
}
