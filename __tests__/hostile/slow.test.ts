/** Senders that are slow, that stall, and that are many. */
import http from "node:http";
import { AuthCredentials, SimpleUser } from "express-webhook-node";
import { chunk, dial, head, type Dialled } from "../support/dial";
import { CODE, send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { servePath } from "./path";

watchUnhandled();

const CODINGS = ["identity", "gzip", "deflate", "br"] as const;
const JSON_TYPE = "Content-Type: application/json";
const GOOD = JSON.stringify({ hello: "world", list: Array.from({ length: 300 }, (_, at) => at) });

/** The deadline of these tests, and how much later than it an answer may come on a busy machine. */
const DEADLINE_MS = 300;
const LATE_MS = 1500;

/** What has come of a request that was left hanging: its one answer, and when. */
async function ended(
  client: Dialled,
  startedAt: number,
): Promise<{ statuses: number[]; tookMs: number; text: string }> {
  await client.closed;
  return { statuses: client.statuses(), tookMs: performance.now() - startedAt, text: client.text() };
}

describe.each(CODINGS)("a body in %s [T13]", (coding) => {
  const octets = CODE[coding](GOOD);
  const fields = [JSON_TYPE, `Content-Encoding: ${coding}`];

  /** The ways in which a body stalls: how it is framed, and what of it comes. */
  const stalls: readonly [string, Buffer][] = [
    [`Content-Length: ${octets.length}`, Buffer.alloc(0)],
    [`Content-Length: ${octets.length}`, octets.subarray(0, octets.length / 2)],
    [`Content-Length: ${octets.length}`, octets.subarray(0, -1)],
    ["Transfer-Encoding: chunked", Buffer.alloc(0)],
    ["Transfer-Encoding: chunked", chunk(octets.subarray(0, octets.length / 2))],
    ["Transfer-Encoding: chunked", chunk(octets).subarray(0, -9)],
    ["Transfer-Encoding: chunked", chunk(octets)],
  ];

  it("that stalls, wherever it does, is 408 at the deadline, and the connection ends", async () => {
    const { port, messages, outcomes, settled } = await servePath({ deadlineMs: DEADLINE_MS });
    await Promise.all(
      stalls.map(async ([framing, part]) => {
        const startedAt = performance.now();
        const client = await dial(port);
        client.write(Buffer.concat([Buffer.from(head([...fields, framing])), part]));
        const { statuses, tookMs, text } = await ended(client, startedAt);
        expect(statuses).toEqual([408]);
        expect(text).toMatch(/^Connection: close\r$/m);
        expect(text).toContain("ERR_WEBHOOK_BODY_TIMEOUT");
        expect(tookMs).toBeGreaterThan(DEADLINE_MS - 20);
        expect(tookMs).toBeLessThan(DEADLINE_MS + LATE_MS);
      }),
    );
    await settled(stalls.length);
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual(
      stalls.map(() => ["refused", "ERR_WEBHOOK_BODY_TIMEOUT"]),
    );
  });

  it("that trickles octet by octet is 408 at the deadline: no octet buys time", async () => {
    const { port, messages, settled } = await servePath({ deadlineMs: DEADLINE_MS });
    const startedAt = performance.now();
    const client = await dial(port);
    client.write(head([...fields, "Transfer-Encoding: chunked"]));
    let at = 0;
    const timer = setInterval(() => client.write(chunk(octets.subarray(at, ++at))), 5);
    const { statuses, tookMs } = await ended(client, startedAt);
    clearInterval(timer);
    expect(at).toBeGreaterThan(5);
    expect(statuses).toEqual([408]);
    expect(tookMs).toBeGreaterThan(DEADLINE_MS - 20);
    expect(tookMs).toBeLessThan(DEADLINE_MS + LATE_MS);
    await settled(1);
    expect(messages).toEqual([]);
  });

  it("that is slow but comes in time is taken", async () => {
    const { port, messages } = await serveNode({ deadlineMs: 5000 });
    const size = Math.ceil(octets.length / 8);
    const client = await dial(port);
    client.write(head([...fields, `Content-Length: ${octets.length}`]));
    for (let at = 0; at < octets.length; at += size) {
      client.write(octets.subarray(at, at + size));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await client.answered();
    expect(client.statuses()).toEqual([200]);
    expect(messages[0]?.body).toBe(GOOD);
  });
});

describe("a stalled sender [T13]", () => {
  it("is refused at once, stalled or not, where the authenticator does not ask for the body", async () => {
    const { port, outcomes } = await serveNode({ deadlineMs: 5000, authenticator: () => null });
    const client = await dial(port);
    client.write(head([JSON_TYPE, "Content-Length: 100"]));
    await client.answered();
    expect(client.statuses()).toEqual([403]);
    expect(outcomes[0]?.durationMs).toBeLessThan(1000);
  });

  it("is 408 where the authenticator has waited for its body alone, and 503 where the authenticator itself was slow", async () => {
    const pair = [new AuthCredentials(), new SimpleUser("slow")] as const;
    const { port } = await serveNode({
      deadlineMs: DEADLINE_MS,
      authenticator: async ({ request, body }) => {
        if (request.get("x-slow")) await new Promise(() => {});
        await body.bytes();
        return pair;
      },
    });
    const [stalled, slow] = [await dial(port), await dial(port)];
    stalled.write(head([JSON_TYPE, "Content-Length: 100"]));
    slow.write(head([JSON_TYPE, "Content-Length: 100", "X-Slow: 1"]));
    await Promise.all([stalled.closed, slow.closed]);
    expect([stalled.statuses(), slow.statuses()]).toEqual([[408], [503]]);
  });
});

describe("a hundred stalled senders [T4, T13]", () => {
  async function stall(port: number, coding: (typeof CODINGS)[number]): Promise<Dialled[]> {
    const clients = await Promise.all(Array.from({ length: 100 }, () => dial(port)));
    const fields = head([JSON_TYPE, `Content-Encoding: ${coding}`, "Transfer-Encoding: chunked"]);
    const part = Buffer.concat([Buffer.from(fields), chunk(CODE[coding](GOOD).subarray(0, 40))]);
    for (const client of clients) client.write(part);
    return clients;
  }

  it.each(CODINGS)("in %s hold up nobody: good ones are served meanwhile, in one piece or several", async (coding) => {
    const { port, admit, messages, settled } = await servePath({ deadlineMs: 20_000 });
    const stalled = await stall(port, coding);
    await until(() => admit.inFlight === 100);
    // Longer than a body is awaited whole: every one of them has its decoder by now.
    await new Promise((resolve) => setTimeout(resolve, 30));

    const octets = CODE[coding](GOOD);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
    const good = await Promise.all(
      Array.from({ length: 40 }, (_, at) => {
        const body = at % 2 === 0 ? octets : [octets.subarray(0, 30), octets.subarray(30)];
        return send(port, { agent, headers: { "content-encoding": coding }, body });
      }),
    );
    agent.destroy();
    expect(good.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200));
    expect(messages).toHaveLength(40);
    expect(stalled.flatMap((client) => client.statuses())).toEqual([]);

    for (const client of stalled) client.cut();
    await settled(140);
  });

  it("get 408 each", async () => {
    const { port, outcomes, settled } = await servePath({ deadlineMs: 400 });
    const stalled = await stall(port, "gzip");
    await Promise.all(stalled.map(({ closed }) => closed));
    expect(stalled.map((client) => client.statuses())).toEqual(Array.from({ length: 100 }, () => [408]));
    await settled(100);
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(["ERR_WEBHOOK_BODY_TIMEOUT"]));
  });

  it("that announce much and send nothing keep nobody out", async () => {
    const { port, admit } = await servePath({ maxInFlightBytes: 2_000_000, maxBytes: 1_000_000, deadlineMs: 2000 });
    const stalled = await Promise.all(Array.from({ length: 100 }, () => dial(port)));
    for (const client of stalled) client.write(head([JSON_TYPE, "Content-Length: 1000000"]));
    await until(() => admit.inFlight === 100);
    expect(admit.inFlightBytes).toBe(0);
    expect((await send(port, { body: `"${"x".repeat(900_000)}"` })).status).toBe(200);
    for (const client of stalled) client.cut();
    await until(() => admit.inFlight === 0 && admit.inFlightBytes === 0);
  });
});

describe("a body that is heard while it arrives [T4]", () => {
  it.each(["gzip", "deflate", "br"] as const)(
    "in %s is so for a few senders at a time; the others lose the head start, and nothing else",
    async (coding) => {
      const heard: Buffer[][] = [];
      const { port, messages, settled } = await servePath({
        deadlineMs: 20_000,
        authenticator: async ({ body }) => {
          const own: Buffer[] = [];
          heard.push(own);
          for await (const octets of body.stream()) own.push(octets as Buffer);
          return [new AuthCredentials(), new SimpleUser("live")];
        },
      });
      // What comes first is whole in itself, so that a decoder has something to tell.
      const first = coding === "gzip" ? CODE.gzip("[1,") : CODE[coding]("[1,2]");
      const second = coding === "gzip" ? CODE.gzip("2]") : Buffer.alloc(0);
      const clients = await Promise.all(Array.from({ length: 30 }, () => dial(port)));
      const fields = head([JSON_TYPE, `Content-Encoding: ${coding}`, "Transfer-Encoding: chunked"]);
      for (const client of clients) client.write(Buffer.concat([Buffer.from(fields), chunk(first)]));
      const live = (): number => heard.filter((own) => own.length > 0).length;
      await until(() => heard.length === 30 && live() === 8);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(live()).toBe(8);

      for (const client of clients) {
        client.write(Buffer.concat([second.length > 0 ? chunk(second) : second, Buffer.from("0\r\n\r\n")]));
      }
      await Promise.all(clients.map((client) => client.answered()));
      expect(clients.flatMap((client) => client.statuses())).toEqual(Array.from({ length: 30 }, () => 200));
      expect(heard.map((own) => Buffer.concat(own).toString())).toEqual(Array.from({ length: 30 }, () => "[1,2]"));
      expect(messages).toHaveLength(30);
      for (const client of clients) client.cut();
      await settled(30);
    },
  );
});

describe("a sender that reads its answer slowly [T12]", () => {
  it("holds nothing in flight that a cut does not give back", async () => {
    const { port, admit, messages } = await servePath({ respond: () => "x".repeat(8 * 1_048_576) });
    const client = await dial(port);
    client.socket.pause();
    client.write(`${head([JSON_TYPE, "Content-Length: 2"])}{}`);
    await until(() => messages.length === 1);
    expect(admit.inFlight).toBe(1);
    client.cut();
    await until(() => admit.inFlight === 0 && admit.inFlightBytes === 0);
  });
});
