/**
 * Azure Event Grid: the examples of its documentation, for nothing it sends is signed.
 */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { jwtAuthenticator } from "express-webhook-node/authenticate/jwt";
import { allOf } from "express-webhook-node/authenticate/all-of";
import { eventGrid } from "express-webhook-node/sources/event-grid";
import { signCloudEvents } from "express-webhook-node/testing/cloudevents";
import { signEventGrid } from "express-webhook-node/testing/event-grid";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const TOKEN = "SlAV32hkKG";
const event = (id: string, eventType: string) => ({
  id,
  eventTime: "2020-08-13T17:18:13.1647262Z",
  eventType,
  dataVersion: "",
  metadataVersion: "1",
  topic: "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a",
  subject: "/blobServices/default/containers/c/blobs/é.txt",
  data: { api: "PutBlob", contentLength: 0 },
});
const EVENTS = [event("9390", "Microsoft.Storage.BlobCreated"), event("9391", "Microsoft.Storage.BlobDeleted")];
const CODE = "512d38b6-c7b8-40c8-89fe-f46f9e9622b6";
const VALIDATION = {
  ...event("2d1781af", "Microsoft.EventGrid.SubscriptionValidationEvent"),
  data: { validationCode: CODE, validationUrl: "https://rp-eastus2.eventgrid.azure.net:553/validate?id=0" },
};

sourceContract({
  name: "eventGrid",
  sourceName: "event-grid",
  source: eventGrid,
  options: { tokens: [TOKEN] },
  otherKeys: { tokens: ["another"] },
  sign: (payload) => signEventGrid(payload, { token: TOKEN }),
  payload: EVENTS,
  messages: EVENTS.map(({ id, eventType }) => ({ deliveryId: id, eventType })),
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: ["authorization"],
  covers: "nothing",
  harmless: ({ original, mutated }) =>
    /^bearer +/i.test(mutated) && mutated.replace(/^bearer +/i, "Bearer ") === original,
  wrongOptions: [
    ["neither tokens nor anonymous", { tokens: undefined }],
    ["anonymous beside tokens", { anonymous: "accept" }],
    ["an empty parameter", { tokenParameter: "" }],
    ["a parameter that is none", { tokenParameter: 7 }],
    ["no allowed origin", { allowedOrigins: [] }],
    ["a rate that is none", { allowedRatePerMinute: -1 }],
  ],
});

describe("eventGrid", () => {
  const served = (options: object = {}) => serveNode({ source: eventGrid({ tokens: [TOKEN], ...options }) });
  const validation = (payload: unknown = VALIDATION, token: string | undefined = TOKEN) =>
    signEventGrid(payload, { token, kind: "SubscriptionValidation" });

  it("answers the validation with its code, and fetches nothing [B7]", async () => {
    const fetch = jest.spyOn(globalThis, "fetch");
    const { port, messages, outcomes } = await served();
    const { status, json } = await send(port, validation());

    expect([status, json]).toEqual([200, { validationResponse: CODE }]);
    expect(messages).toEqual([]);
    expect(outcomes).toMatchObject([{ kind: "answered" }]);
    expect(fetch).not.toHaveBeenCalled();
    fetch.mockRestore();
  });

  it("answers no validation without the token, and echoes nothing of it [B7, T15]", async () => {
    const { port, outcomes } = await served();
    const report = await serveNode({ source: eventGrid({ tokens: [TOKEN] }), enforcement: "report" });
    for (const token of ["", "another"]) {
      const refused = await send(port, validation(VALIDATION, token));

      expect(refused.status).toBe(401);
      expect(refused.text).not.toContain(CODE);
      expect((await send(report.port, validation(VALIDATION, token))).text).not.toContain(CODE);
    }
    expect(outcomes[1]?.advice).toBe("Is the token that the sender was given in tokens?");
  });

  it("answers a validation although only other types are wanted [J4]", async () => {
    const { port } = await served({ only: ["Microsoft.Storage.BlobCreated"] });

    expect((await send(port, validation())).json).toEqual({ validationResponse: CODE });
  });

  it.each([
    ["not alone", [VALIDATION, EVENTS[0]], "SubscriptionValidation"],
    ["of another type", [EVENTS[0]], "SubscriptionValidation"],
    ["in no array", JSON.stringify(VALIDATION), "SubscriptionValidation"],
    ["published by somebody", [VALIDATION], "Notification"],
  ] as const)("takes for an event what is %s [B7]", async (_, payload, kind) => {
    const { port, messages } = await served();
    const { status, text } = await send(port, signEventGrid(payload, { token: TOKEN, kind }));

    expect(status).toBe(200);
    expect(text).not.toContain("validationResponse");
    expect(messages.length).toBeGreaterThan(0);
  });

  it.each([undefined, "", 7.5, ["x"], "<script>", "x".repeat(257)])("echoes no code such as %p [T15]", async (code) => {
    const { port, messages } = await served();
    const answered = await send(port, validation({ ...VALIDATION, data: { validationCode: code } }));

    expect([answered.status, answered.json?.validationResponse]).toEqual([200, undefined]);
    expect(messages).toEqual([]);
  });

  it("takes the token in the query of the endpoint's URL, by any name [B7]", async () => {
    const { port } = await served();
    const named = await served({ tokenParameter: "code" });
    const status = async (at: number, query: string) =>
      (await send(at, { path: `/?${query}`, ...signEventGrid(EVENTS) })).status;

    expect(await status(port, `token=${TOKEN}`)).toBe(200);
    expect(await status(port, `code=${TOKEN}`)).toBe(401);
    expect(await status(port, `token=${TOKEN}&token=x`)).toBe(401);
    expect(await status(named.port, `code=${TOKEN}`)).toBe(200);
    expect(await status(named.port, `token=${TOKEN}`)).toBe(401);
  });

  it("takes CloudEvents, alone and in a batch, and grants their handshake to Event Grid [B7]", async () => {
    const { port, messages } = await served();
    const one = signCloudEvents({}, { token: TOKEN, deliveryId: "c1", type: "t1" });
    const batch = signCloudEvents([{}, {}], { token: TOKEN, mode: "batch", deliveryId: "c2", type: "t2" });
    const ask = async (origin: string) =>
      send(port, { method: "OPTIONS", headers: { "content-type": undefined, "webhook-request-origin": origin } });

    expect((await send(port, one)).status).toBe(200);
    expect((await send(port, batch)).status).toBe(200);
    expect(messages).toMatchObject([
      { deliveryId: "c1", eventType: "t1" },
      { deliveryId: "c2", eventType: "t2" },
      { eventType: "t2" },
    ]);
    expect((await ask("eventgrid.azure.net")).headers).toMatchObject({
      "webhook-allowed-origin": "eventgrid.azure.net",
      "webhook-allowed-rate": "*",
    });
    expect((await ask("example.com")).status).toBe(403);
  });

  it("leaves tokens of Microsoft Entra ID to a check behind it, alone or beside a secret in the URL [B1]", async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const [issuer, audience] = ["https://sts.windows.net/tenant/", "api://app"];
    const check = jwtAuthenticator({ issuer, audience, jwks: { keys: [await exportJWK(publicKey)] } });
    const claims = new SignJWT({ appid: "4962773b-9cdb-44cf-a8bf-237846a00ab7" });
    const jwt = await claims
      .setProtectedHeader({ alg: "RS256" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject("grid")
      .setExpirationTime("1h")
      .sign(privateKey);
    const { port, messages } = await serveNode({ source: allOf(eventGrid({ anonymous: "accept" }), check) });
    const both = await serveNode({ source: allOf(eventGrid({ tokens: [TOKEN] }), check) });

    expect((await send(port, signEventGrid(EVENTS))).status).toBe(401);
    expect((await send(port, validation(VALIDATION, "x"))).status).toBe(401);
    expect(messages).toEqual([]);
    expect((await send(port, validation(VALIDATION, jwt))).json).toEqual({ validationResponse: CODE });
    expect((await send(port, signEventGrid(EVENTS, { token: jwt }))).status).toBe(200);
    const { headers, body } = signEventGrid(EVENTS, { token: jwt });
    expect((await send(both.port, { path: `/?token=${TOKEN}`, headers, body })).status).toBe(200);
    expect((await send(both.port, { path: "/?token=x", headers, body })).status).toBe(401);
  });

  it("answers before Event Grid's 30 seconds are over, and takes its megabyte [T17, A3]", async () => {
    const { port } = await served();

    expect(eventGrid({ tokens: [TOKEN] }).accepts?.deadlineMs).toBeLessThan(30_000);
    const large = { ...EVENTS[0], data: "x".repeat(1_048_576) };
    expect((await send(port, signEventGrid(large, { token: TOKEN }))).status).toBe(200);
  });
});
