/**
 * Bulk store: files in a local folder, named by what they hold.
 *
 * @module
 */
import { createHash, randomUUID } from "node:crypto";
// Of "node:fs", whose promises load when they are first used, and bring much with them.
import { mkdirSync, promises } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { checkOptions, shown, text } from "../request/options";
import type { BulkStore } from "./bulk-data";

export type { BulkData, BulkDataOptions, BulkEncoding, BulkFacts, BulkStore } from "./bulk-data";

export type FolderBulkStoreOptions = {
  /** Where the files go. It is made if it is not there. */
  readonly folder: string;
  /**
   * Where readers find the folder: `https://files.example.com/bulk/`.
   *
   * @defaultValue the folder's own `file:` URL
   */
  readonly baseUrl?: string | URL | undefined;
};

const EXTENSIONS = { gzip: ".gz", deflate: ".zz" } as const;

/**
 * Creates a store that writes each stream to a file of its own. The name is the SHA-256 of the octets in it, so the same data
 * stored again is the same file. A file is there whole or not at all: it is written under another name, synced to the disk,
 * and renamed. A failed write leaves nothing behind; only a process that is killed leaves a hidden `.partial` file.
 *
 * @throws TypeError at start, for a wrong option. @throws Error at start, if the folder cannot be made.
 */
export function folderBulkStore(options: FolderBulkStoreOptions): BulkStore {
  checkOptions("folderBulkStore", options, ["folder", "baseUrl"]);
  const folder = resolve(text("folder", options.folder));
  const base = options.baseUrl === undefined ? pathToFileURL(folder + sep) : baseOf(options.baseUrl);
  mkdirSync(folder, { recursive: true });

  return async function folderBulkStore(octets, { contentEncoding }) {
    const partial = join(folder, `.${randomUUID()}.partial`);
    try {
      const name = (await write(partial, octets)) + EXTENSIONS[contentEncoding];
      await promises.rename(partial, join(folder, name));
      await syncFolder(folder);
      return new URL(name, base);
    } catch (error) {
      await promises.rm(partial, { force: true }).catch(() => {});
      throw error;
    }
  };
}

function baseOf(baseUrl: string | URL): URL {
  if (!URL.canParse(String(baseUrl))) throw new TypeError(`baseUrl: ${shown(baseUrl)} is no URL.`);
  const base = new URL(baseUrl);
  // What is after the last slash of a base is left out of what is resolved against it.
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

/** Writes a stream to a new file, and returns the SHA-256 of its octets, in hex. */
async function write(path: string, octets: Readable): Promise<string> {
  const hash = createHash("sha256");
  const file = await promises.open(path, "wx");
  try {
    for await (const chunk of octets as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

/** A new name outlives a power cut once its folder is synced. Windows and some file systems have no such call. */
async function syncFolder(path: string): Promise<void> {
  const folder = await promises.open(path, "r").catch(() => undefined);
  try {
    await folder?.sync();
  } catch {
    // The file itself is there and synced.
  } finally {
    await folder?.close();
  }
}
