/**
 * Emitter: a queue of BullMQ. A message becomes a job.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import type { Emitter, Message } from "../message";
import { checkOptions, positiveInteger, shown } from "../request/options";
import { attributesOf, type Attributes } from "./attributes";
import { batcher } from "./batch";
import { BusyError } from "./busy-error";
import { carriedFields, contentTypeOf } from "./carried-fields";
import { destinationOf } from "./destination";
import { isCutOff, redisFailure, type ConnectionStatus } from "./redis-failure";
import { tooLarge } from "./too-large";

/**
 * The data of a job. Either `body` or `bodyBase64` is there; the octets as received are `Buffer.from(body)` or
 * `Buffer.from(bodyBase64, "base64")`.
 */
export type BullMqJobData = {
  /** The octets as text, where they are UTF-8. */
  readonly body?: string;
  /** The octets in base64, where they are not. */
  readonly bodyBase64?: string;
  readonly contentType: string;
  /** The attributes of CloudEvents 1.0.2: `id` is the message's key. */
  readonly attributes: Attributes;
  /** Header fields of the delivery, by lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
};

/** What is called on a `Queue` of `bullmq`. */
export type BullMqQueueLike = {
  addBulk(
    jobs: { name: string; data: BullMqJobData; opts: { jobId: string } }[],
  ): Promise<readonly { readonly id?: string | undefined }[]>;
};

export type BullMqEmitterOptions = {
  /** A `Queue`, which the app has made and closes. Its `defaultJobOptions` hold for each job. */
  readonly queue: BullMqQueueLike;
  /**
   * The name of the job, or a function that makes one of each message.
   *
   * @defaultValue the message's type, as `echo.json`
   */
  readonly name?: string | ((message: Message) => string) | undefined;
  /**
   * How long to wait for the queue, in milliseconds. A job may be in it although it was over: sent again, it is the same one.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["name", "queue", "timeoutMs"];

const MAX_JOBS = 100;
const MAX_BATCH_BYTES = 4_194_304;

type Job = {
  readonly name: string;
  readonly data: BullMqJobData;
  readonly opts: { readonly jobId: string };
  readonly bytes: number;
};

/** What else is read of a queue: in versions 5 and 6, and with a backend that is not Redis. */
type QueueState = {
  readonly closing?: unknown;
  readonly backend?: { readonly client?: unknown };
  readonly client?: unknown;
  readonly jobsOpts?: { readonly sizeLimit?: number };
};

/**
 * Creates an emitter that settles once the queue has the message as a job.
 *
 * - **Promise:** at least once. Jobs are as safe as their Redis: `appendonly yes`, `appendfsync always`, and
 *   `maxmemory-policy noeviction`, without which BullMQ is not to be run.
 * - **Deduplication:** `message.key` is the job's id, and BullMQ adds no second job with the id of one that it has: for as long as
 *   it keeps jobs that are done, so set `removeOnComplete: { age: 86_400 }` or so. A job that failed is kept, too: the sender's
 *   next attempt does not start it again, `attempts` does.
 * - **Order:** as handed over; it is the workers' with one worker and `concurrency: 1`.
 * - **Job:** its data is `{ body, contentType, attributes, fields }`; see `BullMqJobData`. It has no priority.
 * - Jobs that come at the same time are added together, 100 at most.
 *
 * 503: the queue is closed or cut off from Redis, or Redis is out of memory, loading or failing over. 413: the data is larger than
 * the `sizeLimit` of `defaultJobOptions`.
 *
 * @throws TypeError at start, for options that are wrong.
 *
 * @example
 * ```ts
 * const queue = new Queue<BullMqJobData>("webhooks", { connection: { host: "127.0.0.1" } });
 * queue.on("error", console.error);
 * bullMqEmitter({ queue });
 * new Worker<BullMqJobData>("webhooks", async ({ data }) => handle(JSON.parse(data.body ?? "")), { connection });
 * ```
 */
export function bullMqEmitter(options: BullMqEmitterOptions): Emitter {
  checkOptions("bullMqEmitter", options, WORDS);
  const { queue, timeoutMs = 5000, name = ({ messageType }: Message) => messageType } = options;
  if (typeof (queue as Partial<BullMqQueueLike> | null | undefined)?.addBulk !== "function") {
    throw new TypeError(`queue: ${shown(queue)} has no addBulk(): pass a Queue of bullmq.`);
  }
  positiveInteger("timeoutMs", timeoutMs);
  const nameOf = destinationOf("name", name, /[^]/, "A job's name is a text.");
  const isUsable = watched(queue as QueueState);

  const add = batcher<Job>({
    send: (jobs) => sent(queue, jobs),
    maxItems: MAX_JOBS,
    maxBytes: MAX_BATCH_BYTES,
    bytesOf: ({ bytes }) => bytes,
    timeoutMs,
  });

  return async function bullMqEmitter(message, context) {
    if (!isUsable()) throw new BusyError("BullMQ: the queue is closed, or cut off from Redis.");
    const data = dataOf(message);
    checkSize(data, (queue as QueueState).jobsOpts?.sizeLimit);
    const job = { name: nameOf(message), data, opts: { jobId: message.key }, bytes: message.octets.length };
    await add(job, context);
  };
}

async function sent(queue: BullMqQueueLike, jobs: readonly Job[]): Promise<readonly (Error | undefined)[]> {
  let added: Awaited<ReturnType<BullMqQueueLike["addBulk"]>>;
  try {
    added = await queue.addBulk(jobs.map(({ name, data, opts }) => ({ name, data, opts })));
  } catch (error) {
    throw redisFailure(error);
  }
  return jobs.map(({ opts }, index) =>
    // `deduplication` in defaultJobOptions would have another job stand for this message.
    added[index]?.id === opts.jobId ? undefined : new Error("BullMQ: the queue has not added the message as a job."),
  );
}

function dataOf(message: Message): BullMqJobData {
  const { octets } = message;
  return {
    ...(isUtf8(octets) ? { body: octets.toString() } : { bodyBase64: octets.toString("base64") }),
    contentType: contentTypeOf(message),
    attributes: attributesOf(message),
    fields: Object.fromEntries(carriedFields(message, () => false)),
  };
}

/** BullMQ fails all jobs of a batch for one that is too large. */
function checkSize(data: BullMqJobData, sizeLimit: number | undefined): void {
  if (sizeLimit && Buffer.byteLength(JSON.stringify(data)) > sizeLimit) {
    throw tooLarge(sizeLimit, "The queue's sizeLimit in defaultJobOptions bounds a job's data.");
  }
}

/** Whether a queue takes jobs. Until its client is there it may: what it holds meanwhile is one batch. */
function watched(queue: QueueState): () => boolean {
  let client: ConnectionStatus | undefined;
  // That there is no client is told by what is added.
  Promise.resolve(queue.backend?.client ?? queue.client).then(
    (found) => (client = found as ConnectionStatus | undefined),
    () => {},
  );
  return () => queue.closing === undefined && !(client && isCutOff(client));
}
