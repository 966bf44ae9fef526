/**
 * Lemon Squeezy: no library verifies its webhooks, so the code of its documentation does.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { lemonSqueezy } from "express-webhook-node/sources/lemon-squeezy";
import { signLemonSqueezy } from "express-webhook-node/testing/lemon-squeezy";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "a signing secret of 6 to 40 letters";
const OTHER = "another secret";
const FIELD = "x-signature";
const EVENT = {
  meta: { event_name: "order_created", custom_data: { customer_id: 25 } },
  data: { type: "orders", id: "1", attributes: { user_name: "Zoë" } },
};

sourceContract({
  name: "lemonSqueezy",
  sourceName: "lemon-squeezy",
  source: lemonSqueezy,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signLemonSqueezy(payload, { secret: SECRET }),
  payload: EVENT,
  messages: [{ deliveryId: undefined, eventType: "order_created" }],
  provenance: { eventType: "signed" },
  proof: [FIELD],
});

describe("lemonSqueezy", () => {
  // https://docs.lemonsqueezy.com/help/webhooks/signing-requests: HMAC-SHA256 of the raw body, in hex
  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await serveNode({ source: lemonSqueezy({ secrets: [SECRET] }) });
    const { headers, body } = signLemonSqueezy(EVENT, { secret: SECRET });
    const documented = createHmac("sha256", SECRET).update(body).digest("hex");

    expect(timingSafeEqual(Buffer.from(headers[FIELD] as string), Buffer.from(documented))).toBe(true);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  it("takes the event type from the signed body, whatever the field says [G2]", async () => {
    const { port, messages } = await serveNode({ source: lemonSqueezy({ secrets: [SECRET] }) });
    const { headers, body } = signLemonSqueezy(EVENT, { secret: SECRET });

    expect(headers["x-event-name"]).toBe("order_created");
    await send(port, { headers: { ...headers, "x-event-name": "order_refunded" }, body });
    expect(messages).toMatchObject([{ eventType: "order_created" }]);
  });
});
