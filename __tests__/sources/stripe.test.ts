/**
 * Stripe: its own library as signer and verifier.
 */
import StripeLibrary from "stripe";
import { createWebhookNode } from "express-webhook-node";
import { stripe } from "express-webhook-node/sources/stripe";
import { hmacOf } from "express-webhook-node/testing/signed";
import { signStripe } from "express-webhook-node/testing/stripe";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract, type FieldMutation } from "./contract";

watchUnhandled();

const SECRET = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH";
const OTHER = "whsec_another";
const FIELD = "stripe-signature";
const EVENT = { id: "evt_1NG8Du2eZvKYlo2CUI79vXWy", object: "event", type: "payment_intent.succeeded" };
const { webhooks } = new StripeLibrary("sk_test_none");

/** A list with one element more, of a scheme that does not count, or a signature more. */
const hasOneMore = ({ original, mutated }: FieldMutation): boolean => {
  const elements = mutated.split(",");
  const times = elements.filter((element) => element.startsWith("t="));
  return times.length === 1 && original.split(",").every((element) => elements.includes(element));
};

sourceContract({
  name: "stripe",
  source: stripe,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signStripe(payload, { secret: SECRET, now }),
  signTime(time) {
    const body = Buffer.from(JSON.stringify(EVENT));
    return { headers: { [FIELD]: `t=${time},v1=${hmacOf(SECRET, [`${time}.`, body])}` }, body };
  },
  payload: EVENT,
  messages: [{ deliveryId: EVENT.id, eventType: EVENT.type }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
  harmless: hasOneMore,
  toleranceSeconds: 300,
});

againstSdk({
  sdk: "stripe",
  source: stripe({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signStripe(EVENT, { secret: isOther ? OTHER : SECRET, now }),
  sdkSigns() {
    const payload = JSON.stringify(EVENT, null, 2);
    const header = webhooks.generateTestHeaderString({ payload, secret: SECRET });
    return { headers: { [FIELD]: header }, body: Buffer.from(payload) };
  },
  verifies({ headers, body }) {
    try {
      return webhooks.constructEvent(body, headers[FIELD] as string, SECRET).id === EVENT.id;
    } catch {
      return false;
    }
  },
  proof: [FIELD],
  isTimed: true,
  differs: {
    "a byte order mark before the body": "it makes text of the octets first, and drops the mark",
    "in ten minutes": "it checks the past alone",
    "stripe-signature twice": "two lines are joined, and read as one list",
    "stripe-signature twice, last wrong": "as above",
    "stripe-signature with a comma behind it": "an empty element is no error",
  },
});

describe("stripe", () => {
  const time = String(NOW / 1000);
  const body = Buffer.from(JSON.stringify(EVENT));
  const right = hmacOf(SECRET, [`${time}.`, body]);
  const wrong = hmacOf(OTHER, [`${time}.`, body]);

  it.each([
    [`t=${time},v1=${right}`, 200],
    [`v1=${right},t=${time}`, 200],
    // Two secrets while one is rolled, and the scheme of the test mode.
    [`t=${time},v1=${wrong},v1=${right},v0=${right}`, 200],
    [`t=${time},v1=${right},v1=${wrong}`, 200],
    [`t=${time},v1=${wrong}`, 401],
    [`t=${time},v0=${right}`, 401],
    [`t=${time},v2=${right}`, 401],
    [`t=${time},V1=${right}`, 401],
    [`t=${time}, v1=${right}`, 401],
    [`t=${time};v1=${right}`, 401],
    [`t=${time},v1=${right},`, 401],
    [`t=${time},v1="${right}"`, 401],
    [`t=${time},v1=${right}=`, 401],
    [`t=${time},v1=${right.toUpperCase()}`, 401],
    [`t=${time},v1=${right.slice(0, -1)}`, 401],
    [`t=${time},v1=${right}0`, 401],
    [`t=${time},t=${time},v1=${right}`, 401],
    [`t=1,t=${time},v1=${right}`, 401],
    [`t=${time}x,v1=${right}`, 401],
    [`t=,v1=${right}`, 401],
    [`v1=${right}`, 401],
    [`t=${time}`, 401],
    [`t=${time},v1=`, 401],
    [`t=${time},v1`, 401],
    [right, 401],
    // What is signed is the time as it is written.
    [`t=0${time},v1=${right}`, 401],
    [`t=0${time},v1=${hmacOf(SECRET, [`0${time}.`, body])}`, 200],
  ])("answers %s with %i [B7]", async (field, status) => {
    const { port } = await serveNode({ source: stripe({ secrets: [SECRET], now: () => NOW }) });

    expect((await send(port, { headers: { [FIELD]: field }, body })).status).toBe(status);
  });

  it("uses the whole secret as it stands, prefix included [B7]", async () => {
    const { port } = await serveNode({ source: stripe({ secrets: [SECRET.slice(6)], now: () => NOW }) });
    const { headers } = signStripe(EVENT, { secret: SECRET, now: NOW });

    expect((await send(port, { headers, body })).status).toBe(401);
  });

  it("hashes octets, which the library makes text of first [B2]", async () => {
    const { port } = await serveNode({ source: stripe({ secrets: [SECRET], now: () => NOW }) });
    const marked = Buffer.concat([Buffer.from("\uFEFF"), body]);

    expect((await send(port, { ...signStripe(marked, { secret: SECRET, now: NOW }) })).status).toBe(200);
    expect((await send(port, { ...signStripe(body, { secret: SECRET, now: NOW }), body: marked })).status).toBe(401);
  });

  it("types its payload as the library does, where it is told so [G1]", () => {
    const node = createWebhookNode({
      source: stripe<StripeLibrary.Event>({ secrets: [SECRET] }),
      emitter: async ({ payload }) => {
        if (payload.type === "payment_intent.succeeded") payload.data.object.amount_received.toFixed();
        // @ts-expect-error -- no such type of event
        if (payload.type === "payment_intent.succeded") throw new Error();
      },
    });

    expect(node.context.node).toBe("webhook");
  });
});

describe("stripe", () => {
  it.each(["sk_test_hush", "rk_live_hush", "pk_test_hush"])(
    "takes %s for the API key that it is [B1, T15]",
    async (key) => {
      const refused = { message: expect.stringMatching(/^secrets: one begins with .k_, so it is an API key.*whsec_/) };
      expect(() => stripe({ secrets: [SECRET, key] })).toThrow(expect.objectContaining(refused));
      expect(() => stripe({ secrets: [key] })).not.toThrow("hush");
      expect(() => stripe({ secrets: ["no prefix", Buffer.from(key)] })).not.toThrow();
    },
  );
});
