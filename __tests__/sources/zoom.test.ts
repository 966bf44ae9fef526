/**
 * Zoom: its own library as verifier, and its handshake.
 */
import { createHmac } from "node:crypto";
import { AwsLambdaReceiver } from "@zoom/rivet/meetings";
import { zoom } from "express-webhook-node/sources/zoom";
import { hmacOf, type SignedDelivery } from "express-webhook-node/testing/signed";
import { signZoom } from "express-webhook-node/testing/zoom";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "gAtQ-8Xk2SqcXZ1QnbBNcA";
const OTHER = "another secret token";
const TIME = "x-zm-request-timestamp";
const SIGNATURE = "x-zm-signature";
const EVENT = {
  event: "meeting.started",
  event_ts: 1_626_230_691_572,
  payload: { account_id: "AAAAAABBBB", object: { id: "1234567890", uuid: "4444AAAiAAAAAiAiAiiAii==", topic: "Möte" } },
};
const validation = (plainToken: unknown) => ({
  event: "endpoint.url_validation",
  event_ts: 1_654_503_849_680,
  payload: { plainToken },
});
const PLAIN_TOKEN = "qgg8vlvZRS6UYooatFL8Aw";

sourceContract({
  name: "zoom",
  source: zoom,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signZoom(payload, { secret: SECRET, now }),
  signTime(time) {
    const body = Buffer.from(JSON.stringify(EVENT));
    return { headers: { [TIME]: time, [SIGNATURE]: `v0=${hmacOf(SECRET, [`v0:${time}:`, body])}` }, body };
  },
  payload: EVENT,
  messages: [{ deliveryId: undefined, eventType: EVENT.event }],
  provenance: { eventType: "signed" },
  proof: [TIME, SIGNATURE],
  toleranceSeconds: 300,
});

/** What the library answers to a delivery. */
async function libraryAnswers({ headers, body }: SignedDelivery): Promise<{ statusCode: number; body: string }> {
  const receiver = new AwsLambdaReceiver({ webhooksSecretToken: SECRET });
  // It says what it does on the console.
  const silent = jest.spyOn(console, "debug").mockImplementation(() => {});
  const errors = jest.spyOn(console, "error").mockImplementation(() => {});
  try {
    const handle = receiver.start() as (
      event: unknown,
      context: unknown,
    ) => Promise<{ statusCode: number; body: string }>;
    return await handle({ headers, body: body.toString() }, {});
  } finally {
    silent.mockRestore();
    errors.mockRestore();
  }
}

againstSdk({
  sdk: "@zoom/rivet, AwsLambdaReceiver",
  source: zoom({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signZoom(EVENT, { secret: isOther ? OTHER : SECRET, now }),
  verifies: async (delivery) => (await libraryAnswers(delivery)).statusCode === 200,
  proof: [TIME, SIGNATURE],
  isTimed: true,
  differs: {
    "an octet behind the body": "it signs the JSON that it writes of the parsed body",
    "in ten minutes": "it checks no time",
    "ten minutes ago": "as above",
  },
});

describe("zoom", () => {
  it("answers the handshake as its library does, with the secret that signed it [B7]", async () => {
    const { port, messages } = await serveNode({ source: zoom({ secrets: [OTHER, SECRET] }) });
    const signed = signZoom(validation(PLAIN_TOKEN), { secret: SECRET });
    const encryptedToken = createHmac("sha256", SECRET).update(PLAIN_TOKEN).digest("hex");
    const answered = await send(port, signed);

    expect(answered).toMatchObject({ status: 200, json: { plainToken: PLAIN_TOKEN, encryptedToken } });
    expect(JSON.parse((await libraryAnswers(signed)).body)).toEqual(answered.json);
    const other = await send(port, signZoom(validation(PLAIN_TOKEN), { secret: OTHER }));
    expect(other.json.encryptedToken).toBe(createHmac("sha256", OTHER).update(PLAIN_TOKEN).digest("hex"));
    expect(messages).toEqual([]);
  });

  it("hashes nothing for a stranger, also where the node only reports [T15]", async () => {
    const source = zoom({ secrets: [SECRET] });
    const strict = await serveNode({ source });
    const lenient = await serveNode({ source, enforcement: "report" });
    const { headers, body } = signZoom(validation(PLAIN_TOKEN), { secret: OTHER });

    expect((await send(strict.port, { headers, body })).status).toBe(401);
    expect((await send(strict.port, { body })).status).toBe(401);
    expect(await send(lenient.port, { headers, body })).toMatchObject({ status: 200, text: "" });
    expect(lenient.messages).toEqual([]);
  });

  it.each([undefined, null, 7.5, "", {}, "v0:1755000000:{}", "a b", "x".repeat(257)])(
    "hashes no token that is none: %p [T15]",
    async (plainToken) => {
      const { port, messages } = await serveNode({ source: zoom({ secrets: [SECRET] }) });

      expect(await send(port, signZoom(validation(plainToken), { secret: SECRET }))).toMatchObject({
        status: 200,
        text: "",
      });
      expect(messages).toEqual([]);
    },
  );

  it("hashes octets, which the library parses and writes anew [B2]", async () => {
    const { port } = await serveNode({ source: zoom({ secrets: [SECRET] }) });
    const spaced = signZoom(JSON.stringify(EVENT, null, 2), { secret: SECRET });

    expect((await send(port, spaced)).status).toBe(200);
    expect((await libraryAnswers(spaced)).statusCode).toBe(400);
  });

  it("answers before Zoom's three seconds are over [T17]", () => {
    expect(zoom({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(3000);
  });
});
