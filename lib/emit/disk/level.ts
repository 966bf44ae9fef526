/**
 * Loads the embedded store, types what is called of it, and puts its failures into words.
 *
 * LevelDB appends to a log and drops a torn end of it by its checksums; `classic-level` brings it prebuilt in the npm package
 * itself, so an install without scripts has it, and works off the event loop, so that an fsync holds up nobody.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** One entry put or deleted. */
export type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: Buffer }
  | { readonly type: "del"; readonly key: string; readonly value?: undefined };

/** What is called of a `ClassicLevel`. */
export type Level = {
  open(): Promise<void>;
  close(): Promise<void>;
  batch(operations: Operation[], options: { readonly sync: boolean }): Promise<void>;
  getMany(keys: string[]): Promise<(Buffer | undefined)[]>;
  iterator(range: { readonly gte: string; readonly lt: string }): AsyncIterable<[string, Buffer]>;
  compactRange(start: string, end: string): Promise<void>;
};

type LevelClass = new (
  folder: string,
  encodings: { readonly keyEncoding: "utf8"; readonly valueEncoding: "buffer" },
) => Level;

/** @throws Error that names the package, if it is not installed, or has no binary for this machine. */
export function loadLevel(functionName: string): LevelClass {
  try {
    return (require("classic-level") as { readonly ClassicLevel: LevelClass }).ClassicLevel;
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === "MODULE_NOT_FOUND";
    const why = isMissing ? "is not installed: npm install classic-level" : `cannot be loaded: ${String(error)}`;
    throw new Error(`${functionName}: it keeps its folder by the package classic-level, which ${why}`, {
      cause: error,
    });
  }
}

/** What LevelDB has left out of a folder when it opened it: it says so in its own log alone. */
export async function damageOf(path: string): Promise<readonly string[]> {
  const log = await readFile(join(path, "LOG"), "utf8").catch(() => "");
  return log.match(/^.*dropping \d+ bytes.*$/gm) ?? [];
}

/** What has gone wrong with a folder, and what mends it. */
export function reasonOf(error: unknown): string {
  const { code, cause, message } = error as Failure;
  const codes = [code, cause?.code];
  const text = String(cause?.message ?? message);
  if (codes.includes("LEVEL_LOCKED")) return "it is in use already, and each process needs a folder of its own";
  if (codes.includes("LEVEL_CORRUPTION"))
    return `it is damaged (${text}): copy it, then try ClassicLevel.repair() on it`;
  if (/no space left|quota|file too large/i.test(text)) return `the disk is full (${text})`;
  return text;
}

type Failure = {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: { readonly code?: unknown; readonly message?: unknown };
};
