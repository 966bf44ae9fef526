/**
 * What a failure of Redis means for a message.
 *
 * @module
 */
import { BusyError } from "./busy-error";

/** An error reply begins with a word in capitals: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const REPLY = /^-?[A-Z]{2,} /;
/** Memory or disk is full, or a server starts, fails over or has too few replicas. Redis 6 puts a script's error into another. */
const FOR_NOW =
  /(?:^|[\s-])(?:OOM|LOADING|BUSY|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|NOGOODSLAVE|UNKILLABLE) /;

/** The error to reject with: a `BusyError`, unless Redis says that the command is wrong. */
export function redisFailure(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  if (REPLY.test(message) && !FOR_NOW.test(message)) {
    return new Error(`Redis refuses the message (${message}).`, { cause: error });
  }
  return new BusyError(`Redis does not take the message now (${message}).`, { cause: error });
}

/** What clients of Redis say of their connection: `redis` and `ioredis`, in this order. */
export type ConnectionStatus = { readonly isReady?: unknown; readonly status?: unknown; readonly isCluster?: unknown };

/** Whether a client is cut off, and would queue what it is given. One that does not say is not; nor one that is still to connect. */
export function isCutOff(client: ConnectionStatus): boolean {
  const { isReady, status, isCluster } = client;
  if (typeof isReady === "boolean") return !isReady;
  if (typeof status !== "string" || status === "ready" || status === "wait") return false;
  return !(isCluster === true && status === "connect");
}
