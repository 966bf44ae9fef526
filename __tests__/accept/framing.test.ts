import { framing, problem } from "express-webhook-node";
import { chunk, dial, head, LAST_CHUNK } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { exchange, serve, serveNode, until, type Served } from "../support/serve";

quietConsole();

const handler = (_req: unknown, res: { end: (text: string) => void }): void => res.end("passed");
const serveFraming = (): Promise<Served> => serve(framing(), handler, problem());

const CHUNKED = Buffer.concat([chunk("{}"), Buffer.from(LAST_CHUNK)]);

async function statusOf(
  port: number,
  lines: readonly string[],
  body: string | Buffer,
): Promise<[number | undefined, string]> {
  const { statuses, text } = await exchange(port, [head([...lines, "Connection: close"]), body]);
  return [statuses[0], text];
}

describe("framing [T14]", () => {
  it.each([
    ["a length", ["Content-Length: 2"], "{}"],
    ["chunks", ["Transfer-Encoding: chunked"], CHUNKED],
    ["chunks in capitals", ["Transfer-Encoding: CHUNKED"], CHUNKED],
    ["nothing", [], ""],
  ])("lets through %s", async (_, lines, body) => {
    const { port } = await serveFraming();
    expect((await statusOf(port, lines, body))[0]).toBe(200);
  });

  it.each([
    ["one that nobody knows", ["Transfer-Encoding: nope, chunked"]],
    ["one that nobody knows, in its own line", ["Transfer-Encoding: nope", "Transfer-Encoding: chunked"]],
    ["gzip", ["Transfer-Encoding: gzip, chunked"]],
    ["identity", ["Transfer-Encoding: identity, chunked"]],
  ])("answers 501 to a transfer coding beside chunked: %s", async (_, lines) => {
    const { port } = await serveFraming();
    const [status, text] = await statusOf(port, lines, CHUNKED);
    expect(status).toBe(501);
    expect(text).toContain("ERR_WEBHOOK_TRANSFER_CODING");
  });

  // Whoever answers, it is no 2xx: what Node's parser refuses by itself never gets here.
  it.each([
    ["chunked twice", ["Transfer-Encoding: chunked, chunked"]],
    ["chunked that is not the last", ["Transfer-Encoding: chunked, gzip"]],
    ["gzip alone", ["Transfer-Encoding: gzip"]],
    ["a vertical tab", ["Transfer-Encoding: \x0bchunked"]],
    ["a length as well", ["Content-Length: 2", "Transfer-Encoding: chunked"]],
    ["two lengths", ["Content-Length: 2", "Content-Length: 3"]],
    ["a length with a sign", ["Content-Length: +2"]],
    ["a length in hex", ["Content-Length: 0x2"]],
  ])("passes no request on that has %s", async (_, lines) => {
    const { port } = await serveFraming();
    const [status = 0, text] = await statusOf(port, lines, CHUNKED);
    expect([400, 501]).toContain(status);
    expect(text).not.toContain("passed");
  });

  it.each([
    [["Host: localhost"]],
    [["Host: evil.example"]],
    [["host: evil.example"]],
    [["X-A: b", "HOST: evil.example"]],
  ])("answers 400 to a second Host line: %j", async (lines) => {
    const { port } = await serveFraming();
    const [status, text] = await statusOf(port, [...lines, "Content-Length: 2"], "{}");
    expect(status).toBe(400);
    expect(text).toContain("ERR_WEBHOOK_FIELD");
    expect(text).not.toContain("evil");
  });

  it("is part of a node", async () => {
    const { port, messages } = await serveNode();
    const json = "Content-Type: application/json";
    expect((await statusOf(port, [json, "Transfer-Encoding: nope, chunked"], CHUNKED))[0]).toBe(501);
    expect((await statusOf(port, [json, "Host: b", "Content-Length: 2"], "{}"))[0]).toBe(400);
    expect((await statusOf(port, [json, "Transfer-Encoding: chunked"], CHUNKED))[0]).toBe(200);
    expect(messages.length).toBe(1);
  });

  it("leaves the connection to the next request, or ends it", async () => {
    const { port } = await serveFraming();
    const connection = await dial(port);
    connection.write(head(["Transfer-Encoding: nope, chunked"]));
    connection.write(CHUNKED);
    await connection.answered();
    connection.write(head(["Content-Length: 2"]) + "{}");
    await until(() => connection.isClosed() || connection.statuses().length === 2);
    expect(connection.isClosed() ? [501] : [501, 200]).toEqual(connection.statuses());
  });
});
