/**
 * The folders that this process has open as stores.
 *
 * LevelDB keeps another process out by a lock of the operating system, which a process loses by trying to take it twice
 * (POSIX.1-2024, `fcntl`). So this process asks itself first; two copies of the package ask the same list.
 *
 * @module
 */

const LIST = Symbol.for("express-webhook-node.open-folders");
const folders = ((globalThis as unknown as Record<symbol, Set<string> | undefined>)[LIST] ??= new Set());

/** Takes a folder, by its real path. @throws Error if it is taken, with the code that LevelDB has for it. */
export function claimFolder(path: string): void {
  if (folders.has(path)) throw Object.assign(new Error("It is open in this process."), { code: "LEVEL_LOCKED" });
  folders.add(path);
}

/** Gives a folder back. */
export function releaseFolder(path: string): void {
  folders.delete(path);
}
