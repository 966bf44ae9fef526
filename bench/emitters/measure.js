/**
 * Measures one emitter and the raw clients beside it, and prints the figures as JSON:
 * `node bench/emitters/measure.js <emitter> <rounds> <ms> <warm-up rounds> [input]`.
 */
const { randomBytes } = require("node:crypto");
const { spreadOf } = require("../statistics");
const { Maker } = require("./items");

/** @typedef {import("./items").Item} Item */
/** @typedef {InstanceType<typeof Maker>} ItemMaker */

/**
 * @typedef {object} Raw A client without an emitter.
 * @property {string} name
 * @property {(items: readonly Item[]) => Promise<unknown>} send resolves once all are confirmed
 * @property {number} [size] how many items it sends together; 1 unless told
 * @property {number} [lanes] how many calls may be under way; as many as make up what is under way unless told
 *
 * @typedef {object} Opened
 * @property {import("express-webhook-node").Emitter} emitter
 * @property {() => Promise<unknown>} [settled] resolves once the emitter has done what it does after the confirmation
 * @property {readonly Raw[]} raw
 * @property {() => Promise<unknown>} [clear] removes what was sent
 * @property {() => Promise<unknown>} close removes everything
 *
 * @typedef {object} Job
 * @property {(name: string) => Promise<Opened>} open with a name that nobody else has
 *
 * @typedef {object} Figures Of one contender, one body and one number of messages under way.
 * @property {string} input
 * @property {number} atATime
 * @property {string} name
 * @property {import("../statistics").Spread} perSecond
 * @property {import("../statistics").Spread} cpuMicroseconds of a message, in this process
 * @property {import("../statistics").Spread} ratio the emitter's messages a second over those of this one
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {number} size
 * @property {number} lanes
 * @property {(maker: ItemMaker, count: number) => Promise<unknown>} send
 * @property {() => Promise<unknown>} settled
 */

const INPUTS = ["1 KB", "8 KB"];
const AT_A_TIME = [1, 200];
const DONE = async () => {};

/** @param {Opened} opened */
function contendersOf({ emitter, settled = DONE, raw }) {
  /** @type {Contender} */
  const ours = {
    name: "ours",
    size: 1,
    lanes: Infinity,
    // A signal for each, as each delivery has one, made when it is asked for.
    send: (maker) => emitter(maker.message(), new Context()),
    settled,
  };
  /** @type {Contender[]} */
  const others = raw.map(({ name, send, size = 1, lanes = Infinity }) => ({
    name,
    size,
    lanes,
    send: (maker, count) => send(Array.from({ length: count }, () => maker.item())),
    settled: DONE,
  }));
  return [ours, ...others];
}

class Context {
  /** @type {AbortController | undefined} */
  #controller;

  get signal() {
    return (this.#controller ??= new AbortController()).signal;
  }
}

/**
 * @param {Contender} contender
 * @param {ItemMaker} maker
 * @param {number} atATime
 * @param {number} ms
 */
async function batch({ size, lanes, send, settled }, maker, atATime, ms) {
  const count = Math.min(size, atATime);
  let sent = 0;
  const cpuBefore = process.cpuUsage();
  const begunAt = performance.now();
  const lane = async () => {
    while (performance.now() - begunAt < ms) {
      await send(maker, count);
      sent += count;
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, Math.ceil(atATime / count)) }, lane));
  await settled();
  const seconds = (performance.now() - begunAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: sent / seconds, cpuMicroseconds: (user + system) / sent };
}

/**
 * @param {Opened} opened
 * @param {{ rounds: number, ms: number, warmUp: number, input: string }} settings
 */
async function measure(opened, { rounds, ms, warmUp, input }) {
  const all = contendersOf(opened);
  const cells = INPUTS.filter((name) => name.startsWith(input)).flatMap((name) =>
    AT_A_TIME.map((atATime) => ({
      input: name,
      atATime,
      maker: new Maker(name),
      // Alone there is nothing to be sent together.
      contenders: all.filter(({ size }) => atATime > 1 || size === 1),
      taken: all.map(() => /** @type {Awaited<ReturnType<typeof batch>>[]} */ ([])),
    })),
  );
  for (let round = -warmUp; round < rounds; round++) {
    for (const { maker, atATime, contenders, taken } of cells) {
      for (const turn of contenders.keys()) {
        const at = (turn + Math.abs(round)) % contenders.length;
        const figures = await batch(contenders[at], maker, atATime, ms);
        if (round >= 0) taken[all.indexOf(contenders[at])].push(figures);
        await opened.clear?.();
      }
    }
  }
  return cells.flatMap(({ input: name, atATime, contenders, taken }) =>
    contenders.map((contender) => {
      const own = taken[all.indexOf(contender)];
      /** @type {Figures} */
      const figures = {
        input: name,
        atATime,
        name: contender.name,
        perSecond: spreadOf(own.map(({ perSecond }) => perSecond)),
        cpuMicroseconds: spreadOf(own.map(({ cpuMicroseconds }) => cpuMicroseconds)),
        ratio: spreadOf(own.map(({ perSecond }, round) => taken[0][round].perSecond / perSecond)),
      };
      return figures;
    }),
  );
}

async function main() {
  const [name, ...numbers] = process.argv.slice(2);
  const [rounds, ms, warmUp] = numbers.map(Number);
  const job = /** @type {Job} */ (require(`./jobs/${name}.js`));
  const opened = await job.open(`bench_${process.pid}_${randomBytes(4).toString("hex")}`);
  try {
    const figures = await measure(opened, { rounds, ms, warmUp, input: numbers[3] ?? "" });
    process.stdout.write(JSON.stringify(figures));
  } finally {
    await opened.close();
  }
}

void main();
