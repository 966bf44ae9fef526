/**
 * What an authenticator is. Types alone.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Body } from "../request/body";
import type { Pair } from "../request/delivery";
import type { SourceTraits } from "../request/source";

/** A request as Express 4 and 5 both make it: Node's own, and the members of Express's that senders are known by. */
export type WebhookRequest = IncomingMessage & {
  /** A header field by its name, in any case. */
  get(name: string): string | undefined;
  /** The parameters of the path that the node is mounted at, such as `tenant` of `/hooks/:tenant`. */
  readonly params: Readonly<Record<string, string | string[] | undefined>>;
  /** The request's target as it came, mount path and query included. */
  readonly originalUrl: string;
  /** The client's address, by the app's own `trust proxy`. */
  readonly ip?: string | undefined;
  /** `http` or `https`, by the app's own `trust proxy`. */
  readonly protocol: string;
};

/** What an authenticator is called with. More may be added; take what you need by name. */
export type AuthenticatorArguments<Context = unknown> = {
  /** The node's context: one object for its life, so what is set on it is there at the next call. */
  readonly context: Context;
  /** The request, with nothing of its body read. */
  readonly request: WebhookRequest;
  /** The body, read when first asked for, once, within the node's limits. */
  readonly body: Body;
  /** Fires when the request's time is over or its sender has gone. */
  readonly signal: AbortSignal;
};

/** What an authenticator returns: credentials and a user, or `null` for a sender that nobody has asked who it is. */
export type AuthenticatorResult = Pair | null;

/** Tells who sent a request, or throws. A missing or wrong proof is an `HTTPException` with status 401. */
export type Authenticator<Context = unknown> = (
  args: AuthenticatorArguments<Context>,
) => AuthenticatorResult | Promise<AuthenticatorResult>;

/** An authenticator that is made of others. It bears its maker's name. */
export type NamedAuthenticator<Context = unknown> =
  // An intersection: where one form of a function returns a mere function, the compiler infers nothing from any of its forms.
  Authenticator<Context> & { readonly name: string };

/**
 * A ready-made authenticator, with what belongs to its provider. `Event` types the payload of a node's messages; where it is
 * `unknown`, as in `github({ secrets })`, that is left to the node's message type and emitter.
 */
export type Source<Event = unknown, Context = unknown> = SourceTraits<Event> & {
  readonly authenticator: Authenticator<Context>;
  /** For the compiler alone: what the payload is typed by. No source has it at run time. */
  readonly "~payload"?: (payload: unknown) => unknown extends Event ? never : Event;
};

/** A source for a node whose messages have this payload: one that is typed by it, or by nothing. */
export type SourceFor<Payload, Context = unknown> = SourceTraits & {
  readonly authenticator: Authenticator<Context>;
  readonly "~payload"?: (payload: Payload) => Payload;
};
