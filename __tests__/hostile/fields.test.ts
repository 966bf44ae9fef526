/** Field lines that two readers could read differently, written to the socket as no HTTP client would. */
import { chunk, dial, head, LAST_CHUNK } from "../support/dial";
import { exchange, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { expectNoLeak } from "./refused";

watchUnhandled();

const JSON_TYPE = "Content-Type: application/json";

/** Sends one request of raw lines, and returns the statuses of all answers, whatever came back. */
async function raw(port: number, lines: readonly string[], body = "{}"): Promise<{ statuses: number[]; text: string }> {
  const length = lines.some((line) => /^(?:content-length|transfer-encoding)/i.test(line))
    ? []
    : [`Content-Length: ${body.length}`];
  return exchange(port, Buffer.from(head([...lines, ...length, "Connection: close"]) + body, "latin1"));
}

describe("a media type [T10, A2]", () => {
  it.each([
    "application/json",
    "APPLICATION/JSON",
    "application/json;charset=utf-8",
    'application/json ; charset="UTF-8"',
    "application/json;",
    "application/json; ;charset=utf-8",
    'application/json; profile="a;b,c"',
    "application/cloudevents+json",
    "model/gltf+json",
    "application/x.y-z_1!#$%&'^`|~+json",
    " application/json",
    "application/json\t",
  ])("%p is taken", async (type) => {
    const { port } = await serveNode();
    expect((await raw(port, [`Content-Type: ${type}`])).statuses).toEqual([200]);
  });

  it.each([
    "",
    "json",
    "application",
    "application/",
    "/json",
    "application/json junk",
    "application/json\u00a0",
    "application/json\u00a0;charset=utf-8",
    "application/json,",
    "application/json, text/html",
    "text/html, application/json",
    "application/json/x",
    "application/jsonp",
    "application/json+xml",
    "application/ json",
    "application /json",
    "application/*",
    "application/*+json",
    "*/*",
    "text/json",
    "text/plain",
    "text/plain; a=application/json",
    "multipart/form-data; boundary=x+json",
    "application/x-www-form-urlencoded",
    "application/json; charset",
    "application/json; charset=",
    "application/json; charset =utf-8",
    "application/json; charset= utf-8",
    'application/json; charset="utf-8',
    'application/json; charset="utf-8"x',
    "application/json; charset=utf-8 utf-16",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json; charset=utf-8; charset=utf-8",
    "application/json; =utf-8",
    "application/json<script>",
    "application/j\u00e4son",
    "constructor",
    "__proto__",
    "__proto__/+json; a",
  ])("%p is 415, and names what is taken", async (type) => {
    const { port, messages } = await serveNode();
    const { text, statuses } = await raw(port, [`Content-Type: ${type}`]);
    expect(statuses).toEqual([415]);
    expect(text).toMatch(/^Accept: application\/json/m);
    expectNoLeak(text);
    expect(messages).toEqual([]);
  });

  it("with a line break in it is Node's 400, or 415", async () => {
    const { port, messages } = await serveNode();
    for (const type of [
      "application/json\r\n ;charset=utf-8",
      "application/json\n",
      "application/json\0",
      "application/json\u007f",
    ]) {
      const { statuses } = await raw(port, [`Content-Type: ${type}x`]);
      expect(statuses).toHaveLength(1);
      expect([400, 415]).toContain(statuses[0]);
    }
    expect(messages).toEqual([]);
  });
});

describe("Content-Type in two lines [T20]", () => {
  it.each([
    [[JSON_TYPE, JSON_TYPE]],
    [[JSON_TYPE, "Content-Type: text/html"]],
    [["Content-Type: text/html", JSON_TYPE]],
    [[JSON_TYPE, "CONTENT-TYPE: application/json; charset=utf-16le"]],
    [[JSON_TYPE, "content-type:"]],
    [[JSON_TYPE, "X-Between: 1", "cOntent-tYpe: application/json"]],
  ])("%p is 415", async (lines) => {
    const { port, messages } = await serveNode();
    expect((await raw(port, lines)).statuses).toEqual([415]);
    expect(messages).toEqual([]);
  });

  it("is told apart from none at all, which is 415 too", async () => {
    const { port } = await serveNode();
    expect((await raw(port, [])).statuses).toEqual([415]);
  });
});

describe("a content coding [T10, A3]", () => {
  it.each(["", "identity", "IDENTITY", "identity, identity", ",", " , identity ,"])(
    "%p leaves the body as it is",
    async (coding) => {
      const { port } = await serveNode();
      expect((await raw(port, [JSON_TYPE, `Content-Encoding: ${coding}`])).statuses).toEqual([200]);
    },
  );

  it.each([
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "compress",
    "x-compress",
    "zstd",
    "zlib",
    "raw",
    "gzip;q=1",
    "gzip deflate",
    "gzip\u00a0",
    "*",
    "<script>",
    "aes128gcm",
    "gzip, gzip, gzip, gzip",
    "identity, gzip, constructor",
    Array.from({ length: 500 }, () => "gzip").join(","),
  ])("%p is 415, and names what is taken", async (coding) => {
    const { port, messages } = await serveNode();
    const { text, statuses } = await raw(port, [JSON_TYPE, `Content-Encoding: ${coding}`]);
    expect(statuses).toEqual([415]);
    expect(text).toMatch(/^Accept-Encoding: br, deflate, gzip\r$/m);
    expectNoLeak(text);
    expect(messages).toEqual([]);
  });

  it("in two lines is one list: both are undone, or refused", async () => {
    const { port, messages } = await serveNode();
    expect(
      (await raw(port, [JSON_TYPE, "Content-Encoding: identity", "Content-Encoding: constructor"])).statuses,
    ).toEqual([415]);
    expect((await raw(port, [JSON_TYPE, "Content-Encoding: identity", "Content-Encoding: gzip"])).statuses).toEqual([
      400,
    ]);
    expect(messages).toEqual([]);
  });
});

describe("framing [T14]", () => {
  const chunked = Buffer.concat([chunk("{}"), Buffer.from(LAST_CHUNK)]).toString("latin1");

  it.each([
    ["nope, chunked", 501],
    ["gzip, chunked", 501],
    ["identity, chunked", 501],
    ["x, chunked", 501],
  ])("Transfer-Encoding: %s is %i, and the connection ends", async (coding, status) => {
    const { port, messages } = await serveNode();
    const request = head([JSON_TYPE, `Transfer-Encoding: ${coding}`]) + chunked;
    const { statuses, isClosed } = await exchange(port, request);
    expect(statuses).toEqual([status]);
    expect(isClosed).toBe(true);
    expect(messages).toEqual([]);
  });

  it.each([
    [["Transfer-Encoding: chunked", "Transfer-Encoding: nope"]],
    [["Transfer-Encoding: nope", "Transfer-Encoding: chunked"]],
    [["Transfer-Encoding: chunked, nope"]],
    [["Transfer-Encoding: chunked, chunked"]],
    [["Transfer-Encoding: xchunked"]],
    [["Transfer-Encoding: chunked;q=1"]],
    [["Transfer-Encoding:"]],
    [["Transfer-Encoding: \u000bchunked"]],
    [["Transfer-Encoding: chunked", "Content-Length: 2"]],
    [["Content-Length: 2", "Transfer-Encoding: chunked"]],
    [["Content-Length: 2", "Content-Length: 3"]],
    [["Content-Length: 2, 2"]],
    [["Content-Length: +2"]],
    [["Content-Length: -2"]],
    [["Content-Length: 0x2"]],
    [["Content-Length: 2 2"]],
    [["Content-Length: 99999999999999999999"]],
    [["Content-Length : 2"]],
    [["Host: other"]],
    [["HOST: localhost"]],
    [["X-Fold: a", " b: c", "Content-Length: 2"]],
  ])("%p is refused, once, and the connection ends", async (lines) => {
    const { port, messages } = await serveNode();
    const isChunked = lines.some((line) => line.startsWith("Transfer-Encoding"));
    const length = isChunked || lines.some((line) => line.startsWith("Content-Length")) ? [] : ["Content-Length: 2"];
    const { statuses, isClosed } = await exchange(
      port,
      head([JSON_TYPE, ...lines, ...length, "Connection: close"]) + (isChunked ? chunked : "{}"),
    );
    expect(statuses).toHaveLength(1);
    expect([400, 501]).toContain(statuses[0]);
    expect(isClosed).toBe(true);
    expect(messages).toEqual([]);
  });

  it("a second Host line is 400 with its reason", async () => {
    const { port, messages } = await serveNode();
    const { text, statuses } = await raw(port, [JSON_TYPE, "Host: other"]);
    expect(statuses).toEqual([400]);
    expect(text).toContain("ERR_WEBHOOK_FIELD");
    expect(messages).toEqual([]);
  });

  it.each([
    ["a chunk size that is no number", "zz\r\n{}\r\n0\r\n\r\n"],
    ["a chunk size with a sign", "+2\r\n{}\r\n0\r\n\r\n"],
    ["a chunk size beyond all", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"],
    ["a chunk longer than its size", "2\r\n{}{}\r\n0\r\n\r\n"],
    ["a line feed alone behind the size", "2\n{}\r\n0\r\n\r\n"],
    ["a NUL in the size", "2\0\r\n{}\r\n0\r\n\r\n"],
  ])("a chunked body with %s emits nothing", async (_, body) => {
    const { port, messages, outcomes } = await serveNode({ deadlineMs: 300 });
    const { statuses } = await exchange(
      port,
      head([JSON_TYPE, "Transfer-Encoding: chunked", "Connection: close"]) + body,
    );
    expect(statuses.every((status) => status >= 400)).toBe(true);
    expect(messages).toEqual([]);
    await until(() => outcomes.length > 0);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["aborted"]);
  });
});

describe("one connection, many requests [T14]", () => {
  const request = (body: string, lines: readonly string[] = [JSON_TYPE]): string =>
    head([...lines, `Content-Length: ${body.length}`]) + body;

  it("pipelined requests are answered each, in order", async () => {
    const { port, messages } = await serveNode();
    const client = await dial(port);
    client.write(
      request("[1]") + request("{") + request("[2]") + request("[3]", ["Content-Type: text/html"]) + request("[4]"),
    );
    await client.answered(5);
    expect(client.statuses()).toEqual([200, 400, 200, 415, 200]);
    expect(messages.map(({ payload }) => payload)).toEqual([[1], [2], [4]]);
  });

  it.each<[string, readonly string[], string]>([
    ["405", [JSON_TYPE], "PUT / HTTP/1.1"],
    ["415", ["Content-Type: text/html"], "POST / HTTP/1.1"],
    ["415", [JSON_TYPE, "Content-Encoding: nope"], "POST / HTTP/1.1"],
    ["413", [JSON_TYPE], "POST / HTTP/1.1"],
  ])("what is refused with %s is never read as a request of its own", async (status, lines, start) => {
    const { port, messages, outcomes } = await serveNode({ maxBytes: 16 });
    const hidden = request("[1]");
    const smuggling = head([...lines, `Content-Length: ${hidden.length}`], start) + hidden;
    const { statuses } = await exchange(port, smuggling + request("[2]", [JSON_TYPE, "Connection: close"]));
    expect(statuses[0]).toBe(Number(status));
    expect(messages.map(({ payload }) => payload)).toEqual(statuses.length === 1 ? [] : [[2]]);
    expect(outcomes).toHaveLength(statuses.length);
  });

  it("a body that comes later than its refusal is dropped, or the connection ends: it is never a request", async () => {
    const { port, messages, outcomes } = await serveNode();
    const hidden = request("[1]");
    const client = await dial(port);
    client.write(head(["Content-Type: text/html", `Content-Length: ${hidden.length}`]));
    await client.answered(1);
    client.write(hidden);
    await client.closed;
    expect(client.statuses()).toEqual([415]);
    expect(client.text()).toMatch(/^Connection: close\r$/m);
    expect(messages).toEqual([]);
    expect(outcomes).toHaveLength(1);
  });

  it("a body shorter than its length is waited for, and the next request's octets are not taken for it unseen", async () => {
    const { port, messages } = await serveNode({ deadlineMs: 300 });
    const client = await dial(port);
    client.write(head([JSON_TYPE, "Content-Length: 10"]) + "[1]");
    await client.closed;
    expect(client.statuses()).toEqual([408]);
    expect(messages).toEqual([]);
  });
});

describe("field names that are members of every object [T11]", () => {
  it("poison nothing, and are carried as text or not at all", async () => {
    const { port, messages } = await serveNode({ fields: ["constructor", "__proto__", "toString", "x-good"] });
    expect((await raw(port, [JSON_TYPE, "X-Good: 1"])).statuses).toEqual([200]);
    expect(Object.entries(messages[0]?.fields ?? {})).toEqual([["x-good", "1"]]);
    expect((await raw(port, [JSON_TYPE, "__proto__: {}", "constructor: x", "toString: y"])).statuses).toEqual([200]);
    for (const value of Object.values(messages[1]?.fields ?? {})) expect(typeof value).toBe("string");
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });
});
