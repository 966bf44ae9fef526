/**
 * What an emitter is given besides the message.
 *
 * @module
 */
import type { EmitContext } from "../message";
import { lazyMembers } from "../request/lazy";
import type { Lifetime } from "../request/lifetime";

const withSignal = lazyMembers<Lifetime, Pick<EmitContext, "signal">>({ signal: (lifetime) => lifetime.signal });

/** The context of an attempt: its signal is made when it is asked for. `error` is why a message goes to the dead letters. */
export function emitContext(lifetime: Lifetime, error?: unknown): EmitContext {
  return withSignal(error === undefined ? {} : { error }, lifetime);
}
