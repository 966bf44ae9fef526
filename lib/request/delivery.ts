/**
 * The record of one request: what the steps have found out of it so far, and its one accessor.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Message, MessageSender } from "../message";
import type { WebhookError } from "../errors";
import { aborted } from "./arrival";
import { RequestBody, type Body, type LoadedBody } from "./body";
import { DEFAULT_LIMITS, type BodyLimits } from "./body-limits";
import { codingsOf, DEFAULT_CODINGS, type ContentCoding } from "./content-coding";
import { isJsonMediaType, parseContentType, type ContentType } from "./content-type";
import { framingOf, type Framing } from "./field-lines";
import { Holds } from "./holds";
import { Lifetime } from "./lifetime";
import { consoleLogger } from "./logger";
import { notPromised } from "./not-promised";
import { isObserved, publish, type Observers, type Outcome } from "./outcome";
import type { SourceTraits } from "./source";

/** Credentials and user by their shape: two copies of the package get on. */
export type Pair = readonly [
  credentials: { readonly scopes: readonly string[] },
  user: { readonly isAuthenticated: boolean; readonly displayName?: string },
];

/** One request on its way through the steps, as the app's own handlers see it. */
export type Delivery<Payload = unknown> = {
  /** The body, read on demand. */
  readonly body: Body;
  /** What the authenticator returned. Absent before it has run, and where it accepted an anonymous sender. */
  readonly pair: Pair | undefined;
  /** The message, once it is made. */
  readonly message: Message<Payload> | undefined;
  /** How the request ended, once it has. */
  readonly outcome: Outcome | undefined;
  /** When the first step saw the request. */
  readonly receivedAt: Date;
  /** Fires when the request's budget of time is spent, or the sender has gone before the message was emitted. */
  readonly signal: AbortSignal;
};

/** What a node lends to each of its requests. */
export type Surroundings = Observers & {
  readonly name: string;
  readonly deadlineMs: number;
};

const ALONE: Surroundings = { name: "webhook", deadlineMs: 10_000, logger: consoleLogger };

const unbounded = (): undefined => undefined;

export class DeliveryRecord implements Delivery {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly surroundings: Surroundings;
  readonly lifetime: Lifetime;
  readonly receivedAt = new Date();
  /** What bounds the body. `decompress` sets them; without it the defaults hold. */
  limits: BodyLimits = DEFAULT_LIMITS;
  source: SourceTraits | undefined;
  pair: Pair | undefined;
  /** The body, once a step has read it. */
  loaded: LoadedBody | undefined;
  message: Message | undefined;
  outcome: Outcome | undefined;
  /** An answer was begun: no step after this one is to run. */
  isAnswered = false;
  /** Reserves room for octets that are kept. `admission` sets it. */
  reserve: (bytes: number) => WebhookError | undefined = unbounded;
  /** The source's proof was missing or wrong, and the node only reports that. */
  isUnverified = false;
  #body: RequestBody | undefined;
  #contentType: ContentType | undefined | null = null;
  #codings: readonly ContentCoding[] | undefined;
  #framing: Framing | undefined;
  /** From here on the sender may go: the message is on its way. */
  #isEmitting = false;
  #isDone = false;
  #whenDone: (() => void)[] | undefined;
  readonly #holds = new Holds();
  readonly #entered: [step: string, at: number][] | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, surroundings: Surroundings) {
    this.request = request;
    this.response = response;
    this.surroundings = surroundings;
    this.lifetime = new Lifetime(surroundings.deadlineMs);
    this.#entered = isObserved(surroundings) ? [] : undefined;
    response.on("close", () => this.#closed());
    // A response that was closed before the first step ran will not say so again.
    if (response.destroyed) this.#closed();
  }

  get body(): RequestBody {
    return (this.#body ??= new RequestBody(this));
  }

  /** Reads the body for the steps. Its payload is JSON, or what the source makes of text in another media type. */
  load(): Promise<LoadedBody> {
    const mediaType = this.contentType?.mediaType;
    const isForm = this.source?.payloadOf && mediaType !== undefined && !isJsonMediaType(mediaType);
    return isForm ? this.#loadForm(mediaType) : this.body.load();
  }

  async #loadForm(mediaType: string): Promise<LoadedBody> {
    const octets = await this.body.bytes();
    const text = await this.body.text();
    return { octets, text, payload: this.source?.payloadOf?.({ text, mediaType }) };
  }

  /** What the body failed with, if it was read and failed. */
  get bodyFailure(): WebhookError | undefined {
    return this.#body?.failure;
  }

  /** Whether nothing of the body is left on the connection. */
  get isBodyTaken(): boolean {
    return this.request.complete || this.#body?.isTaken === true;
  }

  /** The `Content-Type` field, read once; `undefined` if it is absent or malformed. */
  get contentType(): ContentType | undefined {
    if (this.#contentType === null) this.#contentType = parseContentType(this.request.headers["content-type"]);
    return this.#contentType;
  }

  /** The content codings of the body, read once, unless `decompress` has done so. */
  get codings(): readonly ContentCoding[] {
    return (this.#codings ??= codingsOf(this.request, DEFAULT_CODINGS));
  }

  set codings(codings: readonly ContentCoding[]) {
    this.#codings = codings;
  }

  /** How the body is delimited, read once. */
  get framing(): Framing {
    return (this.#framing ??= framingOf(this.request));
  }

  get signal(): AbortSignal {
    return this.lifetime.signal;
  }

  get sender(): MessageSender | undefined {
    if (!this.pair) return undefined;
    const [{ scopes }, { displayName }] = this.pair;
    return typeof displayName === "string" ? { name: displayName, scopes } : { scopes };
  }

  /** Notes that a step begins, and when, where somebody wants to know. */
  enter(step: string): void {
    this.lifetime.step = step;
    this.#entered?.push([step, performance.now()]);
  }

  /** Writes how the request ended. What comes second changes nothing. */
  end(ending: Omit<Outcome, "node" | "source" | "receivedAt" | "durationMs" | "durations">): void {
    if (this.outcome) return;
    const endedAt = performance.now();
    const { surroundings, receivedAt, lifetime } = this;
    const durationMs = endedAt - lifetime.startedAt;
    const outcome: { -readonly [Member in keyof Outcome]: Outcome[Member] } = {
      ...ending,
      node: surroundings.name,
      receivedAt,
      durationMs,
    };
    if (hasNoMessage(ending)) Object.assign(outcome, this.#claims());
    if (this.source) outcome.source = this.source.name;
    if (this.#entered) outcome.durations = durations(this.#entered, endedAt);
    this.outcome = outcome;
    publish(outcome, surroundings);
  }

  /** What is known of a delivery that did not arrive: of its message, or as its header fields say. */
  #claims(): Claims | undefined {
    return this.message ? claimsOf(this.message) : this.source && claimsBefore(this.source, this.request);
  }

  /** The emitter's part begins: a sender that goes away meanwhile does not stop it. */
  beginEmitting(): void {
    this.#isEmitting = true;
  }

  /** The emitter's part is over, whatever came of it. */
  endEmitting(): void {
    this.#isEmitting = false;
    if (this.response.destroyed) this.#done();
  }

  /** Calls back once nothing of the request is under way any more, now if that is so already. */
  whenDone(callback: () => void): void {
    if (this.#isDone) callback();
    else if (this.#whenDone) this.#whenDone.push(callback);
    else this.#whenDone = [callback];
  }

  /** Work that may go on when the request is over, and keeps its octets until it settles. */
  hold(work: Promise<unknown>): void {
    this.#holds.add(work);
  }

  /** Calls back once nothing holds the octets of the request any more, now if that is so already. */
  whenReleased(callback: () => void): void {
    this.#holds.whenReleased(callback);
  }

  #closed(): void {
    if (this.#isEmitting) return;
    if (this.response.writableFinished) this.end(this.#answeredByOthers());
    else this.#abort(aborted());
    this.#done();
  }

  #abort(gone: WebhookError): void {
    this.lifetime.end(gone);
    this.end({ kind: "aborted", status: gone.status, code: gone.code, detail: gone.message });
  }

  /** The end of a request that the app's own handler has answered. */
  #answeredByOthers(): Pick<Outcome, "kind" | "status"> {
    const { statusCode: status } = this.response;
    return { kind: status < 400 ? "answered" : status < 500 ? "refused" : "failed", status };
  }

  #done(): void {
    this.lifetime.close();
    this.#isDone = true;
    const callbacks = this.#whenDone;
    this.#whenDone = undefined;
    callbacks?.forEach((callback) => callback());
    this.#holds.done();
  }
}

function hasNoMessage({ kind, messages }: Pick<Outcome, "kind" | "messages">): boolean {
  return kind !== "delivered" && kind !== "duplicate" && messages === undefined;
}

type Claims = { readonly deliveryId?: string; readonly eventType?: string };

function claimsOf({ deliveryId, eventType }: { deliveryId?: unknown; eventType?: unknown }): Claims {
  return {
    ...(typeof deliveryId === "string" && { deliveryId }),
    ...(typeof eventType === "string" && { eventType }),
  };
}

/** What a source finds out of header fields alone, of a delivery whose body is not to be trusted, or was never read. */
function claimsBefore(source: SourceTraits, request: IncomingMessage): Claims {
  const facts = { request, payload: undefined, octets: NOTHING };
  try {
    return claimsOf({
      deliveryId: notPromised("deliveryId", source.deliveryId?.(facts)),
      eventType: notPromised("eventType", source.eventType?.(facts)),
    });
  } catch {
    return {};
  }
}

const NOTHING = Buffer.alloc(0);

function durations(entered: readonly [step: string, at: number][], endedAt: number): Record<string, number> {
  const spent: Record<string, number> = {};
  entered.forEach(([step, at], index) => {
    spent[step] = (spent[step] ?? 0) + ((entered[index + 1]?.[1] ?? endedAt) - at);
  });
  return spent;
}

// On the request itself: whatever stands in a WeakMap outlives the collections of the young, with all that it leads to.
const RECORD = Symbol("delivery");
type Recorded = { [RECORD]?: DeliveryRecord };

/** The record of a request, begun by the first step that asks. */
export function recordOf(
  request: IncomingMessage,
  response: ServerResponse,
  surroundings: Surroundings = ALONE,
): DeliveryRecord {
  return ((request as Recorded)[RECORD] ??= new DeliveryRecord(request, response, surroundings));
}

/**
 * The delivery that a request carries, for an app's own handlers below the steps.
 *
 * @throws TypeError if no step of this package has run on the request.
 */
export function delivery<Payload = unknown>(request: IncomingMessage): Delivery<Payload> {
  const record = (request as Recorded)[RECORD];
  if (record) return record as Delivery<Payload>;
  throw new TypeError(
    "delivery(req): no step has run on this request; mount contentTypeGate(), authenticate() or another before the handler.",
  );
}
