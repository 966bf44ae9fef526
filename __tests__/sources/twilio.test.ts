/**
 * Twilio: its published vectors, and its own library as signer and verifier, of JSON and of forms.
 */
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { getExpectedTwilioSignature, validateRequest, validateRequestWithBody } from "twilio/lib/webhooks/webhooks";
import { twilio } from "express-webhook-node/sources/twilio";
import type { SignedDelivery } from "express-webhook-node/testing/signed";
import { signTwilio } from "express-webhook-node/testing/twilio";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { sourceContract } from "./contract";

watchUnhandled();

const TOKEN = "12345";
const OTHER = "another token";
const URL = "https://example.com/twilio";
const FIELD = "x-twilio-signature";
const ID = "9c6d5a6c-7d1c-4a8b-bb1a-c9b1d9a9e6a1";
const EVENTS = [
  { specversion: "1.0", type: "com.twilio.messaging.message.sent", id: "EZ24636758dcbe0a1ea68ab8e4fae90e51", data: {} },
  { specversion: "1.0", type: "com.twilio.messaging.message.read", id: "EZ24636758dcbe0a1ea68ab8e4fae90e52", data: {} },
];
const FORM = {
  From: "+14158675309",
  To: "+18005551212",
  Body: "Ahoy & hello = 1 é+",
  MessageSid: "SM1",
  EventType: "onMessageAdded",
};

const queryOf = (url: string): string => `/${url.slice(url.indexOf("?"))}`;
const EVENTS_PATH = queryOf(signTwilio(EVENTS, { secret: TOKEN, url: URL }).url);

const contract = {
  name: "twilio",
  source: twilio,
  options: { secrets: [TOKEN], url: URL },
  otherKeys: { secrets: [OTHER] },
  provenance: { deliveryId: "unsigned", eventType: "signed" },
  proof: [FIELD],
} as const;

sourceContract({
  ...contract,
  sign: (payload) => signTwilio(payload, { secret: TOKEN, url: URL }),
  payload: EVENTS,
  path: EVENTS_PATH,
  messages: EVENTS.map(({ id, type }) => ({ deliveryId: id, eventType: type })),
  wrongOptions: [
    ["a form that is text", { form: "false" }],
    ["no url", { url: undefined }],
    ["a path", { url: "/twilio" }],
    ["a URL without a host", { url: "https://" }],
  ],
});

describe("with forms", () => {
  sourceContract({
    ...contract,
    options: { ...contract.options, form: true },
    sign: (payload) => signTwilio(payload, { secret: TOKEN, url: URL, form: true, deliveryId: ID }),
    payload: FORM,
    messages: [{ deliveryId: ID, eventType: "onMessageAdded" }],
    covers: "members",
    success: { text: "" },
  });
});

againstSdk({
  sdk: "twilio, validateRequestWithBody",
  source: twilio({ secrets: [TOKEN], url: URL }),
  path: EVENTS_PATH,
  sign: ({ isOther } = {}) => signTwilio(EVENTS, { secret: isOther ? OTHER : TOKEN, url: URL }),
  sdkSigns: () => ({
    headers: { [FIELD]: getExpectedTwilioSignature(TOKEN, URL + EVENTS_PATH.slice(1), {}) },
    body: Buffer.from(JSON.stringify(EVENTS)),
  }),
  verifies: ({ headers, body }) =>
    validateRequestWithBody(TOKEN, headers[FIELD] as string, URL + EVENTS_PATH.slice(1), body.toString()),
  proof: [FIELD],
});

againstSdk({
  sdk: "twilio, validateRequest",
  source: twilio({ secrets: [TOKEN], url: URL, form: true }),
  sign: ({ isOther } = {}) => signTwilio(FORM, { secret: isOther ? OTHER : TOKEN, url: URL, form: true }),
  sdkSigns: () => ({
    headers: {
      [FIELD]: getExpectedTwilioSignature(TOKEN, URL, FORM),
      "content-type": "application/x-www-form-urlencoded",
    },
    body: Buffer.from(new URLSearchParams(FORM).toString()),
  }),
  verifies: ({ headers, body }) =>
    validateRequest(TOKEN, headers[FIELD] as string, URL, Object.fromEntries(new URLSearchParams(body.toString()))),
  proof: [FIELD],
});

describe("twilio", () => {
  const serveTwilio = (options: object = {}, node: object = {}) =>
    serveNode({ source: twilio({ secrets: [TOKEN], url: URL, ...options }), ...node });

  // https://github.com/twilio/twilio-node, spec/validation.spec.js
  const VECTOR_URL = "https://mycompany.com/myapp.php?foo=1&bar=2";

  it("accepts the published vector of a form [B7]", async () => {
    const { port, messages } = await serveTwilio({ url: VECTOR_URL, form: true });
    const fields = {
      CallSid: "CA1234567890ABCDE",
      Caller: "+14158675309",
      Digits: "1234",
      From: "+14158675309",
      To: "+18005551212",
    };
    const body = new URLSearchParams(fields).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded", [FIELD]: "RSOYDt4T1cUTdK1PDd93/VVr8B8=" };
    const path = "/?foo=1&bar=2";

    expect((await send(port, { headers, body, path })).status).toBe(200);
    expect((await send(port, { headers, body: body.replace("1234", "1235"), path })).status).toBe(401);
    expect((await send(port, { headers, body, path: "/?foo=1" })).status).toBe(401);
    expect(messages).toMatchObject([{ payload: fields }]);
  });

  it("accepts the published vector of JSON [B7]", async () => {
    const { port, messages } = await serveTwilio({ url: VECTOR_URL });
    const body = '{"property": "value", "boolean": true}';
    const digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    const headers = { [FIELD]: "a9nBmqA0ju/hNViExpshrM61xv4=" };
    const path = `/?foo=1&bar=2&bodySHA256=${digest}`;

    expect(createHash("sha256").update(body).digest("hex")).toBe(digest);
    expect((await send(port, { headers, body, path })).status).toBe(200);
    expect((await send(port, { headers, body: body.replace("true", "false"), path })).status).toBe(401);
    expect(messages).toMatchObject([{ payload: { property: "value", boolean: true } }]);
  });

  it.each([
    ["the URL as it is configured", URL, URL],
    ["with the port, which the option lacks", URL, "https://example.com:443/twilio"],
    ["without the port, which the option has", "https://example.com:443/twilio", URL],
    ["with its port", "https://example.com:8443/twilio", "https://example.com:8443/twilio"],
    ["with the port of http", "http://example.com/twilio", "http://example.com:80/twilio"],
    ["without the fragment, which is for Twilio alone", `${URL}#rc=2&rp=all`, URL],
    ["with a name and a password", "https://me:secret@example.com/twilio", "https://me:secret@example.com/twilio"],
    ["for an address", "https://[::1]/twilio", "https://[::1]:443/twilio"],
  ])("accepts what was signed for %s, as the library does [B7]", async (_, url, signedUrl) => {
    const { port } = await serveTwilio({ url });
    const { headers, body, url: target } = signTwilio(EVENTS, { secret: TOKEN, url: signedUrl });

    expect((await send(port, { headers, body, path: queryOf(target) })).status).toBe(200);
    const known = url.replace(/#.*/, "") + queryOf(target).slice(1);
    expect(validateRequestWithBody(TOKEN, headers[FIELD] as string, known, body.toString())).toBe(true);
  });

  it.each([
    "http://example.com/twilio",
    "https://example.com/twilio/",
    "https://example.com/Twilio",
    "https://example.com:444/twilio",
    "https://example.org/twilio",
  ])("refuses what was signed for another URL: %s [B7]", async (url) => {
    const { port } = await serveTwilio();
    const { headers, body, url: target } = signTwilio(EVENTS, { secret: TOKEN, url });

    expect((await send(port, { headers, body, path: queryOf(target) })).status).toBe(401);
  });

  it("asks a function for the whole URL of a request [B7]", async () => {
    const url = ({ originalUrl }: { readonly originalUrl: string }) =>
      `https://example.com/twilio${originalUrl.slice(1)}`;
    const { port } = await serveTwilio({ url });
    const { headers, body } = signTwilio(EVENTS, { secret: TOKEN, url: URL });

    expect((await send(port, { headers, body, path: EVENTS_PATH })).status).toBe(200);
    expect((await send(port, { headers, body, path: `${EVENTS_PATH}&a=b` })).status).toBe(401);
  });

  it("refuses JSON whose hash is in no signed URL, for nothing would cover it [B7]", async () => {
    const { port } = await serveTwilio({ form: true });
    const body = JSON.stringify(EVENTS);
    const digest = createHash("sha256").update(body).digest("hex");
    for (const query of [
      "",
      `?bodySHA256=${digest.toUpperCase()}`,
      `?bodySHA256=${digest}&bodySHA256=${digest}`,
      `?bodySHA256=${digest.slice(1)}`,
      "?bodySHA256=",
      "?bodysha256=" + digest,
    ]) {
      const headers = { [FIELD]: getExpectedTwilioSignature(TOKEN, URL + query, {}) };
      const { status } = await send(port, { headers, body, path: `/${query}` });
      expect([query, status]).toEqual([query, 401]);
    }
  });

  it("reads no JSON as a form, whatever is signed [B7]", async () => {
    const { port } = await serveTwilio({ form: true });
    const body = JSON.stringify({ type: "a" });
    const headers = { [FIELD]: getExpectedTwilioSignature(TOKEN, URL, { [body]: "" }) };

    expect((await send(port, { headers, body })).status).toBe(401);
    const isForm = { ...headers, "content-type": "application/x-www-form-urlencoded" };
    expect((await send(port, { headers: isForm, body })).status).toBe(200);
  });

  it("takes no request signed by its URL alone for a form [B7]", async () => {
    const { port, messages } = await serveTwilio({ form: true });
    const headers = {
      [FIELD]: getExpectedTwilioSignature(TOKEN, URL, {}),
      "content-type": "application/x-www-form-urlencoded",
    };

    expect((await send(port, { headers, body: "&" })).status).toBe(401);
    expect((await send(port, { headers, body: "" })).status).toBe(400);
    expect((await send(port, { headers, body: "a=b" })).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it("holds a form to the hash of its body where the URL has one [B7]", async () => {
    const { port } = await serveTwilio({ form: true });
    const { headers, url } = signTwilio("a=b", { secret: TOKEN, url: URL });
    const sent = { path: queryOf(url), headers: { ...headers, "content-type": "application/x-www-form-urlencoded" } };

    expect((await send(port, { ...sent, body: "a=b" })).status).toBe(200);
    expect((await send(port, { ...sent, body: "a=c" })).status).toBe(401);
  });

  it("takes forms only where it is told so [A2]", async () => {
    const { port } = await serveTwilio();

    const signed = signTwilio(FORM, { secret: TOKEN, url: URL, form: true });
    expect((await send(port, signed)).status).toBe(415);
    const letIn = await serveTwilio({}, { mediaTypes: ["application/x-www-form-urlencoded"] });
    expect((await send(letIn.port, signed)).status).toBe(401);
  });

  it.each<Record<string, string | string[]>>([
    { a: ["2", "1"] },
    { a: ["1", "2", "1"], b: "" },
    { b: "1", a: "2", B: "3", A: "4", "a b": "5", "": "6" },
  ])("sorts names, and the values of a name, each once, as the library does: %j [B7]", async (fields) => {
    const { port, messages } = await serveTwilio({ form: true });
    const headers = {
      [FIELD]: getExpectedTwilioSignature(TOKEN, URL, fields),
      "content-type": "application/x-www-form-urlencoded",
    };
    const pairs = Object.entries(fields).flatMap(([name, values]) => [values].flat().map((value) => [name, value]));

    expect(
      (await send(port, { headers, body: new URLSearchParams(pairs as [string, string][]).toString() })).status,
    ).toBe(200);
    expect(messages).toMatchObject([{ payload: fields }]);
  });

  it("signs and reads forms as the library does, whatever their fields [B7]", async () => {
    const { port } = await serveTwilio({ form: true });
    const name = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" });
    const value = fc.string({ maxLength: 12, unit: "grapheme" });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 6 }), async (fields) => {
        const form = new URLSearchParams(fields);
        const params: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
        for (const [key, one] of form) (params[key] ??= []).push(one);
        const headers = {
          [FIELD]: getExpectedTwilioSignature(TOKEN, URL, params),
          "content-type": "application/x-www-form-urlencoded",
        };
        const delivery: SignedDelivery = { headers, body: Buffer.from(form.toString()) };
        expect((await send(port, delivery)).status).toBe(200);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses every form whose fields are others [B7]", async () => {
    const { port, messages } = await serveTwilio({ form: true });
    const { headers } = signTwilio(FORM, { secret: TOKEN, url: URL, form: true });
    const signed = Object.entries(FORM);
    for (const [name, value] of signed) {
      const rest = signed.filter(([other]) => other !== name);
      for (const changed of [
        rest,
        [...rest, [name, `${value}x`]],
        [...rest, [name, ""]],
        [...rest, [`${name}x`, value]],
        [...rest, [name.toLowerCase(), value]],
        [...signed, [name, `${value}x`]],
        [...signed, ["Zebra", "1"]],
      ] as [string, string][][]) {
        const body = new URLSearchParams(changed).toString();
        expect([body, (await send(port, { headers, body })).status]).toEqual([body, 401]);
      }
    }
    expect(messages).toEqual([]);
  });

  it("cannot tell where the name of a field ends, as the library cannot: nothing stands between [B7]", async () => {
    const { port } = await serveTwilio({ form: true });
    const { headers } = signTwilio({ Body: "hello" }, { secret: TOKEN, url: URL, form: true });

    expect((await send(port, { headers, body: "Bodyh=ello" })).status).toBe(200);
    expect(validateRequest(TOKEN, headers[FIELD] as string, URL, { Bodyh: "ello" })).toBe(true);
  });

  it("tells the id of what is no event by the field for it, which is not signed [G2]", async () => {
    const { port, messages } = await serveTwilio();
    const { headers, body, url } = signTwilio({ type: "a" }, { secret: TOKEN, url: URL, deliveryId: ID });

    expect((await send(port, { headers, body, path: queryOf(url) })).status).toBe(200);
    expect(messages).toMatchObject([{ deliveryId: ID, eventType: "a", provenance: { deliveryId: "unsigned" } }]);
  });
});
