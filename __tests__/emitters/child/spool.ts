/**
 * A program with a spool of its own, to be killed, kept out of a folder, and put on a disk that is full.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { EmitContext, Message } from "express-webhook-node";
import { spool, type Spool } from "express-webhook-node/emit/spool";

const context: EmitContext = { signal: new AbortController().signal };
const lines: string[] = [];
const write = (line: string): void => void lines.push(line);
const logger = { debug: write, info: write, warn: write, error: write };
const never = (): Promise<void> => new Promise(() => {});

function messageOf(bytes: number): Message {
  const trackingId = randomBytes(16).toString("hex");
  const body = JSON.stringify(randomBytes(bytes).toString("base64"));
  return Object.freeze({
    trackingId,
    key: trackingId.repeat(2),
    node: "orders",
    body,
    octets: Buffer.from(body),
    payload: JSON.parse(body) as unknown,
    messageType: "echo.json",
    receivedAt: new Date(),
    fields: {},
  });
}

let one: Spool | undefined;

const ANSWERS: Record<string, (argument: string) => unknown> = {
  where: () => __filename,
  pid: () => process.pid,
  /** Opens a folder, and says why it cannot. */
  open(folder) {
    one ??= spool({ folder, emitter: never, logger });
    return one.ready().then(
      () => "open",
      (error: Error) => error.message,
    );
  },
  emit: () =>
    one?.(messageOf(100), context).then(
      () => "kept",
      (error: Error) => error.message,
    ),
  /** Emits for ever, and notes outside of the spool what was confirmed, and what was handed on. */
  run(folder) {
    const confirmed = openSync(`${folder}.confirmed`, "a");
    const handedOn = openSync(`${folder}.handed-on`, "a");
    const running = spool({
      folder,
      logger,
      async emitter({ trackingId }) {
        await new Promise((resolve) => setTimeout(resolve, 3));
        writeSync(handedOn, `${trackingId}\n`);
      },
    });
    const loop = async (): Promise<never> => {
      for (;;) {
        const message = messageOf(2_000);
        await running(message, context);
        writeSync(confirmed, `${message.trackingId}\n`);
      }
    };
    for (let n = 0; n < 8; n++) void loop();
    return running.ready().then(() => "running");
  },
  /** How much memory 10,000 pending messages hold, in bytes. */
  async memory(folder) {
    const held = spool({ folder, emitter: never, logger });
    await held(messageOf(5_000), context);
    const before = await heldMemory();
    for (let n = 0; n < 100; n++) await Promise.all(Array.from({ length: 100 }, () => held(messageOf(5_000), context)));
    const grown = (await heldMemory()) - before;
    return { grown, ...held.stats() };
  },
};

/** The least of a few collections: the octets of what was collected are given back by threads in the background. */
async function heldMemory(): Promise<number> {
  const samples: number[] = [];
  for (let n = 0; n < 10; n++) {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    samples.push(heapUsed + arrayBuffers);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Math.min(...samples);
}

/** Fills the disk that a folder is on, makes room, and tells what has become of what was confirmed. */
async function fillDisk(disk: string): Promise<void> {
  const folder = join(disk, "spool");
  const ballast = join(disk, "ballast");
  const confirmed = new Set<string>();
  const errors: string[] = [];
  writeFileSync(ballast, Buffer.alloc(16_000_000));
  const first = spool({ folder, emitter: never, logger });
  const emit = async (): Promise<boolean> => {
    const message = messageOf(Math.floor(Math.random() * 20_000));
    try {
      await first(message, context);
      confirmed.add(message.trackingId);
      return true;
    } catch (error) {
      errors.push(`${(error as Error).name}: ${(error as Error).message}`);
      // It is refused at once until a second is over.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return false;
    }
  };
  while (errors.length < 4) await Promise.all([emit(), emit(), emit()]);
  const before = confirmed.size;
  rmSync(ballast);
  const end = Date.now() + 10_000;
  while (confirmed.size < before + 50 && Date.now() < end) await emit();
  await first.close({ timeoutMs: 1 });

  const got: string[] = [];
  const second = spool({ folder, logger, emitter: async ({ trackingId }) => void got.push(trackingId) });
  await second.ready();
  while (second.stats().pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await second.close();
  const missing = [...confirmed].filter((id) => !got.includes(id)).length;
  const strangers = got.filter((id) => !confirmed.has(id)).length;
  process.stdout.write(
    JSON.stringify({ before, confirmed: confirmed.size, missing, strangers, error: errors[0], lines }),
  );
}

if (process.send) {
  process.on("message", ({ id, question }: { id: number; question: string }) => {
    const [word = "", argument = ""] = question.split(" ");
    void Promise.resolve(ANSWERS[word]?.(argument)).then((answer) => process.send?.({ id, answer }));
  });
  process.send({ port: 0 });
} else {
  void fillDisk(process.argv[2] as string);
}
