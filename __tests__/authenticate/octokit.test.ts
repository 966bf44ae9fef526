/**
 * Deliveries signed by GitHub's own library, with the payloads that GitHub publishes.
 */
import { sign, verify } from "@octokit/webhooks-methods";
import examples from "@octokit/webhooks-examples";
import http from "node:http";
import { hmacAuthenticator } from "express-webhook-node";
import { CODE, send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const SECRET = "It's a Secret to Everybody";
const payloads = examples.flatMap(({ name, examples: all }) =>
  all.map((payload, index) => [`${name} ${index}`, name, payload] as const),
);

const authenticator = (secrets: readonly string[] = [SECRET]) =>
  hmacAuthenticator({ name: "github", header: "X-Hub-Signature-256", prefix: "sha256=", secrets });

describe("hmacAuthenticator, with @octokit/webhooks-methods as the signer", () => {
  it("accepts all payloads of @octokit/webhooks-examples, in each content coding [B2, B3]", async () => {
    const { port, messages } = await serveNode({ authenticator: authenticator(), fields: ["x-github-event"] });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const codings = Object.keys(CODE) as (keyof typeof CODE)[];

    const statuses = await Promise.all(
      payloads.map(async ([, name, payload], index) => {
        const body = JSON.stringify(payload);
        const coding = codings[index % codings.length]!;
        const headers = {
          "x-hub-signature-256": await sign(SECRET, body),
          "x-github-event": name,
          "content-encoding": coding,
        };
        return (await send(port, { headers, body: CODE[coding](body), agent })).status;
      }),
    );
    agent.destroy();

    expect(payloads.length).toBeGreaterThan(300);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const sent = payloads.map(([, name, payload]) => JSON.stringify([name, payload]));
    const got = messages.map(({ fields, payload }) => JSON.stringify([fields["x-github-event"], payload]));
    expect(got.sort()).toEqual(sent.sort());
  });

  const sampled = payloads.filter((_, index) => index % 40 === 0);

  it.each(sampled)("agrees with its verifier on right and wrong: %s [B7]", async (_, __, payload) => {
    const { port } = await serveNode({ authenticator: authenticator() });
    const body = JSON.stringify(payload);
    const right = await sign(SECRET, body);

    for (const [signature, sent] of [
      [right, body],
      [right, `${body} `],
      [right, body.replace("{", "{ ")],
      [await sign("another secret", body), body],
      [await sign(SECRET, `${body} `), body],
      [right.slice(0, -1), body],
      [`${right}0`, body],
      [right.replace("sha256=", "sha1="), body],
    ] as const) {
      const isRight = await verify(SECRET, sent, signature);
      const { status } = await send(port, { headers: { "x-hub-signature-256": signature }, body: sent });

      expect([signature, status]).toEqual([signature, isRight ? 200 : 401]);
    }
  });

  it("accepts the old secret beside the new one [B1]", async () => {
    const { port } = await serveNode({ authenticator: authenticator(["new", SECRET]) });
    const body = JSON.stringify(payloads[0]![2]);
    for (const [secret, status] of [
      ["new", 200],
      [SECRET, 200],
      ["neither", 401],
    ] as const) {
      const headers = { "x-hub-signature-256": await sign(secret, body) };

      expect((await send(port, { headers, body })).status).toBe(status);
    }
  });
});
