/**
 * Standard Webhooks and Svix: their published vectors, and their own libraries as signers and verifiers.
 */
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix/dist/webhook";
import { standardWebhooks } from "express-webhook-node/sources/standard-webhooks";
import { signStandardWebhooks } from "express-webhook-node/testing/standard-webhooks";
import { hmacOf, type SignedDelivery } from "express-webhook-node/testing/signed";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk, standardDifferences } from "./against-sdk";
import { sourceContract, type FieldMutation } from "./contract";

watchUnhandled();

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
// https://github.com/svix/svix-webhooks, server/svix-server/README.md, "Configuring the keys"
const PRIVATE_KEY = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
// RFC 8032 section 7.1, test 1
const OTHER_PUBLIC_KEY = `whpk_${Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex").toString("base64")}`;
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const PAYLOAD = { type: "contact.created", timestamp: "2022-11-03T20:26:10.344522Z", data: { id: "1f81eb52" } };

/** A list in which the right signature still stands, whole and by itself, is right. */
const isListWithIt = ({ field, original, mutated }: FieldMutation): boolean =>
  field.endsWith("-signature") && mutated.split(" ").includes(original);

const common = {
  name: "standardWebhooks",
  sourceName: "standard-webhooks",
  source: standardWebhooks,
  payload: PAYLOAD,
  messages: [{ deliveryId: ID, eventType: "contact.created" }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  harmless: isListWithIt,
  toleranceSeconds: 300,
} as const;

describe.each(["webhook", "svix"] as const)("with the header fields %s-*", (family) => {
  const proof = [`${family}-id`, `${family}-timestamp`, `${family}-signature`];

  sourceContract({
    ...common,
    proof,
    options: { secrets: [SECRET] },
    otherKeys: { secrets: [OTHER] },
    sign: (payload, { now }) => signStandardWebhooks(payload, { secret: SECRET, deliveryId: ID, now, family }),
    signTime: (time) => signedAt(time, family),
    wrongOptions: [
      ["a secret that is not base64", { secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w"] }],
      ["a secret with junk behind it", { secrets: [`${SECRET}!`] }],
      ["a secret that is too short", { secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa"] }],
      ["a secret that is too long", { secrets: [`whsec_${Buffer.alloc(65).toString("base64")}`] }],
      ["a secret without octets", { secrets: ["whsec_"] }],
      ["neither secrets nor public keys", { secrets: undefined }],
    ],
  });

  sourceContract({
    ...common,
    proof,
    options: { publicKeys: [PUBLIC_KEY] },
    otherKeys: { publicKeys: [OTHER_PUBLIC_KEY] },
    sign: (payload, { now }) => signStandardWebhooks(payload, { privateKey: PRIVATE_KEY, deliveryId: ID, now, family }),
    wrongOptions: [
      ["a private key", { publicKeys: [PRIVATE_KEY] }],
      ["a public key that is not base64", { publicKeys: [`${PUBLIC_KEY}!`] }],
      ["a public key that is too short", { publicKeys: ["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOig=="] }],
    ],
  });
});

const verifiesBy =
  (webhook: { verify(payload: string, headers: Record<string, string>): unknown }) =>
  ({ headers, body }: SignedDelivery): boolean => {
    try {
      webhook.verify(body.toString(), headers);
      return true;
    } catch {
      return false;
    }
  };

againstSdk({
  sdk: "standardwebhooks",
  source: standardWebhooks({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signStandardWebhooks(PAYLOAD, { secret: isOther ? OTHER : SECRET, now }),
  sdkSigns: () => sdkSigned(new Webhook(SECRET), "webhook"),
  verifies: verifiesBy(new Webhook(SECRET)),
  proof: ["webhook-id", "webhook-timestamp", "webhook-signature"],
  isTimed: true,
  differs: standardDifferences("webhook"),
});

againstSdk({
  sdk: "svix",
  source: standardWebhooks({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) =>
    signStandardWebhooks(PAYLOAD, { secret: isOther ? OTHER : SECRET, now, family: "svix" }),
  sdkSigns: () => sdkSigned(new SvixWebhook(SECRET), "svix"),
  verifies: verifiesBy(new SvixWebhook(SECRET)),
  proof: ["svix-id", "svix-timestamp", "svix-signature"],
  isTimed: true,
  differs: standardDifferences("svix"),
});

describe("standardWebhooks", () => {
  const now = (): number => 1_614_265_330_000;
  const time = "1614265330";
  const body = '{"test": 2432232314}';
  const v1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  const v1a = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
  const fields = (signature: string) => ({
    "webhook-id": ID,
    "webhook-timestamp": time,
    "webhook-signature": signature,
  });

  // https://github.com/standard-webhooks/standard-webhooks, libraries/javascript/src/index.test.ts, "sign function works"
  it("accepts the published vector of v1, and signs it [B7]", async () => {
    const { port } = await serveNode({ source: standardWebhooks({ secrets: [SECRET], now }) });

    expect((await send(port, { headers: fields(v1), body })).status).toBe(200);
    expect(signStandardWebhooks(body, { secret: SECRET, deliveryId: ID, now: now() }).headers).toMatchObject(
      fields(v1),
    );
  });

  // https://github.com/svix/svix-webhooks, server/svix-server/src/worker.rs, test_asymmetric_key_signing
  it("accepts the published vector of v1a, and signs it [B7]", async () => {
    const { port } = await serveNode({ source: standardWebhooks({ publicKeys: [PUBLIC_KEY], now }) });

    expect((await send(port, { headers: fields(v1a), body })).status).toBe(200);
    expect(signStandardWebhooks(body, { privateKey: PRIVATE_KEY, deliveryId: ID, now: now() }).headers).toMatchObject(
      fields(v1a),
    );
  });

  it("accepts any right signature of a list, of a version it has keys for [B7]", async () => {
    const ofBoth = await serveNode({ source: standardWebhooks({ secrets: [SECRET], publicKeys: [PUBLIC_KEY], now }) });
    const ofSecret = await serveNode({ source: standardWebhooks({ secrets: [SECRET], now }) });
    const ofKey = await serveNode({ source: standardWebhooks({ publicKeys: [PUBLIC_KEY], now }) });
    const wrong = `v1,${"A".repeat(43)}=`;
    for (const [signatures, ...wanted] of [
      [`${v1} ${v1a}`, 200, 200, 200],
      [`${v1a} ${v1}`, 200, 200, 200],
      [`${wrong} ${v1} v2,x`, 200, 200, 401],
      [v1, 200, 200, 401],
      [v1a, 200, 401, 200],
      [`${wrong} ${v1a}`, 200, 401, 200],
      [v1.replace("v1", "v1a"), 401, 401, 401],
      [v1a.replace("v1a", "v1"), 401, 401, 401],
      [v1.replace("v1,", ""), 401, 401, 401],
      [`${wrong},${v1}`, 401, 401, 401],
      [v1.replace(",", "."), 401, 401, 401],
      ["v1,", 401, 401, 401],
    ] as const) {
      const statuses = [];
      for (const { port } of [ofBoth, ofSecret, ofKey]) {
        statuses.push((await send(port, { headers: fields(signatures), body })).status);
      }
      expect([signatures, statuses]).toEqual([signatures, wanted]);
    }
  });

  it("is not open for what one kind of key could not be looked up for [B7]", async () => {
    const secrets = async (): Promise<never> => {
      throw new Error("the vault is closed");
    };
    const { port, messages } = await serveNode({
      source: standardWebhooks({ secrets, publicKeys: [PUBLIC_KEY], now }),
    });

    for (const signature of [v1, `${v1} ${v1a}`]) {
      expect((await send(port, { headers: fields(signature), body })).status).toBe(503);
    }
    expect((await send(port, { headers: fields(v1a), body })).status).toBe(200);
    expect(messages).toHaveLength(1);
  });

  it("takes a secret with or without its prefix, and as octets [B1]", async () => {
    for (const secret of [SECRET, SECRET.slice(6), Buffer.from(SECRET.slice(6), "base64")]) {
      const { port } = await serveNode({ source: standardWebhooks({ secrets: [secret], now }) });
      expect((await send(port, { headers: fields(v1), body })).status).toBe(200);
    }
  });

  it("reads the svix fields where both families come, and tells the id that it has verified [G2]", async () => {
    const { port, messages } = await serveNode({ source: standardWebhooks({ secrets: [SECRET], now }) });
    const svix = { "svix-id": ID, "svix-timestamp": time, "svix-signature": v1 };
    const forged = { ...fields(v1), "webhook-id": "msg_another" };

    expect((await send(port, { headers: { ...forged, ...svix }, body })).status).toBe(200);
    expect((await send(port, { headers: { ...fields(v1), "svix-id": "msg_another" }, body })).status).toBe(401);
    expect(messages.map(({ deliveryId }) => deliveryId)).toEqual([ID]);
  });

  it("refuses an id with a dot, by which the end of the id could be moved [B7]", async () => {
    const { port } = await serveNode({ source: standardWebhooks({ secrets: [SECRET], now }) });
    const inner = JSON.stringify({ type: "contact.deleted" });
    const signature = signStandardWebhooks(`"x.${time}.${inner}"`, { secret: SECRET, deliveryId: ID, now: now() });
    const moved = { ...fields(signature.headers["webhook-signature"] as string), "webhook-id": `${ID}.${time}."x` };
    expect((await send(port, { headers: moved, body: `${inner}"` })).status).toBe(401);
    expect(new Webhook(SECRET).sign(moved["webhook-id"], new Date(now()), `${inner}"`)).toBe(
      moved["webhook-signature"],
    );
  });

  it("refuses more signatures by public keys than a sender has [T16]", async () => {
    const { port } = await serveNode({ source: standardWebhooks({ publicKeys: [PUBLIC_KEY], now }) });
    const wrong = `v1a,${"A".repeat(86)}==`;

    expect((await send(port, { headers: fields([...Array(15).fill(wrong), v1a].join(" ")), body })).status).toBe(200);
    expect((await send(port, { headers: fields([...Array(16).fill(wrong), v1a].join(" ")), body })).status).toBe(401);
  });
});

function sdkSigned(
  webhook: { sign(id: string, time: Date, payload: string): string },
  family: "webhook" | "svix",
): SignedDelivery {
  const body = JSON.stringify(PAYLOAD);
  const time = new Date();
  return {
    headers: {
      [`${family}-id`]: ID,
      [`${family}-timestamp`]: String(Math.floor(time.getTime() / 1000)),
      [`${family}-signature`]: webhook.sign(ID, time, body),
    },
    body: Buffer.from(body),
  };
}

function signedAt(time: string, family: "webhook" | "svix"): SignedDelivery {
  const body = Buffer.from(JSON.stringify(PAYLOAD));
  const key = Buffer.from(SECRET.slice(6), "base64");
  const signature = `v1,${hmacOf(key, [`${ID}.${time}.`, body], { encoding: "base64" })}`;
  return {
    headers: { [`${family}-id`]: ID, [`${family}-timestamp`]: time, [`${family}-signature`]: signature },
    body,
  };
}
