/**
 * Step: makes the message, hands it to the emitter, and answers once the emitter has it.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";
import type { EmitContext, Emitter, Message } from "../message";
import { answer, type Answer } from "../request/answer";
import type { DeliveryRecord } from "../request/delivery";
import { logError } from "../request/logger";
import type { Outcome } from "../request/outcome";
import { checkFunction, checkOptions, shown, text } from "../request/options";
import { answerOf, jsonContent } from "../request/source";
import { step, type Step } from "../request/step";
import { makeMessage } from "./message";
import { isPermanent } from "./permanent-error";
import { trackingId } from "./tracking-id";

export type EmitOptions<Payload = unknown> = {
  /** Sends a message on. The sender gets its 200 if, and only if, the promise resolves in time. */
  readonly emitter: Emitter<Payload>;
  /**
   * Takes the messages that the emitter refuses with a `PermanentError`. The sender gets its 200 once this one has
   * confirmed. Without it, such a message is 422.
   */
  readonly deadLetter?: Emitter<Payload> | undefined;
  /**
   * The status of a delivery that is confirmed, 200 to 299. Some senders take none but 200 for success.
   *
   * @defaultValue `200`
   */
  readonly status?: number | undefined;
  /**
   * The content of the answer to a delivery that is confirmed: a value sent as JSON, or `undefined` for no content.
   *
   * @defaultValue `(message) => ({ trackingId: message.trackingId })`
   */
  readonly respond?: ((message: Message<Payload>) => unknown) | undefined;
  /**
   * The ordering key of messages: those with the same one keep their order where the broker keeps any.
   *
   * @defaultValue none, so that a broker may spread the load
   */
  readonly groupId?: string | ((message: Message<Payload>) => string | undefined) | undefined;
  /**
   * Makes several messages of one delivery: `true` for each item of a top-level array, or a function from the payload to
   * its items, or to `undefined` for one that is whole. Each has its own tracking id and key; the delivery is acknowledged
   * when all are confirmed.
   *
   * @defaultValue `false`, or as the source has it
   */
  readonly split?: boolean | ((payload: unknown) => readonly Payload[] | undefined) | undefined;
  /**
   * The name of the type that messages have.
   *
   * @defaultValue `"echo.json"`
   */
  readonly messageType?: string | undefined;
  /**
   * Header fields that messages carry, besides trace context (`traceparent`, `tracestate`). `Authorization` and `Cookie`
   * are among them only if named here.
   *
   * @defaultValue `[]`
   */
  readonly fields?: readonly string[] | undefined;
};

const TRACE_CONTEXT = ["traceparent", "tracestate"]; // W3C Trace Context

/**
 * Creates the step that emits. It needs `authenticate` before it; without `jsonPayload` it parses the body itself.
 *
 * An emitter that fails, or returns anything but a promise, is answered with `ERR_WEBHOOK_EMIT`, one that has not settled
 * in time with `ERR_WEBHOOK_DEADLINE`: 503 with `Retry-After`, so that the sender tries again.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function emit<Payload = unknown>(options: EmitOptions<Payload>): Step {
  checkOptions("emit", options);
  const emitter = checkFunction("emitter", options.emitter) as Emitter;
  const deadLetter = options.deadLetter && (checkFunction("deadLetter", options.deadLetter) as Emitter);
  const messageType = text("messageType", options.messageType ?? "echo.json");
  const fields = fieldNames(options.fields);
  const groupOf = groupFunction(options.groupId as EmitOptions["groupId"]);
  const split = splitFunction(options.split);
  const answerTo = successAnswer(options as EmitOptions);

  return step(async function emit(record) {
    const { body, lifetime, source, request } = record;
    const payload = await record.payload();
    const delivered = {
      payload,
      octets: await body.bytes(),
      body: await body.text(),
      messageType,
      fields,
      node: record.surroundings.name,
      request,
      receivedAt: record.receivedAt,
      contentType: record.contentType,
      sender: record.sender,
      source,
      isUnverified: record.isUnverified,
    };
    // Nothing is emitted for a sender that has gone already: it will send again.
    if (lifetime.over) throw lifetime.over;

    const items = split?.(payload) ?? source?.split?.(payload);
    const of = items ? trackingId() : undefined;
    const messages = items
      ? items.map((item, index) =>
          makeMessage({ ...delivered, payload: item, item: { of: of as string, index } }, groupOf),
        )
      : [makeMessage(delivered, groupOf)];
    record.message = messages[0];

    const deadLetters = await record.emitting(() => confirmAll(messages, record, emitter, deadLetter));
    const success = answerTo(record, of ?? (messages[0] as Message).trackingId, messages);
    record.end({
      kind: messages.length === 0 ? "answered" : "delivered",
      status: success.status,
      ...outcomeOf(messages, of),
      ...(deadLetters > 0 && { isDeadLetter: true }),
    });
    answer(record, success);
    lifetime.close();
  });
}

function outcomeOf(messages: readonly Message[], of: string | undefined): Partial<Outcome> {
  if (of !== undefined) return { trackingId: of, messages: messages.length };
  const { trackingId: id, deliveryId, eventType, isUnverified } = messages[0] as Message;
  return {
    trackingId: id,
    ...(deliveryId !== undefined && { deliveryId }),
    ...(eventType !== undefined && { eventType }),
    ...(isUnverified && { isUnverified }),
  };
}

/** Resolves once all messages of a delivery are confirmed, to how many went to the dead letters. */
async function confirmAll(
  messages: readonly Message[],
  record: DeliveryRecord,
  emitter: Emitter,
  deadLetter: Emitter | undefined,
): Promise<number> {
  if (messages.length === 1) return Number(await confirm(messages[0] as Message, record, emitter, deadLetter));
  // Handed over in order, and awaited together: the delivery is acknowledged only when all are confirmed.
  const settled = await Promise.allSettled(messages.map((message) => confirm(message, record, emitter, deadLetter)));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return settled.filter((one) => one.status === "fulfilled" && one.value).length;
}

/** Resolves once the message is confirmed, to whether it went to the dead letters. */
async function confirm(
  message: Message,
  record: DeliveryRecord,
  emitter: Emitter,
  deadLetter: Emitter | undefined,
): Promise<boolean> {
  try {
    await settle("emitter", emitter, message, record);
    return false;
  } catch (error) {
    if (!isPermanent(error)) throw emitFailure(error);
    if (!deadLetter) {
      throw new WebhookError("ERR_WEBHOOK_MESSAGE_REFUSED", "The delivery was understood, and will not be taken.", {
        advice: "The emitter threw a PermanentError, and the node has no deadLetter to keep the message.",
        cause: error,
      });
    }
  }
  try {
    await settle("deadLetter", deadLetter, message, record);
    return true;
  } catch (error) {
    throw emitFailure(error);
  }
}

async function settle(port: string, emitter: Emitter, message: Message, { lifetime }: DeliveryRecord): Promise<void> {
  const context: EmitContext = {
    get signal() {
      return lifetime.signal;
    },
  };
  const returned: unknown = emitter(message, context);
  if (typeof (returned as { then?: unknown } | null | undefined)?.then !== "function") {
    throw new WebhookError("ERR_WEBHOOK_EMIT", "The delivery could not be taken now; send it again.", {
      headers: retryAfter(),
      advice: `The ${port} returned ${shown(returned)}, and no promise, so nothing tells when the message is safe: is an "await" or "async" missing?`,
    });
  }
  await lifetime.race(returned as Promise<unknown>);
}

/** What a failure of an emitter comes to: 503, with the time to wait that it asks for. */
function emitFailure(error: unknown): unknown {
  let seconds: unknown;
  try {
    if (error instanceof WebhookError) return error;
    seconds = (error as { retryAfterSeconds?: unknown } | null | undefined)?.retryAfterSeconds;
  } catch {
    // A member that throws when it is looked at changes nothing: the emitter has failed.
  }
  return new WebhookError("ERR_WEBHOOK_EMIT", "The delivery could not be taken now; send it again.", {
    headers: retryAfter(typeof seconds === "number" && seconds > 0 ? seconds : 1),
    cause: error,
  });
}

type SuccessAnswer = (record: DeliveryRecord, id: string, messages: readonly Message[]) => Answer;

function successAnswer({ status, respond }: EmitOptions): SuccessAnswer {
  if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 299)) {
    throw new TypeError(`status: ${shown(status)} is not a status from 200 to 299.`);
  }
  if (respond !== undefined) checkFunction("respond", respond);

  return function answerTo({ source, surroundings }, id, [message]) {
    const wanted = answerOf({ body: { trackingId: id }, ...source?.success, ...(status !== undefined && { status }) });
    if (!respond || !message) return wanted;
    // The message is safe, so the sender gets its 2xx, whatever becomes of the words.
    try {
      return { ...wanted, content: jsonContent(notPromised(respond(message))) };
    } catch (error) {
      logError(surroundings.logger, `webhook ${surroundings.name}: respond has thrown`, error);
      return wanted;
    }
  };
}

/** @throws TypeError for a promise, whose rejection nobody would catch. */
function notPromised(value: unknown): unknown {
  if (typeof (value as { then?: unknown } | null | undefined)?.then !== "function") return value;
  (value as PromiseLike<unknown>).then(null, () => {});
  throw new TypeError("respond: it returned a promise; the answer goes out at once, so it must return a value.");
}

function splitFunction(
  split: EmitOptions["split"],
): ((payload: unknown) => readonly unknown[] | undefined) | undefined {
  if (split === undefined) return undefined;
  if (split === true) return (payload) => (Array.isArray(payload) ? (payload as readonly unknown[]) : undefined);
  return split === false ? () => undefined : checkFunction("split", split);
}

function groupFunction(groupId: EmitOptions["groupId"]): ((message: Message) => string | undefined) | undefined {
  if (groupId === undefined || typeof groupId === "function") return groupId;
  const group = text("groupId", groupId);
  return () => group;
}

function fieldNames(fields: readonly string[] = []): readonly string[] {
  if (!Array.isArray(fields)) throw new TypeError(`fields: ${shown(fields)} is not a list of header field names.`);
  const names = (fields as readonly string[]).map((name) => text("fields", name).toLowerCase());
  return [...new Set([...TRACE_CONTEXT, ...names])];
}
