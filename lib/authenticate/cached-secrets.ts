/**
 * Secrets that are looked up by request, in a vault or by tenant, and remembered for a while.
 *
 * @module
 */
import { checkFunction, checkOptions, positiveInteger } from "../request/options";
import type { WebhookRequest } from "./authenticator";

type SecretList = readonly (string | Buffer)[];

export type CachedSecretsOptions = {
  /** Tells whose secrets a request needs, such as a tenant in the path. */
  readonly key: (request: WebhookRequest) => string;
  /** Looks them up. An empty list is a sender that is not known; a failure is an outage, and is not remembered. */
  readonly load: (key: string) => SecretList | Promise<SecretList>;
  /**
   * How long they are remembered, in seconds: how long a secret that was taken away still counts.
   *
   * @defaultValue `60`
   */
  readonly ttlSeconds?: number | undefined;
  /**
   * How many keys are remembered at once. Strangers can ask for any, so the one asked for longest ago is forgotten first.
   *
   * @defaultValue `1000`
   */
  readonly maxKeys?: number | undefined;
};

/**
 * Makes a function for the option `secrets`: each key is loaded once for all requests that need it meanwhile.
 *
 * @throws TypeError at start, for a wrong option.
 *
 * @example
 * ```ts
 * secrets: cachedSecrets({ key: ({ params }) => String(params.tenant), load: (tenant) => vault.read(`webhooks/${tenant}`) })
 * ```
 */
export function cachedSecrets(options: CachedSecretsOptions): (request: WebhookRequest) => Promise<SecretList> {
  checkOptions("cachedSecrets", options, ["key", "load", "ttlSeconds", "maxKeys"]);
  const keyOf = checkFunction("key", options.key);
  const load = checkFunction("load", options.load);
  const ttlMs = positiveInteger("ttlSeconds", options.ttlSeconds ?? 60) * 1000;
  const maxKeys = positiveInteger("maxKeys", options.maxKeys ?? 1000);
  const remembered = new Map<string, { readonly secrets: Promise<SecretList>; readonly until: number }>();

  function lookUp(key: string): Promise<SecretList> {
    const secrets = (async () => load(key))();
    remembered.set(key, { secrets, until: performance.now() + ttlMs });
    if (remembered.size > maxKeys) remembered.delete(remembered.keys().next().value as string);
    secrets.catch(() => {
      if (remembered.get(key)?.secrets === secrets) remembered.delete(key);
    });
    return secrets;
  }

  return async function findSecrets(request) {
    const key = keyOf(request);
    const known = remembered.get(key);
    if (!known || known.until <= performance.now()) {
      remembered.delete(key);
      return lookUp(key);
    }
    // A Map keeps the order of insertion: what is asked for moves to the end.
    remembered.delete(key);
    remembered.set(key, known);
    return known.secrets;
  };
}
