/**
 * A tenant: what nodes share.
 *
 * @module
 */
import { checkLogger, type Logger } from "../request/logger";
import { checkFunction, checkOptions, shown, text } from "../request/options";
import type { MessageTypeLibrary } from "../emit/message-types";
import type { BulkStore } from "./bulk-data";
import { frozenConfig, type Config } from "./config";
import type { FunctionLibrary } from "./functions";

export type TenantOptions<Table = unknown> = {
  /**
   * The tenant's name, in log lines and audit records.
   *
   * @defaultValue `"default"`
   */
  readonly name?: string | undefined;
  /**
   * What the functions of all its nodes read as `context.config`. Where a node's own `config` has the same key, the node's
   * value takes the place of this one, whole.
   *
   * @defaultValue `{}`
   */
  readonly config?: Config | undefined;
  /** The library in which its nodes find functions by name. Closed with the tenant. */
  readonly functions?: FunctionLibrary | undefined;
  /** The library in which its nodes find message types by name. */
  readonly messageTypes?: MessageTypeLibrary | undefined;
  /** What functions read as `context.table`: any object of the app's, which opens and closes it. */
  readonly table?: Table | undefined;
  /** Keeps what functions hand to `context.handleBulkData()`. */
  readonly bulkStore?: BulkStore | undefined;
  /** The logger of those of its nodes that have none of their own. */
  readonly logger?: Logger | undefined;
};

/** What nodes share, made by `createTenant()`. */
export type Tenant<Table = unknown> = Pick<
  TenantOptions<Table>,
  "functions" | "messageTypes" | "table" | "bulkStore" | "logger"
> & {
  readonly name: string;
  /** The tenant's own configuration, which nothing can change. */
  readonly config: Config;
  /** Ends what the tenant does by itself: the watching of its function library. Calling it twice is one closing. */
  readonly close: () => Promise<void>;
};

const WORDS = ["name", "config", "functions", "messageTypes", "table", "bulkStore", "logger"];

/**
 * Creates a tenant, for the option `tenant` of any number of nodes. A node without one has a tenant to itself.
 *
 * @throws TypeError at start, for a wrong option.
 *
 * @example
 * ```ts
 * const tenant = createTenant({ name: "acme", config: { region: "eu" }, table: redis });
 * app.use("/webhooks/orders", createWebhookNode({ tenant, name: "orders", authenticator, emitter }));
 * ```
 */
export function createTenant<Table = unknown>(options: TenantOptions<Table> = {}): Tenant<Table> {
  checkOptions("createTenant", options, WORDS);
  const { name = "default", config, functions, messageTypes, table, bulkStore, logger } = options;
  if (functions !== undefined && typeof (functions as Partial<FunctionLibrary> | null)?.close !== "function") {
    throw new TypeError(`functions: ${shown(functions)} is no function library; make one by createFunctionLibrary().`);
  }
  if (messageTypes !== undefined && typeof (messageTypes as Partial<MessageTypeLibrary> | null)?.get !== "function") {
    throw new TypeError(
      `messageTypes: ${shown(messageTypes)} is no library of message types; make one by createMessageTypes().`,
    );
  }
  if (bulkStore !== undefined) checkFunction("bulkStore", bulkStore);
  if (logger !== undefined) checkLogger(logger);
  let closing: Promise<void> | undefined;

  return Object.freeze({
    name: text("name", name),
    config: frozenConfig(config),
    functions,
    messageTypes,
    table,
    bulkStore,
    logger,
    close: () => (closing ??= (async () => functions?.close())()),
  });
}

/** The tenant of a node: the one given, of another copy of the package too, or one to itself. @throws TypeError at start. */
export function tenantOf(tenant: Tenant = createTenant()): Tenant {
  const { name, config, close } = (tenant ?? {}) as Partial<Tenant>;
  if (typeof name === "string" && typeof config === "object" && typeof close === "function") return tenant;
  throw new TypeError(`tenant: ${shown(tenant)} is no tenant; make one by createTenant({ name }).`);
}
