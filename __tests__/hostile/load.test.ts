/** What many bombs and many leaving senders cost a process. */
import path from "node:path";
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";
import { startChild, type Child } from "../support/child";
import { chunk, dial, head, LAST_CHUNK } from "../support/dial";
import { CODE, send } from "../support/serve";
import type { Costs, Counts } from "./load-server";

const JSON_TYPE = "Content-Type: application/json";
const MIB = 1_048_576;
// A few seconds each, and more on a machine that has other things to do.
jest.setTimeout(60_000);
const program = path.join(__dirname, "load-server.ts");

/** The parallel promises of so many calls. */
const times = <T>(count: number, work: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => work(at)));

/** Waits for what another process is to tell, for at most twenty seconds. */
async function eventually<T>(look: () => Promise<T>, isWanted: (found: T) => boolean): Promise<T> {
  const give = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (isWanted(found) || performance.now() > give) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("two hundred bombs at once [T3, T4]", () => {
  const blanks = Buffer.alloc(8 * MIB, 0x20);
  const windowed = (bits: number): Buffer =>
    brotliCompressSync(blanks, {
      params: { [constants.BROTLI_PARAM_LGWIN]: bits, [constants.BROTLI_PARAM_QUALITY]: 5 },
    });
  const BOMBS: readonly [string, string, string, () => Buffer][] = [
    ["gzip", "gzip", "ERR_WEBHOOK_BODY_TOO_LARGE", () => gzipSync(blanks)],
    ["deflate", "deflate", "ERR_WEBHOOK_BODY_TOO_LARGE", () => deflateSync(blanks)],
    ["br with a window of 2^16", "br", "ERR_WEBHOOK_BODY_TOO_LARGE", () => windowed(16)],
    ["br with a window of 2^22", "br", "ERR_WEBHOOK_BODY_TOO_LARGE", () => windowed(22)],
    ["br with a window of 2^24", "br", "ERR_WEBHOOK_WINDOW_TOO_LARGE", () => windowed(24)],
  ];

  let child: Child;
  let before: Costs;
  beforeAll(async () => {
    child = await startChild(program);
    await times(20, () => send(child.port, { body: '{"hello":"world"}' }));
    before = await child.ask<Costs>("costs");
  });

  /** The process has refused them all, within its memory, and goes on. */
  async function hasHeld(emitted: number): Promise<void> {
    const { peakBytes } = await child.ask<Costs>("costs");
    expect(peakBytes - before.residentBytes).toBeLessThan(256 * MIB);
    expect((await child.ask<Counts>("counts")).emitted).toBe(emitted);
    expect({ isAlive: child.isAlive(), errors: child.errors() }).toEqual({ isAlive: true, errors: "" });
  }

  it.each(BOMBS)("in %s are all refused, and cost less than 256 MiB", async (_, coding, code, make) => {
    const { emitted } = await child.ask<Counts>("counts");
    const body = make();
    const answers = await times(200, () => send(child.port, { headers: { "content-encoding": coding }, body }));
    expect(new Set(answers.map(({ status, json }) => `${status} ${json.code}`))).toEqual(new Set([`413 ${code}`]));
    await hasHeld(emitted);
  });

  it.each(BOMBS)("in %s, in pieces, are all refused, and cost less than 256 MiB", async (_, coding, code, make) => {
    const { emitted } = await child.ask<Counts>("counts");
    const body = make();
    const fields = [JSON_TYPE, `Content-Encoding: ${coding}`, "Transfer-Encoding: chunked"];
    const answers = await times(200, async (at) => {
      const client = await dial(child.port);
      const start = at % 2 === 0 ? "POST / HTTP/1.1" : "POST /live HTTP/1.1";
      client.write(Buffer.concat([Buffer.from(head(fields, start)), chunk(body.subarray(0, 12))]));
      // Longer than a body is awaited whole, for those that are inflated while they arrive.
      await new Promise((resolve) => setTimeout(resolve, 40));
      client.write(Buffer.concat([chunk(body.subarray(12)), Buffer.from(LAST_CHUNK)]));
      await client.answered(1, 30_000);
      client.cut();
      return `${client.statuses().join(" ")} ${/ERR_\w+/.exec(client.text())?.[0]}`;
    });
    expect(new Set(answers)).toEqual(new Set([`413 ${code}`]));
    await hasHeld(emitted);
  });

  it.each(["/", "/live"])(
    "of br whose senders stall behind the first octets, at %s, hold no window each",
    async (at) => {
      const body = windowed(22);
      const fields = [JSON_TYPE, "Content-Encoding: br", "Transfer-Encoding: chunked"];
      const part = Buffer.concat([Buffer.from(head(fields, `POST ${at} HTTP/1.1`)), chunk(body.subarray(0, -1))]);
      const { requests, emitted } = await child.ask<Counts>("counts");
      const clients = await times(200, () => dial(child.port));
      for (const client of clients) client.write(part);
      await eventually(
        () => child.ask<Counts>("counts"),
        (counts) => counts.requests === requests + 200,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
      await hasHeld(emitted);
      // And nobody waits for them.
      const good = await send(child.port, { path: at, headers: { "content-encoding": "br" }, body: CODE.br("{}") });
      expect(good.status).toBe(200);
      for (const client of clients) client.cut();
    },
  );
});

describe("a thousand senders that go within their body [T12]", () => {
  const octets = JSON.stringify({ hello: "world", list: Array.from({ length: 2000 }, (_, at) => at) });

  it.each(["identity", "gzip", "deflate", "br"] as const)(
    "in %s: no emit, nothing that ends the process, and memory and handles come back",
    async (coding) => {
      const child = await startChild(program);
      const coded = CODE[coding](octets);
      const framings = [`Content-Length: ${coded.length}`, "Transfer-Encoding: chunked"];
      const leave = async (at: number): Promise<void> => {
        const start = at % 3 === 0 ? "POST /live HTTP/1.1" : "POST / HTTP/1.1";
        const fields = head([JSON_TYPE, `Content-Encoding: ${coding}`, framings[at % 2] as string], start);
        const part = coded.subarray(0, 1 + ((at * 37) % (coded.length - 1)));
        const client = await dial(child.port);
        client.write(Buffer.concat([Buffer.from(fields), at % 2 === 0 ? part : chunk(part)]));
        // Some go at once, some while a decoder is at work.
        await new Promise((resolve) => setTimeout(resolve, (at % 4) * 10));
        client.cut();
      };
      let left = 0;
      const round = async (count: number): Promise<Costs> => {
        for (let done = 0; done < count; done += 100) await times(100, leave);
        left += count;
        // A connection that was closed has had all its octets read before.
        const counts = await eventually(
          () => child.ask<Counts>("counts"),
          ({ connections, open, unanswered }) => connections === left && open === 0 && unanswered === 0,
        );
        expect(counts).toMatchObject({ connections: left, open: 0, emitted: 0, unanswered: 0 });
        expect(counts.outcomes).toEqual({ "aborted ERR_WEBHOOK_ABORTED": counts.requests });
        expect(counts.requests).toBeGreaterThan(left * 0.7);
        return child.ask<Costs>("costs");
      };

      const before = await round(500);
      const after = await round(1000);
      expect(after.resources).toEqual(before.resources);
      // A record of a kibibyte that stayed behind for each would be a mebibyte.
      expect(after.heldBytes - before.heldBytes).toBeLessThan(MIB);
      expect({ isAlive: child.isAlive(), errors: child.errors() }).toEqual({ isAlive: true, errors: "" });
    },
  );
});
