/**
 * What an emitter is given besides the message.
 *
 * @module
 */
import type { EmitContext } from "../message";
import { lazyMembers } from "../request/lazy";
import type { Lifetime } from "../request/lifetime";

const withSignal = lazyMembers<Lifetime, EmitContext>({ signal: (lifetime) => lifetime.signal });

/** The context of an attempt: its signal is made when it is asked for. */
export function emitContext(lifetime: Lifetime): EmitContext {
  return withSignal({}, lifetime);
}
