/**
 * HubSpot: its own library as signer and verifier.
 */
import { Signature } from "../../node_modules/@hubspot/api-client/lib/src/utils/signature";
import { decodedUrl, hubspot } from "express-webhook-node/sources/hubspot";
import { signHubspot } from "express-webhook-node/testing/hubspot";
import { hmacOf } from "express-webhook-node/testing/signed";
import { send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
const OTHER = "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz";
const URL = "https://www.example.com/webhook_uri";
const TIME = "x-hubspot-request-timestamp";
const FIELD = "x-hubspot-signature-v3";
const EVENTS = [
  {
    eventId: 1,
    subscriptionId: 12345,
    portalId: 62515,
    occurredAt: 1_564_113_600_000,
    subscriptionType: "contact.creation",
    attemptNumber: 0,
    objectId: 123,
  },
  {
    eventId: 1,
    subscriptionId: 12346,
    portalId: 62515,
    occurredAt: 1_564_113_600_000,
    subscriptionType: "contact.propertyChange",
    attemptNumber: 0,
    objectId: 123,
    propertyValue: "sample-värde",
  },
];

sourceContract({
  name: "hubspot",
  source: hubspot,
  options: { secrets: [SECRET], url: URL },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signHubspot(payload, { secret: SECRET, url: URL, now }),
  signTime(time) {
    const body = Buffer.from(JSON.stringify(EVENTS));
    return {
      headers: { [TIME]: time, [FIELD]: hmacOf(SECRET, [`POST${URL}`, body, time], { encoding: "base64" }) },
      body,
    };
  },
  payload: EVENTS,
  messages: [
    { deliveryId: "62515-12345-1-1564113600000", eventType: "contact.creation" },
    { deliveryId: "62515-12346-1-1564113600000", eventType: "contact.propertyChange" },
  ],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [TIME, FIELD],
  toleranceSeconds: 300,
  wrongOptions: [
    ["no url", { url: undefined }],
    ["an empty url", { url: "" }],
    ["a path", { url: "/webhook" }],
  ],
});

const signedByLibrary = (url: string) => {
  const requestBody = JSON.stringify(EVENTS);
  const timestamp = Date.now();
  const signature = Signature.getSignature("POST", "v3", {
    clientSecret: SECRET,
    requestBody,
    url,
    timestamp,
  } as never);
  return { headers: { [TIME]: String(timestamp), [FIELD]: signature }, body: Buffer.from(requestBody) };
};

againstSdk({
  sdk: "@hubspot/api-client, Signature.isValid",
  source: hubspot({ secrets: [SECRET], url: URL }),
  sign: ({ isOther, now } = {}) => signHubspot(EVENTS, { secret: isOther ? OTHER : SECRET, url: URL, now }),
  sdkSigns: () => signedByLibrary(URL),
  verifies({ headers, body }) {
    try {
      return Signature.isValid({
        signatureVersion: "v3",
        method: "POST",
        clientSecret: SECRET,
        requestBody: body.toString(),
        url: URL,
        signature: headers[FIELD] as string,
        timestamp: headers[TIME] as never,
      });
    } catch {
      return false;
    }
  },
  proof: [TIME, FIELD],
  isTimed: true,
  differs: { "in ten minutes": "it checks the past alone" },
});

describe("hubspot", () => {
  it.each([
    ["https://example.com/a", "https://example.com/a"],
    ["https://example.com/a%3Ab%2Fc%3Fd%40e", "https://example.com/a:b/c?d@e"],
    ["https://example.com/%21%24%27%28%29%2A%2C%3B", "https://example.com/!$'()*,;"],
    ["https://example.com/a%3ab", "https://example.com/a:b"],
    ["https://example.com/a%20b%26c%3Dd%25%C3%A9", "https://example.com/a%20b%26c%3Dd%25%C3%A9"],
    ["https://example.com/%252F%", "https://example.com/%252F%"],
  ])("decodes of the URL %s what HubSpot does: %s [B7]", async (url, decoded) => {
    const { port } = await serveNode({ source: hubspot({ secrets: [SECRET], url }) });

    expect(decodedUrl(url)).toBe(decoded);
    expect((await send(port, signedByLibrary(decoded))).status).toBe(200);
  });

  it("refuses what was signed for another URL or method, and ignores older signatures [B7]", async () => {
    const { port } = await serveNode({ source: hubspot({ secrets: [SECRET], url: URL, now: () => NOW }) });
    const { headers, body } = signHubspot(EVENTS, { secret: SECRET, url: URL, now: NOW });
    const put = hmacOf(SECRET, [`PUT${URL}`, body, String(NOW)], { encoding: "base64" });
    const older = { ...headers, "x-hubspot-signature": "0".repeat(64), "x-hubspot-signature-version": "v1" };

    expect((await send(port, signHubspot(EVENTS, { secret: SECRET, url: `${URL}/`, now: NOW }))).status).toBe(401);
    expect((await send(port, { headers: { ...headers, [FIELD]: put }, body })).status).toBe(401);
    expect((await send(port, { headers: older, body })).status).toBe(200);
  });

  it("asks a function for the URL of a request [B7]", async () => {
    const url = (request: { readonly originalUrl: string }) => `https://example.com${request.originalUrl}`;
    const { port } = await serveNode({ source: hubspot({ secrets: [SECRET], url }) });
    const signed = signHubspot(EVENTS, { secret: SECRET, url: "https://example.com/?portal=7" });

    expect((await send(port, { ...signed, path: "/?portal=7" })).status).toBe(200);
    expect((await send(port, { ...signed, path: "/?portal=8" })).status).toBe(401);
  });

  it("tells whoever runs the node that another URL was signed [B7]", async () => {
    const { port, lines } = await serveNode({ source: hubspot({ secrets: [SECRET], url: URL }), diagnose: {} });

    expect((await send(port, signHubspot(EVENTS, { secret: SECRET, url: `${URL}/` }))).status).toBe(401);
    await until(() => lines.some((line) => line.includes(`It was signed for ${URL}/`)));
  });

  it("takes digits that stand between body and time for a time alone [B7]", async () => {
    const { port } = await serveNode({ source: hubspot({ secrets: [SECRET], url: URL, now: () => NOW }) });
    const { headers } = signHubspot("1", { secret: SECRET, url: URL, now: NOW });
    const moved = { ...headers, [TIME]: `1${NOW}` };

    expect((await send(port, { headers: moved, body: " " })).status).toBe(401);
    expect((await send(port, { headers: { ...headers, [TIME]: String(NOW).slice(1) }, body: "11" })).status).toBe(401);
  });

  it("answers before HubSpot's five seconds are over [T17]", () => {
    expect(hubspot({ secrets: [SECRET], url: URL }).accepts?.deadlineMs).toBeLessThan(5000);
  });
});
