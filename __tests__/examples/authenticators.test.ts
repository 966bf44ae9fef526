/**
 * The examples of authenticators, run as a user would run them: by their apps, over HTTP and TLS.
 */
import { createHmac } from "node:crypto";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Express } from "express";
import type { Emitter, Message } from "express-webhook-node";
import { makeCertificate, type Certificate } from "../support/certificate";
import { dial, head } from "../support/dial";
import { recordingLogger, send, serveApp } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

function keeping(): { readonly messages: Message[]; readonly emitter: Emitter } {
  const messages: Message[] = [];
  return { messages, emitter: async (message) => void messages.push(message) };
}

describe("examples/ip-list.js [E2]", () => {
  const { createApp, networkAuthenticator } = require("../../examples/ip-list.js") as {
    createApp: (options: object) => Express;
    networkAuthenticator: (name: string, networks: string[]) => unknown;
  };
  const NETWORKS = ["192.0.2.0/24", "2001:db8::/32"];
  const body = '{"a":1}';
  const signed = { "x-hub-signature-256": `sha256=${createHmac("sha256", "s").update(body).digest("hex")}` };

  async function serveList(options: object = {}) {
    const { messages, emitter } = keeping();
    const logger = recordingLogger([]);
    const { port } = await serveApp(createApp({ secret: "s", networks: NETWORKS, emitter, logger, ...options }));
    const from = async (forwarded?: string, headers: object = signed) => {
      const fields = { ...headers, ...(forwarded !== undefined && { "x-forwarded-for": forwarded }) };
      return (await send(port, { path: "/webhooks/provider", body, headers: fields })).status;
    };
    return { port, messages, from };
  }

  it("lets in by address and signature, where the app trusts its own proxy [B1]", async () => {
    const { from, messages } = await serveList({ trustProxy: "loopback" });
    for (const address of ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "2001:DB8:0:0::1"]) {
      expect([address, await from(address)]).toEqual([address, 200]);
    }
    for (const address of ["192.0.3.7", "198.51.100.1", "2001:db9::1", "unknown", "", "192.0.2.7x", "fe80::1%lo"]) {
      expect([address, await from(address)]).toEqual([address, 403]);
    }
    expect(await from("192.0.2.7", {})).toBe(401);
    expect(messages.map(({ sender }) => sender?.name)).toEqual(messages.map(() => "provider"));
  });

  it("takes the address that its own proxy has added, and none that the sender wrote before it", async () => {
    const { from } = await serveList({ trustProxy: "loopback" });
    expect(await from("192.0.2.7, 198.51.100.1")).toBe(403);
    expect(await from("198.51.100.1, 192.0.2.7")).toBe(200);
  });

  it("is not misled by X-Forwarded-For where there is no proxy", async () => {
    const { from } = await serveList();
    expect(await from("192.0.2.7")).toBe(403);
    const local = await serveList({ networks: ["127.0.0.0/8"] });
    expect(await local.from("198.51.100.1")).toBe(200);
  });

  it("refuses by the address before an octet of the body has come [T16]", async () => {
    const { port } = await serveList();
    const client = await dial(port);
    const fields = ["Content-Type: application/json", "Content-Length: 999999"];
    client.write(head(fields, "POST /webhooks/provider HTTP/1.1"));
    await client.answered();
    expect(client.statuses()).toEqual([403]);
  });

  it.each(["192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "192.0.2/24", "example.org/24", "2001:db8::/129", ""])(
    "refuses %s for a network while the server starts",
    (network) => {
      expect(() => networkAuthenticator("provider", [network])).toThrow(
        /not a network|out of range|Invalid (?:socket )?address/,
      );
    },
  );
});

describe("examples/client-certificate.js [E2]", () => {
  const { createApp, createSecureServer } = require("../../examples/client-certificate.js") as {
    createApp: (options: object) => Express;
    createSecureServer: (app: Express, files: object) => https.Server;
  };
  const authority = { name: "our authority", ...makeCertificate("our authority") };
  const another = { name: "our authority", ...makeCertificate("our authority") };
  const server = makeCertificate("localhost", { issuer: authority });

  const opened: https.Server[] = [];
  const agents: https.Agent[] = [];
  afterEach(() => {
    for (const agent of agents.splice(0)) agent.destroy();
    for (const open of opened.splice(0)) {
      open.closeAllConnections();
      open.close();
    }
  });

  async function serveSecure() {
    const { messages, emitter } = keeping();
    const senders = new Map([["shop", ["orders:write"]]]);
    const app = createApp({ senders, emitter, logger: recordingLogger([]) });
    const secure = createSecureServer(app, { ...server, ca: authority.cert });
    opened.push(secure);
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const { port } = secure.address() as AddressInfo;

    /** Sends a delivery with a certificate, or none. */
    const post = (client?: Certificate, agent?: https.Agent) =>
      new Promise<{ readonly status: number | undefined; readonly isResumed: boolean }>((resolve, reject) => {
        const target = { host: "127.0.0.1", port, method: "POST", path: "/webhooks/partners" };
        const headers = { "content-type": "application/json" };
        const request = https.request({ ...target, headers, agent: agent ?? false, ca: authority.cert, ...client });
        request.on("error", reject).on("response", (response) => {
          const isResumed = (response.socket as TLSSocket).isSessionReused();
          response.resume().on("end", () => resolve({ status: response.statusCode, isResumed }));
        });
        request.end('{"a":1}');
      });
    return { post, messages };
  }

  it("lets in the names on the list, with their scopes [B1]", async () => {
    const { post, messages } = await serveSecure();
    const shop = makeCertificate("shop", { issuer: authority });
    expect((await post(shop)).status).toBe(200);
    expect(messages.map(({ sender }) => sender)).toEqual([{ name: "shop", scopes: ["orders:write"] }]);
  });

  it("knows a sender again whose TLS session is resumed", async () => {
    const { post } = await serveSecure();
    const shop = makeCertificate("shop", { issuer: authority });
    // One connection a request, and the session kept.
    const agent = new https.Agent({ keepAlive: false, maxCachedSessions: 10 });
    agents.push(agent);
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await post(shop, agent));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.some(({ isResumed }) => isResumed)).toBe(true);
  });

  it.each<[string, () => Certificate | undefined, number]>([
    ["no certificate", () => undefined, 401],
    ["one that it has issued itself", () => makeCertificate("shop"), 401],
    ["one of another authority of the same name", () => makeCertificate("shop", { issuer: another }), 401],
    [
      "one that has expired",
      () => makeCertificate("shop", { issuer: authority, notAfter: new Date("2024-06-01") }),
      401,
    ],
    ["one whose name is not on the list", () => makeCertificate("till", { issuer: authority }), 403],
    ["one whose name is a property of objects", () => makeCertificate("constructor", { issuer: authority }), 403],
  ])("refuses a sender with %s [B4, B7]", async (_, certificate, status) => {
    const { post, messages } = await serveSecure();
    expect((await post(certificate())).status).toBe(status);
    expect(messages).toEqual([]);
  });

  it("refuses whoever comes without TLS, and leaves the rest of the app open", async () => {
    const { port } = await serveApp(createApp({ senders: new Map(), emitter: async () => {} }));
    jest.spyOn(console, "warn").mockImplementation(() => {});
    expect((await send(port, { path: "/webhooks/partners", body: "{}" })).status).toBe(401);
    expect((await send(port, { method: "GET" })).text).toBe("Send webhooks to /webhooks/partners\n");
  });
});
