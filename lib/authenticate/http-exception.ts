/**
 * The exception by which an authenticator dictates the response.
 *
 * @module
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { checkOptions } from "../request/options";
import { HTTP_EXCEPTION } from "../request/refusal";

export type HttpExceptionOptions = {
  /** Text for the problem document, or any other JSON value, which is sent as `{"detail": ...}`. */
  readonly detail?: unknown;
  /** Header fields of the response, such as `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/**
 * Thrown by an authenticator, it is the response: nothing is emitted. Below 400 the request counts as answered, from 400
 * on as refused, from 500 on as failed. A response of 204, 205 or 304 has no content.
 *
 * @example
 * ```ts
 * throw new HTTPException(401, { detail: "Bad token", headers: { "WWW-Authenticate": "Bearer" } });
 * ```
 */
export class HTTPException extends Error {
  override readonly name = "HTTPException";
  readonly code = HTTP_EXCEPTION;
  readonly status: number;
  readonly statusCode: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly expose = true;

  /** @throws TypeError for a status outside 200 to 599, a field that HTTP does not allow, or a detail that is no JSON. */
  constructor(status: number, options: HttpExceptionOptions = {}) {
    checkOptions("HTTPException", options, ["detail", "headers"]);
    const { detail, headers = {} } = options;
    super(typeof detail === "string" ? detail : `HTTP ${status}`);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new TypeError(`HTTPException: the status ${String(status)} is not a whole number from 200 to 599.`);
    }
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    if (detail !== undefined && JSON.stringify(detail) === undefined) {
      throw new TypeError("HTTPException: the detail is not a JSON value.");
    }
    this.status = this.statusCode = status;
    this.detail = detail;
    this.headers = { ...headers };
  }
}
