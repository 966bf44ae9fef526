/**
 * A node whose authenticator is a function of its tenant's library, or of the system.
 */
import { createWebhookNode, HTTPException, type Authenticator } from "express-webhook-node";
import { hashPassword } from "express-webhook-node/authenticate/password";
import { createFunctionLibrary } from "express-webhook-node/tenant/functions";
import { createTenant } from "express-webhook-node/tenant/tenant";
import { createHmac } from "node:crypto";
import { send, serveNode } from "../support/serve";

const pair = (name: string) => [{ scopes: [] }, { isAuthenticated: true, displayName: name }] as const;
const emitter = async (): Promise<void> => {};

describe("createWebhookNode with an authenticator by name", () => {
  it("calls the function that the library has then, and ends a request with the one it began with [B1, E3]", async () => {
    let goOn = (): void => {};
    const isHeld = new Promise<void>((resolve) => (goOn = resolve));
    let begun = (): void => {};
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const first: Authenticator = async ({ request }) => {
      if (request.headers["x-wait"]) {
        begun();
        await isHeld;
      }
      return pair("first");
    };
    const functions = createFunctionLibrary({ functions: { verify: first } });
    const { port, messages } = await serveNode({ tenant: createTenant({ functions }), authenticator: "verify" });

    const waiting = send(port, { body: "1", headers: { "x-wait": "1" } });
    await hasBegun;
    functions.set("verify", () => pair("second"));
    await send(port, { body: "2" });
    goOn();
    await waiting;
    expect(messages.map(({ payload, sender }) => [payload, sender?.name])).toEqual([
      [2, "second"],
      [1, "first"],
    ]);
  });

  it("takes the system's functions from the config [E2, F2]", async () => {
    const shop = await hashPassword("open sesame", { ln: 4 });
    const tenant = createTenant({ config: { "echo.basic": { realms: { orders: { shop } } }, "echo.bearer": "t0ken" } });
    const authorization = `Basic ${Buffer.from("shop:open sesame").toString("base64")}`;

    const basic = await serveNode({ tenant, authenticator: "echo.basic" });
    expect((await send(basic.port, { body: "1", headers: { authorization } })).status).toBe(200);
    const refused = await send(basic.port, { body: "1" });
    expect([refused.status, refused.headers["www-authenticate"]]).toEqual([
      401,
      'Basic realm="orders", charset="UTF-8"',
    ]);

    const bearer = await serveNode({ tenant, authenticator: "echo.bearer" });
    expect((await send(bearer.port, { body: "1", headers: { authorization: "Bearer t0ken" } })).status).toBe(200);
    expect((await send(bearer.port, { body: "1", headers: { authorization } })).status).toBe(401);

    const hub = await serveNode({ config: { "echo.x-hub-signature": "s" }, authenticator: "echo.x-hub-signature" });
    const signature = `sha256=${createHmac("sha256", "s").update("1").digest("hex")}`;
    expect((await send(hub.port, { body: "1", headers: { "x-hub-signature-256": signature } })).status).toBe(200);
    expect((await send(hub.port, { body: "2", headers: { "x-hub-signature-256": signature } })).status).toBe(401);
  });

  it.each([
    ["Did you mean verify?", { authenticator: "verfy" }],
    ["There are: verify, echo.basic", { authenticator: "quite/another" }],
    ['config["echo.bearer"]', { authenticator: "echo.bearer" }],
    ["exclude each other", { authenticator: "verify", source: { name: "s", authenticator: () => null } }],
  ])("throws at start: %s [B1, E1]", (message, options) => {
    const tenant = createTenant({ functions: createFunctionLibrary({ functions: { verify: () => null } }) });
    expect(() => createWebhookNode({ tenant, emitter, ...options })).toThrow(message);
  });

  it("answers as a library's function throws [C1]", async () => {
    const functions = createFunctionLibrary({
      functions: {
        verify: () => {
          throw new HTTPException(418);
        },
      },
    });
    const { port } = await serveNode({ tenant: createTenant({ functions }), authenticator: "verify" });
    expect((await send(port, { body: "1" })).status).toBe(418);
  });
});

describe("createWebhookNode with requirements", () => {
  it("throws one error for all that is missing, of the node and of its function [D1, D2]", () => {
    const verify = Object.assign(() => null, { requirements: ["not-installed-a"] });
    const make = (options: object) => createWebhookNode({ emitter, ...options });
    expect(() => make({ authenticator: verify, requirements: ["not-installed-b@>=2", "express"] })).toThrow(
      /not-installed-b.*not-installed-a.*npm install "?not-installed-b/s,
    );
    const tenant = createTenant({ functions: createFunctionLibrary({ functions: { verify } }) });
    expect(() => make({ tenant, authenticator: "verify" })).toThrow("not-installed-a");
    expect(() => make({ anonymous: "accept", requirements: ["express@>=4"] })).not.toThrow();
    expect(() => make({ anonymous: "accept", requirements: "express" })).toThrow("requirements: ");
    expect(() => make({ authenticator: Object.assign(() => null, { requirements: "pg" }) })).toThrow("requirements");
  });
});
