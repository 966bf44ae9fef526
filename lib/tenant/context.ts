/**
 * The context of a node: one object for its life, handed to its functions at each call.
 *
 * @module
 */
import type { Logger } from "../request/logger";
import { bulkDataHandler, type HandleBulkData } from "./bulk-data";
import { frozenConfig, type Config } from "./config";
import { createLock, type Lock } from "./lock";
import { functionLogger, type LoggingLevel } from "./logger";
import type { Tenant } from "./tenant";

/** Attributes of any name and value: what functions may set where the app does not say which there are. */
export type AnyState = { [name: string]: unknown };

/**
 * What the functions of a node share, and those of no other node: what is set on it is there at the next call.
 *
 * `State` types the attributes that an app adds. It may also say more of `config` and `table`.
 *
 * @example
 * ```ts
 * type Shop = Context<{ keys?: KeySet; readonly config: { readonly keysUrl: string } }>;
 *
 * const authenticator: Authenticator<Shop> = async ({ context, request }) => {
 *   await context.withLock(async () => { context.keys ??= await loadKeys(context.config.keysUrl); });
 *   ...
 * };
 * ```
 */
export type Context<State extends object = AnyState> = ContextMembers & {
  // Mapped, so that an authenticator that takes any context tells the compiler nothing of this one's state.
  [Name in keyof State]: State[Name];
};

/** The members that every context has. None of them can be replaced. */
export type ContextMembers = Lock & {
  /** The tenant's configuration and the node's, the node's keys first. Copied, and frozen at every depth. */
  readonly config: Config;
  /** The app's logger, with the node's name on each line, from `loggingLevel` on. */
  readonly logger: Logger;
  /** The node's name. */
  readonly node: string;
  /** The tenant's name. */
  readonly tenant: string;
  /** The tenant's table: an object of the app's. */
  readonly table: unknown;
  /**
   * Compresses data, stores it where the tenant's `bulkStore` says, and resolves to its URL once it is there for good.
   *
   * @throws TypeError without a `bulkStore`, and for data that is neither octets, nor text, nor a stream of them. What
   * storing fails with is passed on, and nothing is left behind.
   */
  readonly handleBulkData: HandleBulkData;
};

/** The table that a state asks for, so that a tenant with another one is refused by the compiler. */
type TableOf<State> = State extends { readonly table: infer Table } ? Table : unknown;

export type ContextOptions<State extends object = AnyState> = {
  /**
   * What the node shares with others.
   *
   * @defaultValue a tenant to itself, with the name `"default"`
   */
  readonly tenant?: Tenant<TableOf<State>> | undefined;
  /**
   * What the node's functions read as `context.config`, besides the tenant's.
   *
   * @defaultValue `{}`
   */
  readonly config?: Config | undefined;
  /**
   * The least severe level that `context.logger` lets through.
   *
   * @defaultValue what the app's logger lets through by itself, or `"INFO"` where the app has none
   */
  readonly loggingLevel?: LoggingLevel | undefined;
};

/** The words of these options. No step knows them. */
export const CONTEXT_WORDS = ["config", "loggingLevel", "tenant"] as const;

export type ContextParts = {
  /** The node's name. */
  readonly node: string;
  readonly tenant: Tenant;
  readonly config?: Config | undefined;
  readonly logger: Logger;
  readonly loggingLevel?: LoggingLevel | undefined;
};

/** Makes a node's context. @throws TypeError at start, for a wrong option. */
export function makeContext<State extends object>({ node, tenant, ...parts }: ContextParts): Context<State> {
  const names = { tenant: tenant.name, node };
  const members: ContextMembers = {
    config: frozenConfig({ ...tenant.config, ...frozenConfig(parts.config) }),
    logger: functionLogger(parts.logger, names, parts.loggingLevel),
    ...names,
    table: tenant.table,
    handleBulkData: bulkDataHandler(tenant.bulkStore, names),
    ...createLock(),
  };
  const context = {};
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(context, name, { value, enumerable: true });
  return context as Context<State>;
}
