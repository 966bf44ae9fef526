import { createWebhookNode, HTTPException, type WebhookNodeOptions } from "express-webhook-node";
import { chunk, dial, head, LAST_CHUNK, type Dialled } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { CODE, serve, until, type Served } from "../support/serve";

quietConsole();

type Kind = {
  readonly status: number;
  readonly options?: Partial<WebhookNodeOptions>;
  readonly lines?: readonly string[];
  readonly method?: string;
  readonly body?: string | Buffer;
};

/** A body that a server which had lost its place would take for a request. */
const REQUEST =
  "POST /?smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const JSON_TYPE = "Content-Type: application/json";
const throwing = (error: unknown): Partial<WebhookNodeOptions> => ({
  authenticator: () => {
    throw error;
  },
});

const KINDS: Readonly<Record<string, Kind>> = {
  "a delivery": { status: 200, body: '{"text":"POST /?smuggled HTTP/1.1"}\r\n\r\n' },
  "a coded delivery": { status: 200, body: CODE.gzip('{"a":1}'), lines: ["Content-Encoding: gzip"] },
  "a delivery whose answer has no content": {
    status: 204,
    options: { status: 204, respond: () => undefined },
    body: "{}",
  },
  "another method": { status: 405, method: "PUT" },
  "GET with a body": { status: 405, method: "GET" },
  "another media type": { status: 415, lines: ["Content-Type: text/plain"] },
  "an unknown coding": { status: 415, lines: ["Content-Encoding: nope"] },
  "a body that is no JSON": { status: 400 },
  "a body that is no gzip": { status: 400, lines: ["Content-Encoding: gzip"] },
  "octets behind the end of gzip": {
    status: 400,
    lines: ["Content-Encoding: gzip"],
    body: Buffer.concat([CODE.gzip("{}"), Buffer.from(REQUEST)]),
  },
  "a body that is too large": { status: 413, options: { maxBytes: 50 } },
  "a bomb": {
    status: 413,
    options: { maxBytes: 50 },
    lines: ["Content-Encoding: gzip"],
    body: CODE.gzip("a".repeat(5000)),
  },
  "JSON that is nested too deep": { status: 400, options: { maxDepth: 2 }, body: "[[[[]]]]" },
  "a sender without proof": { status: 401, options: throwing(new HTTPException(401, { detail: "No." })) },
  "a sender without proof, whose body is being read": {
    status: 401,
    options: {
      authenticator: ({ body }) => {
        void body.bytes();
        throw new HTTPException(401);
      },
    },
  },
  "a sender without proof, whose body is being heard": {
    status: 401,
    options: {
      authenticator: ({ body }) => {
        body.stream().resume();
        throw new HTTPException(401);
      },
    },
  },
  "a sender without proof, whose body was read": {
    status: 401,
    options: {
      authenticator: async ({ body }) => {
        await body.bytes();
        throw new HTTPException(401);
      },
    },
  },
  "an exception that is an answer": { status: 204, options: throwing(new HTTPException(204)) },
  "an exception that redirects": {
    status: 302,
    options: throwing(new HTTPException(302, { headers: { Location: "/" } })),
  },
  "an authenticator that fails": { status: 500, options: throwing(new Error("down")) },
  "a sender that is not let in": { status: 403, options: { authenticator: () => null } },
  "an emitter that fails": { status: 503, options: { emitter: () => Promise.reject(new Error("full")) }, body: "{}" },
  "no room": { status: 503, options: { maxInFlightBytes: 10 } },
};

/** How the octets of the first request's body are framed, and whether they come with its head or later. */
const WAYS = [
  ["with its length, at once", "length", "at once"],
  ["with its length, later", "length", "later"],
  ["with its length, in part, and the rest later", "length", "in part"],
  ["in chunks, at once", "chunks", "at once"],
  ["in chunks, later", "chunks", "later"],
  ["in chunks, in part, and the rest later", "chunks", "in part"],
] as const;

type Seen = Served & { readonly targets: string[] };

/** Serves a node, and keeps the targets of all that Node took for requests. */
async function serveSeen(options: Partial<WebhookNodeOptions> = {}): Promise<Seen> {
  const isSecured = options.authenticator !== undefined;
  const node = createWebhookNode({
    ...(!isSecured && { anonymous: "accept" as const }),
    emitter: async () => {},
    ...options,
  });
  const targets: string[] = [];
  const served = await serve((req: { url: string }, _res: unknown, next: () => void) => {
    targets.push(req.url);
    next();
  }, node);
  return { ...served, targets };
}

function firstRequest(
  { method = "POST", lines = [], body = REQUEST }: Kind,
  framing: "length" | "chunks",
): [string, Buffer] {
  const octets = Buffer.from(body);
  const middle = octets.length >> 1;
  const isTyped = lines.some((line) => line.startsWith("Content-Type"));
  const framed = framing === "length" ? `Content-Length: ${octets.length}` : "Transfer-Encoding: chunked";
  return [
    head([...(isTyped ? [] : [JSON_TYPE]), ...lines, framed], `${method} /?first HTTP/1.1`),
    framing === "length"
      ? octets
      : Buffer.concat([chunk(octets.subarray(0, middle)), chunk(octets.subarray(middle)), Buffer.from(LAST_CHUNK)]),
  ];
}

const SECOND = `${head([JSON_TYPE, "Content-Length: 2"], "DELETE /?second HTTP/1.1")}{}`;

/** One answer for each request that was one, and nothing in between, unless the first answer was told to be the last. */
async function expectInStep(connection: Dialled, status: number, targets: readonly string[]): Promise<void> {
  await until(() => connection.isClosed() || connection.statuses().length >= 2);
  const [first = ""] = connection.text().split(/(?=HTTP\/1\.1 )/);
  const isLast = /^Connection: close\r$/m.test(first);
  expect(connection.statuses()).toEqual(isLast ? [status] : [status, 405]);
  // One that has come in the same octets as the end of a body may have been looked at, though it gets no answer.
  expect(["/?first", "/?first /?second"].slice(isLast ? 0 : 1)).toContain(targets.join(" "));
}

describe.each(Object.entries(KINDS))("the connection, after %s [T5, T14]", (_, kind) => {
  it.each(WAYS)("is in step or ended, where the body came %s", async (_way, framing, arrival) => {
    const { port, targets } = await serveSeen(kind.options);
    const connection = await dial(port);
    const [top, octets] = firstRequest(kind, framing);
    if (arrival === "at once") {
      connection.socket.write(Buffer.concat([Buffer.from(top), octets]));
    } else {
      const early = arrival === "in part" ? octets.subarray(0, octets.length >> 1) : Buffer.alloc(0);
      connection.socket.write(Buffer.concat([Buffer.from(top), early]));
      await until(() => targets.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      connection.write(octets.subarray(early.length));
    }
    await connection.answered();
    connection.write(SECOND);
    await expectInStep(connection, kind.status, targets);
  });

  it("is in step or ended, where the next request came right behind the body", async () => {
    for (const framing of ["length", "chunks"] as const) {
      const { port, targets } = await serveSeen(kind.options);
      const connection = await dial(port);
      const [top, octets] = firstRequest(kind, framing);
      connection.write(Buffer.concat([Buffer.from(top), octets, Buffer.from(SECOND)]));
      await expectInStep(connection, kind.status, targets);
    }
  });
});

describe("a connection that is kept alive [T5]", () => {
  it("takes many deliveries one after the other, refused ones among them", async () => {
    const { port, targets } = await serveSeen({ maxBytes: 100 });
    const connection = await dial(port);
    const expected: number[] = [];
    for (let round = 0; round < 10; round++) {
      for (const [body, status, coding] of [
        ['{"a":1}', 200, "identity"],
        ["{", 400, "identity"],
        ['{"a":1}', 200, "gzip"],
        ["[1]", 200, "br"],
        ["nope", 400, "identity"],
      ] as const) {
        const octets = CODE[coding](body);
        connection.write(
          Buffer.concat([
            Buffer.from(head([JSON_TYPE, `Content-Encoding: ${coding}`, `Content-Length: ${octets.length}`])),
            octets,
          ]),
        );
        expected.push(status);
        await connection.answered(expected.length);
      }
    }
    expect(connection.statuses()).toEqual(expected);
    expect(targets.length).toBe(expected.length);
  });

  it("takes many that are sent without waiting, and answers in their order", async () => {
    const { port } = await serveSeen();
    const connection = await dial(port);
    const bodies = ["{}", "{", "[1]", "", "null", "]"];
    connection.write(bodies.map((body) => `${head([JSON_TYPE, `Content-Length: ${body.length}`])}${body}`).join(""));
    await connection.answered(bodies.length);
    expect(connection.statuses()).toEqual([200, 400, 200, 400, 200, 400]);
  });

  it("goes on after a body in many small chunks that was too large", async () => {
    const { port, targets } = await serveSeen({ maxBytes: 1000 });
    for (const pauseMs of [0, 30]) {
      targets.length = 0;
      const connection = await dial(port);
      connection.write(head([JSON_TYPE, "Transfer-Encoding: chunked"], "POST /?first HTTP/1.1"));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      connection.write(
        Buffer.concat([...Array.from({ length: 50 }, () => chunk("a".repeat(1024))), Buffer.from(LAST_CHUNK)]),
      );
      await connection.answered();
      connection.write(SECOND);
      await expectInStep(connection, 413, targets);
    }
  });
});
