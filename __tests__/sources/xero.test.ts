/**
 * Xero: no library verifies its webhooks, so the construction of its documentation, written anew, does; and its handshake.
 */
import { createHmac } from "node:crypto";
import { xero } from "express-webhook-node/sources/xero";
import { signXero } from "express-webhook-node/testing/xero";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "OSd0eLlVIY9ZhViEqlDUh4+6n6M+Lo+eDaEJheJ6OCCgWwIz2D3JIAU6jPMipHRbgKTLz2uJ+xiACXGDBLrgdA==";
const OTHER = "another key";
const FIELD = "x-xero-signature";
const [CONTACT, INVOICE] = ["717f2bfc-c6d4-41fd-b238-3f2f0c0cf777", "44aa0707-f718-4f1c-8d53-f2da9ca59533"];
const event = (eventCategory: string, eventType: string, resourceId: string) => ({
  resourceUrl: `https://api.xero.com/api.xro/2.0/${eventCategory}/${resourceId}`,
  resourceId,
  eventDateUtc: "2017-06-21T01:15:39.902",
  eventType,
  eventCategory,
  tenantId: "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f",
  tenantType: "ORGANISATION",
});
const DELIVERY = {
  events: [event("CONTACT", "UPDATE", CONTACT), event("INVOICE", "CREATE", INVOICE)],
  lastEventSequence: 2,
  firstEventSequence: 1,
  entropy: "S0m3r4Nd0mt3xt",
};
const INTENT = { events: [], lastEventSequence: 0, firstEventSequence: 0, entropy: "S0m3r4Nd0mt3xt" };

sourceContract({
  name: "xero",
  source: xero,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signXero(payload, { secret: SECRET }),
  payload: DELIVERY,
  messages: [
    { deliveryId: `CONTACT UPDATE ${CONTACT} 2017-06-21T01:15:39.902`, eventType: "CONTACT.UPDATE" },
    { deliveryId: `INVOICE CREATE ${INVOICE} 2017-06-21T01:15:39.902`, eventType: "INVOICE.CREATE" },
  ],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
  success: { text: "" },
  refusal: { text: "" },
});

describe("xero", () => {
  const served = () => serveNode({ source: xero({ secrets: [SECRET] }) });

  // https://developer.xero.com/documentation/webhooks/configuring-your-server: HMAC-SHA256 of the body, in base64,
  // with the key as text
  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await served();
    const { headers, body } = signXero(DELIVERY, { secret: SECRET });
    const documented = createHmac("sha256", SECRET).update(body.toString(), "utf8").digest("base64");

    expect(headers[FIELD]).toBe(documented);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  it("passes the intent to receive: 200 to what is signed, 401 to what is not, both empty, and no cookies [B7]", async () => {
    const { port, messages, outcomes } = await served();
    const right = await send(port, signXero(INTENT, { secret: SECRET }));
    const wrong = await send(port, signXero(INTENT, { secret: OTHER }));

    expect([right.status, right.text, wrong.status, wrong.text]).toEqual([200, "", 401, ""]);
    for (const { headers } of [right, wrong]) {
      expect([headers["content-length"] ?? "0", headers["set-cookie"], headers["content-type"]]).toEqual([
        "0",
        undefined,
        undefined,
      ]);
    }
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["answered", "refused"]);
  });

  it("emits whole what holds no list of events [B7]", async () => {
    const { port, messages } = await served();
    const payloads = [{ events: {} }, { events: null }, [], "events", null, 7];
    for (const payload of payloads) await send(port, signXero(JSON.stringify(payload), { secret: SECRET }));

    expect(messages.map(({ payload }) => payload)).toEqual(payloads);
  });

  it("answers before Xero's five seconds are over [T17]", () => {
    expect(xero({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(5000);
  });
});
