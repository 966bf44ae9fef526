/**
 * Step: makes the message, hands it to the emitter, and answers once the emitter has it.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { answer } from "../request/answer";
import type { Outcome } from "../request/outcome";
import { checkFunction, checkOptions, eitherOf, shown, text } from "../request/options";
import { step, type Step } from "../request/step";
import { compileMessageType, type CompiledMessageType } from "./compile-message-type";
import { confirmAll } from "./confirm";
import type { Confirmation } from "./confirmation";
import { deduplicator, type DeduplicateOptions } from "./deduplicate";
import { makeMessage, type MessageParts } from "./message";
import type { MessageType } from "./message-type";
import { splitter, type SplitOptions } from "./split";
import { successAnswer, type SuccessOptions } from "./success";
import { trackingId } from "./tracking-id";
import { validateAll, type Validated } from "./validate";

export type EmitOptions<Payload = unknown> = SuccessOptions<Payload> &
  SplitOptions<Payload> & {
    /** Sends a message on. The sender gets its 200 if, and only if, the promise resolves in time. */
    readonly emitter: Emitter<Payload>;
    /**
     * Takes the messages that the emitter refuses with a `PermanentError`. The sender gets its 200 once this one has
     * confirmed. Without it, such a message is 422.
     */
    readonly deadLetter?: Emitter<Payload> | undefined;
    /**
     * The ordering key of messages: those with the same one keep their order where the broker keeps any.
     *
     * @defaultValue none, so that a broker may spread the load
     */
    readonly groupId?: string | ((message: Message<Payload>) => string | undefined) | undefined;
    /**
     * The type that messages have: a message type, or the name of one of the system's or of the tenant's library.
     *
     * @defaultValue `"echo.json"`
     */
    readonly messageType?: string | MessageType<Payload> | CompiledMessageType | undefined;
    /**
     * What becomes of a payload that breaks its type's schema: `ERR_WEBHOOK_SCHEMA` (422, with `errors`), or a message with
     * `schemaIssues` (`"emit"`), for a provider whose drift must not cost deliveries.
     *
     * @defaultValue `"refuse"`
     */
    readonly onInvalid?: "refuse" | "emit" | undefined;
    /**
     * Emits the same message once within a window: `{ store: memoryDeduplication() }`. A duplicate is answered as the first
     * one was, with its tracking id. If the store fails, the delivery is 503.
     *
     * @defaultValue none: what is delivered twice is emitted twice, with the same `key`
     */
    readonly deduplicate?: DeduplicateOptions<Payload> | undefined;
    /**
     * Told of each message that was confirmed, once its sender was answered: what `auditTrail()` makes. Of one that is confirmed
     * after that, it is told then.
     */
    readonly audit?: ((message: Message) => void) | undefined;
    /**
     * Header fields that messages carry, besides trace context (`traceparent`, `tracestate`). `Authorization` and `Cookie`
     * are among them only if named here.
     *
     * @defaultValue `[]`
     */
    readonly fields?: readonly string[] | undefined;
  };

type Ending = { -readonly [Member in keyof Outcome]?: Outcome[Member] } & Pick<Outcome, "kind" | "status">;

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
  const emitter = checkEmitter("emitter", options.emitter);
  const deadLetter = options.deadLetter === undefined ? undefined : checkEmitter("deadLetter", options.deadLetter);
  const { messageType: type = "echo.json", onInvalid = "refuse", audit } = options;
  const { name: messageType, validate } = compileMessageType(type);
  const isEmitted = eitherOf("onInvalid", onInvalid, "refuse", "emit") === "emit";
  if (audit !== undefined) checkFunction("audit", audit);
  const deduplicate =
    options.deduplicate === undefined ? undefined : deduplicator(options.deduplicate as DeduplicateOptions);
  const ports = { emitter, deadLetter, deduplicate, audit };
  const fields = fieldNames(options.fields);
  const groupOf = groupFunction(options.groupId as EmitOptions["groupId"]);
  const itemsOf = splitter(options);
  const answerTo = successAnswer(options as EmitOptions);

  return step(async function emit(record) {
    const { lifetime, source, request } = record;
    const { payload, octets, text } = (record.loaded ??= await record.load());
    const delivered: MessageParts = {
      payload,
      octets,
      body: text,
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

    const items = itemsOf(delivered, source);
    const of = items ? trackingId() : undefined;
    const make = (one: Validated, index: number): Message =>
      makeMessage({ ...delivered, ...one, ...(of !== undefined && { item: { of, index } }) }, groupOf);
    const messages = validate
      ? (await validateAll(items ?? [payload], validate, record, { isSplit: items !== undefined, isEmitted })).map(make)
      : (items?.map((item, index) => make({ payload: item }, index)) ?? [makeMessage(delivered, groupOf)]);
    record.message = messages[0];

    const told = of ?? (messages[0] as Message).trackingId;
    const confirmations = await confirmAll(messages, told, record, ports);
    const { id, fresh } = deduplicated(messages, confirmations, told);
    const success = answerTo(record, id, fresh.length > 0 || messages.length === 0 ? fresh : messages);
    const ending: Ending = {
      kind: messages.length === 0 ? "answered" : fresh.length === 0 ? "duplicate" : "delivered",
      status: success.status,
      trackingId: id,
    };
    if (of !== undefined) ending.messages = fresh.length;
    else addFacts(ending, messages[0] as Message);
    addDeadLetter(ending, confirmations);
    record.end(ending);
    answer(record, success);
    lifetime.close();
  });
}

function checkEmitter(word: string, emitter: unknown): Emitter {
  if (Array.isArray(emitter))
    throw new TypeError(`${word}: an array is not a function; fanOut(a, b) makes one emitter of several.`);
  return checkFunction(word, emitter) as Emitter;
}

/** The messages that were not there before. If all were, the sender is told the first one's tracking id. */
function deduplicated(
  messages: readonly Message[],
  confirmations: readonly Confirmation[],
  told: string,
): { readonly id: string; readonly fresh: readonly Message[] } {
  if (confirmations.every(({ duplicateOf }) => duplicateOf === undefined)) return { id: told, fresh: messages };
  const fresh = messages.filter((_, index) => confirmations[index]?.duplicateOf === undefined);
  return { id: fresh.length > 0 ? told : (confirmations[0]?.duplicateOf ?? told), fresh };
}

/** What the outcome tells of messages that the emitter has refused for good. */
function addDeadLetter(ending: Ending, confirmations: readonly Confirmation[]): void {
  const dead = confirmations.find(({ isDeadLetter }) => isDeadLetter);
  if (dead) Object.assign(ending, { isDeadLetter: true, error: dead.error });
}

function addFacts(ending: Ending, { deliveryId, eventType, isUnverified }: Message): void {
  if (deliveryId !== undefined) ending.deliveryId = deliveryId;
  if (eventType !== undefined) ending.eventType = eventType;
  if (isUnverified) ending.isUnverified = true;
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
