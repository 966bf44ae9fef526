/** Whatever a request asks for fails at the n-th time, for every n and in every way: what the sender is told stays true. */
import { createHmac } from "node:crypto";
import type { RequestHandler } from "express";
import { hmacAuthenticator, PermanentError, type Source } from "express-webhook-node";
import { chunk, dial, head, LAST_CHUNK, type Dialled } from "../support/dial";
import { CODE, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { servePath, type ServedPath } from "./path";

watchUnhandled();

const TEXT = JSON.stringify({ id: "d1", type: "order.paid", list: Array.from({ length: 300 }, (_, at) => at) });

/** How something fails. */
type Way = "throws" | "throws nothing" | "rejects" | "rejects with nothing" | "never settles" | "loses the sender";

/** What is asked, in the order of a request, until one of them fails. */
type Faults = {
  readonly asked: string[];
  /** What has failed, if something has. */
  failed: string | undefined;
  /** Whether an emitter has confirmed. */
  confirmed: number;
  emitted: number;
};

type Run = Faults & { readonly client: Dialled; readonly served: ServedPath };

type Plan = {
  readonly coding: keyof typeof CODE;
  /** Whether the emitter refuses for good, so that the dead letters are asked. */
  readonly refuses: boolean;
  readonly way: Way;
  /** Which of the things asked fails, counted from 1. */
  readonly at: number;
};

async function run({ coding, refuses, way, at }: Plan): Promise<Run> {
  const faults: Faults = { asked: [], failed: undefined, confirmed: 0, emitted: 0 };
  const sender: { client?: Dialled } = {};

  /** Notes that something is asked, and tells whether it is what fails. */
  function isDue(name: string): boolean {
    faults.asked.push(name);
    if (faults.asked.length !== at) return false;
    faults.failed = name;
    if (way === "loses the sender") sender.client?.cut();
    return way !== "loses the sender";
  }
  const error: unknown = way.endsWith("nothing") ? undefined : new Error("secret: the fault");
  const isThrown = way === "throws" || way === "throws nothing";
  function now<T>(name: string, value: T): T {
    if (isDue(name)) throw error;
    return value;
  }
  function later<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    if (!isDue(name)) return Promise.resolve().then(work);
    if (isThrown) throw error;
    return way === "never settles" ? new Promise(() => {}) : Promise.reject(error);
  }

  const octets = CODE[coding](TEXT);
  const verify = hmacAuthenticator({ header: "X-Signature", secrets: () => later("secrets", () => ["key"]) });
  const source: Source = {
    name: "shop",
    authenticator: (args) => later("authenticator", () => verify(args)),
    reply: () => now("reply", undefined),
    deliveryId: () => now("deliveryId", "d1"),
    eventType: () => now("eventType", "order.paid"),
  };
  const above: RequestHandler = (request, _response, next) => {
    const push = request.push.bind(request);
    let isStalled = false;
    request.push = (piece: Buffer | null, encoding?: BufferEncoding) => {
      if (piece !== null && isDue("body")) {
        if (way === "never settles") isStalled = true;
        else request.destroy(new Error("secret: the connection is reset"));
      }
      return isStalled ? true : push(piece, encoding);
    };
    next();
  };
  const confirm = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    faults.confirmed++;
  };
  const served = await servePath(
    {
      source,
      // Long enough for a busy machine where nothing is to run out.
      deadlineMs: way === "never settles" ? 150 : 10_000,
      groupId: () => now("groupId", "g"),
      emitter: () => {
        faults.emitted++;
        return later("emitter", () => (refuses ? Promise.reject(new PermanentError("never")) : confirm()));
      },
      deadLetter: () => later("deadLetter", confirm),
      respond: () => now("respond", { ok: true }),
    },
    [above],
  );

  const client = (sender.client = await dial(served.port));
  const signature = createHmac("sha256", "key").update(TEXT).digest("hex");
  const third = Math.ceil(octets.length / 3);
  const fields = [
    "Content-Type: application/json",
    `Content-Encoding: ${coding}`,
    `X-Signature: ${signature}`,
    "Transfer-Encoding: chunked",
    "Connection: close",
  ];
  client.write(head(fields));
  for (let from = 0; from < octets.length && !client.isClosed(); from += third) {
    // Each piece is one push, once the one before it was.
    const pushed = faults.asked.filter((name) => name === "body").length;
    client.write(chunk(octets.subarray(from, from + third)));
    await until(() => client.isClosed() || faults.asked.filter((name) => name === "body").length > pushed);
  }
  client.write(LAST_CHUNK);
  await client.closed;
  return Object.assign(faults, { client, served });
}

/** The status that a failure comes to. None where nobody is there to read one. */
function statusOf(failed: string | undefined, way: Way): number | undefined {
  if (failed === undefined || (failed === "respond" && way !== "loses the sender")) return 200;
  if (way === "loses the sender") return undefined;
  if (failed === "body") return way === "never settles" ? 408 : undefined;
  if (way === "never settles") return 503;
  return ["secrets", "emitter", "deadLetter"].includes(failed) ? 503 : 500;
}

/** How a request ends in which something fails. */
function kindOf(failed: string | undefined, way: Way): string {
  if (way === "loses the sender" && failed !== undefined) {
    // The emit begins in the turn in which these are asked: that the sender has gone is heard in the next one.
    const isEmitted = SYNCHRONOUS.includes(failed) || ["emitter", "deadLetter"].includes(failed);
    return isEmitted ? "delivered" : "aborted";
  }
  const status = statusOf(failed, way);
  if (status === undefined) return "aborted";
  if (status === 200) return "delivered";
  return status < 500 ? "refused" : "failed";
}

const SYNCHRONOUS = ["reply", "deliveryId", "eventType", "groupId", "respond"];
const WAYS: readonly Way[] = [
  "throws",
  "throws nothing",
  "rejects",
  "rejects with nothing",
  "never settles",
  "loses the sender",
];

describe.each([
  { coding: "identity", refuses: false },
  { coding: "identity", refuses: true },
  { coding: "gzip", refuses: false },
  { coding: "br", refuses: true },
] as const)("a request in $coding (refused for good: $refuses) [J1, J2, J4]", ({ coding, refuses }) => {
  const steps = [
    "body",
    "body",
    "body",
    "authenticator",
    "secrets",
    "reply",
    "deliveryId",
    "eventType",
    "groupId",
    "emitter",
  ];

  it("asks for everything that may fail, and is 200 if nothing does", async () => {
    const { asked, client, confirmed, served } = await run({ coding, refuses, way: "throws", at: 0 });
    await served.settled(1);
    expect(asked.toSorted()).toEqual([...steps, ...(refuses ? ["deadLetter"] : []), "respond"].toSorted());
    expect({ statuses: client.statuses(), confirmed }).toEqual({ statuses: [200], confirmed: 1 });
    expect(served.outcomes.map(({ kind }) => kind)).toEqual(["delivered"]);
  });

  it.each(WAYS)(
    "whose n-th of them %s has one answer and one outcome, and 2xx if and only if it is confirmed",
    async (way) => {
      const count = steps.length + (refuses ? 2 : 1);
      const failures = new Set<string>();
      const runs = await Promise.all(
        Array.from({ length: count }, (_, index) => run({ coding, refuses, way, at: index + 1 })),
      );
      // V8 may hold on to what it has called last, where it keeps count of calls: so another request comes.
      await run({ coding, refuses, way, at: 0 });
      for (const { failed, client, confirmed, emitted, served } of runs) {
        expect(failed).toBeDefined();
        failures.add(failed ?? "");
        await served.settled(1);
        const isSkipped = SYNCHRONOUS.includes(failed ?? "") && way === "never settles";
        const expected = statusOf(failed, isSkipped ? "throws" : way);
        const told = { failed, statuses: client.statuses(), kinds: served.outcomes.map(({ kind }) => kind) };
        expect(told).toEqual({
          failed,
          statuses: expected === undefined ? [] : [expected],
          kinds: [kindOf(failed, isSkipped ? "throws" : way)],
        });
        expect(served.outcomes[0]?.kind === "delivered").toBe(confirmed === 1);
        expect(confirmed).toBeLessThanOrEqual(1);
        expect(emitted).toBeLessThanOrEqual(1);
        if (expected === 503) expect(client.text()).toMatch(/^Retry-After: [1-9]\d*\r$/m);
        expect(client.text()).not.toContain("secret");
      }
      // Every one of them has had its turn.
      expect(failures).toEqual(new Set([...steps, ...(refuses ? ["deadLetter"] : []), "respond"]));
    },
  );
});
