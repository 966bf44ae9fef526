import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  quarantine,
  toRequest,
  type Quarantine,
  type QuarantineOptions,
  type RefusedDelivery,
} from "express-webhook-node/emit/quarantine";
import { spool } from "express-webhook-node/emit/spool";
import { isCredential, targetWithoutCredentials } from "express-webhook-node/emit/quarantine/without-credentials";
import { serve } from "../support/serve";

const top = mkdtempSync(join(tmpdir(), "quarantine-"));
const opened: Quarantine[] = [];
const lines: string[] = [];
const write = (line: string): void => void lines.push(line);
const logger = { debug: write, info: write, warn: write, error: write };
let folders = 0;

const newFolder = (): string => join(top, String(++folders));

function quarantineOf(options: Partial<QuarantineOptions> = {}): Quarantine {
  const one = quarantine({ folder: newFolder(), logger, ...options });
  opened.push(one);
  return one;
}

function refusedOf(given: Partial<RefusedDelivery> = {}): RefusedDelivery {
  return {
    node: "orders",
    source: "github",
    status: 401,
    code: "ERR_WEBHOOK_HTTP_EXCEPTION",
    detail: "X-Hub-Signature-256 does not match",
    method: "POST",
    target: "/webhooks/github?tenant=7",
    rawHeaders: ["Host", "example.com", "Content-Type", "application/json", "X-Hub-Signature-256", "sha256=aa"],
    octets: Buffer.from([0x7b, 0xff, 0x00, 0x7d]),
    isWhole: true,
    receivedAt: new Date(),
    ...given,
  };
}

beforeEach(() => void lines.splice(0));
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));
afterAll(() => rmSync(top, { recursive: true, force: true }));

describe("quarantine", () => {
  it("keeps refused deliveries as they were received, over a restart", async () => {
    const folder = newFolder();
    const first = quarantineOf({ folder });
    const refused = [refusedOf(), refusedOf({ status: 422, octets: Buffer.from("{}"), isWhole: false })];
    for (const one of refused) expect(await first.keep(one)).toBe(true);
    await first.close();

    const second = quarantineOf({ folder });
    const list = await second.list();
    const { octets: _, rawHeaders: _lines, ...summary } = refused[0] as RefusedDelivery;
    expect(list[0]).toEqual({ id: expect.stringMatching(/^\d{16}$/), bytes: 4, ...summary });
    expect(await Promise.all(list.map(({ id }) => second.get(id)))).toEqual(refused);
    expect(await second.list({ limit: 1 })).toEqual([list[0]]);
    expect(await second.list({ after: list[0]?.id })).toEqual([list[1]]);
    expect(await second.remove(list[0]?.id as string)).toBe(true);
    expect(await second.remove(list[0]?.id as string)).toBe(false);
    expect(await second.get(list[0]?.id as string)).toBeUndefined();
    expect(await second.list()).toHaveLength(1);
  });

  it("keeps no credentials, and all that is needed to verify a signature again", async () => {
    const one = quarantineOf({ credentialFields: ["X-Shop"] });
    await one.keep(
      refusedOf({
        target: "http://user:pass@example.com/in?tenant=7&access_token=abc&apiKey=d&x-signature=e&%74oken=f&g",
        rawHeaders: Object.entries({
          Authorization: "Bearer abc",
          Cookie: "a=b",
          "Proxy-Authorization": "Basic abc",
          "X-Gitlab-Token": "abc",
          "X-API-Key": "abc",
          "x-shop": "abc",
          "Stripe-Signature": "t=1,v1=aa",
          "PayPal-Auth-Algo": "SHA256withRSA",
          "X-Event-Key": "repo:push",
          "Idempotency-Key": "1",
        }).flat(),
      }),
    );
    const [{ id, target } = { id: "", target: "" }] = await one.list();
    expect(target).toBe("/in?tenant=7&access_token=&apiKey=&x-signature=e&%74oken=&g");
    const names = (await one.get(id))?.rawHeaders.filter((_, index) => index % 2 === 0);
    expect(names).toEqual(["Stripe-Signature", "PayPal-Auth-Algo", "X-Event-Key", "Idempotency-Key"]);
  });

  it.each([
    ["authorization", true],
    ["X-Telegram-Bot-Api-Secret-Token", true],
    ["Ocp-Apim-Subscription-Key", true],
    ["x-functions-key", true],
    ["verif-hash", true],
    ["cf-access-jwt-assertion", true],
    ["clientSecret", true],
    ["key", true],
    ["svix-signature", false],
    ["x-token-signature", false],
    ["Plaid-Verification", false],
    ["webhook-id", false],
    ["X-Shopify-Hmac-Sha256", false],
    ["X-Monkey", false],
  ])("knows by its name whether %s is a credential", (name, expected) => {
    expect(isCredential(name)).toBe(expected);
  });

  it.each([
    ["", "/"],
    ["http://example.com", "/"],
    ["https://example.com?a=1", "/?a=1"],
    ["/a?", "/a?"],
    ["//evil.example/x", "//evil.example/x"],
    ["/?%E0%A4%A=1&b", "/?%E0%A4%A=1&b"],
  ])("has path and query of the target %j alone", (target, expected) => {
    expect(targetWithoutCredentials(target)).toBe(expected);
  });

  it("keeps the newest, and a flood of one kind pushes out itself alone", async () => {
    const folder = newFolder();
    const first = quarantineOf({ folder, maxItems: 5 });
    await first.keep(refusedOf({ status: 422, target: "/kept" }));
    for (let n = 0; n < 20; n++) await first.keep(refusedOf({ target: `/${n}` }));
    const targets = async (one: Quarantine): Promise<string[]> => (await one.list()).map(({ target }) => target);
    expect(await targets(first)).toEqual(["/kept", "/16", "/17", "/18", "/19"]);
    await first.close();

    const second = quarantineOf({ folder, maxItems: 3 });
    expect(await targets(second)).toEqual(["/kept", "/18", "/19"]);

    const small = quarantineOf({ maxBytes: 5_000 });
    for (let n = 0; n < 5; n++) await small.keep(refusedOf({ target: `/${n}`, octets: Buffer.alloc(1_500) }));
    expect(await targets(small)).toEqual(["/3", "/4"]);
    expect(await small.keep(refusedOf({ octets: Buffer.alloc(6_000) }))).toBe(false);
    expect(lines).toEqual([expect.stringContaining("too large, or come too fast")]);
  });

  it("keeps the statuses that it is told to", async () => {
    const one = quarantineOf({ statuses: [503] });
    expect(await one.keep(refusedOf())).toBe(false);
    expect(await one.keep(refusedOf({ status: 503 }))).toBe(true);
  });

  it("never fails whoever hands it a delivery, nor holds much for a disk that is slow", async () => {
    const folder = newFolder();
    const other = quarantineOf({ folder });
    await other.ready();
    const one = quarantineOf({ folder });
    expect(await one.keep(refusedOf())).toBe(false);
    expect(lines).toEqual([expect.stringContaining("it is in use already")]);

    const kept = await Promise.all(
      Array.from({ length: 40 }, () => other.keep(refusedOf({ octets: Buffer.alloc(1_000_000) }))),
    );
    expect(kept.filter(Boolean)).toHaveLength(16);
    await other.close();
    expect(await other.keep(refusedOf())).toBe(false);
  });

  it("replays a delivery, and removes it once that has succeeded", async () => {
    const one = quarantineOf();
    const refused = refusedOf();
    await one.keep(refused);
    const [{ id } = { id: "" }] = await one.list();
    await expect(one.replay(id, () => Promise.reject(new Error("Not yet.")))).rejects.toThrow("Not yet.");
    expect(await one.replay(id, async ({ octets }) => octets.length)).toBe(4);
    expect(await one.list()).toEqual([]);
    await expect(one.replay(id, async () => 7)).rejects.toThrow(`There is no delivery "${id}" in quarantine.`);
  });

  it("makes a request of a delivery that an app gets as it came", async () => {
    let got: { url: string | undefined; octets: Buffer; signature: unknown; host: string | undefined } | undefined;
    const { port } = await serve(async (req: IncomingMessage, res: ServerResponse) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const { url, headers } = req;
      got = { url, octets: Buffer.concat(chunks), signature: headers["x-hub-signature-256"], host: headers.host };
      res.end("ok");
    });
    const refused = refusedOf({
      target: "//evil.example/in?a=1",
      rawHeaders: [...refusedOf().rawHeaders, "Content-Length", "999", "Connection", "close, X-Hop", "X-Hop", "1"],
    });
    const { url, ...init } = toRequest(refused, `http://127.0.0.1:${port}`);
    expect(init.headers.map(([name]) => name)).toEqual(["Content-Type", "X-Hub-Signature-256", "x-webhook-replay"]);
    expect((await fetch(url, init)).status).toBe(200);
    expect(got).toEqual({
      url: "//evil.example/in?a=1",
      octets: refused.octets,
      signature: "sha256=aa",
      host: `127.0.0.1:${port}`,
    });
    expect(toRequest(refusedOf({ method: "GET" }), "http://127.0.0.1")).not.toHaveProperty("body");
  });

  it("shares no folder with a spool, and refuses wrong options at start", async () => {
    const folder = newFolder();
    const keeper = spool({ folder, logger, emitter: async () => {} });
    await keeper.ready();
    await keeper.close();
    await expect(quarantineOf({ folder }).ready()).rejects.toThrow("it holds a spool 1, and no quarantine 1");

    const made = (options: object) => () => quarantine({ folder, ...options });
    expect(made({ folder: "" })).toThrow(TypeError);
    expect(made({ maxItem: 1 })).toThrow("Did you mean maxItems?");
    expect(made({ maxItems: 0 })).toThrow("maxItems: 0 is not a positive whole number");
    expect(made({ statuses: [200] })).toThrow("statuses: 200 is not a status of 400 to 599.");
    expect(made({ credentialFields: "x" })).toThrow('credentialFields: "x" is not a list.');
  });
});
