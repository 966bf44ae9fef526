/**
 * What is known of an AMQP channel: what it has not confirmed yet, and whether the broker takes anything at all.
 *
 * @module
 */
import { errorMonitor, type EventEmitter } from "node:events";
import { answersOf } from "./answers";
import { BusyError } from "./busy-error";

/** What is told of a message, in the words of `amqplib`. */
export type AmqpProperties = {
  mandatory: boolean;
  persistent: boolean;
  messageId: string;
  contentType: string | undefined;
  timestamp: number;
  headers: Record<string, string>;
};

/** What is called on the channel that `connection.createConfirmChannel()` of `amqplib` resolves to. */
export type ConfirmChannelLike = {
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: object,
    confirmed: (error: unknown) => void,
  ): boolean;
  /** Not called: it tells a channel with confirms from one without. */
  waitForConfirms(): Promise<unknown>;
  readonly on: EventEmitter["on"];
  /** The connection, which tells when the broker blocks it. */
  readonly connection?: unknown;
};

export type Publication = {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: AmqpProperties;
  readonly content: Buffer;
};

/** One for all emitters that use a channel. */
export type Line = {
  /** The most octets of a frame. */
  readonly frameMax: number;
  /** @throws BusyError where the channel is closed, or its connection blocked. */
  readonly check: () => void;
  /** Resolves once the broker has confirmed it, and rejects where it has not, was returned, or the time is over. */
  readonly publish: (publication: Publication, timeoutMs: number) => Promise<void>;
};

type Pending = { readonly place: string; isReturned: boolean; readonly settle: (error: unknown) => void };

type Returned = {
  readonly fields: { readonly exchange: string; readonly routingKey: string };
  readonly properties: { readonly messageId: string };
};

/** An exchange that is not there, or not for this user, closes the channel: mistakes in what was set up. */
const SETUP_CODES: readonly unknown[] = [403, 404];

const lines = new WeakMap<ConfirmChannelLike, Line>();

/** The record of a channel. It listens to it from when it is first asked for. */
export function lineOf(channel: ConfirmChannelLike): Line {
  const line = lines.get(channel) ?? newLine(channel);
  lines.set(channel, line);
  return line;
}

function newLine(channel: ConfirmChannelLike): Line {
  const within = answersOf("AMQP: the broker");
  const connection = stateOf(channel.connection);
  const all = new Set<Pending>();
  let isClosed = false;
  let closedBy: (Error & { readonly code?: unknown }) | undefined;

  // https://www.rabbitmq.com/docs/publishers#unroutable: what is returned is so before it is confirmed.
  channel.on("return", ({ fields, properties }: Returned) => {
    const place = placeOf(fields.exchange, fields.routingKey, properties.messageId);
    for (const pending of all) if (pending.place === place) pending.isReturned = true;
  });
  // To listen for `error` itself would keep from the app what it has to know.
  channel.on(errorMonitor, (error: Error) => (closedBy = error));
  channel.on("close", () => {
    isClosed = true;
    for (const pending of all) pending.settle(new Error("the channel is closed"));
  });

  function failure(error: unknown): Error {
    if (closedBy && SETUP_CODES.includes(closedBy.code)) {
      return new Error(`AMQP: ${closedBy.message}.`, { cause: closedBy });
    }
    const cause = closedBy ?? error;
    return new BusyError(`AMQP: the broker did not take the message (${(error as Error).message}).`, { cause });
  }

  function send({ exchange, routingKey, properties, content }: Publication): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const pending: Pending = {
        place: placeOf(exchange, routingKey, properties.messageId),
        isReturned: false,
        settle: (error) => {
          if (!all.delete(pending)) return;
          if (error) reject(failure(error));
          else if (pending.isReturned) reject(unroutable(exchange, routingKey));
          else resolve();
        },
      };
      all.add(pending);
      try {
        channel.publish(exchange, routingKey, content, properties, pending.settle);
      } catch (error) {
        // A channel that was closed before it was first used.
        pending.settle(error);
      }
    });
  }

  return {
    frameMax: connection.frameMax,
    check: () => {
      if (isClosed) throw new BusyError("AMQP: the channel is closed.", { cause: closedBy });
      if (connection.isBlocked) {
        throw new BusyError("AMQP: the broker blocks the connection, as it is short of memory or disk.");
      }
    },
    publish: (publication, timeoutMs) => within(timeoutMs, () => send(publication)),
  };
}

function placeOf(exchange: string, routingKey: string, messageId: string): string {
  return JSON.stringify([exchange, routingKey, messageId]);
}

function unroutable(exchange: string, routingKey: string): Error {
  const where = exchange === "" ? "the default exchange" : `exchange ${exchange}`;
  return new Error(`AMQP: ${where} routes ${JSON.stringify(routingKey)} to no queue: declare one, and bind it.`);
}

/** What is read of the connection of `amqplib`. */
type AmqpConnection = { readonly on: EventEmitter["on"]; readonly blocked?: boolean; readonly frameMax?: number };

type ConnectionState = { isBlocked: boolean; readonly frameMax: number };

const connections = new WeakMap<object, ConnectionState>();

/** The state of a connection, which has one listener however many channels are opened on it. */
function stateOf(connection: unknown): ConnectionState {
  const { on, blocked, frameMax } = (connection ?? {}) as Partial<AmqpConnection>;
  const known = connections.get(connection as object);
  if (known) return known;
  const state = { isBlocked: blocked === true, frameMax: typeof frameMax === "number" ? frameMax : Infinity };
  if (typeof on !== "function") return state;
  connections.set(connection as object, state);
  (connection as AmqpConnection).on("blocked", () => (state.isBlocked = true));
  (connection as AmqpConnection).on("unblocked", () => (state.isBlocked = false));
  return state;
}
