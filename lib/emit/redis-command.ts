/**
 * One way to send a command to Redis by the clients that apps have.
 *
 * @module
 */
import { shown } from "../request/options";

type Argument = string | Buffer;

/** A client of `redis` (4 or later), by the one method called on it. */
export type NodeRedisClient = { readonly sendCommand: (args: Argument[]) => Promise<unknown> };

/** A client of `ioredis` (5 or later), by the one method called on it. */
export type IoRedisClient = { readonly call: (command: string, ...args: Argument[]) => Promise<unknown> };

/** A connected client of `redis` or `ioredis`. */
export type RedisClient = NodeRedisClient | IoRedisClient;

/** Sends a command, and resolves to its reply: text, a number, a list or `null`. It rejects with an error reply. */
export type RedisCommand = (args: readonly [command: string, ...args: Argument[]]) => Promise<unknown>;

/** The way to send commands by a client. @throws TypeError for one that is neither of `redis` nor of `ioredis`. */
export function redisCommand(client: RedisClient): RedisCommand {
  const { call, sendCommand } = (client ?? {}) as Partial<IoRedisClient & NodeRedisClient>;
  // ioredis has a sendCommand, too, which takes something else.
  if (typeof call === "function") {
    return ([command, ...args]) => (client as IoRedisClient).call(command, ...args);
  }
  if (typeof sendCommand === "function") return (args) => (client as NodeRedisClient).sendCommand([...args]);
  throw new TypeError(
    `client: ${shown(client)} has neither call() nor sendCommand(): pass a client of redis or ioredis.`,
  );
}
