/** A spool on this machine's disk, which hands each message on and removes it, against the store beneath doing the same. */
const { mkdtemp, rm } = require("node:fs/promises");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const { ClassicLevel } = require("classic-level");
const { spool } = require("express-webhook-node/emit/spool");
const { TOLD } = require("../items");

const TOGETHER = 200;

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const folder = await mkdtemp(join(tmpdir(), name));
  const emitter = spool({ folder: join(folder, "spool"), emitter: async () => {} });
  await emitter.ready();
  /** @type {ClassicLevel<string, Buffer>} */
  const level = new ClassicLevel(join(folder, "level"), { keyEncoding: "utf8", valueEncoding: "buffer" });
  await level.open();

  /** @param {readonly import("../items").Item[]} items */
  async function keepAndRemove(items) {
    const puts = items.flatMap(({ id, octets }) => [
      { type: /** @type {const} */ ("put"), key: `meta/${id}`, value: Buffer.from(JSON.stringify({ ...TOLD, id })) },
      { type: /** @type {const} */ ("put"), key: `octets/${id}`, value: octets },
    ]);
    await level.batch(puts, { sync: true });
    const keys = puts.map(({ key }) => key);
    await level.getMany(keys);
    await level.batch(keys.map((key) => ({ type: /** @type {const} */ ("del"), key })));
  }

  return {
    emitter,
    async settled() {
      while (emitter.stats().pending > 0) await pause(1);
    },
    raw: [
      { name: "batch with sync, get, del; one a batch", send: keepAndRemove },
      { name: "batch with sync, get, del; 200 a batch", send: keepAndRemove, size: TOGETHER },
    ],
    async close() {
      await emitter.close();
      await level.close();
      await rm(folder, { recursive: true });
    },
  };
}

module.exports = { open };
