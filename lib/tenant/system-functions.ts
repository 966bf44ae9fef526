/**
 * The system's functions: authenticators that are made of a node's config, once, when the node is made.
 *
 * @module
 */
import type { Authenticator } from "../authenticate/authenticator";
import { basicAuthenticator, type BasicAuthenticatorOptions, type BasicUsers } from "../authenticate/basic";
import { bearerAuthenticator, type BearerAuthenticatorOptions } from "../authenticate/bearer";
import { hubSignatureAuthenticator, type HubSignatureAuthenticatorOptions } from "../authenticate/hub-signature";
import { shown } from "../request/options";

/** What the system's functions read of a context. */
export type SystemContext = {
  /** Holds the options of a function by its name. `realm` picks one of the realms of `echo.basic`. */
  readonly config: object;
};

/**
 * The options of the system's functions, as a config holds them.
 *
 * @example
 * ```ts
 * createTenant({ config: { "echo.basic": { realms: { orders: { shop: process.env.SHOP_HASH } } } } });
 * createWebhookNode({ config: { "echo.bearer": { tokens: [process.env.TOKEN] } }, authenticator: "echo.bearer", emitter });
 * ```
 */
export type SystemConfig = {
  /** The options of `basicAuthenticator`, but with users by realm. */
  readonly "echo.basic"?: Omit<BasicAuthenticatorOptions, "users" | "realm"> & {
    readonly realms: Readonly<Record<string, BasicUsers>>;
  };
  /**
   * The realm of the node.
   *
   * @defaultValue the only one of `echo.basic`
   */
  readonly realm?: string;
  /** The options of `bearerAuthenticator`, or a shared token. */
  readonly "echo.bearer"?: BearerAuthenticatorOptions | string;
  /** The options of `hubSignatureAuthenticator`, or a shared secret. */
  readonly "echo.x-hub-signature"?: HubSignatureAuthenticatorOptions | string;
};

type SystemFunction = {
  /** What its entry in the config is like, for who has forgotten it. */
  readonly example: string;
  readonly make: (entry: unknown, config: SystemConfig) => Authenticator;
};

/** By name, what makes an authenticator of a config. */
export const SYSTEM_FUNCTIONS: ReadonlyMap<string, SystemFunction> = new Map<string, SystemFunction>([
  [
    "echo.basic",
    {
      example: "{ realms: { orders: { shop: process.env.SHOP_HASH } } }",
      make(entry, { realm }) {
        const { realms, ...options } = entry as NonNullable<SystemConfig["echo.basic"]>;
        const [name, users] = realmOf(realms, realm);
        return basicAuthenticator({ ...options, realm: name, users });
      },
    },
  ],
  [
    "echo.bearer",
    {
      example: "{ tokens: [process.env.TOKEN] }",
      make: (entry) =>
        bearerAuthenticator(typeof entry === "string" ? { tokens: [entry] } : (entry as BearerAuthenticatorOptions)),
    },
  ],
  [
    "echo.x-hub-signature",
    {
      example: "{ secrets: [process.env.SECRET] }",
      make: (entry) =>
        hubSignatureAuthenticator(
          typeof entry === "string" ? { secrets: [entry] } : (entry as HubSignatureAuthenticatorOptions),
        ),
    },
  ],
]);

/** Makes one of the system's authenticators of a context. @throws TypeError at start, for a config that lacks what it needs. */
export function systemAuthenticator(name: string, { config }: SystemContext): Authenticator {
  const { example, make } = SYSTEM_FUNCTIONS.get(name) as SystemFunction;
  const entry = (config as Readonly<Record<string, unknown>>)[name];
  if (typeof entry !== "string" && (typeof entry !== "object" || entry === null)) {
    throw new TypeError(`${name}: config[${JSON.stringify(name)}] is ${shown(entry)}; it must be like ${example}.`);
  }
  try {
    return make(entry, config);
  } catch (error) {
    if (error instanceof TypeError) error.message = `${name}: ${error.message}`;
    throw error;
  }
}

function realmOf(
  realms: Readonly<Record<string, BasicUsers>>,
  realm: string | undefined,
): readonly [name: string, users: BasicUsers] {
  const all = Object.entries(realms ?? {});
  const [first] = all;
  if (!first) throw new TypeError("realms: there is none, so nobody could be authenticated.");
  const known = all.map(([name]) => name).join(", ");
  if (realm === undefined) {
    if (all.length === 1) return first;
    throw new TypeError(`realm: the config says nothing of it, and there are several: ${known}.`);
  }
  const found = all.find(([name]) => name === realm);
  if (found) return found;
  throw new TypeError(`realm: there is no ${shown(realm)}; there are: ${known}.`);
}
