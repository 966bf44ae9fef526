/**
 * What a spool survives: `kill -9`, a second process, a torn or damaged file, a full disk.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import type { Message } from "express-webhook-node";
import { spool, type Spool } from "express-webhook-node/emit/spool";
import { startChild } from "../support/child";
import { contextOf, messageOf } from "../support/message";

const PROGRAM = join(__dirname, "child", "spool.ts");
const top = mkdtempSync(join(tmpdir(), "spool-crash-"));
const opened: Spool[] = [];
const lines: string[] = [];
const write = (line: string): void => void lines.push(line);
const logger = { debug: write, info: write, warn: write, error: write };
const never = (): Promise<void> => new Promise(() => {});
let folders = 0;

function newFolder(): string {
  return join(top, String(++folders));
}

function spoolOf(folder: string, emitter: (message: Message) => Promise<unknown> = never): Spool {
  const one = spool({ folder, emitter, logger });
  opened.push(one);
  return one;
}

/** The bodies of all that a folder holds, in order. */
async function bodiesIn(folder: string): Promise<string[]> {
  const one = spoolOf(folder);
  const list = await one.pending({ limit: 10_000 });
  const messages = await Promise.all(list.map(({ id }) => one.get(id)));
  return messages.map((message) => message?.body ?? "");
}

/** A folder with messages "0", "1", ... as a power cut leaves it: copied while it is open, so it was never closed. */
async function cutOff(count: number): Promise<{ copy: string; log: string }> {
  const folder = newFolder();
  const one = spoolOf(folder);
  for (let n = 0; n < count; n++) await one(messageOf({ body: String(n) }), contextOf());
  const copy = newFolder();
  cpSync(folder, copy, { recursive: true });
  const name = readdirSync(copy).find((file) => file.endsWith(".log")) as string;
  return { copy, log: join(copy, name) };
}

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").filter(Boolean);
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => void lines.splice(0));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close({ timeoutMs: 1 })));
});
afterAll(() => rmSync(top, { recursive: true, force: true, maxRetries: 3 }));

describe("spool, when the process or the machine fails", () => {
  it("loses nothing that it has confirmed to kill -9, three times over [J1]", async () => {
    const folder = newFolder();
    for (let round = 1; round <= 3; round++) {
      const child = await startChild(PROGRAM);
      expect(await child.ask(`run ${folder}`)).toBe("running");
      await pause(60 + 40 * Math.random());
      process.kill(await child.ask<number>("pid"), "SIGKILL");
      while (child.isAlive()) await pause(2);
    }
    const confirmed = linesOf(`${folder}.confirmed`);
    const handedOn = new Set(linesOf(`${folder}.handed-on`));
    expect(confirmed.length).toBeGreaterThan(50);
    expect(confirmed.length).toBeGreaterThan(handedOn.size);

    const one = spoolOf(folder, async ({ trackingId, payload, body }) => {
      expect(payload).toBe(JSON.parse(body));
      handedOn.add(trackingId);
    });
    await one.ready();
    while (one.stats().pending > 0) await pause(5);
    expect(confirmed.filter((id) => !handedOn.has(id))).toEqual([]);
    expect(one.stats().dead).toBe(0);
  });

  it("keeps another process out of its folder, says why, and lets it in once it is closed", async () => {
    const folder = newFolder();
    const first = spoolOf(folder);
    await first.ready();
    // Within the process, too; trying it must not cost the lock that keeps other processes out.
    await expect(spoolOf(folder)(messageOf(), contextOf())).rejects.toMatchObject({
      name: "BusyError",
      message: `The spool in ${folder} cannot be opened: it is in use already, and each process needs a folder of its own.`,
    });
    expect(lines).toHaveLength(1);
    const child = await startChild(PROGRAM);
    expect(await child.ask(`open ${folder}`)).toContain("it is in use already");
    expect(await child.ask("emit")).toContain("it is in use already");
    await first(messageOf(), contextOf());

    await Promise.all(opened.splice(0).map((one) => one.close({ timeoutMs: 1 })));
    const end = Date.now() + 10_000;
    while ((await child.ask("emit")) !== "kept" && Date.now() < end) await pause(50);
    expect(await child.ask("emit")).toBe("kept");
  });

  it.each([1, 5, 60, 200])("drops a torn end of %i octets, which nobody was told is safe", async (octets) => {
    const { copy, log } = await cutOff(20);
    truncateSync(log, readFileSync(log).length - octets);
    expect(await bodiesIn(copy)).toEqual(numbers(19));
    expect(lines).toEqual([]);
  });

  it.each([
    ["zeros", Buffer.alloc(5000)],
    ["half a record", Buffer.from("0123456789abcdef0123", "hex")],
  ])("keeps all before an end of %s", async (_, end) => {
    const { copy, log } = await cutOff(20);
    appendFileSync(log, end);
    expect(await bodiesIn(copy)).toEqual(numbers(20));

    const one = opened.at(-1) as Spool;
    await one(messageOf({ body: "20" }), contextOf());
    await one.close({ timeoutMs: 1 });
    expect(await bodiesIn(copy)).toEqual(numbers(21));
  });

  it("says so where the disk has spoilt what was safe", async () => {
    const { copy, log } = await cutOff(20);
    const octets = readFileSync(log);
    const middle = Math.floor(octets.length / 2);
    octets.fill(0xff, middle, middle + 1);
    writeFileSync(log, octets);
    const bodies = await bodiesIn(copy);
    expect(bodies).toEqual(numbers(bodies.length));
    expect(lines.join("\n")).toMatch(/a part of it was damaged, and is lost: .*dropping \d+ bytes/);
  });

  it("says what to do where a folder cannot be read at all, and touches nothing", async () => {
    const { copy } = await cutOff(3);
    const manifest = join(copy, readdirSync(copy).find((file) => file.startsWith("MANIFEST")) as string);
    writeFileSync(manifest, "no manifest");
    await expect(bodiesIn(copy)).rejects.toThrow(/is damaged .*: copy it, then try ClassicLevel\.repair\(\) on it/);
    await opened.at(-1)?.close();
    await ClassicLevel.repair(copy);
    expect(await bodiesIn(copy)).toEqual(numbers(3));
  });

  it("opens no folder that was made for something else", async () => {
    const folder = newFolder();
    const db = new ClassicLevel(folder);
    await db.put("format", "quarantine 1");
    await db.close();
    await expect(spoolOf(folder).ready()).rejects.toThrow("it holds a quarantine 1, and no spool 1");
  });

  it("refuses while it cannot write, and loses nothing to it: fake disk [J1]", async () => {
    const folder = newFolder();
    const one = spoolOf(folder);
    await one(messageOf({ body: "0" }), contextOf());
    const full = Object.assign(new Error("IO error: 000005.log: No space left on device"), { code: "LEVEL_IO_ERROR" });
    const batch = jest.spyOn(ClassicLevel.prototype, "batch").mockRejectedValueOnce(full as never);
    const results = await Promise.allSettled(["a", "b"].map((body) => one(messageOf({ body }), contextOf())));
    batch.mockRestore();
    expect(results).toEqual(
      [1, 2].map(() => ({
        status: "rejected",
        reason: expect.objectContaining({ name: "BusyError", retryAfterSeconds: 5 }),
      })),
    );
    expect(lines).toEqual([expect.stringMatching(/cannot be written: the disk is full/)]);

    const end = Date.now() + 10_000;
    const isKept = (): Promise<boolean> =>
      one(messageOf({ body: "1" }), contextOf()).then(
        () => true,
        () => false,
      );
    while (!(await isKept()) && Date.now() < end) await pause(20);
    expect(lines.at(-1)).toContain("it is open again");
    await one.close({ timeoutMs: 1 });
    expect(await bodiesIn(folder)).toEqual(["0", "1"]);
  });

  const hasNamespaces = spawnSync("unshare", ["-rm", "true"]).status === 0;
  if (!hasNamespaces) process.stderr.write("unshare -rm does not work here, so no real disk is filled.\n");
  (hasNamespaces ? it : it.skip)(
    "refuses while the disk is full, and loses nothing to it: real disk [J1]",
    async () => {
      const child = await startChild(PROGRAM);
      const disk = newFolder();
      mkdirSync(disk);
      const script = 'mount -t tmpfs -o size=24m tmpfs "$1" && exec "$2" "$3" "$1"';
      const args = ["-rm", "sh", "-c", script, "sh", disk, process.execPath, await child.ask<string>("where")];
      const { stdout, stderr } = spawnSync("unshare", args, {
        encoding: "utf8",
        env: { ...process.env, NODE_PATH: join(__dirname, "..", "..", "node_modules") },
      });
      expect(stderr).toBe("");
      const result = JSON.parse(stdout) as { before: number; confirmed: number; lines: string[] };
      expect(result).toMatchObject({ missing: 0, error: expect.stringMatching(/^BusyError: .*the disk is full/) });
      expect(result.confirmed).toBe(result.before + 50);
      expect(result.lines.filter((line) => line.includes("cannot be"))).toHaveLength(1);
    },
  );

  it("holds little in memory of 10,000 pending messages", async () => {
    const child = await startChild(PROGRAM);
    const { grown, pending, bytes } = await child.ask<{ grown: number; pending: number; bytes: number }>(
      `memory ${newFolder()}`,
    );
    expect(pending).toBe(10_001);
    expect(bytes).toBeGreaterThan(60_000_000);
    expect(grown).toBeLessThan(15_000_000);
  });
});
