/**
 * A sink for audit records: a file with one record a line, as JSON.
 *
 * @module
 */
// Of "node:fs", whose promises load when they are first used, and bring much with them.
import { closeSync, openSync, promises } from "node:fs";
import { checkOptions, positiveInteger, shown, text } from "../request/options";

export type JsonLinesFileOptions = {
  /** The file. It is made where there is none, for its owner alone; its folder must be there. */
  readonly path: string;
  /**
   * Records that may wait for the file, in bytes. More are refused: the promise rejects.
   *
   * @defaultValue `16_777_216` (16 MiB)
   */
  readonly maxQueuedBytes?: number | undefined;
};

/** Appends a record. The promise resolves once the operating system has it, so whoever awaits it is held back. */
export type JsonLinesFile = ((record: object) => Promise<void>) & {
  /** Resolves once all that was appended so far is written, or has failed to be. */
  settled: () => Promise<void>;
};

type Waiting = {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

const MODE = 0o600;
const LINE_FEED = 0x0a;

/**
 * Creates a sink that appends to a file. What comes while it writes is written at once, next. The file is opened by its path
 * each time, so it may be renamed or removed meanwhile, as log rotation does; several processes may share one.
 *
 * @throws Error at start, if the file cannot be written.
 */
export function jsonLinesFile(options: JsonLinesFileOptions): JsonLinesFile {
  checkOptions("jsonLinesFile", options, ["path", "maxQueuedBytes"]);
  const path = text("path", options.path);
  const maxQueuedBytes = positiveInteger("maxQueuedBytes", options.maxQueuedBytes ?? 16_777_216);
  closeSync(openSync(path, "a", MODE));

  let queue: Waiting[] = [];
  let queuedBytes = 0;
  let writing: Promise<void> | undefined;
  // A process that died while it wrote, or a full disk, leaves half a line.
  let mayBeTorn = true;

  function append(record: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const json = JSON.stringify(record) as string | undefined;
      if (json === undefined) throw new TypeError(`${shown(record)} has no JSON.`);
      const line = `${json}\n`;
      const bytes = Buffer.byteLength(line);
      if (queuedBytes + bytes > maxQueuedBytes) {
        reject(new Error(`${path} is slower than its records: ${queuedBytes} bytes wait for it.`));
        return;
      }
      queuedBytes += bytes;
      queue.push({ line, resolve, reject });
      writing ??= write();
    });
  }

  async function write(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      const lines = batch.map(({ line }) => line).join("");
      try {
        const isTorn = mayBeTorn && (await endsTorn(path));
        mayBeTorn = true;
        await promises.appendFile(path, isTorn ? `\n${lines}` : lines, { mode: MODE });
        mayBeTorn = false;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      queuedBytes -= Buffer.byteLength(lines);
    }
    writing = undefined;
  }

  return Object.assign(append, {
    settled: async () => {
      await writing;
    },
  });
}

/** Whether a file ends in the middle of a line. */
async function endsTorn(path: string): Promise<boolean> {
  const file = await promises.open(path, "a+", MODE);
  try {
    const { size } = await file.stat();
    if (size === 0) return false;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] !== LINE_FEED;
  } finally {
    await file.close();
  }
}
