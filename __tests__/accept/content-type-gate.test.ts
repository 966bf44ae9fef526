import { contentTypeGate, jsonPayload, problem, type ContentTypeGateOptions } from "express-webhook-node";
import { github } from "express-webhook-node/sources/github";
import { twilio } from "express-webhook-node/sources/twilio";
import { quietConsole } from "../support/quiet";
import { exchange, send, serve, serveNode, type Served } from "../support/serve";

quietConsole();

const handler = (_req: unknown, res: { end: (text: string) => void }): void => res.end("passed");
const serveGate = (options?: ContentTypeGateOptions): Promise<Served> =>
  serve(contentTypeGate(options), handler, problem());

/** Sends octets of a field that Node's own client would not. */
async function sendRaw(port: number, ...lines: readonly string[]): Promise<number | undefined> {
  const head = ["POST / HTTP/1.1", "Host: localhost", ...lines, "Content-Length: 2", "Connection: close", "", "{}"];
  const { statuses } = await exchange(port, Buffer.from(head.join("\r\n"), "latin1"));
  return statuses[0];
}

describe("contentTypeGate [A2]", () => {
  it.each([
    "application/json",
    "APPLICATION/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json; charset=us-ascii",
    "application/json; charset=utf-16le",
    "application/json; charset=UTF-32BE",
    "application/json;",
    "application/json; version=2; q=0.5",
    "model/gltf+json",
    "application/calendar+json",
    "Application/Vnd.GitHub.V3+JSON; x=y",
    "application/cloudevents+json; charset=UTF-8",
  ])("lets %s through", async (type) => {
    const { port } = await serveGate();
    expect(await send(port, { headers: { "content-type": type }, body: "{}" })).toMatchObject({ status: 200 });
  });

  it.each([
    undefined,
    "",
    "text/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/json5",
    "application/x-ndjson",
    "application/*",
    "*/*",
    "json",
  ])("answers 415 with Accept to %p", async (type) => {
    const { port } = await serveGate();
    const answered = await send(port, { headers: { "content-type": type }, body: "{}" });
    expect(answered).toMatchObject({ status: 415, headers: { accept: "application/json, */*+json" } });
    expect(answered.json).toMatchObject({ title: "Unsupported Media Type", code: "ERR_WEBHOOK_CONTENT_TYPE" });
  });

  it.each([github({ secrets: ["a secret"] }), twilio({ secrets: ["a token"], url: "https://a.example/" })])(
    "names the option of the source $name that lets in forms",
    async (source) => {
      const { port, outcomes } = await serveNode({ source });
      await send(port, { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "payload={}" });
      await send(port, { headers: { "content-type": "text/plain" }, body: "{}" });
      expect(outcomes[0]?.advice).toContain("let it in by form: true of the source");
      expect(outcomes[1]?.advice).not.toContain("form: true");
    },
  );

  it.each([
    "application/json junk",
    "application/json\xa0",
    "\xa0application/json",
    "application/json, text/plain",
    "application/json;charset=utf-8;charset=utf-8",
    'application/json;a="\xe9"',
    'application/json;a="',
    "application/json;charset",
    "*/*+json",
  ])("[T10] answers 415 to %j, whose beginning or end alone is good", async (type) => {
    const { port } = await serveGate();
    expect(await sendRaw(port, `Content-Type: ${type}`)).toBe(415);
  });

  it.each([
    ["the same twice", ["Content-Type: application/json", "Content-Type: application/json"]],
    ["a good one first", ["Content-Type: application/json", "Content-Type: text/plain"]],
    ["a good one last", ["Content-Type: text/plain", "content-type: application/json"]],
    ["one that is empty", ["Content-Type: application/json", "CONTENT-TYPE:"]],
    ["other lines between them", ["Content-Type: application/json", "X-A: b", "Content-type: application/json"]],
  ])("[T20] answers 415 to two lines: %s", async (_, lines) => {
    const { port } = await serveGate();
    expect(await sendRaw(port, ...lines)).toBe(415);
  });

  it("takes no other field for a second line", async () => {
    const { port } = await serveGate();
    const lines = [
      "Content-Type: application/json",
      "Content-Typo: text/plain",
      "X-Content-Type: text/plain",
      "Content-Typ: a",
    ];
    expect(await sendRaw(port, ...lines)).toBe(200);
  });

  it.each(["utf-7", "iso-8859-1", "windows-1252", '""', "utf-8,utf-8", "constructor"])(
    "[T7] answers 415 to the charset %s",
    async (charset) => {
      const { port } = await serveGate();
      const quoted = charset.includes(",") ? `"${charset}"` : charset;
      const answered = await send(port, {
        headers: { "content-type": `application/json;charset=${quoted}` },
        body: "{}",
      });
      expect(answered).toMatchObject({ status: 415, headers: { accept: "application/json, */*+json" } });
      expect(answered.json.code).toBe("ERR_WEBHOOK_CHARSET");
    },
  );
});

describe("contentTypeGate's mediaTypes [A2]", () => {
  it.each([
    ["a media type", "text/json", "text/json", "text/json"],
    ["a media type in capitals", "TEXT/JSON", "text/json", "text/json"],
    ["a media type with parameters", "text/json; charset=utf-8", "text/json", "text/json"],
    [
      "a form",
      "application/x-www-form-urlencoded",
      "application/x-www-form-urlencoded; a=b",
      "application/x-www-form-urlencoded",
    ],
    ["an extension", ".geojson", "application/geo+json", "application/geo+json"],
    ["an extension without its dot", "json5", "application/json5", "application/json5"],
    ["an extension that is no JSON", ".csv", "text/csv", "text/csv"],
  ])("lets through %s", async (_, option, type, named) => {
    const { port } = await serveGate({ mediaTypes: [option] });
    expect((await send(port, { headers: { "content-type": type }, body: "{}" })).status).toBe(200);
    expect((await send(port, { body: "{}" })).status).toBe(200);
    const refused = await send(port, { headers: { "content-type": "text/x-other" }, body: "{}" });
    expect(refused).toMatchObject({ status: 415, headers: { accept: `application/json, */*+json, ${named}` } });
  });

  it("holds those to the same grammar, one line and charsets", async () => {
    const { port } = await serveGate({ mediaTypes: ["text/json"] });
    expect(await sendRaw(port, "Content-Type: text/json junk")).toBe(415);
    expect(await sendRaw(port, "Content-Type: text/json", "Content-Type: text/json")).toBe(415);
    expect(await sendRaw(port, "Content-Type: text/json;charset=utf-7")).toBe(415);
  });

  it("parses their content as JSON all the same", async () => {
    const { port, messages } = await serveNode({ mediaTypes: ["text/json"] });
    expect((await send(port, { headers: { "content-type": "text/json" }, body: '{"a":1}' })).status).toBe(200);
    expect(messages[0]).toMatchObject({ payload: { a: 1 }, mediaType: "text/json" });
  });

  it("is read once", async () => {
    const mediaTypes = ["text/json"];
    const gate = contentTypeGate({ mediaTypes });
    mediaTypes[0] = "text/plain";
    const { port } = await serve(gate, handler, problem());
    expect((await send(port, { headers: { "content-type": "text/json" } })).status).toBe(200);
    expect((await send(port, { headers: { "content-type": "text/plain" } })).status).toBe(415);
  });

  it.each([
    [["*/*"]],
    [["application/*"]],
    [["text/json, text/plain"]],
    [["text/json junk"]],
    [[".nosuchextension"]],
    [["nosuchextension"]],
    [[""]],
    [["/"]],
    [[5]],
    [[null]],
    [[["text/json"]]],
    ["text/json"],
    [{}],
    [null],
  ])("throws at start for %j", (mediaTypes) => {
    expect(() => contentTypeGate({ mediaTypes: mediaTypes as never })).toThrow(TypeError);
    expect(() => contentTypeGate({ mediaTypes: mediaTypes as never })).toThrow(/^mediaTypes: /);
  });
});

describe("a node [A2]", () => {
  it("refuses by the media type before the body is asked for, and says in the log what was sent", async () => {
    let isAsked = false;
    const { port, lines, messages } = await serveNode({
      authenticator: () => {
        isAsked = true;
        return null;
      },
    });
    expect((await send(port, { headers: { "content-type": "text/html" }, body: "{}" })).status).toBe(415);
    expect(isAsked).toBe(false);
    expect(messages).toEqual([]);
    expect(lines).toEqual([
      expect.stringMatching(/^warn: .*ERR_WEBHOOK_CONTENT_TYPE.*The sender's content type is "text\/html"/),
    ]);
  });
});

describe("jsonPayload without contentTypeGate [A2]", () => {
  it("parses whatever the media type", async () => {
    const echo = (req: unknown, res: { end: (text: string) => void }): void =>
      res.end(JSON.stringify((req as { body: unknown }).body));
    const { port } = await serve(jsonPayload(), echo, problem());
    for (const type of [undefined, "text/html", "application/json junk"]) {
      expect(await send(port, { headers: { "content-type": type }, body: '{"a":1}' })).toMatchObject({
        text: '{"a":1}',
      });
    }
  });
});
