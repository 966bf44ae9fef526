/**
 * Square: its published vector, and its own library as verifier.
 */
import { WebhooksHelper } from "../../node_modules/square/wrapper/WebhooksHelper";
import { square } from "express-webhook-node/sources/square";
import { signSquare } from "express-webhook-node/testing/square";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "asdf1234";
const OTHER = "another key";
const URL = "https://example.com/webhook";
const FIELD = "x-square-hmacsha256-signature";
const EVENT = {
  merchant_id: "MLEFBHHSJGVHD",
  type: "payment.created",
  event_id: "13b867cf-db3d-4b1c-90b6-2f32a9d78124",
};

sourceContract({
  name: "square",
  source: square,
  options: { secrets: [SECRET], url: URL },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signSquare(payload, { secret: SECRET, url: URL }),
  payload: EVENT,
  messages: [{ deliveryId: EVENT.event_id, eventType: EVENT.type }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
  wrongOptions: [
    ["no url", { url: undefined }],
    ["an empty url", { url: "" }],
    ["a path", { url: "/webhook" }],
    ["a host", { url: "example.com/webhook" }],
    ["a URL that is no text", { url: new globalThis.URL(URL) }],
  ],
});

againstSdk({
  sdk: "square, WebhooksHelper.verifySignature",
  source: square({ secrets: [SECRET], url: URL }),
  sign: ({ isOther } = {}) => signSquare(EVENT, { secret: isOther ? OTHER : SECRET, url: URL }),
  verifies: ({ headers, body }) =>
    WebhooksHelper.verifySignature({
      requestBody: body.toString(),
      signatureHeader: headers[FIELD] as string,
      signatureKey: SECRET,
      notificationUrl: URL,
    }),
  proof: [FIELD],
});

describe("square", () => {
  // https://developer.squareup.com/docs/webhooks/step3validate, and the test of verifySignature in Square's SDKs
  it("accepts the published vector [B7]", async () => {
    const { port, messages } = await serveNode({ source: square({ secrets: [SECRET], url: URL }) });
    const headers = { [FIELD]: "2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og=" };

    expect((await send(port, { headers, body: '{"hello":"world"}' })).status).toBe(200);
    expect((await send(port, { headers, body: '{"hello":"World"}' })).status).toBe(401);
    expect(messages).toHaveLength(1);
  });

  it.each(["https://example.com/webhook/", "http://example.com/webhook", `${URL}?a=b`, `${URL}{`])(
    "refuses what was signed for another URL: %s [B7]",
    async (url) => {
      const { port } = await serveNode({ source: square({ secrets: [SECRET], url: URL }) });

      expect((await send(port, signSquare(EVENT, { secret: SECRET, url }))).status).toBe(401);
    },
  );

  it("asks a function for the URL of a request [B7]", async () => {
    const url = (request: { readonly originalUrl: string }) => `https://example.com${request.originalUrl}`;
    const { port } = await serveNode({ source: square({ secrets: [SECRET], url }) });
    const signed = signSquare(EVENT, { secret: SECRET, url: "https://example.com/?shop=7" });

    expect((await send(port, { ...signed, path: "/?shop=7" })).status).toBe(200);
    expect((await send(port, { ...signed, path: "/?shop=8" })).status).toBe(401);
  });

  it("is at fault itself where the function finds no URL: 500, and nothing is let in [C2]", async () => {
    const { port, messages } = await serveNode({
      source: square({ secrets: [SECRET], url: () => undefined as never }),
    });

    expect((await send(port, signSquare(EVENT, { secret: SECRET, url: "undefined" }))).status).toBe(500);
    expect(messages).toEqual([]);
  });
});
