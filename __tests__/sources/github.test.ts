/**
 * GitHub: its published vector, its own library as signer and verifier, and its own payloads.
 */
import { sign, verify } from "@octokit/webhooks-methods";
import examples from "@octokit/webhooks-examples";
import { github } from "express-webhook-node/sources/github";
import { signGithub } from "express-webhook-node/testing/github";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "It's a Secret to Everybody";
const DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
const PAYLOAD = { action: "opened", issue: { number: 1347 } };
const FIELD = "x-hub-signature-256";

sourceContract({
  name: "github",
  source: github,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: ["another secret"] },
  sign: (payload) => signGithub(payload, { secret: SECRET, event: "issues", deliveryId: DELIVERY }),
  payload: PAYLOAD,
  messages: [{ deliveryId: DELIVERY, eventType: "issues" }],
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: [FIELD],
  wrongOptions: [["a form that is text", { form: "false" }]],
});

againstSdk({
  sdk: "@octokit/webhooks-methods",
  source: github({ secrets: [SECRET] }),
  sign: ({ isOther } = {}) => signGithub(PAYLOAD, { secret: isOther ? "another secret" : SECRET }),
  sdkSigns: async () => {
    const body = JSON.stringify(PAYLOAD);
    return { headers: { [FIELD]: await sign(SECRET, body) }, body: Buffer.from(body) };
  },
  verifies: async ({ headers, body }) =>
    verify(SECRET, body.toString(), headers[FIELD] ?? "").catch((error: unknown) => {
      // It throws for what is missing.
      expect(error).toMatchObject({ name: "TypeError" });
      return false;
    }),
  proof: [FIELD],
});

describe("github", () => {
  // https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload validation"
  it("accepts the signature that GitHub publishes, whose body is no JSON [B7]", async () => {
    const { port } = await serveNode({ source: github({ secrets: [SECRET] }) });
    const headers = { [FIELD]: "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" };

    expect((await send(port, { headers, body: "Hello, World!" })).json).toMatchObject({ code: "ERR_WEBHOOK_JSON" });
    expect((await send(port, { headers, body: "Hello, World?" })).status).toBe(401);
  });

  it("accepts the payloads that GitHub publishes, and tells their events [B7, G2]", async () => {
    const { port, messages } = await serveNode({ source: github({ secrets: [SECRET] }) });
    const sampled = examples
      .filter(({ name }) => name !== "ping")
      .map(({ name, examples: [payload] }) => [name, payload]);
    for (const [event, payload] of sampled) {
      const { headers, body } = signGithub(payload, { secret: SECRET, event: event as string });
      expect((await send(port, { headers, body })).status).toBe(200);
    }

    expect(sampled.length).toBeGreaterThan(50);
    expect(messages.map(({ eventType, payload }) => [eventType, payload])).toEqual(sampled);
  });

  it("does not look at the SHA-1 signature beside it [B7]", async () => {
    const { port } = await serveNode({ source: github({ secrets: [SECRET] }) });
    const { headers, body } = signGithub(PAYLOAD, { secret: SECRET });
    const { [FIELD]: _, ...others } = headers;

    expect((await send(port, { headers: { ...headers, "x-hub-signature": "sha1=0" }, body })).status).toBe(200);
    expect((await send(port, { headers: { ...others, "x-hub-signature": "sha1=0" }, body })).status).toBe(401);
  });

  it("answers a ping once it is verified, and emits nothing [J4]", async () => {
    const { port, messages, outcomes } = await serveNode({ source: github({ secrets: [SECRET] }) });
    const ping = examples.find(({ name }) => name === "ping")?.examples[0];
    const { headers, body } = signGithub(ping, { secret: SECRET, event: "ping" });

    expect(await send(port, { headers, body })).toMatchObject({ status: 200, text: "" });
    expect((await send(port, { headers: { ...headers, [FIELD]: "sha256=0" }, body })).status).toBe(401);
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["answered", "refused"]);
  });

  it("takes forms only where it is told so, signed over their octets [A2]", async () => {
    const json = await serveNode({ source: github({ secrets: [SECRET] }) });
    const form = await serveNode({ source: github({ secrets: [SECRET], form: true }) });
    const text = `payload=${encodeURIComponent(JSON.stringify(PAYLOAD))}`;
    const { headers, body } = signGithub(text, { secret: SECRET, event: "issues" });
    const sent = { headers: { ...headers, "content-type": "application/x-www-form-urlencoded" }, body };

    expect((await send(json.port, sent)).status).toBe(415);
    expect((await send(form.port, sent)).status).toBe(200);
    expect((await send(form.port, { ...sent, body: text.replace("%22", '"') })).status).toBe(401);
    expect(form.messages[0]).toMatchObject({ payload: PAYLOAD, eventType: "issues", body: text });
  });

  it("takes bodies as large as GitHub's [T4]", async () => {
    const { port } = await serveNode({ source: github({ secrets: [SECRET] }) });
    const { headers, body } = signGithub({ text: "x".repeat(2_000_000) }, { secret: SECRET });

    expect((await send(port, { headers, body })).status).toBe(200);
  });
});
