/**
 * Calendly: no library verifies its webhooks, so the code of its documentation, written anew, does.
 */
import { createHmac } from "node:crypto";
import { calendly } from "express-webhook-node/sources/calendly";
import { signCalendly } from "express-webhook-node/testing/calendly";
import { hmacOf } from "express-webhook-node/testing/signed";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { NOW, sourceContract, type FieldMutation } from "./contract";

watchUnhandled();

const SECRET = "5mEzn9C-I28UtwOjZJtFoob0sAAFZ95GbZkqj4y3i0I";
const OTHER = "another signing key";
const FIELD = "calendly-webhook-signature";
const URI = "https://api.calendly.com/scheduled_events/GBGBDCAADAEDCRZ2/invitees/AAAAAAAAAAAAAAAA";
const EVENT = {
  created_at: "2020-11-23T17:51:19.000000Z",
  created_by: "https://api.calendly.com/users/AAAAAAAAAAAAAAAA",
  event: "invitee.created",
  payload: { uri: URI, name: "José", status: "active" },
};
const BODY = Buffer.from(JSON.stringify(EVENT));

/** A list with one element more, which does not count or is a signature more. */
const hasOneMore = ({ original, mutated }: FieldMutation): boolean => {
  const elements = mutated.split(",");
  const times = elements.filter((element) => element.startsWith("t="));
  return times.length === 1 && original.split(",").every((element) => elements.includes(element));
};

sourceContract({
  name: "calendly",
  source: calendly,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signCalendly(payload, { secret: SECRET, now }),
  signTime: (time) => ({ headers: { [FIELD]: `t=${time},v1=${hmacOf(SECRET, [`${time}.`, BODY])}` }, body: BODY }),
  payload: EVENT,
  messages: [{ deliveryId: `invitee.created 2020-11-23T17:51:19.000000Z ${URI}`, eventType: "invitee.created" }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
  harmless: hasOneMore,
  toleranceSeconds: 180,
});

describe("calendly", () => {
  // https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures: "t" + "." + the body, in hex
  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await serveNode({ source: calendly({ secrets: [SECRET], now: () => NOW }) });
    const time = String(NOW / 1000);
    const signature = createHmac("sha256", SECRET).update(`${time}.${BODY.toString()}`, "utf8").digest("hex");
    const documented = `t=${time},v1=${signature}`;

    expect(signCalendly(EVENT, { secret: SECRET, now: NOW }).headers[FIELD]).toBe(documented);
    expect((await send(port, { headers: { [FIELD]: documented }, body: BODY })).status).toBe(200);
  });

  it.each([
    {},
    { event: "a", created_at: "b" },
    { event: "a", payload: { uri: "c" } },
    { created_at: "b", payload: { uri: "c" } },
  ])("makes no delivery id of %j, where a part of it is missing [J3]", async (payload) => {
    const { port, messages } = await serveNode({ source: calendly({ secrets: [SECRET] }) });
    await send(port, signCalendly(payload, { secret: SECRET }));

    expect(messages.map(({ deliveryId }) => deliveryId)).toEqual([undefined]);
  });
});
