/**
 * What any thrown value comes to: the answer that the sender gets, and the outcome that observers read. Pure.
 *
 * @module
 */
import { STATUS_CODES } from "node:http";
import { retryAfter, STATUS, type ErrorDetail, type WebhookError, type WebhookErrorCode } from "../errors";
import type { Answer } from "./answer";
import type { Outcome, OutcomeKind } from "./outcome";
import type { SourceTraits } from "./source";
import { answerOf } from "./source-answer";

export type Refusal = {
  readonly answer: Answer;
  readonly outcome: Pick<Outcome, "kind" | "status" | "code" | "detail" | "advice" | "error">;
};

/** The code of an `HTTPException`, by which one of another copy of the package is known too. */
export const HTTP_EXCEPTION = "ERR_WEBHOOK_HTTP_EXCEPTION";

/** The members that are looked at in what was thrown. None of them is trusted to be there. */
type Thrown = {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly expose?: unknown;
  readonly headers?: unknown;
  readonly detail?: unknown;
  readonly advice?: unknown;
  readonly problem?: unknown;
};

/** Tells the answer and the outcome of anything thrown. Nothing of it reaches the sender that was not meant for it. */
export function refusalOf(error: unknown, source?: SourceTraits): Refusal {
  const thrown: Thrown = typeof error === "object" && error !== null ? error : {};
  try {
    if (isWebhookError(thrown)) return fromWebhookError(thrown);
    if (isHttpException(thrown)) return fromHttpException(thrown, source);
    return fromOther(thrown, error);
  } catch {
    // A member that throws when it is looked at, or a detail that is no JSON.
    return internal(error);
  }
}

function isWebhookError(thrown: Thrown): thrown is WebhookError {
  return (
    typeof thrown.code === "string" &&
    Object.hasOwn(STATUS, thrown.code) &&
    thrown.status === STATUS[thrown.code as WebhookErrorCode]
  );
}

function isHttpException({ code, status }: Thrown): boolean {
  return code === HTTP_EXCEPTION && Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599;
}

function fromWebhookError(error: WebhookError): Refusal {
  const { code, status, message, advice, headers, errors, cause } = error;
  const kind = code === "ERR_WEBHOOK_ABORTED" ? "aborted" : kindOf(status);
  return {
    answer: problemAnswer(status, headers, { detail: message, code, ...(errors && { errors }) }),
    outcome: {
      kind,
      status,
      code,
      detail: message,
      ...(advice !== undefined && { advice }),
      ...(cause !== undefined && { error: cause }),
    },
  };
}

// C1: the response is what the exception dictates.
function fromHttpException(thrown: Thrown, source: SourceTraits | undefined): Refusal {
  const status = Number(thrown.status);
  const headers = fieldsOf(thrown.headers);
  const { detail } = thrown;
  const code = HTTP_EXCEPTION;
  const text = typeof detail === "string" ? { detail } : {};
  const advice = typeof thrown.advice === "string" ? { advice: thrown.advice } : adviceOf(detail);
  const outcome = { kind: kindOf(status), status, code, ...text, ...advice, error: thrown };

  if (source?.refusal && status === 401) {
    const answer = answerOf({ status, headers, ...source.refusal });
    return { answer, outcome: { ...outcome, status: answer.status } };
  }
  if (detail === undefined && status < 400) return { answer: { status, headers }, outcome };
  if (detail === undefined || typeof detail === "string") {
    return { answer: problemAnswer(status, headers, { ...text, code }), outcome };
  }
  return {
    answer: { status, headers, content: { type: "application/json", text: JSON.stringify({ detail }) } },
    outcome,
  };
}

/** A detail that is no text, for the log. */
function adviceOf(detail: unknown): { readonly advice?: string } {
  return typeof detail === "object" && detail !== null ? { advice: `detail: ${JSON.stringify(detail)}` } : {};
}

function fromOther(thrown: Thrown, error: unknown): Refusal {
  const told = thrown.status ?? thrown.statusCode;
  if (!isErrorStatus(told)) return internal(error);
  // An HTTP client's error carries its own server's status, message and fields: they are not for our sender.
  const isShown = thrown.expose === true;
  const detail = isShown && typeof thrown.message === "string" ? { detail: thrown.message } : {};
  const headers = isShown ? fieldsOf(thrown.headers) : {};
  return {
    answer: problemAnswer(told, headers, detail),
    outcome: { kind: kindOf(told), status: told, ...detail, error },
  };
}

function internal(error: unknown): Refusal {
  const code = "ERR_WEBHOOK_INTERNAL";
  const status = STATUS[code];
  return { answer: problemAnswer(status, {}, { code }), outcome: { kind: "failed", status, code, error } };
}

/** RFC 9457 section 3. The title is the status's own, as section 4.2.1 has it for `about:blank`. */
function problemAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  members: { readonly detail?: string; readonly code?: string; readonly errors?: readonly ErrorDetail[] },
): Answer {
  const problem = { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, ...members };
  return {
    status,
    headers: status === 503 ? { ...retryAfter(), ...headers } : headers,
    content: { type: "application/problem+json", text: JSON.stringify(problem) },
  };
}

function kindOf(status: number): OutcomeKind {
  if (status < 400) return "answered";
  return status < 500 ? "refused" : "failed";
}

function isErrorStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599;
}

function fieldsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, String(field)]));
}
