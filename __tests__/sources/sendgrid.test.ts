/**
 * SendGrid's Event Webhook: the vector of its own library, and the library as verifier.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { EventWebhook } from "@sendgrid/eventwebhook";
import { sendgrid } from "express-webhook-node/sources/sendgrid";
import { signSendgrid } from "express-webhook-node/testing/sendgrid";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const TIME = "x-twilio-email-event-webhook-timestamp";
const SIGNATURE = "x-twilio-email-event-webhook-signature";
const pairOf = (namedCurve: string) => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
  return { privateKey, publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64") };
};
const own = pairOf("P-256");
const other = pairOf("P-256");
const EVENTS = [
  { email: "a@example.com", timestamp: 1_513_299_569, event: "processed", sg_event_id: "cHJvY2Vzc2VkLTA" },
  { email: "é@example.com", timestamp: 1_513_299_570, event: "delivered", sg_event_id: "ZGVsaXZlcmVkLTA" },
];
/** The body ends in CR and LF, which are signed. */
const BODY = `${JSON.stringify(EVENTS).replace("},{", "},\r\n{")}\r\n`;

sourceContract({
  name: "sendgrid",
  source: sendgrid,
  options: { publicKeys: [own.publicKey] },
  otherKeys: { publicKeys: [other.publicKey] },
  sign: (payload, { now }) => signSendgrid(payload, { privateKey: own.privateKey, now }),
  signTime(time) {
    const signature = sign("sha256", Buffer.from(`${time}${BODY}`), own.privateKey).toString("base64");
    return { headers: { [TIME]: time, [SIGNATURE]: signature }, body: Buffer.from(BODY) };
  },
  payload: EVENTS,
  messages: EVENTS.map((event) => ({ deliveryId: event.sg_event_id, eventType: event.event })),
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [TIME, SIGNATURE],
  toleranceSeconds: 90_000,
  wrongOptions: [
    ["a key of another curve", { publicKeys: [pairOf("P-384").publicKey] }],
    ["half a key", { publicKeys: [own.publicKey.slice(0, 60)] }],
    ["a key that is no base64", { publicKeys: ["%%%"] }],
    ["a private key", { publicKeys: [own.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64")] }],
  ],
});

againstSdk({
  sdk: "@sendgrid/eventwebhook, verifySignature",
  source: sendgrid({ publicKeys: [own.publicKey], toleranceSeconds: 300 }),
  sign({ isOther, now } = {}) {
    // What the library makes of junk behind a signature depends on whether its base64 is padded.
    for (;;) {
      const signed = signSendgrid(BODY, { privateKey: isOther ? other.privateKey : own.privateKey, now });
      if (/[A-Zg-z]\w*$/.test(signed.headers[SIGNATURE] as string)) return signed;
    }
  },
  verifies({ headers, body }) {
    const webhook = new EventWebhook();
    try {
      const key = webhook.convertPublicKeyToECDSA(own.publicKey);
      return webhook.verifySignature(key, body, headers[SIGNATURE] as string, headers[TIME] as string);
    } catch {
      return false;
    }
  },
  proof: [TIME, SIGNATURE],
  isTimed: true,
  differs: {
    "in ten minutes": "it checks no time",
    "ten minutes ago": "as above",
    [`${SIGNATURE} with a comma behind it`]: "an unfinished group of base64 is not looked at",
    [`${SIGNATURE} with a digit behind it`]: "as above",
  },
});

describe("sendgrid", () => {
  // packages/eventwebhook/src/eventwebhook.spec.js of github.com/sendgrid/sendgrid-nodejs
  const VECTOR = {
    publicKey:
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==",
    headers: {
      [SIGNATURE]: "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=",
      [TIME]: "1588788367",
    },
    body: '{"category":"example_payload","event":"test_event","message_id":"message_id"}',
  };
  const vectorSource = () => sendgrid({ publicKeys: [VECTOR.publicKey], now: () => 1_588_788_367_000 });

  it("accepts the vector of the library's tests [B7]", async () => {
    const { port, messages } = await serveNode({ source: vectorSource() });
    const { headers, body } = VECTOR;

    expect((await send(port, { headers, body })).status).toBe(200);
    expect((await send(port, { headers, body: body.replace("id", "ID") })).status).toBe(401);
    expect((await send(port, { headers: { ...headers, [TIME]: "1588788368" }, body })).status).toBe(401);
    expect(messages).toMatchObject([{ eventType: "test_event", payload: { message_id: "message_id" } }]);
  });

  it("verifies the line feeds at the end of a body [B2]", async () => {
    const { port } = await serveNode({ source: sendgrid({ publicKeys: [own.publicKey] }) });
    const { headers, body } = signSendgrid(BODY, { privateKey: own.privateKey });

    expect((await send(port, { headers, body })).status).toBe(200);
    expect((await send(port, { headers, body: body.toString().trimEnd() })).status).toBe(401);
  });

  it("takes the other signature that every ECDSA signature gives away, so that none is an id [B7]", async () => {
    const { port, messages } = await serveNode({ source: sendgrid({ publicKeys: [own.publicKey] }) });
    const { headers, body } = signSendgrid(BODY, { privateKey: own.privateKey });
    const negated = { ...headers, [SIGNATURE]: otherSignature(headers[SIGNATURE] as string) };

    expect(negated[SIGNATURE]).not.toBe(headers[SIGNATURE]);
    expect((await send(port, { headers, body })).status).toBe(200);
    expect((await send(port, { headers: negated, body })).status).toBe(200);
    expect(new Set(messages.map(({ key }) => key)).size).toBe(2);
  });

  it.each([
    "",
    "MAA=",
    "MAYCAQACAQA=",
    "MAYCAQECAQE=",
    Buffer.alloc(64, 1).toString("base64"),
    Buffer.alloc(72).toString("base64"),
    "A".repeat(10_000),
  ])("refuses the signature %p [B7]", async (signature) => {
    const { port } = await serveNode({ source: sendgrid({ publicKeys: [own.publicKey], now: () => NOW }) });
    const { headers, body } = signSendgrid(BODY, { privateKey: own.privateKey, now: NOW });

    expect((await send(port, { headers: { ...headers, [SIGNATURE]: signature }, body })).status).toBe(401);
  });
});

const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"); // SEC 2 section 2.4.2

/** The signature with n - s instead of s. */
function otherSignature(base64: string): string {
  const octets = Buffer.from(base64, "base64");
  const rLength = octets[3] as number;
  const s = BigInt(`0x${octets.subarray(6 + rLength).toString("hex")}`);
  const digits = (ORDER - s).toString(16).padStart(64, "0");
  const negated = Buffer.from((Number.parseInt(digits[0] as string, 16) > 7 ? "00" : "") + digits, "hex");
  const minimal = negated.subarray(negated.findIndex((octet, at) => octet !== 0 || (negated[at + 1] ?? 0) > 127));
  const numbers = Buffer.concat([octets.subarray(2, 4 + rLength), Buffer.from([2, minimal.length]), minimal]);
  return Buffer.concat([Buffer.from([0x30, numbers.length]), numbers]).toString("base64");
}
