/**
 * PayPal: certificates of our own, in the form of the deliveries that the samples of PayPal's SDKs print. No library of
 * PayPal's verifies without asking PayPal.
 */
import { sign } from "node:crypto";
import { crc32 } from "node:zlib";
import { certificateFinder } from "express-webhook-node/sources/certificates";
import { paypal } from "express-webhook-node/sources/paypal";
import { signPaypal } from "express-webhook-node/testing/paypal";
import { makeCertificate } from "../support/certificate";
import { send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const authority = { ...makeCertificate("An authority"), name: "An authority" };
const issued = (name: string, options = {}) => makeCertificate(name, { issuer: authority, kind: "rsa", ...options });
const LIVE = "messageverificationcerts.paypal.com";
const own = issued(LIVE);
const other = issued(LIVE);
const WEBHOOK_ID = "3RN13029J36659323";
const ID = "b2384410-f8d2-11e4-8bf3-77339302725b";
const BASE = "https://api.paypal.com/v1/notifications/certs/CERT-";
const CERT_URL = `${BASE}360caa42-fca2a594-a5cafa77`;
const [TIME, SIGNATURE, URL_FIELD, ALGORITHM] = [
  "paypal-transmission-time",
  "paypal-transmission-sig",
  "paypal-cert-url",
  "paypal-auth-algo",
];
const EVENT = {
  id: "WH-2W7266712B616591M-36507203HX6402335",
  event_type: "PAYMENT.SALE.COMPLETED",
  summary: "Payment completed for € 20.0",
};
const PEMS: Readonly<Record<string, string>> = {
  [CERT_URL]: own.cert + authority.cert,
  [`${BASE}other`]: other.cert,
  [`${BASE}stranger`]: issued("messageverificationcerts.paypal.com.example.com").cert,
  [`${BASE}merchant`]: issued("www.paypal.com").cert,
  [`${BASE}over`]: issued(LIVE, { notAfter: new Date(NOW - 1000) }).cert,
  [`${BASE}curve`]: makeCertificate(LIVE).cert,
  [`${BASE}junk`]: "-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----",
};
const fetchPem = async (url: string): Promise<Response> =>
  PEMS[url] === undefined ? new Response("", { status: 404 }) : new Response(PEMS[url]);

const signed = (payload: unknown, options = {}) =>
  signPaypal(payload, {
    privateKey: own.key,
    webhookId: WEBHOOK_ID,
    certUrl: CERT_URL,
    deliveryId: ID,
    now: NOW,
    ...options,
  });
const source = (options = {}) => paypal({ webhookId: WEBHOOK_ID, fetch: fetchPem, now: () => NOW, ...options });

sourceContract({
  name: "paypal",
  source: paypal,
  options: { webhookId: WEBHOOK_ID, fetch: fetchPem },
  otherKeys: { webhookId: "1JE4291016473214C" },
  sign: (payload, { now }) => signed(payload, { now }),
  payload: EVENT,
  messages: [{ deliveryId: ID, eventType: EVENT.event_type }],
  provenance: { deliveryId: "signed", eventType: "unsigned" },
  proof: ["paypal-transmission-id", TIME, SIGNATURE, URL_FIELD, ALGORITHM],
  toleranceSeconds: 345_600,
  wrongOptions: [
    ["no webhook id", { webhookId: undefined }],
    ["an empty webhook id", { webhookId: "" }],
    ["a webhook id in a list", { webhookId: [WEBHOOK_ID] }],
    ["a webhook id that would part what is signed", { webhookId: "a|b" }],
    ["a mode that is none", { mode: "test" }],
    ["a fetch that is no function", { fetch: "https://api.paypal.com" }],
  ],
});

describe("paypal", () => {
  it("signs id, time, webhook id and the unsigned CRC-32 in decimal [B7]", async () => {
    const { port, messages } = await serveNode({ source: source() });
    const { headers, body } = signed(EVENT);
    // https://developer.paypal.com/api/rest/webhooks/rest/: <transmissionId>|<timeStamp>|<webhookId>|<crc32>
    const content = `${ID}|2025-08-12T12:00:00Z|${WEBHOOK_ID}|${crc32(body)}`;
    const own256 = sign("RSA-SHA256", Buffer.from(content), own.key).toString("base64");

    expect(headers[SIGNATURE]).toBe(own256);
    expect((await send(port, { headers, body })).status).toBe(200);
    expect(messages).toHaveLength(1);
  });

  it("has the CRC-32 of the check value that everybody publishes [B7]", () => {
    // https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-32-iso-hdlc: "check" is that of these digits
    expect(crc32("123456789")).toBe(0xcbf43926);
  });

  it.each([
    ["https://api.paypal.com.example.com/v1/notifications/certs/CERT-1"],
    ["https://example.com/v1/notifications/certs/CERT-1"],
    ["https://example.com/?https://api.paypal.com/v1/notifications/certs/CERT-1"],
    ["https://api.paypal.com@example.com/v1/notifications/certs/CERT-1"],
    ["https://api.paypal.com:8443/v1/notifications/certs/CERT-1"],
    ["https://apixpaypal.com/v1/notifications/certs/CERT-1"],
    ["https://www.paypal.com/v1/notifications/certs/CERT-1"],
    ["http://api.paypal.com/v1/notifications/certs/CERT-1"],
    ["https://api.paypal.com/v1/notifications/certs/../../CERT-1"],
    ["https://api.paypal.com/v1/notifications/certs/CERT-1/../../x"],
    ["https://api.paypal.com/v1/notifications/certs/CERT-1?x"],
    ["https://api.paypal.com/v1/notifications/certs/CERT-1#x"],
    ["https://api.paypal.com/v1/notifications/certs/CERT-"],
    ["https://api.paypal.com/redirect?to=CERT-1"],
    ["https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"],
    ["HTTPS://API.PAYPAL.COM/v1/notifications/certs/CERT-1"],
    ["file:///etc/passwd"],
    [`${BASE}${"1".repeat(300)}`],
  ])("asks nobody for a certificate at %s [B7]", async (certUrl) => {
    const asked: string[] = [];
    const fetch = async (url: string) => {
      asked.push(url);
      return new Response(own.cert);
    };
    const { port, messages } = await serveNode({ source: source({ fetch }) });

    expect((await send(port, signed(EVENT, { certUrl }))).status).toBe(401);
    expect([asked, messages]).toEqual([[], []]);
  });

  it.each(["live", "sandbox"] as const)(
    "believes PayPal's certificates for %s, from either host [B7]",
    async (mode) => {
      const fetch = async () => new Response(own.cert);
      const { port } = await serveNode({ source: source({ mode, fetch }) });
      const sandbox = mode === "sandbox" ? ".sandbox" : "";
      for (const host of [`api${sandbox}.paypal.com`, `api-m${sandbox}.paypal.com`]) {
        const certUrl = `https://${host}/v1/notifications/certs/CERT-1`;
        expect((await send(port, signed(EVENT, { certUrl }))).status).toBe(200);
      }
      const elsewhere = mode === "sandbox" ? BASE : BASE.replace("api", "api.sandbox");
      expect((await send(port, signed(EVENT, { certUrl: `${elsewhere}1` }))).status).toBe(401);
    },
  );

  it.each(["other", "stranger", "merchant", "over", "curve", "junk", "none"])(
    "refuses what the certificate %s does not prove [B7]",
    async (name) => {
      const { port, messages } = await serveNode({ source: source() });

      expect((await send(port, signed(EVENT, { certUrl: BASE + name }))).status).toBe(401);
      expect(messages).toEqual([]);
    },
  );

  it.each([
    [TIME, "2025-08-12 12:00:00"],
    [TIME, "2025-08-12T12:00:00"],
    [TIME, "2025-08-12T12:00:00+00:00"],
    [TIME, "2025-13-45T99:99:99Z"],
    [TIME, "2025-08-12T12:00:00Z|x"],
    [TIME, String(NOW)],
    [TIME, "NaN"],
    ["paypal-transmission-id", `${ID}|2025-08-12T12:00:00Z`],
    ["paypal-transmission-id", "x".repeat(101)],
    [ALGORITHM, "SHA1withRSA"],
    [ALGORITHM, "SHA256WITHRSA"],
    [SIGNATURE, "="],
    [SIGNATURE, "AAAA"],
    [SIGNATURE, "A".repeat(10_000)],
  ])("refuses %s: %s [B7]", async (field, value) => {
    const { port } = await serveNode({ source: source() });
    const { headers, body } = signed(EVENT);

    expect((await send(port, { headers: { ...headers, [field]: value }, body })).status).toBe(401);
  });

  it("takes another body for the signed one if its CRC-32 is the same, and says that nothing in it is signed [B7, G2]", async () => {
    const { port, messages } = await serveNode({ source: source() });
    const { headers, body } = signed(EVENT);
    const forged = withSum({ event_type: "PAYMENT.SALE.REFUNDED" }, crc32(body));

    expect((await send(port, { headers, body: forged })).status).toBe(200);
    expect(messages).toMatchObject([{ eventType: "PAYMENT.SALE.REFUNDED", provenance: { eventType: "unsigned" } }]);
  });

  it("answers 503 while certificates cannot be fetched, and never lets anything in [B7]", async () => {
    for (const fetch of [
      async () => Promise.reject(new Error("no route to host")),
      async () => new Response("", { status: 500 }),
      async () => new Response("", { status: 302, headers: { Location: "https://example.com" } }),
      async () => new Response("x".repeat(100_000)),
    ]) {
      const { port, messages } = await serveNode({ source: source({ fetch }) });
      const answered = await send(port, signed(EVENT));

      expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_KEYS"]);
      expect(messages).toEqual([]);
    }
  });
});

describe("certificateFinder", () => {
  const counting = (answer: (url: string, init: RequestInit) => Promise<Response>) => {
    const calls: { readonly url: string; readonly init: RequestInit }[] = [];
    const find = certificateFinder({
      source: "test",
      fetch: async (url, init) => {
        calls.push({ url, init });
        return answer(url, init);
      },
    });
    return { calls, find };
  };

  it("fetches a certificate once, however many wait for it, and follows no redirect [B7]", async () => {
    const { calls, find } = counting(fetchPem);
    const found = await Promise.all(Array.from({ length: 50 }, async () => find(CERT_URL)));
    await find(CERT_URL);

    expect(new Set(found.map((certificate) => certificate?.subject)).size).toBe(1);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.init.redirect).toBe("error");
    expect(calls[0]?.init.signal).toBeInstanceOf(AbortSignal);
  });

  it("asks for a few at a time, and forgets none that it knows for those that are not there [B7]", async () => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    const { calls, find } = counting(async (url) => {
      if (url !== CERT_URL) await opened;
      return fetchPem(url);
    });
    await find(CERT_URL);
    const all = Promise.allSettled(Array.from({ length: 100 }, async (_, index) => find(`${BASE}${index}`)));
    await until(() => calls.length > 1);
    open();
    const settled = await all;

    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
    expect(settled.filter((one) => one.status === "rejected" && one.reason.code === "ERR_WEBHOOK_KEYS")).toHaveLength(
      96,
    );
    expect(calls).toHaveLength(5);
    await find(CERT_URL);
    expect(calls).toHaveLength(5);
  });

  it("keeps sixteen certificates at most [B7]", async () => {
    const { calls, find } = counting(async () => new Response(own.cert));
    for (let index = 0; index < 17; index++) await find(`${BASE}${index}`);
    await find(`${BASE}16`);
    expect(calls).toHaveLength(17);
    await find(`${BASE}0`);
    expect(calls).toHaveLength(18);
  });

  it("asks a server that is down once a second, and then again [B7]", async () => {
    let isDown = true;
    const { calls, find } = counting(async (url) => {
      if (isDown) throw new Error("down");
      return fetchPem(url);
    });
    for (let time = 0; time < 5; time++) {
      await expect(find(CERT_URL)).rejects.toMatchObject({ code: "ERR_WEBHOOK_KEYS" });
    }
    expect(calls).toHaveLength(1);
    isDown = false;
    const clock = jest.spyOn(performance, "now").mockReturnValue(performance.now() + 1001);
    expect((await find(CERT_URL))?.subject).toBe(`CN=${LIVE}`);
    clock.mockRestore();
  });

  it("uses the global fetch unless told otherwise [B7]", async () => {
    const fetch = jest.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(own.cert));
    expect((await certificateFinder({ source: "test" })(CERT_URL))?.subject).toBe(`CN=${LIVE}`);
    expect(fetch).toHaveBeenCalledTimes(1);
    fetch.mockRestore();
  });
});

/** JSON of an object, with a member of 64 digits, 0 or 1, chosen so that its CRC-32 is the sum: the function is linear. */
function withSum(value: object, sum: number): Buffer {
  const bits = 64;
  const write = (digits: readonly number[]): Buffer =>
    Buffer.from(JSON.stringify({ ...value, padding: digits.join("") }));
  const zeros = Array<number>(bits).fill(0);
  const base = crc32(write(zeros));
  const rows: { readonly effect: number; readonly flips: bigint }[] = [];
  let wanted = (base ^ sum) >>> 0;
  let chosen = 0n;
  const reduce = (effect: number, flips: bigint): [number, bigint] => {
    for (const row of rows) {
      if ((effect ^ row.effect) >>> 0 < effect >>> 0)
        [effect, flips] = [(effect ^ row.effect) >>> 0, flips ^ row.flips];
    }
    return [effect, flips];
  };
  for (let at = 0; at < bits; at++) {
    const one = zeros.with(at, 1);
    const [effect, flips] = reduce((crc32(write(one)) ^ base) >>> 0, 1n << BigInt(at));
    if (effect !== 0) rows.push({ effect, flips });
    rows.sort((a, b) => b.effect - a.effect);
  }
  [wanted, chosen] = reduce(wanted, 0n);
  expect(wanted).toBe(0);
  return write(zeros.map((_, at) => Number((chosen >> BigInt(at)) & 1n)));
}
