/**
 * A folder on disk that keeps what must outlive the process.
 *
 * @module
 */
import { mkdirSync, realpathSync } from "node:fs";
import type { EmitContext } from "../../message";
import { logError, type Logger } from "../../request/logger";
import { printable } from "../../request/outcome";
import { batcher } from "../batch";
import { BusyError } from "../busy-error";
import { damageOf, loadLevel, reasonOf, type Level, type Operation } from "./level";
import { claimFolder, releaseFolder } from "./open-folders";

/** What is written together, or not at all. */
export type Change = {
  readonly operations: readonly Operation[];
  /** Whether the promise is to resolve only once the disk itself has it. */
  readonly isSynced: boolean;
  /** Whether what it puts is new, so that it is taken back where writing it has failed. */
  readonly isNew?: boolean;
};

export type StoreOptions = {
  readonly folder: string;
  /** What the folder is for: `spool`. One that was made for something else is not opened. */
  readonly kind: string;
  readonly logger: Logger;
};

export type Store = {
  /** Resolves once the folder is open; opens it again after a failure, once a second at most. */
  readonly open: () => Promise<void>;
  /** Resolves once it is written. Changes of one turn, and those that waited for the disk, share one write and one fsync. */
  readonly write: (change: Change, context?: EmitContext) => Promise<void>;
  readonly getMany: (keys: string[]) => Promise<(Buffer | undefined)[]>;
  /** All entries of one prefix, such as `meta/`, in the order of their keys. */
  readonly entries: (prefix: string) => AsyncIterable<[string, Buffer]>;
  /** Gives the disk back what removed entries held. */
  readonly compact: () => Promise<void>;
  /** Lets go of the folder once what was begun is written. */
  readonly close: () => Promise<void>;
};

const FORMAT = "format";
const VERSION = 1;
const RETRY_MS = 1000;
const RETRY_SECONDS = 5;
const LAST = "\uffff";

/**
 * Creates a store, and makes its folder for the owner alone. It is opened when that is first asked for. What fails is a
 * `BusyError`, and logged when it begins.
 *
 * @throws Error at start, if the folder cannot be made, or `classic-level` cannot be loaded.
 */
export function createStore({ folder, kind, logger }: StoreOptions): Store {
  const LevelClass = loadLevel(kind);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = realpathSync(folder);
  const format = Buffer.from(`${kind} ${VERSION}`);
  const underWay = new Set<Promise<void>>();
  // What has to be written before anything else, once the folder can be written again.
  let owed: Operation[] = [];
  let db: Level | undefined;
  let opening: Promise<Level> | undefined;
  let failure: { readonly error: BusyError; readonly at: number } | undefined;
  let closing: Promise<void> | undefined;

  async function open(): Promise<Level> {
    if (closing) throw new BusyError(`The ${kind} in ${folder} is closed.`, { retryAfterSeconds: RETRY_SECONDS });
    if (db) return db;
    if (!opening && failure && performance.now() - failure.at < RETRY_MS) throw failure.error;
    return (opening ??= tryOpen().finally(() => (opening = undefined)));
  }

  async function tryOpen(): Promise<Level> {
    let isClaimed = false;
    let opened: Level | undefined;
    try {
      claimFolder(path);
      isClaimed = true;
      // It begins to open by itself as soon as it is made.
      opened = new LevelClass(path, { keyEncoding: "utf8", valueEncoding: "buffer" });
      await opened.open();
      const [found] = await opened.getMany([FORMAT]);
      if (found && !found.equals(format)) throw new Error(`it holds a ${String(found)}, and no ${String(format)}`);
      await opened.batch([...owed, { type: "put", key: FORMAT, value: format }], { sync: true });
      owed = [];
      for (const line of await damageOf(path)) {
        logger.error(`${kind} ${folder}: a part of it was damaged, and is lost: ${printable(line)}`);
      }
      if (failure) logger.info(`${kind} ${folder}: it is open again`);
      failure = undefined;
      return (db = opened);
    } catch (error) {
      await opened?.close().catch(() => {});
      if (isClaimed) releaseFolder(path);
      throw failed(error, "opened");
    }
  }

  async function shut(): Promise<void> {
    const shutting = db;
    db = undefined;
    await shutting?.close().catch(() => {});
    if (shutting) releaseFolder(path);
  }

  function failed(error: unknown, done: "opened" | "written"): BusyError {
    const busy = new BusyError(`The ${kind} in ${folder} cannot be ${done}: ${reasonOf(error)}.`, {
      retryAfterSeconds: RETRY_SECONDS,
      cause: error,
    });
    if (!failure) logError(logger, `${kind}: ${printable(busy.message)}`, error);
    failure = { error: busy, at: performance.now() };
    return busy;
  }

  async function send(changes: readonly Change[]): Promise<void> {
    let isBegun = false;
    try {
      const level = db ?? (await open());
      isBegun = true;
      await level.batch(
        changes.flatMap(({ operations }) => operations),
        { sync: changes.some(({ isSynced }) => isSynced) },
      );
    } catch (error) {
      for (const { operations, isNew } of changes) {
        for (const { type, key } of operations) {
          if (type === "del" || (isNew && isBegun)) owed.push({ type: "del", key });
        }
      }
      if (!isBegun) throw error;
      // LevelDB would go on behind half a record, and lose what follows when it reads its log: opening begins a new one.
      await shut();
      throw failed(error, "written");
    }
  }

  const add = batcher<Change>({
    send,
    maxItems: 512,
    maxBytes: 8_388_608,
    bytesOf: ({ operations }) => operations.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
  });

  return {
    async open() {
      await open();
    },
    async write(change, context = { signal: new AbortController().signal }) {
      if (closing) await open();
      const writing = add(change, context);
      underWay.add(writing);
      await writing.finally(() => underWay.delete(writing));
    },
    async getMany(keys) {
      return (await open()).getMany(keys);
    },
    async *entries(prefix) {
      yield* (await open()).iterator({ gte: prefix, lt: prefix + LAST });
    },
    async compact() {
      await db?.compactRange("", LAST);
    },
    close() {
      return (closing ??= (async () => {
        await Promise.allSettled([opening, ...underWay]);
        await shut();
      })());
    },
  };
}
