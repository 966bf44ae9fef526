/**
 * The context of a node: one object for its life, handed to its functions at each call.
 *
 * @module
 */
import type { Logger } from "../request/logger";

/** What a node's functions share. State that they set on it is there at the next call. */
export type Context<Config = Readonly<Record<string, unknown>>> = {
  /** The node's configuration. Read only. */
  readonly config: Config;
  /** The node's logger. */
  readonly logger: Logger;
  /** The node's name. */
  readonly node: string;
  [state: string]: unknown;
};

export type ContextOptions = {
  /**
   * What the node's functions read as `context.config`.
   *
   * @defaultValue `{}`
   */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
};

/** Makes a node's context. The configuration is copied, so that changing the object later changes nothing. */
export function makeContext(node: string, logger: Logger, config: Readonly<Record<string, unknown>> = {}): Context {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new TypeError("config: it must be an object.");
  }
  return { config: Object.freeze({ ...config }), logger, node };
}
