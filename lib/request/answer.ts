/**
 * Writes the one answer to a request, and ends a connection whose body nobody has read so that the sender still reads it.
 *
 * @module
 */
import { hasArrived } from "./arrival";
import type { DeliveryRecord } from "./delivery";

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The content, with the media type that it is sent under. Absent for none. */
  readonly content?: { readonly type: string; readonly text: string } | undefined;
};

/** What is read of a body that is not wanted, before the connection ends: octets and time. */
const DRAIN_BYTES = 4 * 1_048_576;
const DRAIN_MS = 1000;

/** Whether an answer with this status has no content (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5). */
function hasNoContent(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** How the answer is framed is told by who writes it (RFC 9112 section 6): an upstream's fields would tell another length. */
const FRAMING = ["content-length", "transfer-encoding", "trailer"];

/** Sets a field that HTTP allows. Another one would cost the whole answer. */
function setField(response: DeliveryRecord["response"], name: string, value: string): void {
  if (FRAMING.includes(name.toLowerCase())) return;
  try {
    response.setHeader(name, value);
  } catch {
    // ERR_INVALID_HTTP_TOKEN, ERR_INVALID_CHAR: a line break in it, most likely.
  }
}

/** Answers a request, unless it is answered already or nobody is there to read it. */
export function answer(record: DeliveryRecord, { status, headers = {}, content }: Answer): void {
  const { response } = record;
  record.isAnswered = true;
  if (response.headersSent || response.destroyed) return;

  response.statusCode = status;
  for (const name in headers) setField(response, name, headers[name] as string);
  const text = hasNoContent(status) ? undefined : content?.text;
  if (text !== undefined) response.setHeader("Content-Type", (content as { type: string }).type);
  if (record.isBodyTaken) end(response, text);
  // The rest of a body that came with the header section is there once the parser has returned.
  else queueMicrotask(() => endUnread(record, text));
}

function end(response: DeliveryRecord["response"], text: string | undefined): void {
  if (text === undefined) response.end();
  else response.end(text);
}

function endUnread(record: DeliveryRecord, text: string | undefined): void {
  const { request, response, lifetime } = record;
  if (response.headersSent || response.destroyed) return;
  if (hasArrived(request, record.framing)) {
    request.resume();
    end(response, text);
    return;
  }
  // RFC 9112 section 9.6: closing while the sender still writes would make it lose the answer. So the answer goes out
  // whole, a little of the body is read and dropped, and then the connection ends.
  response.setHeader("Connection", "close");
  // RFC 9110 section 8.6: these two have no length.
  const { statusCode } = response;
  if (statusCode !== 204 && statusCode !== 304) response.setHeader("Content-Length", Buffer.byteLength(text ?? ""));
  if (text === undefined || request.method === "HEAD") response.flushHeaders();
  else response.write(text);

  let left = DRAIN_BYTES;
  const onData = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) stop();
  };
  const stop = (): void => {
    clearTimeout(timer);
    request.off("data", onData).off("end", stop);
    response.end();
  };
  // A sender that was too slow to send its body is not waited for once more.
  const timer = setTimeout(stop, lifetime.over ? 0 : DRAIN_MS);
  request.on("data", onData).on("end", stop).resume();
  response.once("close", () => clearTimeout(timer));
}
