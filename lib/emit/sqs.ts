/**
 * Emitter: a queue of Amazon SQS, standard or FIFO.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { Emitter, Message } from "../message";
import { checkOptions, positiveInteger, shown, text } from "../request/options";
import { attributesOf } from "./attributes";
import { batcher } from "./batch";
import { BusyError } from "./busy-error";
import { contentTypeOf } from "./carried-fields";
import { PermanentError } from "./permanent-error";
import { tooLarge } from "./too-large";

/** The one method called on the `SQSClient` of `@aws-sdk/client-sqs`. */
export type SqsSender = {
  send(command: never, options: { abortSignal: AbortSignal }): Promise<unknown>;
};

export type SqsEmitterOptions = {
  /** An `SQSClient` that the app has made, and destroys. */
  readonly client: SqsSender;
  /** The queue's URL. One that ends in `.fifo` is that of a FIFO queue. */
  readonly queueUrl: string;
  /**
   * Largest message, in bytes, as SQS counts it: body, and names, types and values of its attributes.
   *
   * A larger one is refused with `ERR_WEBHOOK_BODY_TOO_LARGE` (413). A queue takes what its `MaximumMessageSize` says, at most
   * 1 MiB (Amazon SQS message quotas).
   *
   * @defaultValue `262_144` (256 KiB), what every queue takes unless it was told otherwise
   */
  readonly maxBytes?: number | undefined;
  /**
   * How long a message may take to be confirmed, in milliseconds, the client's own retries included. After that the delivery
   * is refused with 503; the message may be in the queue all the same.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["client", "queueUrl", "maxBytes", "timeoutMs"];

/** Amazon SQS message quotas: of one message, and of all in a request. */
const LARGEST_BYTES = 1_048_576;
const MAX_ENTRIES = 10;
/** Requests under way to a standard queue. To a FIFO queue there is one, or the order would be lost. */
const CONCURRENCY = 16;

/** Characters that SQS refuses: those that XML 1.0 does, section 2.2. */
const NOT_TEXT = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
/** API reference, `MessageGroupId`: alphanumeric characters and punctuation. */
const GROUP = /^[!-~]{1,128}$/;
/** A message has ten attributes at most, so these have one each, and the rest share `more`. */
const WITH_ITS_OWN = ["specversion", "id", "source", "type", "time"] as const;
const TRACE = ["traceparent", "tracestate"];

const THROTTLED = /Throttl|OverLimit|TooManyRequests|RequestLimitExceeded|SlowDown|Unavailable/;
/** What SQS says of a message that is larger than its queue takes. */
const TOO_LARGE = /shorter than \d+ bytes|BatchRequestTooLong/;

const QUEUE_LIMIT = "The message is larger than the queue's MaximumMessageSize.";

type Attribute = { readonly DataType: "String"; readonly StringValue: string };

type Entry = {
  readonly MessageBody: string;
  readonly MessageAttributes: Record<string, Attribute>;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
};

type Failure = {
  readonly Id?: string;
  readonly Code?: string;
  readonly Message?: string;
  readonly SenderFault?: boolean;
};
type Result = { readonly Successful?: readonly { readonly Id?: string }[]; readonly Failed?: readonly Failure[] };

/** What an error of the AWS SDK tells of itself; one of the network has no `$fault`. */
type SdkError = { readonly name?: string; readonly message?: string; readonly $fault?: "client" | "server" };

const loadSqs = () => import("@aws-sdk/client-sqs");

/**
 * Creates an emitter that settles once SQS has confirmed the message. `@aws-sdk/client-sqs`, an optional peer, is loaded when
 * the first one comes.
 *
 * - Promise: at least once; SQS keeps what it has confirmed on several servers, for the queue's retention period.
 * - Deduplicated by a FIFO queue alone: by the message's `key`, within five minutes.
 * - Ordered by a FIFO queue alone: within a `groupId`, or within the node for messages that have none. A `groupId` that SQS
 *   does not take as `MessageGroupId` stands as its SHA-256 in hex.
 * - Body: the text of the octets; octets that are no text for SQS stand in base64, and the attribute
 *   `content-transfer-encoding` says `base64`.
 * - Attributes: `content-type`; `ce_specversion`, `ce_id`, `ce_source`, `ce_type` and `ce_time` of CloudEvents 1.0.2;
 *   `traceparent` and `tracestate` where there are any. SQS allows for ten, so the others of CloudEvents
 *   (`ce_trackingid`, `ce_messagetype`, `ce_deliveryid`, `ce_sender`, `ce_partitionkey`) and the header fields chosen share
 *   the attribute `more`: a JSON object from names to texts.
 * - Up to ten messages that come at the same time share a request; each is confirmed by itself.
 * - It rejects with a `BusyError` where SQS throttles, fails or cannot be reached.
 */
export function sqsEmitter(options: SqsEmitterOptions): Emitter {
  checkOptions("sqsEmitter", options, WORDS);
  const { client, maxBytes = 262_144, timeoutMs = 5_000 } = options;
  if (typeof (client as Partial<SqsSender> | null | undefined)?.send !== "function") {
    throw new TypeError(`client: ${shown(client)} is no SQSClient.`);
  }
  const queueUrl = text("queueUrl", options.queueUrl);
  if (!URL.canParse(queueUrl)) throw new TypeError(`queueUrl: ${shown(queueUrl)} is no URL.`);
  if (positiveInteger("maxBytes", maxBytes) > LARGEST_BYTES) {
    throw new TypeError(`maxBytes: ${maxBytes} is more than SQS takes, which is ${LARGEST_BYTES}.`);
  }
  positiveInteger("timeoutMs", timeoutMs);
  checkInstalled();
  const isFifo = queueUrl.endsWith(".fifo");

  async function send(entries: readonly Entry[]): Promise<readonly (Error | undefined)[]> {
    const { SendMessageBatchCommand } = await loadSqs();
    const command = new SendMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: entries.map((entry, index) => ({ Id: String(index), ...entry })),
    });
    let result: Result;
    try {
      result = (await client.send(command as never, { abortSignal: AbortSignal.timeout(timeoutMs) })) as Result;
    } catch (error) {
      throw failureOfAll(error as SdkError, entries.length, queueUrl);
    }
    const confirmed = new Set(result.Successful?.map(({ Id }) => Id));
    return entries.map((_, index) => {
      const id = String(index);
      return confirmed.has(id) ? undefined : failureOfOne(result.Failed?.find(({ Id }) => Id === id));
    });
  }

  const add = batcher<Entry>({
    send,
    maxItems: MAX_ENTRIES,
    maxBytes,
    bytesOf,
    concurrency: isFifo ? 1 : CONCURRENCY,
    timeoutMs,
  });

  return async function sqsEmitter(message, context) {
    const entry = { ...entryOf(message), ...(isFifo && fifoOf(message)) };
    const bytes = bytesOf(entry);
    if (bytes > maxBytes) {
      throw tooLarge(maxBytes, `With its attributes the message has ${bytes} bytes, more than sqsEmitter's maxBytes.`);
    }
    await add(entry, context);
  };
}

function entryOf(message: Message): Entry {
  const { octets, fields } = message;
  const body = isUtf8(octets) ? octets.toString() : undefined;
  const isText = body !== undefined && !NOT_TEXT.test(body);
  const own: Record<string, string> = { "content-type": contentTypeOf(message) };
  if (!isText) own["content-transfer-encoding"] = "base64";
  const more: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) (TRACE.includes(name) ? own : more)[name] = value;
  for (const [name, value] of Object.entries(attributesOf(message))) {
    if (TRACE.includes(name)) continue;
    ((WITH_ITS_OWN as readonly string[]).includes(name) ? own : more)[`ce_${name}`] = value;
  }
  return {
    MessageBody: isText ? body : octets.toString("base64"),
    MessageAttributes: Object.fromEntries(
      Object.entries({ ...own, more: JSON.stringify(more) })
        // SQS takes no empty value, and refuses the message for a character that it does not take.
        .filter(([, value]) => value !== "" && !NOT_TEXT.test(value))
        .map(([name, value]) => [name, { DataType: "String", StringValue: value }]),
    ),
  };
}

function fifoOf({ key, node, groupId }: Message): Pick<Entry, "MessageGroupId" | "MessageDeduplicationId"> {
  const group = groupId || node;
  return {
    MessageGroupId: GROUP.test(group) ? group : createHash("sha256").update(group, "utf16le").digest("hex"),
    MessageDeduplicationId: key,
  };
}

function bytesOf({ MessageBody, MessageAttributes }: Entry): number {
  let bytes = Buffer.byteLength(MessageBody);
  for (const [name, { DataType, StringValue }] of Object.entries(MessageAttributes)) {
    bytes += name.length + DataType.length + Buffer.byteLength(StringValue);
  }
  return bytes;
}

function failureOfAll(error: SdkError, count: number, queueUrl: string): unknown {
  const { name = "", message = "", $fault } = error;
  if ($fault !== "client" || THROTTLED.test(name)) {
    return new BusyError(`SQS takes no message now (${name || message}).`, { cause: error });
  }
  if (/QueueDoesNotExist|NonExistentQueue/.test(name)) {
    return new Error(`There is no queue ${queueUrl}, or not for this client.`, { cause: error });
  }
  return count === 1 && TOO_LARGE.test(name) ? tooLarge(undefined, QUEUE_LIMIT, error) : error;
}

function failureOfOne(failure: Failure | undefined): Error {
  if (!failure) return new Error("SQS has neither confirmed nor refused the message.");
  const { Code = "", Message = "", SenderFault } = failure;
  const said = `${Code}: ${Message}`;
  if (!SenderFault || THROTTLED.test(Code)) return new BusyError(`SQS does not take the message now (${said}).`);
  if (TOO_LARGE.test(Message)) return tooLarge(undefined, QUEUE_LIMIT, new Error(said));
  if (Code.includes("InvalidMessageContents")) return new PermanentError(`SQS never takes this message (${said}).`);
  return new Error(`SQS refuses the message (${said}).`);
}

function checkInstalled(): void {
  try {
    require.resolve("@aws-sdk/client-sqs");
  } catch {
    throw new TypeError("sqsEmitter: it needs the package @aws-sdk/client-sqs: npm install @aws-sdk/client-sqs");
  }
}
