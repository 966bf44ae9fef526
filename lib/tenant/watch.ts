/**
 * Watches a folder and all below it.
 *
 * Node's own watcher, one for each folder: on Linux, macOS and Windows alike it tells of every change in the folder itself,
 * whether a file is written in place or replaced by a rename. Its recursive form is emulated on Linux, file by file, and
 * loses a file that is replaced. What an event says (which file, what became of it) differs between systems and is not
 * used: an event is only a reason to look.
 *
 * @module
 */
import { watch, type FSWatcher } from "node:fs";
import { moduleFiles } from "./module-files";

export type WatchOptions = {
  /**
   * How long a folder must be quiet before it is looked at, in milliseconds: a file that is truncated and written, or
   * moved away and written anew, is looked at once, when it is whole.
   *
   * @defaultValue `50`
   */
  readonly settleMs?: number | undefined;
  /**
   * How often to look without an event, in milliseconds: for folders whose changes the system does not tell of, such as
   * those on a network or shared with a virtual machine.
   *
   * @defaultValue only while a folder cannot be watched, each second
   */
  readonly pollMs?: number | undefined;
};

export type Watched = { readonly close: () => void };

const MAX_WAIT_FACTOR = 20;
const RETRY_MS = 1000;

/**
 * Calls `look` soon after something below a folder may have changed, until it is closed. It keeps no process alive.
 *
 * `tell` is told why a folder cannot be watched, once for each reason; it is then looked at each second instead.
 */
export function watchFolder(
  folder: string,
  { settleMs = 50, pollMs }: WatchOptions,
  look: () => void,
  tell: (error: Error) => void,
): Watched {
  const watchers = new Map<string, FSWatcher>();
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let firstEventAt: number | undefined;
  let told = "";

  const later = (ms: number): void => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(lookAgain, ms).unref();
  };
  const onEvent = (): void => {
    // What never comes to rest is looked at all the same.
    firstEventAt ??= performance.now();
    const left = firstEventAt + settleMs * MAX_WAIT_FACTOR - performance.now();
    later(Math.max(0, Math.min(settleMs, left)));
  };
  const lookAgain = (): void => {
    firstEventAt = undefined;
    const isWatched = follow();
    look();
    if (!isWatched || pollMs !== undefined) later(pollMs ?? RETRY_MS);
  };

  /** Watches each folder that there is now. Those known by their path may have been replaced. */
  function follow(): boolean {
    const before = new Map(watchers);
    try {
      for (const path of moduleFiles(folder).folders) {
        const watcher = watched(path);
        if (!watcher) continue;
        watchers.get(path)?.close();
        before.delete(path);
        watchers.set(path, watcher);
      }
      told = "";
      return true;
    } catch (error) {
      if (told !== (error as Error).message) tell(error as Error);
      told = (error as Error).message;
      return false;
    } finally {
      for (const [path, watcher] of before) {
        watcher.close();
        watchers.delete(path);
      }
    }
  }

  function watched(path: string): FSWatcher | undefined {
    try {
      // A folder that goes is an error on Windows; looking again tells what became of it.
      return watch(path, { persistent: false }, onEvent).on("error", onEvent);
    } catch (error) {
      // One below that has gone since it was listed is an event of the folder that it lay in.
      if (path !== folder && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  if (!follow() || pollMs !== undefined) later(pollMs ?? RETRY_MS);
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}
