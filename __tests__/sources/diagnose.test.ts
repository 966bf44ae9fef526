/**
 * Each mistake is made for real, and the line that explains it is read. The sender sees 401 and no more.
 */
import { createHmac, generateKeyPairSync } from "node:crypto";
import type { Source } from "express-webhook-node";
import { hmacAuthenticator } from "express-webhook-node/authenticate/hmac";
import { discord } from "express-webhook-node/sources/discord";
import { github } from "express-webhook-node/sources/github";
import { sendgrid } from "express-webhook-node/sources/sendgrid";
import { slack } from "express-webhook-node/sources/slack";
import { square } from "express-webhook-node/sources/square";
import { standardWebhooks } from "express-webhook-node/sources/standard-webhooks";
import { signDiscord } from "express-webhook-node/testing/discord";
import { signSendgrid } from "express-webhook-node/testing/sendgrid";
import { send, serveNode, until } from "../support/serve";

const SECRET = "It's a Secret to Everybody";
const STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const sign = (key: string | Buffer, content: string | Buffer, form: "hex" | "base64" = "hex"): string =>
  createHmac("sha256", key).update(content).digest(form);

type Attempt = {
  readonly source: Source;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly diagnose?: object;
};

/** Sends what is refused, and returns the line that says why. */
async function explained({ source, body, headers, diagnose }: Attempt): Promise<string> {
  const { port, lines, messages } = await serveNode({ source, diagnose: diagnose ?? true });
  const { status, text } = await send(port, { body, headers });
  expect(status).toBe(401);
  expect(text).not.toContain("why");
  const why = () => lines.find((line) => line.includes("why the signature did not match"));
  await until(() => why() !== undefined);
  expect(messages).toEqual([]);
  return why() as string;
}

describe("diagnose", () => {
  const body = '{"a": 1,  "b": "é/x"}';
  const forGithub = (signed: string | Buffer, secret = SECRET, given = SECRET): Attempt => ({
    source: github({ secrets: [given] }),
    body,
    headers: { "x-hub-signature-256": `sha256=${sign(secret, signed)}`, "x-github-event": "push" },
  });

  it.each([
    ["written anew", forGithub(JSON.stringify(JSON.parse(body)))],
    ["written anew", forGithub(JSON.stringify(JSON.parse(body), null, 2))],
    ["written anew", forGithub('{"a": 1, "b": "\\u00e9/x"}')],
    ["lost a line feed", forGithub(`${body}\n`)],
    ["lost CR and LF", forGithub(`${body}\r\n`)],
    ["byte order mark", forGithub(`\uFEFF${body}`)],
    ["white space around it", forGithub(body, SECRET, ` ${SECRET}\n`)],
    [
      "decoded octets are the key",
      forGithub(body, Buffer.from("c2VjcmV0LXNlY3JldA==", "base64") as never, "c2VjcmV0LXNlY3JldA=="),
    ],
    ["hex", forGithub(body, Buffer.from("00112233445566778899", "hex") as never, "00112233445566778899")],
    ["another secret or key than the node has", forGithub(body, "quite another")],
  ])("tells what is wrong: %s", async (words, attempt) => {
    expect(await explained(attempt)).toContain(words);
  });

  it("explains hmacAuthenticator, too", async () => {
    const { port, lines } = await serveNode({
      authenticator: hmacAuthenticator({ header: "X-S", secrets: [SECRET] }),
      diagnose: true,
    });
    await send(port, { body, headers: { "x-s": sign(SECRET, JSON.stringify(JSON.parse(body))) } });
    await until(() => lines.some((line) => line.includes("written anew")));
  });

  it("tells that another secret has signed, by the name it was given", async () => {
    const diagnose = { otherSecrets: { "the old one": "old", "test mode": "test" } };
    const line = await explained({ ...forGithub(body, "test"), diagnose });
    expect(line).toContain('"test mode"');
    expect(line).not.toContain(SECRET);
  });

  it("tells that a secret was used without decoding, decoded twice, or without its prefix", async () => {
    const attempt = (key: string | Buffer): Attempt => {
      const timestamp = String(Math.floor(Date.now() / 1000));
      return {
        source: standardWebhooks({ secrets: [STANDARD] }),
        body,
        headers: {
          "webhook-id": "msg_1",
          "webhook-timestamp": timestamp,
          "webhook-signature": `v1,${sign(key, `msg_1.${timestamp}.${body}`, "base64")}`,
        },
      };
    };
    expect(await explained(attempt(STANDARD))).toContain("used as it stands");
    expect(await explained(attempt(STANDARD.slice(6)))).toContain("whsec_");
  });

  it("tells that the URL differs", async () => {
    const attempt = (signed: string, url: string): Attempt => ({
      source: square({ secrets: [SECRET], url }),
      body,
      headers: {
        "x-square-hmacsha256-signature": sign(SECRET, signed + body, "base64"),
        "x-forwarded-host": "shop.example",
      },
    });
    expect(await explained(attempt("https://shop.example/hook", "http://shop.example/hook"))).toContain(
      "signed for https:",
    );
    expect(await explained(attempt("https://shop.example/hook", "https://shop.example/hook/"))).toContain("signed for");
    expect(await explained(attempt("https://shop.example:443/hook", "https://shop.example/hook"))).toContain(":443");
    expect(await explained(attempt("https://shop.example/", "https://other.example/hook"))).toContain("shop.example/");
  });

  it("explains signatures by a private key, too: Ed25519, and ECDSA in either form", async () => {
    const discordKeys = generateKeyPairSync("ed25519");
    const raw = Buffer.from(discordKeys.publicKey.export({ format: "jwk" }).x as string, "base64url").toString("hex");
    const toDiscord = discord({ publicKeys: [raw] });
    const { headers } = signDiscord(`${body}\n`, { privateKey: discordKeys.privateKey });
    expect(await explained({ source: toDiscord, body, headers })).toContain("lost a line feed");

    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    const toSendgrid = sendgrid({ publicKeys: [spki] });
    const events = '[{"event":  "open"}]';
    const delivery = signSendgrid(JSON.stringify(JSON.parse(events)), { privateKey });
    expect(await explained({ source: toSendgrid, body: events, headers: delivery.headers })).toContain("written anew");
    const other = signSendgrid(events, { privateKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey });
    expect(await explained({ source: toSendgrid, body: events, headers: other.headers })).toContain("secret or key");
  });

  it("explains two mistakes at once, and at most one delivery a second", async () => {
    const { port, lines } = await serveNode({ source: github({ secrets: [` ${SECRET}`] }), diagnose: true });
    const { headers } = forGithub(`${body}\n`);
    for (let sent = 0; sent < 5; sent++) await send(port, { body, headers });
    const why = () => lines.filter((line) => line.includes("why the signature"));
    await until(() => why().length > 0);
    expect(why()).toHaveLength(1);
    expect(why()[0]).toMatch(/lost a line feed.*white space around it/);
  });

  it("is announced by the line of the refusal, and told with the id that the sender says", async () => {
    const { port, lines } = await serveNode({ source: github({ secrets: [SECRET] }), diagnose: true, name: "orders" });
    const headers = { ...forGithub(`${body}\n`).headers, "x-github-delivery": "72d3162e" };
    for (let sent = 0; sent < 2; sent++) await send(port, { body, headers });
    await until(() => lines.some((line) => line.includes("why the signature")));
    const told = lines.filter((line) => line.startsWith("warn"));
    expect(told[0]).toMatch(/as it was signed\. The next line tells\.$/);
    expect(told[1]).toMatch(/^warn: webhook orders: delivery 72d3162e: why the signature did not match: /);
    expect(told[2]).toMatch(/as it was signed\.$/);
  });

  it("is silent unless it is asked for, and throws at start for what it cannot use", async () => {
    const { port, lines } = await serveNode({ source: github({ secrets: [SECRET] }) });
    await send(port, { body, headers: forGithub(`${body}\n`).headers });
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines.join()).not.toContain("why the signature");
    expect(lines.join()).toMatch(/as it was signed\. diagnose: true finds out\.$/);
    const make = (diagnose: unknown) => serveNode({ source: github({ secrets: [SECRET] }), diagnose } as never);
    await expect(make({ otherSecret: {} })).rejects.toThrow("Did you mean otherSecrets?");
    await expect(make({ otherSecrets: { old: "" } })).rejects.toThrow('"old" is missing or empty');
  });
});

describe("the advice with a refused proof", () => {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const slackFields = (timestamp: string, secret = SECRET) => ({
    "x-slack-request-timestamp": timestamp,
    "x-slack-signature": `v0=${sign(secret, `v0:${timestamp}:{}`)}`,
  });
  const seconds = (ms: number): string => String(Math.floor(ms / 1000));

  it.each([
    ["drops the field", {}],
    ["in milliseconds where seconds are expected", slackFields(String(now))],
    ["It is 1000 s from ours, and toleranceSeconds is 300", slackFields(seconds(now - 1_000_000))],
    ["too far in the future", slackFields(seconds(now + 1_000_000))],
    ["upper case", { ...slackFields(seconds(now)), "x-slack-signature": `v0=${sign(SECRET, "x").toUpperCase()}` }],
    ["looks like base64", { ...slackFields(seconds(now)), "x-slack-signature": `v0=${sign(SECRET, "x", "base64")}` }],
  ])("is in the log line without asking: %s", async (words, headers) => {
    const { port, lines } = await serveNode({ source: slack({ secrets: [SECRET], now: () => now }) });
    expect((await send(port, { body: "{}", headers })).status).toBe(401);
    expect(lines.find((line) => line.startsWith("warn"))).toContain(words);
  });
});
