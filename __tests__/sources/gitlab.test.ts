/**
 * GitLab: the library of Standard Webhooks as signer and verifier, by which GitLab signs; and the older token.
 */
import { Webhook } from "standardwebhooks";
import { gitlab } from "express-webhook-node/sources/gitlab";
import { hmacOf } from "express-webhook-node/testing/signed";
import { signGitlab } from "express-webhook-node/testing/gitlab";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk, standardDifferences } from "./against-sdk";
import { NOW, sourceContract } from "./contract";
import { isAccepted, signedByLibrary } from "./like-standard-webhooks";

watchUnhandled();

// The form of a signing token: https://gitlab.com/gitlab-org/gitlab/-/merge_requests/231325
const SECRET = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=";
const OTHER = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const TOKEN = "a secret token of the project: é";
const ID = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";
const PUSH = { object_kind: "push", event_name: "push", ref: "refs/heads/master", user_id: 4 };
const body = Buffer.from(JSON.stringify(PUSH));
const proof = ["webhook-id", "webhook-timestamp", "webhook-signature"];

const contract = { name: "gitlab", source: gitlab, payload: PUSH } as const;

sourceContract({
  ...contract,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signGitlab(payload, { secret: SECRET, deliveryId: ID, now }),
  signTime(time) {
    const key = Buffer.from(SECRET.slice(6), "base64");
    const signature = `v1,${hmacOf(key, [`${ID}.${time}.`, body], { encoding: "base64" })}`;
    return { headers: { "webhook-id": ID, "webhook-timestamp": time, "webhook-signature": signature }, body };
  },
  messages: [{ deliveryId: ID, eventType: "push" }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof,
  harmless: ({ field, original, mutated }) => field.endsWith("-signature") && mutated.split(" ").includes(original),
  toleranceSeconds: 300,
  wrongOptions: [
    ["a signing token that is too short", { secrets: ["whsec_dGVzdA=="] }],
    ["neither secrets nor tokens", { secrets: undefined }],
    ["tokens that are none beside secrets", { tokens: [""] }],
  ],
});

describe("with tokens", () => {
  sourceContract({
    ...contract,
    options: { tokens: [TOKEN] },
    otherKeys: { tokens: ["another token"] },
    // Node's client writes header fields as ISO 8859-1, and GitLab sends the token's octets.
    sign: (payload) => signGitlab(payload, { token: Buffer.from(TOKEN).toString("latin1"), deliveryId: ID }),
    messages: [{ deliveryId: ID, eventType: "push" }],
    provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    proof: ["x-gitlab-token"],
    covers: "nothing",
  });
});

againstSdk({
  sdk: "standardwebhooks",
  source: gitlab({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signGitlab(PUSH, { secret: isOther ? OTHER : SECRET, now }),
  sdkSigns: () => signedByLibrary(SECRET, body, "webhook"),
  verifies: ({ headers, body: octets }) => isAccepted(() => new Webhook(SECRET).verify(octets.toString(), headers)),
  proof,
  isTimed: true,
  differs: standardDifferences("webhook"),
});

describe("gitlab", () => {
  const now = () => NOW;
  const signed = { secret: SECRET, now: NOW };

  it("does not take the old token where a signing token is configured [B7]", async () => {
    const { port, messages } = await serveNode({ source: gitlab({ secrets: [SECRET], now }) });
    const { headers, body: octets } = signGitlab(PUSH, { token: TOKEN, now: NOW });

    expect((await send(port, { headers, body: octets })).status).toBe(401);
    expect((await send(port, signGitlab(PUSH, signed))).status).toBe(200);
    expect((await send(port, signGitlab(PUSH, { ...signed, token: TOKEN }))).status).toBe(200);
    expect(messages).toHaveLength(2);
  });

  it("wants both right where both are configured [B7]", async () => {
    const { port } = await serveNode({ source: gitlab({ secrets: [SECRET], tokens: ["t1"], now }) });

    expect((await send(port, signGitlab(PUSH, { ...signed, token: "t1" }))).status).toBe(200);
    expect((await send(port, signGitlab(PUSH, { ...signed, token: "t2" }))).status).toBe(401);
    expect((await send(port, signGitlab(PUSH, signed))).status).toBe(401);
    expect((await send(port, signGitlab(PUSH, { token: "t1" }))).status).toBe(401);
    expect((await send(port, signGitlab(PUSH, { ...signed, secret: OTHER, token: "t1" }))).status).toBe(401);
  });

  it("asks a function for tokens: none is 401, a failure is 503 [B7]", async () => {
    const { port } = await serveNode({
      source: gitlab({
        tokens: async ({ headers }) => {
          if (headers["x-tenant"] === "broken") throw new Error("the vault is closed");
          return headers["x-tenant"] === "known" ? ["t1"] : [];
        },
      }),
    });
    const { headers, body: octets } = signGitlab(PUSH, { token: "t1" });
    for (const [tenant, status] of [
      ["known", 200],
      ["stranger", 401],
      ["broken", 503],
    ] as const) {
      expect((await send(port, { headers: { ...headers, "x-tenant": tenant }, body: octets })).status).toBe(status);
    }
  });

  it("tells the event by the payload: the field beside it is not signed [G2]", async () => {
    const { port, messages } = await serveNode({ source: gitlab({ secrets: [SECRET], now }) });
    await send(port, signGitlab(PUSH, { ...signed, event: "Issue Hook" }));
    await send(port, signGitlab({ event_name: "user_add_to_group" }, { ...signed, event: "Member Hook" }));

    expect(messages.map(({ eventType }) => eventType)).toEqual(["push", "user_add_to_group"]);
  });

  it("tells the id that it has verified, whatever the unsigned fields say [G2]", async () => {
    const { port, messages } = await serveNode({ source: gitlab({ secrets: [SECRET], now }) });
    const { headers, body: octets } = signGitlab(PUSH, { ...signed, deliveryId: ID });

    expect((await send(port, { headers: { ...headers, "idempotency-key": "x" }, body: octets })).status).toBe(200);
    expect((await send(port, { headers: { ...headers, "webhook-id": "x" }, body: octets })).status).toBe(401);
    const svix = Object.fromEntries(proof.map((field) => [field.replace("webhook", "svix"), headers[field] as string]));
    const both = { ...headers, ...svix, "webhook-id": "x" };
    expect((await send(port, { headers: both, body: octets })).status).toBe(200);
    expect(messages.map(({ deliveryId }) => deliveryId)).toEqual([ID, ID]);
  });
});
