/**
 * Every refusal of a webhook node: its code, its status, and the RFC section that the status comes from.
 *
 * @module
 */

/** The status of each code. The README's table is held equal to this one by a test. */
export const STATUS = {
  ERR_WEBHOOK_FIELD: 400, // RFC 9112 section 3.2
  ERR_WEBHOOK_TRANSFER_CODING: 501, // RFC 9112 section 6.1
  ERR_WEBHOOK_METHOD: 405, // RFC 9110 section 15.5.6
  ERR_WEBHOOK_CONTENT_TYPE: 415, // RFC 9110 section 15.5.16
  ERR_WEBHOOK_CHARSET: 415, // RFC 9110 section 15.5.16
  ERR_WEBHOOK_CONTENT_CODING: 415, // RFC 9110 section 15.5.16, RFC 7694 section 3
  ERR_WEBHOOK_BODY_TOO_LARGE: 413, // RFC 9110 section 15.5.14
  ERR_WEBHOOK_WINDOW_TOO_LARGE: 413, // RFC 9110 section 15.5.14, RFC 7932 section 9.1
  ERR_WEBHOOK_BUSY: 503, // RFC 9110 section 15.6.4
  ERR_WEBHOOK_DRAINING: 503, // RFC 9110 section 15.6.4
  ERR_WEBHOOK_BODY_TIMEOUT: 408, // RFC 9110 section 15.5.9
  ERR_WEBHOOK_BODY_DAMAGED: 400, // RFC 9110 section 8.4.1
  ERR_WEBHOOK_BODY_EMPTY: 400, // RFC 8259 section 2
  ERR_WEBHOOK_TEXT: 400, // RFC 8259 section 8.1
  ERR_WEBHOOK_JSON: 400, // RFC 8259 section 2
  ERR_WEBHOOK_JSON_DEPTH: 400, // RFC 8259 section 9
  ERR_WEBHOOK_ABORTED: 400, // RFC 9112 section 8: an incomplete request; nobody is left to read the answer
  ERR_WEBHOOK_FORBIDDEN: 403, // RFC 9110 section 15.5.4
  ERR_WEBHOOK_KEYS: 503, // RFC 9110 section 15.6.4
  ERR_WEBHOOK_AUTHENTICATOR: 500, // RFC 9110 section 15.6.1
  ERR_WEBHOOK_BODY_CONSUMED: 500, // RFC 9110 section 15.6.1
  ERR_WEBHOOK_SCHEMA: 422, // RFC 9110 section 15.5.21
  ERR_WEBHOOK_MESSAGE_REFUSED: 422, // RFC 9110 section 15.5.21
  ERR_WEBHOOK_EMIT: 503, // RFC 9110 section 15.6.4
  ERR_WEBHOOK_DEADLINE: 503, // RFC 9110 section 15.6.4
  ERR_WEBHOOK_INTERNAL: 500, // RFC 9110 section 15.6.1
} as const;

/** What is wrong, as a word to match on: it is the same in every version and in two copies of the package. */
export type WebhookErrorCode = keyof typeof STATUS;

/** One thing that is wrong with a payload: where, and what was expected. It holds no value of the payload. */
export type ErrorDetail = {
  /** A JSON Pointer as a URI fragment: `#/lines/0/sku` (RFC 6901 section 6). */
  readonly pointer: string;
  readonly detail: string;
};

export type WebhookErrorOptions = {
  /** Header fields that the answer carries, such as `Allow` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What mends it, for the log of whoever runs the node. The sender never sees it. */
  readonly advice?: string | undefined;
  /** Where a payload is not as it should be, and what was expected there (RFC 9457 section 3). */
  readonly errors?: readonly ErrorDetail[] | undefined;
  /** The failure beneath. It is for observers and logs, never for the sender. */
  readonly cause?: unknown;
};

/**
 * A request that a step of the node has refused.
 *
 * Its `message` is written for the sender. `status`, `headers` and `expose` are the words that Express and
 * `http-errors` use, so a step mounted alone is answered rightly by the app's own error handler.
 */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly code: WebhookErrorCode;
  /** The status of the answer, from the table of codes. */
  readonly status: number;
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly advice: string | undefined;
  readonly errors: readonly ErrorDetail[] | undefined;
  /** Whether the message may be shown to the sender: not where the fault is ours. */
  readonly expose: boolean;

  constructor(
    code: WebhookErrorCode,
    message: string,
    { headers = {}, advice, errors, cause }: WebhookErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = this.statusCode = STATUS[code];
    this.headers = headers;
    this.advice = advice;
    this.errors = errors;
    this.expose = this.status !== 500;
  }
}

/** RFC 9111 section 1.2.2: what stands for a number of seconds too large to read. */
const LONGEST_SECONDS = 2_147_483_648;

/** The refusals after which the same request may succeed, with the time to wait in seconds. */
export function retryAfter(seconds = 1): { readonly "Retry-After": string } {
  return { "Retry-After": String(Math.min(Math.max(1, Math.ceil(seconds)), LONGEST_SECONDS)) };
}
