/**
 * Sanity: its own library as signer and verifier.
 */
import { encodeSignatureHeader, isValidSignature } from "@sanity/webhook";
import { sanity } from "express-webhook-node/sources/sanity";
import { signSanity } from "express-webhook-node/testing/sanity";
import { hmacOf } from "express-webhook-node/testing/signed";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const SECRET = "it's a secret to everybody";
const OTHER = "another secret";
const FIELD = "sanity-webhook-signature";
const ID = "0kLa7r1SbdNAcTgsBjQAwW";
const DOCUMENT = { _id: "resume", _type: "page", title: "Résumé" };
const BODY = Buffer.from(JSON.stringify(DOCUMENT));
const signatureOf = (time: string): string =>
  Buffer.from(hmacOf(SECRET, [`${time}.`, BODY]), "hex").toString("base64url");

sourceContract({
  name: "sanity",
  source: sanity,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signSanity(payload, { secret: SECRET, now, deliveryId: ID, operation: "create" }),
  signTime: (time) => ({ headers: { [FIELD]: `t=${time},v1=${signatureOf(time)}` }, body: BODY }),
  payload: DOCUMENT,
  messages: [{ deliveryId: ID, eventType: "create" }],
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: [FIELD],
  toleranceSeconds: 300,
});

againstSdk({
  sdk: "@sanity/webhook, isValidSignature",
  source: sanity({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signSanity(DOCUMENT, { secret: isOther ? OTHER : SECRET, now }),
  sdkSigns: async () => ({
    headers: { [FIELD]: await encodeSignatureHeader(BODY.toString(), Date.now(), SECRET) },
    body: BODY,
  }),
  verifies: ({ headers, body }) => isValidSignature(body.toString(), headers[FIELD] as string, SECRET),
  proof: [FIELD],
  isTimed: true,
  differs: { "in ten minutes": "it checks no time", "ten minutes ago": "as above" },
});

describe("sanity", () => {
  const right = signatureOf(String(NOW));

  it.each([
    [`t=${NOW},v1=${right}`, 200],
    [`t=${NOW},v1=${right}=`, 401],
    [`t=${NOW},v1=${Buffer.from(right, "base64url").toString("base64")}`, 401],
    [`t=${NOW},v1=${Buffer.from(right, "base64url").toString("hex")}`, 401],
    [`t=${NOW}, v1=${right}`, 401],
    [`t=${NOW / 1000},v1=${right}`, 401],
    [`t=${NOW},v2=${right}`, 401],
    [`t=${NOW}`, 401],
    [`v1=${right}`, 401],
  ])("answers %s with %i [B7]", async (field, status) => {
    const { port } = await serveNode({ source: sanity({ secrets: [SECRET], now: () => NOW }) });

    expect((await send(port, { headers: { [FIELD]: field }, body: BODY })).status).toBe(status);
  });
});
