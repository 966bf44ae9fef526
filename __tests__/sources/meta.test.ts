/**
 * Meta: a library of others as verifier, and the handshake.
 */
import { WhatsAppAPI } from "whatsapp-api-js";
import { meta } from "express-webhook-node/sources/meta";
import { signMeta } from "express-webhook-node/testing/meta";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "5f4dcc3b5aa765d61d8327deb882cf99";
const OTHER = "another app secret";
const TOKEN = "meatyhamhock";
const FIELD = "x-hub-signature-256";
const EVENT = {
  object: "whatsapp_business_account",
  entry: [{ id: "102290129340398", changes: [{ field: "messages", value: { messages: [{ id: "wamid.HBgL" }] } }] }],
};

sourceContract({
  name: "meta",
  source: meta,
  options: { secrets: [SECRET], verifyToken: TOKEN },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signMeta(payload, { secret: SECRET }),
  payload: EVENT,
  messages: [{ deliveryId: undefined, eventType: EVENT.object }],
  provenance: { eventType: "signed" },
  proof: [FIELD],
  wrongOptions: [
    ["no verify token", { verifyToken: undefined }],
    ["an empty verify token", { verifyToken: "" }],
    ["a list of verify tokens", { verifyToken: [TOKEN] }],
  ],
});

const library = () => new WhatsAppAPI({ token: "none", appSecret: SECRET, webhookVerifyToken: TOKEN, v: "v23.0" });

againstSdk({
  sdk: "whatsapp-api-js, verifyRequestSignature",
  source: meta({ secrets: [SECRET], verifyToken: TOKEN }),
  sign: ({ isOther } = {}) => signMeta(EVENT, { secret: isOther ? OTHER : SECRET }),
  verifies: async ({ headers, body }) =>
    headers[FIELD] !== undefined && library().verifyRequestSignature(body.toString(), headers[FIELD]),
  proof: [FIELD],
  differs: {
    [`${FIELD} twice`]: "it looks at the first of two",
    [`${FIELD} twice, first wrong`]: "as above: the first that has the prefix",
    [`${FIELD} twice, last wrong`]: "as above",
    [`${FIELD} with a comma behind it`]: "hex is decoded as far as it goes",
    [`${FIELD} with a digit behind it`]: "as above",
    [`${FIELD} with letters behind it`]: "as above",
    [`${FIELD} in upper case`]: "hex is hex to it",
  },
});

describe("meta", () => {
  const query = (mode: string, token: string, challenge: string): string =>
    `/?hub.mode=${mode}&hub.challenge=${encodeURIComponent(challenge)}&hub.verify_token=${encodeURIComponent(token)}`;
  const served = () => serveNode({ source: meta({ secrets: [SECRET], verifyToken: TOKEN }) });

  it("answers the handshake with its challenge, as text [B7, T15]", async () => {
    const { port, messages } = await served();
    for (const challenge of ["1158201444", "<script>1</script>"]) {
      const { status, text, headers } = await send(port, { method: "GET", path: query("subscribe", TOKEN, challenge) });

      expect([status, text]).toEqual([200, challenge]);
      expect(headers).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
      });
    }
    expect(library().get({ "hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "1158201444" })).toBe(
      "1158201444",
    );
    expect(messages).toEqual([]);
  });

  it.each([
    query("subscribe", "another", "1158201444"),
    query("subscribe", "", "1158201444"),
    query("subscribe", `${TOKEN} `, "1158201444"),
    query("subscribe", TOKEN.toUpperCase(), "1158201444"),
    query("unsubscribe", TOKEN, "1158201444"),
    query("subscribe", TOKEN, ""),
    `${query("subscribe", TOKEN, "1158201444")}&hub.verify_token=x`,
    `${query("subscribe", "x", "1158201444")}&hub.verify_token=${TOKEN}`,
    `${query("subscribe", TOKEN, "1158201444")}&hub.challenge=1158201444`,
    `${query("subscribe", TOKEN, "1158201444")}&hub.mode=subscribe`,
    "/?hub.mode=subscribe&hub.challenge=1158201444",
    `/?hub.mode=subscribe&hub.verify_token=${TOKEN}`,
  ])("refuses the handshake %s, and echoes nothing [B7, T15]", async (path) => {
    const { port } = await served();

    expect(await send(port, { method: "GET", path })).toMatchObject({ status: 403, text: "" });
  });

  it("bounds what it echoes, and takes no other request for a handshake [T15, A1]", async () => {
    const { port } = await served();
    const { text } = await send(port, { method: "GET", path: query("subscribe", TOKEN, "1".repeat(8000)) });

    expect(text).toHaveLength(4096);
    expect((await send(port, { method: "GET", path: "/" })).status).toBe(405);
    expect((await send(port, { method: "PUT", path: query("subscribe", TOKEN, "1") })).status).toBe(405);
    expect((await send(port, { path: query("subscribe", TOKEN, "1"), body: "{}" })).status).toBe(401);
  });

  it("hashes octets as they came, whether what is not ASCII is escaped or not [B2]", async () => {
    const { port, messages } = await served();
    const escaped = '{"object":"page","text":"caf\\u00e9 \\ud83d\\ude00"}';
    const plain = '{"object":"page","text":"café 😀"}';

    expect((await send(port, signMeta(escaped, { secret: SECRET }))).status).toBe(200);
    expect((await send(port, signMeta(plain, { secret: SECRET }))).status).toBe(200);
    expect((await send(port, { ...signMeta(escaped, { secret: SECRET }), body: plain })).status).toBe(401);
    expect(messages[0]?.payload).toEqual(messages[1]?.payload);
  });

  it("takes WhatsApp's three megabytes [A3]", async () => {
    const { port } = await served();
    const large = { object: "page", text: "x".repeat(3_000_000) };

    expect((await send(port, signMeta(large, { secret: SECRET }))).status).toBe(200);
  });
});
