/**
 * WorkOS: its own library as signer and verifier.
 */
import { SubtleCryptoProvider } from "../../node_modules/@workos-inc/node/lib/common/crypto/subtle-crypto-provider";
import { SignatureProvider } from "../../node_modules/@workos-inc/node/lib/common/crypto/signature-provider";
import { workos } from "express-webhook-node/sources/workos";
import { hmacOf } from "express-webhook-node/testing/signed";
import { signWorkos } from "express-webhook-node/testing/workos";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const SECRET = "secret_5WbX5kEWLlfzsGNjH64I8lOOq";
const OTHER = "another secret";
const FIELD = "workos-signature";
const EVENT = {
  id: "event_01J7Y8ZK3",
  event: "dsync.user.created",
  data: { first_name: "Blé" },
  created_at: "2026-01-01",
};
const BODY = Buffer.from(JSON.stringify(EVENT));

sourceContract({
  name: "workos",
  source: workos,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signWorkos(payload, { secret: SECRET, now }),
  signTime: (time) => ({ headers: { [FIELD]: `t=${time}, v1=${hmacOf(SECRET, [`${time}.`, BODY])}` }, body: BODY }),
  payload: EVENT,
  messages: [{ deliveryId: EVENT.id, eventType: EVENT.event }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
  harmless: ({ original, mutated }) => mutated === original.replace(", ", ","),
  toleranceSeconds: 180,
});

const library = new SignatureProvider(new SubtleCryptoProvider());

againstSdk({
  sdk: "@workos-inc/node, SignatureProvider.verifyHeader",
  source: workos({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signWorkos(EVENT, { secret: isOther ? OTHER : SECRET, now }),
  async sdkSigns() {
    const now = Date.now();
    const signature = await library.computeSignature(String(now), EVENT, SECRET);
    return { headers: { [FIELD]: `t=${now}, v1=${signature}` }, body: BODY };
  },
  async verifies({ headers, body }) {
    try {
      const payload = JSON.parse(body.toString()) as never;
      return await library.verifyHeader({ payload, sigHeader: headers[FIELD] as string, secret: SECRET });
    } catch {
      return false;
    }
  },
  proof: [FIELD],
  isTimed: true,
  differs: {
    "an octet behind the body": "it signs the JSON that it writes of the parsed body",
    "in ten minutes": "it checks the past alone",
    [`${FIELD} twice`]: "it looks at the first two elements alone",
    [`${FIELD} twice, first wrong`]: "the names of the elements are not looked at",
    [`${FIELD} twice, last wrong`]: "as above",
    [`${FIELD} with a comma behind it`]: "as above",
  },
});

describe("workos", () => {
  const right = hmacOf(SECRET, [`${NOW}.`, BODY]);

  it.each([
    [`t=${NOW}, v1=${right}`, 200],
    [`t=${NOW},v1=${right}`, 200],
    [`t=${NOW},  v1=${right}`, 401],
    [`t=${NOW} ,v1=${right}`, 401],
    [`t=${NOW / 1000}, v1=${right}`, 401],
    [`t=${NOW}, t=${NOW}, v1=${right}`, 401],
    [`v1=${right}`, 401],
    [`t=${NOW}`, 401],
    [`${NOW}, ${right}`, 401],
  ])("answers %s with %i [B7]", async (field, status) => {
    const { port } = await serveNode({ source: workos({ secrets: [SECRET], now: () => NOW }) });

    expect((await send(port, { headers: { [FIELD]: field }, body: BODY })).status).toBe(status);
  });
});
