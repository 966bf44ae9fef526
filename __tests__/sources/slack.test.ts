/**
 * Slack: its published vector, and its own library as verifier.
 */
import { verifySlackRequest } from "@slack/bolt/dist/receivers/verify-request";
import { slack } from "express-webhook-node/sources/slack";
import { hmacOf } from "express-webhook-node/testing/signed";
import { signSlack } from "express-webhook-node/testing/slack";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const OTHER = "another secret";
const EVENT = {
  type: "event_callback",
  event_id: "Ev9UQ52YNA",
  event_time: 1_234_567_890,
  event: { type: "app_mention", user: "U061F7AUR", text: "<@U0LAN0Z89> is it everything a river should be?" },
};
const TIME = "x-slack-request-timestamp";
const SIGNATURE = "x-slack-signature";

const contract = {
  name: "slack",
  source: slack,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [TIME, SIGNATURE],
  toleranceSeconds: 300,
  wrongOptions: [["a form that is text", { form: "false" }]],
} as const;

sourceContract({
  ...contract,
  sign: (payload, { now }) => signSlack(payload, { secret: SECRET, now }),
  signTime(time) {
    const body = Buffer.from(JSON.stringify(EVENT));
    return { headers: { [TIME]: time, [SIGNATURE]: `v0=${hmacOf(SECRET, [`v0:${time}:`, body])}` }, body };
  },
  payload: EVENT,
  messages: [{ deliveryId: EVENT.event_id, eventType: "app_mention" }],
});

describe("with forms", () => {
  sourceContract({
    ...contract,
    options: { ...contract.options, form: true },
    sign: (payload, { now }) => signSlack(payload, { secret: SECRET, now, form: true }),
    payload: { type: "block_actions", trigger_id: "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3" },
    messages: [{ deliveryId: undefined, eventType: "block_actions" }],
    success: { text: "" },
  });
});

againstSdk({
  sdk: "@slack/bolt, verifySlackRequest",
  source: slack({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signSlack(EVENT, { secret: isOther ? OTHER : SECRET, now }),
  verifies({ headers, body }) {
    try {
      verifySlackRequest({ signingSecret: SECRET, headers: headers as never, body: body.toString() });
      return true;
    } catch {
      return false;
    }
  },
  proof: [TIME, SIGNATURE],
  isTimed: true,
  differs: { "in ten minutes": "it checks the past alone" },
});

describe("slack", () => {
  // https://docs.slack.dev/authentication/verifying-requests-from-slack, "Validating a request"
  it("accepts the request that Slack publishes, a slash command [B7]", async () => {
    const source = slack({ secrets: [SECRET], form: true, now: () => 1_531_420_618_000 });
    const { port, messages } = await serveNode({ source });
    const body =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      [TIME]: "1531420618",
      [SIGNATURE]: "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    };

    // A JSON answer to a command would be shown to whoever gave it.
    expect(await send(port, { headers, body })).toMatchObject({ status: 200, text: "" });
    expect((await send(port, { headers, body: body.replace("roadrunner", "coyote") })).status).toBe(401);
    expect(messages).toMatchObject([{ eventType: "/webhook-collect", payload: { user_name: "roadrunner", text: "" } }]);
  });

  it("answers the handshake with its challenge, as text, once it is verified [T15]", async () => {
    const { port, messages, outcomes } = await serveNode({ source: slack({ secrets: [SECRET] }) });
    const challenge = "<script>3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P</script>";
    const signed = signSlack(
      { type: "url_verification", challenge, token: "Jhj5dZrVaK7ZwHHjRyZWjbDl" },
      { secret: SECRET },
    );
    const answered = await send(port, signed);

    expect(answered).toMatchObject({ status: 200, text: challenge });
    expect(answered.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    });
    const { [SIGNATURE]: _, ...unsigned } = signed.headers;
    const refused = await send(port, { headers: unsigned, body: signed.body });
    expect([refused.status, refused.text.includes("3eZbrw")]).toEqual([401, false]);
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["answered", "refused"]);
  });

  it.each([undefined, null, 7, "", {}, "x".repeat(5000)])("bounds what it echoes: %p [T15]", async (challenge) => {
    const { port } = await serveNode({ source: slack({ secrets: [SECRET] }) });
    const { status, text } = await send(port, signSlack({ type: "url_verification", challenge }, { secret: SECRET }));

    expect(status).toBe(200);
    expect(text.length).toBeLessThanOrEqual(4096);
  });

  it("echoes nothing that is not verified, also where the node only reports [T15]", async () => {
    const source = slack({ secrets: [SECRET] });
    const { port, messages, outcomes } = await serveNode({ source, enforcement: "report" });
    const { headers, body } = signSlack({ type: "url_verification", challenge: "3eZbrw" }, { secret: OTHER });

    expect(await send(port, { headers, body })).toMatchObject({ status: 200, text: "" });
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["answered"]);
  });

  it("takes forms only where it is told so, and an empty one never [A2, T9]", async () => {
    const json = await serveNode({ source: slack({ secrets: [SECRET] }) });
    const form = await serveNode({ source: slack({ secrets: [SECRET], form: true }) });
    const sign = (text: string) => signSlack(text, { secret: SECRET, form: true });

    const refused = await send(json.port, sign("command=%2Fa"));
    expect([refused.status, refused.text.includes("form: true")]).toEqual([415, false]);
    expect(json.outcomes[0]?.advice).toContain("let it in by form: true of the source slack, or set it there");
    expect((await send(form.port, sign("command=%2Fa"))).status).toBe(200);
    expect((await send(form.port, sign(""))).status).toBe(400);
    expect((await send(form.port, sign("payload=%7B"))).status).toBe(400);
    expect((await send(form.port, sign("payload=1&payload=2"))).status).toBe(400);
  });

  it("keeps a form's fields apart from what every object has, in linear time [T11]", async () => {
    const { port, messages } = await serveNode({ source: slack({ secrets: [SECRET], form: true }) });
    const many = Array.from({ length: 100_000 }, (_, index) => `f${index}=1`).join("&");
    const startedAt = performance.now();

    expect((await send(port, signSlack(`__proto__=x&a=1&a=2&${many}`, { secret: SECRET, form: true }))).status).toBe(
      200,
    );
    expect(performance.now() - startedAt).toBeLessThan(2000);
    const payload = messages[0]!.payload as Record<string, unknown>;
    expect(Object.keys(payload)).toHaveLength(100_002);
    expect([Object.getPrototypeOf(payload) === Object.prototype, payload["a"]]).toEqual([true, ["1", "2"]]);
  });

  it("answers before Slack's three seconds are over [T17]", async () => {
    expect(slack({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(3000);
    const { port } = await serveNode({
      source: slack({ secrets: [SECRET] }),
      emitter: () => new Promise(() => {}),
      deadlineMs: 200,
    });

    expect((await send(port, signSlack(EVENT, { secret: SECRET, now: NOW + (Date.now() - NOW) }))).status).toBe(503);
  });
});
