import { createHash } from "node:crypto";
import http from "node:http";
import { constants, createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import {
  admission,
  begin,
  decompress,
  delivery,
  HTTPException,
  problem,
  type Body,
  type DecompressOptions,
  type WebhookError,
} from "express-webhook-node";
import { chunk, dial, head, LAST_CHUNK } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { CODE, send, serve, serveNode, until, type Served } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

quietConsole();
watchUnhandled();

type Coding = keyof typeof CODE;
type Handler = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void) => void;

const FORMS = ["encoded", "bytes", "text", "json", "each", "stream"] as const;
type Form = (typeof FORMS)[number];

/** What a form of the body comes to: the octets, as hex. */
const ASK: { readonly [Name in Form]: (body: Body) => Promise<string> } = {
  encoded: async (body) => hex(await body.encoded()),
  bytes: async (body) => hex(await body.bytes()),
  text: async (body) => hex(await body.text()),
  json: async (body) => hex(JSON.stringify(await body.json())),
  each: async (body) => {
    const heard: Buffer[] = [];
    await body.each((octets) => heard.push(octets));
    return hex(Buffer.concat(heard));
  },
  stream: async (body) => hex(await buffer(body.stream())),
};

function hex(octets: string | Buffer): string {
  return Buffer.from(octets).toString("hex");
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code);
const told = (body: Body, form: Form): Promise<string> => ASK[form](body).catch(codeOf);

/** How forms are asked for: at once, one microtask after the other, one turn after the other, or each after the last. */
const MANNERS = ["together", "a microtask apart", "a turn apart", "one after the other"] as const;
type Manner = (typeof MANNERS)[number];

async function askAll(body: Body, forms: readonly Form[], manner: Manner): Promise<string[]> {
  const results: Promise<string>[] = [];
  for (const form of forms) {
    const result = told(body, form);
    results.push(result);
    if (manner === "a microtask apart") await Promise.resolve();
    if (manner === "a turn apart") await new Promise((resolve) => setImmediate(resolve));
    if (manner === "one after the other") await result;
  }
  return Promise.all(results);
}

type Plan = { readonly forms: readonly Form[]; readonly manner: Manner };

/** Serves a handler that asks for the forms that the request's field `plan` lists, and answers what they came to. */
function servePlans(options: DecompressOptions = {}): Promise<Served> {
  const handler: Handler = (req, res, next) => {
    const { forms, manner } = JSON.parse(req.headers["plan"] as string) as Plan;
    askAll(delivery(req).body, forms, manner).then((results) => res.end(JSON.stringify(results)), next);
  };
  return serve(decompress(options), handler, problem());
}

/** Serves one handler that is given the body. */
function serveBody(
  handle: (body: Body, req: http.IncomingMessage) => Promise<unknown>,
  ...steps: unknown[]
): Promise<Served> {
  const handler: Handler = (req, res, next) => {
    handle(delivery(req).body, req).then((value) => res.end(JSON.stringify(value ?? null)), next);
  };
  return serve(...(steps.length > 0 ? steps : [decompress()]), handler, problem());
}

/** Applies codings in the order that the field lists them in. */
function coded(octets: string | Buffer, codings: readonly Coding[]): Buffer {
  return codings.reduce<Buffer>((body, coding) => CODE[coding](body), Buffer.from(octets));
}

/** Octets that nothing compresses. */
function noise(bytes: number): Buffer {
  const hashes = Array.from({ length: Math.ceil(bytes / 32) }, (_, at) =>
    createHash("sha256").update(`${at}`).digest(),
  );
  return Buffer.concat(hashes).subarray(0, bytes);
}

/** Cuts octets in so many pieces of about the same size. */
function cut(octets: Buffer, count: number): Buffer[] {
  const size = Math.ceil(octets.length / count);
  return Array.from({ length: count }, (_, at) => octets.subarray(at * size, (at + 1) * size)).filter(
    (piece) => piece.length > 0,
  );
}

const text = JSON.stringify({
  event: "push",
  name: "caf\u00e9 \u{1f980}",
  list: Array.from({ length: 60 }, (_, at) => at),
});

function wanted(form: Form, encoded: Buffer): string {
  return form === "encoded" ? hex(encoded) : hex(text);
}

describe("the body, asked for in several forms [B2, T22]", () => {
  const pairs = FORMS.flatMap((first) => [[first] as const, ...FORMS.map((second) => [first, second] as const)]);

  describe.each(["identity", "gzip", "deflate", "br", "gzip, br"])("coded by %s", (field) => {
    const codings = field.split(", ") as Coding[];

    it.each([
      ["whole", 1],
      ["in pieces", 3],
    ])("gives the same octets in every order, arrived %s", async (_, count) => {
      const { port } = await servePlans();
      const encoded = coded(text, codings);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
      try {
        await Promise.all(
          pairs.flatMap((forms) =>
            MANNERS.map(async (manner) => {
              const headers = { "content-encoding": codings.join(", "), plan: JSON.stringify({ forms, manner }) };
              const answered = await send(port, {
                headers,
                agent,
                body: count === 1 ? encoded : cut(encoded, count),
              });
              expect([manner, forms, answered.json]).toEqual([
                manner,
                forms,
                forms.map((form) => wanted(form, encoded)),
              ]);
            }),
          ),
        );
      } finally {
        agent.destroy();
      }
    });

    it("gives the same octets in every order, arrived with pauses", async () => {
      const { port } = await servePlans();
      const encoded = coded(text, codings);
      await Promise.all(
        pairs.flatMap((forms) =>
          (["together", "one after the other"] as const).map(async (manner) => {
            const connection = await dial(port);
            const plan = JSON.stringify({ forms, manner });
            const [first, second] = cut(encoded, 2) as [Buffer, Buffer];
            connection.write(
              head([
                `Content-Length: ${encoded.length}`,
                `Content-Encoding: ${codings.join(",")}`,
                `Plan: ${plan}`,
                "Connection: close",
              ]),
            );
            connection.write(first);
            // Longer than a coded body is awaited whole.
            await new Promise((resolve) => setTimeout(resolve, 50));
            connection.write(second);
            await connection.closed;
            const results = JSON.stringify(forms.map((form) => wanted(form, encoded)));
            expect([manner, forms, connection.text().split("\r\n\r\n")[1]]).toEqual([
              manner,
              forms,
              expect.stringContaining(results),
            ]);
          }),
        ),
      );
    });
  });

  it("gives the same octets however often, in any order and however cut", async () => {
    const { port } = await servePlans();
    const agent = new http.Agent({ keepAlive: true });
    const forms = fc.array(fc.constantFrom(...FORMS), { minLength: 1, maxLength: 6 });
    const codings = fc.array(fc.constantFrom<Coding>("gzip", "deflate", "br", "identity"), { maxLength: 3 });
    try {
      await fc.assert(
        fc.asyncProperty(
          forms,
          fc.constantFrom(...MANNERS),
          codings,
          fc.integer({ min: 1, max: 9 }),
          async (list, manner, codes, count) => {
            const encoded = coded(text, codes);
            const headers = { "content-encoding": codes.join(", "), plan: JSON.stringify({ forms: list, manner }) };
            const answered = await send(port, { headers, agent, body: count === 1 ? encoded : cut(encoded, count) });
            expect(answered.json).toEqual(list.map((form) => wanted(form, encoded)));
          },
        ),
        { numRuns: 150 },
      );
    } finally {
      agent.destroy();
    }
  });

  it("gives one and the same value to all who ask for a form", async () => {
    const { port } = await serveBody(async (body) => {
      const first = [body.encoded(), body.bytes(), body.text(), body.json()];
      const second = [body.encoded(), body.bytes(), body.text(), body.json()];
      expect(first.every((reading, at) => reading === second[at])).toBe(true);
      return (await Promise.all(first)).length;
    });
    expect((await send(port, { body: CODE.gzip(text), headers: { "content-encoding": "gzip" } })).json).toBe(4);
  });

  it("is read by nobody who does not ask", async () => {
    const { port } = await serveBody(async (_body, req) => req.readableDidRead);
    expect((await send(port, { body: text })).json).toBe(false);
  });

  it("keeps a byte order mark in the octets, and drops it from the text", async () => {
    const { port } = await serveBody(async (body) => [
      (await body.bytes()).length,
      await body.text(),
      await body.json(),
    ]);
    expect((await send(port, { body: "\uFEFF[1]" })).json).toEqual([6, "[1]", [1]]);
  });
});

describe("stream() and each() [B2]", () => {
  const parts = ['{"first":"part",', '"second":"part"}'] as const;

  /** A coder that gives what it has been given, at once. */
  const CODERS = {
    gzip: () => createGzip(),
    deflate: () => createDeflate(),
    br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_LGWIN]: 18 } }),
  } as const;

  /** Both parts in one coding, cut where the first one ends. */
  async function codedParts(coding: keyof typeof CODERS): Promise<[Buffer, Buffer]> {
    const coder = CODERS[coding]();
    coder.write(parts[0]);
    await new Promise<void>((resolve) => coder.flush(resolve));
    const first = coder.read() as Buffer;
    coder.end(parts[1]);
    return [first, await buffer(coder)];
  }

  it.each(["identity", "gzip", "deflate", "br"] as const)(
    "brings the first octets of %s before the last are sent",
    async (coding) => {
      for (const form of ["stream", "each"] as const) {
        let seen = "";
        const { port } = await serveBody(async (body) => {
          if (form === "each") await body.each((octets) => void (seen += octets.toString()));
          else for await (const octets of body.stream()) seen += String(octets);
        });
        const [first, second] = coding === "identity" ? parts : await codedParts(coding);
        const connection = await dial(port);
        connection.write(head(["Transfer-Encoding: chunked", `Content-Encoding: ${coding}`]));
        connection.write(chunk(first));
        await until(() => seen === parts[0]);
        connection.write(chunk(second));
        connection.write(LAST_CHUNK);
        await connection.answered();
        expect(connection.statuses()[0]).toBe(200);
        expect(seen).toBe(parts.join(""));
      }
    },
  );

  it("may be asked for by several readers", async () => {
    const { port } = await serveBody(async (body) => {
      const readings = [body.stream(), body.stream()].map((stream) => buffer(stream));
      return (await Promise.all([...readings, body.bytes()])).map((octets) => octets.toString());
    });
    const body = [text.slice(0, 40), text.slice(40)];
    expect((await send(port, { body })).json).toEqual([text, text, text]);
  });

  it("may be left by its reader, and the other forms go on", async () => {
    const { port } = await serveBody(async (body) => {
      const stream = body.stream();
      stream.once("data", () => stream.destroy());
      return body.text();
    });
    for (const coding of ["identity", "gzip"] as const) {
      const encoded = CODE[coding](text);
      expect((await send(port, { body: cut(encoded, 4), headers: { "content-encoding": coding } })).json).toBe(text);
    }
  });

  it("tells the failure of a listener to each()'s own caller alone", async () => {
    const { port } = await serveBody(async (body) => {
      const failed = body.each(() => {
        throw new RangeError("not mine");
      });
      return [await failed.catch((error: Error) => error.message), await body.text()];
    });
    expect((await send(port, { body: text })).json).toEqual(["not mine", text]);
    expect((await send(port, { body: cut(Buffer.from(text), 3) })).json).toEqual(["not mine", text]);
  });

  it("brings nothing of an empty body, and ends", async () => {
    const { port } = await serveBody(async (body) => (await buffer(body.stream())).length);
    for (const body of [undefined, "", []])
      expect((await send(port, { ...(body !== undefined && { body }) })).json).toBe(0);
  });
});

describe("the failure of a body [C2, T22]", () => {
  /** Tells what every form comes to, in two rounds. */
  const everyForm = async (body: Body): Promise<string[][]> => [
    await askAll(body, FORMS, "together"),
    await askAll(body, FORMS, "together"),
  ];
  const all = (code: string): string[][] => [FORMS.map(() => code), FORMS.map(() => code)];

  it.each(["identity", "gzip", "br"] as const)("reaches all forms of %s that is too large", async (coding) => {
    const { port } = await serveBody(everyForm, decompress({ maxBytes: 100, maxEncodedBytes: 200 }));
    const encoded = CODE[coding](noise(400));
    const answered = await send(port, { body: cut(encoded, 4), headers: { "content-encoding": coding } });
    expect(answered.json).toEqual(all("ERR_WEBHOOK_BODY_TOO_LARGE"));
  });

  it.each([1, 4])(
    "reaches all forms of a damaged one, in %d pieces; the octets as sent may be whole",
    async (count) => {
      const { port } = await serveBody(everyForm);
      const damaged = CODE.gzip(text);
      damaged[20] = (damaged[20] as number) ^ 0xff;
      const body = count === 1 ? damaged : cut(damaged, count);
      const rounds = (await send(port, { body, headers: { "content-encoding": "gzip" } })).json as string[][];
      expect(rounds.length).toBe(2);
      for (const [encoded, ...others] of rounds) {
        // In pieces, the damage may be met before the last one has come.
        expect(count === 1 ? [hex(damaged)] : [hex(damaged), "ERR_WEBHOOK_BODY_DAMAGED"]).toContain(encoded);
        expect(others).toEqual(FORMS.slice(1).map(() => "ERR_WEBHOOK_BODY_DAMAGED"));
      }
    },
  );

  it("reaches all forms of one that stalls", async () => {
    const { port } = await serveBody(everyForm, begin({ deadlineMs: 150 }), decompress());
    for (const coding of ["identity", "gzip"] as const) {
      const connection = await dial(port);
      connection.write(head(["Content-Length: 500", `Content-Encoding: ${coding}`]));
      connection.write(CODE[coding](text).subarray(0, 30));
      await connection.answered();
      expect(connection.text()).toContain(JSON.stringify(all("ERR_WEBHOOK_BODY_TIMEOUT")));
    }
  });

  it.each(["identity", "gzip", "br"] as const)(
    "[T12] reaches all forms of %s whose sender goes away",
    async (coding) => {
      const results: string[][] = [];
      let begun = 0;
      const { port } = await serveBody(async (body) => {
        begun++;
        results.push(...(await everyForm(body)));
      });
      for (const framing of ["Content-Length: 5000", "Transfer-Encoding: chunked"]) {
        results.length = begun = 0;
        const connection = await dial(port);
        connection.write(head([framing, `Content-Encoding: ${coding}`]));
        const part = CODE[coding](text).subarray(0, 30);
        connection.write(framing.startsWith("C") ? part : chunk(part));
        await until(() => begun === 1);
        connection.cut();
        await until(() => results.length === 2);
        expect(results).toEqual(all("ERR_WEBHOOK_ABORTED"));
      }
    },
  );

  it.each([1, 50])(
    "[T12] reaches a reader who asks after the sender has gone, of 50 octets having sent %d",
    async (bytes) => {
      const results: string[] = [];
      let begun = 0;
      const { port } = await serveBody(async (body, req) => {
        begun++;
        await new Promise((resolve) => req.socket.once("close", resolve));
        results.push(...(await askAll(body, FORMS, "together")));
      });
      const connection = await dial(port);
      connection.write(head(["Content-Length: 50"]) + "a".repeat(bytes));
      await until(() => begun === 1);
      connection.cut();
      await until(() => results.length > 0);
      expect(results).toEqual(FORMS.map(() => "ERR_WEBHOOK_ABORTED"));
    },
  );

  it("[T4] reaches all forms of one that there is no room for", async () => {
    const { port } = await serveBody(everyForm, decompress(), admission({ maxInFlightBytes: 100 }));
    const answered = await send(port, { body: cut(Buffer.from(text), 4) });
    expect(answered.json).toEqual(all("ERR_WEBHOOK_BUSY"));
  });

  it("destroys the stream with what the other forms reject with", async () => {
    const { port } = await serveBody(
      async (body) => {
        const stream: Readable = body.stream();
        const heard: unknown[] = [];
        stream.on("error", (error) => heard.push(error));
        const closed = new Promise((resolve) => stream.once("close", resolve));
        stream.resume();
        const error: unknown = await body.bytes().catch((failure: unknown) => failure);
        await closed;
        return [(error as WebhookError).code, heard.length, heard[0] === error];
      },
      decompress({ maxBytes: 10 }),
    );
    expect((await send(port, { body: cut(Buffer.from(text), 4) })).json).toEqual([
      "ERR_WEBHOOK_BODY_TOO_LARGE",
      1,
      true,
    ]);
  });

  it.each(FORMS)("is no unhandled rejection where nobody looks: %s", async (form) => {
    const { port, outcomes } = await serveNode({
      authenticator: ({ body }) => {
        if (form === "stream") body.stream();
        else if (form === "each") void body.each(() => {});
        else void body[form]();
        throw new HTTPException(401, { detail: "No." });
      },
    });
    const cases = [
      { body: "{" },
      { body: ["{", '"a"'] },
      { body: "no gzip", headers: { "content-encoding": "gzip" } },
      { body: ["no ", "gzip"], headers: { "content-encoding": "gzip" } },
      { body: [] },
      { body: text },
      { body: ["\xff".repeat(70_000)] },
    ];
    for (const sent of cases) expect((await send(port, sent)).status).toBe(401);
    // And where the rest never comes.
    const connection = await dial(port);
    connection.write(head(["Content-Length: 50", "Content-Type: application/json"]));
    connection.write("{");
    await connection.answered();
    expect(connection.statuses()).toEqual([401]);
    connection.cut();
    await until(() => outcomes.length === cases.length + 1);
  });
});
