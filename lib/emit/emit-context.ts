/**
 * What an emitter is given besides the message.
 *
 * @module
 */
import type { EmitContext } from "../message";
import type { Lifetime } from "../request/lifetime";

/** The context of an attempt. `error` is why a message goes to the dead letters. */
export function emitContext(lifetime: Lifetime, error?: unknown): EmitContext {
  return error === undefined ? new Attempt(lifetime) : Object.assign(new Attempt(lifetime), { error });
}

/** Most emitters do not ask for the signal, which costs more than all else that they are given: it is made when one does. */
class Attempt implements EmitContext {
  readonly #lifetime: Lifetime;

  constructor(lifetime: Lifetime) {
    this.#lifetime = lifetime;
  }

  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }
}
