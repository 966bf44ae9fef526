import { createHmac } from "node:crypto";
import {
  hubSignatureAuthenticator,
  type HubSignatureAuthenticatorOptions,
} from "express-webhook-node/authenticate/hub-signature";
import { dial, head } from "../support/dial";
import { CODE, send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const SECRET = "It's a Secret to Everybody";
const BODY = '{"text":"\u00e9"}';
const sign = (algorithm: string, body: string = BODY, secret: string = SECRET): string =>
  `${algorithm}=${createHmac(algorithm, secret).update(body).digest("hex")}`;
const serveHub = (options: Partial<HubSignatureAuthenticatorOptions> = {}) =>
  serveNode({ authenticator: hubSignatureAuthenticator({ secrets: [SECRET], ...options }) });

describe("hubSignatureAuthenticator [E2]", () => {
  it("lets in SHA-256 of the octets, codings undone, by name and scopes [B3]", async () => {
    const { port, messages } = await serveHub({ name: "github", scopes: ["push"] });
    const headers = { "x-hub-signature-256": sign("sha256") };
    expect((await send(port, { body: BODY, headers })).status).toBe(200);
    const gzip = { ...headers, "content-encoding": "gzip" };
    expect((await send(port, { body: CODE.gzip(BODY), headers: gzip })).status).toBe(200);
    expect(messages.map(({ sender }) => sender)).toEqual(messages.map(() => ({ name: "github", scopes: ["push"] })));
  });

  it("never takes SHA-1 unless it is asked for, good as it may be", async () => {
    const { port } = await serveHub();
    for (const headers of [
      { "x-hub-signature": sign("sha1") },
      { "x-hub-signature-256": sign("sha1") },
      { "x-hub-signature": sign("sha256") },
      { "x-hub-signature": sign("sha1"), "x-hub-signature-256": sign("sha256", "{}") },
    ]) {
      expect((await send(port, { body: BODY, headers })).status).toBe(401);
    }
  });

  it("takes SHA-1, and that alone, where it is asked for", async () => {
    const { port } = await serveHub({ algorithm: "sha1" });
    const post = async (headers: Record<string, string>) => (await send(port, { body: BODY, headers })).status;
    expect(await post({ "x-hub-signature": sign("sha1") })).toBe(200);
    expect(await post({ "x-hub-signature": sign("sha1", "{}") })).toBe(401);
    expect(await post({ "x-hub-signature": sign("sha256") })).toBe(401);
    expect(await post({ "x-hub-signature-256": sign("sha256") })).toBe(401);
  });

  it("takes any of several secrets, and those of a function of the request", async () => {
    const { port } = await serveHub({ secrets: ["new", "old"] });
    for (const [secret, status] of [
      ["new", 200],
      ["old", 200],
      ["none", 401],
    ] as const) {
      const headers = { "x-hub-signature-256": sign("sha256", BODY, secret) };
      expect((await send(port, { body: BODY, headers })).status).toBe(status);
    }
    const found = await serveHub({ secrets: async ({ headers }) => [`for ${headers["x-tenant"]?.toString()}`] });
    const headers = { "x-tenant": "acme", "x-hub-signature-256": sign("sha256", BODY, "for acme") };
    expect((await send(found.port, { body: BODY, headers })).status).toBe(200);
  });

  it.each([
    ["is missing", []],
    ["is malformed", ["X-Hub-Signature-256: sha256=abc"]],
    ["is in another case", [`X-Hub-Signature-256: sha256=${"A".repeat(64)}`]],
    ["is sent twice", [`X-Hub-Signature-256: ${sign("sha256")}`, `X-Hub-Signature-256: ${sign("sha256")}`]],
  ])("refuses a signature that %s before an octet of the body has come [T16]", async (_, fields) => {
    const { port } = await serveHub();
    const client = await dial(port);
    client.write(head(["Content-Type: application/json", "Content-Length: 999", ...fields]));
    await client.answered();
    expect(client.statuses()).toEqual([401]);
  });

  it.each<[string, unknown, RegExp]>([
    ["no secrets", {}, /secrets: it must be a list/],
    ["a secret that is not set", { secrets: [undefined] }, /secrets: number 1 is missing/],
    ["an empty secret", { secrets: [""] }, /secrets: number 1 is empty/],
    ["another algorithm", { secrets: ["s"], algorithm: "md5" }, /algorithm: "md5" is neither "sha256" nor "sha1"/],
    ["a header of one's own", { secrets: ["s"], header: "X-Signature" }, /no option "header"/],
  ])("refuses %s while the server starts", (_, options, message) => {
    expect(() => hubSignatureAuthenticator(options as HubSignatureAuthenticatorOptions)).toThrow(TypeError);
    expect(() => hubSignatureAuthenticator(options as HubSignatureAuthenticatorOptions)).toThrow(message);
  });
});
