/**
 * Vercel: no library verifies its webhooks, so the code of its documentation does.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { vercel } from "express-webhook-node/sources/vercel";
import { signVercel } from "express-webhook-node/testing/vercel";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "vLWkcKmBwYAWSPuGeXeFpvOx";
const OTHER = "another secret";
const FIELD = "x-vercel-signature";
const EVENT = { id: "evt_3Mtwxd", type: "deployment.created", createdAt: 1_755_000_000_000, payload: { name: "café" } };

sourceContract({
  name: "vercel",
  source: vercel,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signVercel(payload, { secret: SECRET }),
  payload: EVENT,
  messages: [{ deliveryId: EVENT.id, eventType: EVENT.type }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
});

describe("vercel", () => {
  // https://vercel.com/docs/webhooks/webhooks-api#securing-webhooks: HMAC-SHA1 of the raw body, in hex
  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await serveNode({ source: vercel({ secrets: [SECRET] }) });
    const { headers, body } = signVercel(EVENT, { secret: SECRET });
    const documented = createHmac("sha1", SECRET).update(body).digest("hex");

    expect(timingSafeEqual(Buffer.from(headers[FIELD] as string), Buffer.from(documented))).toBe(true);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  // RFC 2202 section 3, test case 2
  it("verifies the HMAC-SHA1 of a public vector [B7]", async () => {
    const { port } = await serveNode({ source: vercel({ secrets: ["Jefe"] }) });
    const headers = { [FIELD]: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" };

    // It is signed, and no JSON: 400.
    expect((await send(port, { headers, body: "what do ya want for nothing?" })).status).toBe(400);
    expect((await send(port, { headers, body: "what do ya want for nothing!" })).status).toBe(401);
  });

  it.each(["sha256", "sha512"])("refuses a signature by %s [B7]", async (algorithm) => {
    const { port } = await serveNode({ source: vercel({ secrets: [SECRET] }) });
    const { body } = signVercel(EVENT, { secret: SECRET });
    const headers = { [FIELD]: createHmac(algorithm, SECRET).update(body).digest("hex") };

    expect((await send(port, { headers, body })).status).toBe(401);
  });
});
