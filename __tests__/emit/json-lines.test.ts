import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { auditTrail } from "express-webhook-node/emit/audit";
import { jsonLinesFile, type JsonLinesFile } from "express-webhook-node/emit/json-lines";
import type { Message } from "express-webhook-node";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "json-lines-"));
  file = path.join(folder, "audit.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function lines(name = file): string[] {
  return readFileSync(name, "utf8").split("\n");
}

async function all(append: JsonLinesFile, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => append({ n })));
}

describe("jsonLinesFile", () => {
  it("appends a record a line, in their order", async () => {
    const append = jsonLinesFile({ path: file });
    await all(append, 1000);
    expect(lines()).toEqual([...Array.from({ length: 1000 }, (_, n) => `{"n":${n}}`), ""]);
  });

  it("resolves once the record is in the file", async () => {
    const append = jsonLinesFile({ path: file });
    await append({ n: 1 });
    expect(lines()).toEqual(['{"n":1}', ""]);
    const appended = append({ n: 2 });
    expect(lines()).toEqual(['{"n":1}', ""]);
    await appended;
    expect(lines()).toEqual(['{"n":1}', '{"n":2}', ""]);
  });

  it("keeps a line a line, whatever is in it", async () => {
    const record = { text: 'a\nb\r\n\u2028\u2029"\0é😀\ud800' };
    await jsonLinesFile({ path: file })(record);
    const [line, ...rest] = lines();
    expect(JSON.parse(line as string)).toEqual(record);
    expect(rest).toEqual([""]);
  });

  it("appends to what is there", async () => {
    writeFileSync(file, '{"n":0}\n');
    await jsonLinesFile({ path: file })({ n: 1 });
    expect(lines()).toEqual(['{"n":0}', '{"n":1}', ""]);
  });

  it("begins a line of its own after half a line that a crash has left", async () => {
    writeFileSync(file, '{"n":0}\n{"n":');
    const append = jsonLinesFile({ path: file });
    await append({ n: 1 });
    await append({ n: 2 });
    expect(lines()).toEqual(['{"n":0}', '{"n":', '{"n":1}', '{"n":2}', ""]);
  });

  it("makes the file for its owner alone", () => {
    jsonLinesFile({ path: file });
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(lines()).toEqual([""]);
  });

  it("goes on in a new file when the old one is renamed or removed", async () => {
    const append = jsonLinesFile({ path: file });
    await append({ n: 1 });
    renameSync(file, `${file}.1`);
    await append({ n: 2 });
    expect(lines(`${file}.1`)).toEqual(['{"n":1}', ""]);
    expect(lines()).toEqual(['{"n":2}', ""]);
    unlinkSync(file);
    await append({ n: 3 });
    expect(lines()).toEqual(['{"n":3}', ""]);
  });

  it("shares a file with others", async () => {
    await Promise.all([all(jsonLinesFile({ path: file }), 200), all(jsonLinesFile({ path: file }), 200)]);
    const found = lines();
    expect(found).toHaveLength(401);
    for (const line of found.slice(0, -1)) expect(() => void JSON.parse(line)).not.toThrow();
  });

  it("rejects what it could not write, and goes on with what comes later", async () => {
    const append = jsonLinesFile({ path: file });
    rmSync(folder, { recursive: true });
    const failed = await Promise.allSettled([append({ n: 1 }), append({ n: 2 })]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    mkdirSync(folder);
    writeFileSync(file, '{"half');
    await append({ n: 3 });
    expect(lines()).toEqual(['{"half', '{"n":3}', ""]);
  });

  it("refuses what does not fit into its queue, and takes more once it is written", async () => {
    const append = jsonLinesFile({ path: file, maxQueuedBytes: 20 });
    const results = await Promise.allSettled([append({ n: 1 }), append({ n: 2 }), append({ n: 3 }), append({ n: 4 })]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    await append({ n: 5 });
    expect(lines()).toEqual(['{"n":1}', '{"n":2}', '{"n":5}', ""]);
  });

  it("holds back whoever awaits it", async () => {
    const append = jsonLinesFile({ path: file, maxQueuedBytes: 100 });
    for (let n = 0; n < 50; n++) await append({ n });
    expect(lines()).toHaveLength(51);
  });

  it.each([undefined, () => 1, 12n, { a: 1n }])("rejects what has no JSON: %p", async (record) => {
    const append = jsonLinesFile({ path: file });
    await expect(append(record as never)).rejects.toThrow(TypeError);
    await append({ n: 1 });
    expect(lines()).toEqual(['{"n":1}', ""]);
  });

  it("tells when all is written", async () => {
    const append = jsonLinesFile({ path: file });
    await append.settled();
    for (let n = 0; n < 10; n++) void append({ n });
    await append.settled();
    expect(lines()).toHaveLength(11);
  });

  it("throws at start where it cannot write", () => {
    expect(() => jsonLinesFile({ path: path.join(folder, "no", "audit.jsonl") })).toThrow(/ENOENT/);
    expect(() => jsonLinesFile({ path: folder })).toThrow(/EISDIR|EPERM/);
    expect(() => jsonLinesFile({ path: "" })).toThrow(TypeError);
    expect(() => jsonLinesFile({ path: file, maxQueuedBytes: -1 })).toThrow(/^maxQueuedBytes: -1/);
    expect(() => jsonLinesFile({ paht: file } as never)).toThrow("Did you mean path?");
  });

  it("is a sink for audit records [I1]", async () => {
    const audit = auditTrail({ sink: jsonLinesFile({ path: file }), auditor: () => ({ total: 5 }), tenant: "acme" });
    const message = { trackingId: "a", node: "orders", messageType: "shop.order", octets: Buffer.alloc(1) };
    audit(message as Message);
    audit(message as Message);
    await audit.settled();
    const records = lines()
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
    expect(records).toHaveLength(2);
    expect(records[0]).toEqual({
      datetime: expect.any(String),
      message_type: "shop.order",
      node: "orders",
      tenant: "acme",
      tracking_id: "a",
      shop_order_total: 5,
    });
  });
});
