/**
 * Mailgun: the code of its documentation, for no library verifies its webhooks.
 */
import { createHmac } from "node:crypto";
import { mailgun } from "express-webhook-node/sources/mailgun";
import { signMailgun } from "express-webhook-node/testing/mailgun";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const SECRET = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0";
const PARENT = "key-of-the-primary-account";
const OTHER = "another key";
const TOKEN = "e0b5477167110d68991efc6b9f89f0a11066af27834600e123";
const EVENT = { event: "delivered", id: "CPgfbmQMTCKtHW6uIWtuVe", recipient: "zoë@example.com" };

sourceContract({
  name: "mailgun",
  source: mailgun,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signMailgun(payload, { secret: SECRET, now, token: TOKEN }),
  payload: EVENT,
  messages: [{ deliveryId: TOKEN, eventType: EVENT.event }],
  provenance: { deliveryId: "signed", eventType: "unsigned" },
  proof: [],
  covers: "members",
  toleranceSeconds: 43_200,
});

describe("mailgun", () => {
  const timestamp = String(NOW / 1000);
  const hmac = (key: string, content: string): string => createHmac("sha256", key).update(content).digest("hex");
  const right = hmac(SECRET, timestamp + TOKEN);
  const good = { timestamp, token: TOKEN, signature: right };
  const served = (secrets = [SECRET]) => serveNode({ source: mailgun({ secrets, now: () => NOW }) });
  const statusOf = async (port: number, signature: unknown): Promise<number> =>
    (await send(port, { body: JSON.stringify({ signature, "event-data": EVENT }) })).status;

  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await served();
    const { body } = signMailgun(EVENT, { secret: SECRET, now: NOW, token: TOKEN });

    expect((JSON.parse(body.toString()) as { signature: object }).signature).toEqual(good);
    expect(await statusOf(port, good)).toBe(200);
  });

  it.each<readonly [string, unknown]>([
    ["none", undefined],
    ["null", null],
    ["text", right],
    ["a list", [timestamp, TOKEN, right]],
    ["no signature in it", { ...good, signature: undefined }],
    ["an empty signature", { ...good, signature: "" }],
    ["a signature in upper case", { ...good, signature: right.toUpperCase() }],
    ["a signature and a digit more", { ...good, signature: `${right}0` }],
    ["a signature and a digit less", { ...good, signature: right.slice(1) }],
    ["a signature in a list", { ...good, signature: [right] }],
    ["the signature of another key", { ...good, signature: hmac(OTHER, timestamp + TOKEN) }],
    ["another token", { ...good, token: TOKEN.replace("e0", "e1") }],
    ["a token in a list", { ...good, token: [TOKEN] }],
    [
      "a token of other characters",
      { ...good, token: "é".repeat(50), signature: hmac(SECRET, timestamp + "é".repeat(50)) },
    ],
    ["a time that is a number", { ...good, timestamp: Number(timestamp) }],
    ["another time", { ...good, timestamp: String(Number(timestamp) + 1) }],
    ["a time in milliseconds", { ...good, timestamp: String(NOW), signature: hmac(SECRET, NOW + TOKEN) }],
    // What is signed is the same octets, cut elsewhere.
    ["a digit moved to the token", { ...good, timestamp: timestamp.slice(0, -1), token: timestamp.slice(-1) + TOKEN }],
    ["a character moved to the time", { ...good, timestamp: timestamp + TOKEN[0], token: TOKEN.slice(1) }],
  ])("refuses a signature that is %s [B7]", async (_, signature) => {
    const { port, messages } = await served();

    expect(await statusOf(port, signature)).toBe(401);
    expect(messages).toEqual([]);
  });

  it.each(["null", "[]", "7", '"text"', '{"__proto__":{"signature":{}}}'])("refuses the body %s [B7]", async (body) => {
    const { port } = await served();

    expect((await send(port, { body })).status).toBe(401);
  });

  it("accepts a subaccount's delivery by the key of either account [B7]", async () => {
    const { body } = signMailgun(EVENT, { secret: SECRET, parentSecret: PARENT, now: NOW });
    const statuses = [];
    for (const secrets of [[SECRET], [PARENT], [OTHER]]) {
      const { port } = await served(secrets);
      statuses.push((await send(port, { body })).status);
    }

    expect(statuses).toEqual([200, 200, 401]);
  });

  it("accepts another event with a signature that was seen, and says that it is unsigned [B7, G2]", async () => {
    const { port, messages } = await served();
    const forged = { signature: good, "event-data": { event: "failed" } };

    expect((await send(port, { body: JSON.stringify(forged) })).status).toBe(200);
    expect(messages).toMatchObject([{ eventType: "failed", provenance: { eventType: "unsigned" }, deliveryId: TOKEN }]);
  });
});
