/**
 * Microsoft Graph: the examples of its documentation, for nothing it sends is signed.
 */
import crypto from "node:crypto";
import { microsoftGraph } from "express-webhook-node/sources/microsoft-graph";
import { signMicrosoftGraph } from "express-webhook-node/testing/microsoft-graph";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const STATE = "SecretClientState é";
const OTHER = "another state";
const CHANGE = {
  id: "lsgTZMr9KwAAA",
  subscriptionId: "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
  subscriptionExpirationDateTime: "2016-03-19T22:11:09.952Z",
  changeType: "created",
  resource: "users/u/messages/m",
  tenantId: "84bd8158-6d4d-4958-8b9f-9d6445542f95",
  resourceData: { "@odata.type": "#Microsoft.Graph.Message", id: "m" },
};
const LIFECYCLE = {
  subscriptionId: CHANGE.subscriptionId,
  subscriptionExpirationDateTime: "2019-03-20T11:00:00.0000000Z",
  tenantId: CHANGE.tenantId,
  lifecycleEvent: "reauthorizationRequired",
};
const DELIVERY = JSON.parse(
  signMicrosoftGraph([CHANGE, { ...CHANGE, id: "two", changeType: "deleted" }], { clientState: STATE }).body.toString(),
) as object;

sourceContract({
  name: "microsoftGraph",
  sourceName: "microsoft-graph",
  source: microsoftGraph,
  options: { clientState: [STATE] },
  otherKeys: { clientState: [OTHER] },
  sign: (payload) => signMicrosoftGraph((payload as { value: object[] }).value, { clientState: STATE }),
  payload: DELIVERY,
  messages: [
    { deliveryId: CHANGE.id, eventType: "created" },
    { deliveryId: "two", eventType: "deleted" },
  ],
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: [],
  covers: "members",
});

describe("microsoftGraph", () => {
  const served = (options: object = {}) => serveNode({ source: microsoftGraph({ clientState: [STATE], ...options }) });
  const post = async (port: number, value: unknown) => send(port, { body: JSON.stringify({ value }) });
  const item = { ...CHANGE, clientState: STATE };

  it("tells lifecycle notifications by their event [G2]", async () => {
    const { port, messages } = await served();

    expect((await send(port, signMicrosoftGraph([LIFECYCLE, CHANGE], { clientState: STATE }))).status).toBe(200);
    expect(messages.map(({ deliveryId, eventType }) => [deliveryId, eventType])).toEqual([
      [undefined, "reauthorizationRequired"],
      [CHANGE.id, "created"],
    ]);
  });

  it.each<readonly [string, unknown]>([
    ["none", undefined],
    ["null", null],
    ["an object", item],
    ["empty", []],
    ["a list of a list", [[item]]],
    ["of one without a state", [CHANGE]],
    ["of one with an empty state", [{ ...item, clientState: "" }]],
    ["of one with no text for a state", [{ ...item, clientState: [STATE] }]],
    ["of one with another state", [{ ...item, clientState: OTHER }]],
    ["of one with the state in upper case", [{ ...item, clientState: STATE.toUpperCase() }]],
    ["of one with a state that goes on", [{ ...item, clientState: `${STATE} ` }]],
    ["of a right one and a wrong one", [item, { ...item, clientState: OTHER }]],
    ["of a wrong one and a right one", [CHANGE, item]],
    ["of a right one and nothing", [item, null]],
    ["of text", [STATE]],
  ])("refuses a value that is %s [B7]", async (_, value) => {
    const { port, messages } = await served();

    expect((await post(port, value)).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it("advises on what to look for, with nothing of the state", async () => {
    const { port, outcomes } = await served();
    await post(port, []);
    await post(port, [{ ...item, clientState: OTHER }]);
    expect(outcomes.map(({ advice }) => advice)).toEqual([
      expect.stringContaining("the list value"),
      expect.stringContaining("clientState of every subscription"),
    ]);
    expect(JSON.stringify(outcomes.map(({ detail, advice }) => [detail, advice]))).not.toMatch(/another|Secret/);
  });

  it("does not take a number for its digits, nor what was not sent [B7, T11]", async () => {
    const { port } = await served({ clientState: ["7"] });

    expect((await post(port, [{ ...item, clientState: 7 }])).status).toBe(401);
    expect((await post(port, [{ ...item, clientState: "7" }])).status).toBe(200);
    expect((await send(port, { body: '{"value":[{"__proto__":{"clientState":"7"}}]}' })).status).toBe(401);
    expect((await send(port, { body: '{"__proto__":{"value":[{"clientState":"7"}]}}' })).status).toBe(401);
    expect((await send(port, { body: '[{"clientState":"7"}]' })).status).toBe(401);
  });

  it("hashes no more than the first wrong state, however many items a stranger sends [B7]", async () => {
    const { port } = await served();
    const hmacs = jest.spyOn(crypto, "createHmac");

    expect(
      (
        await post(
          port,
          Array.from({ length: 1000 }, () => ({})),
        )
      ).status,
    ).toBe(401);
    expect(
      (
        await post(
          port,
          Array.from({ length: 1000 }, () => ({ clientState: OTHER })),
        )
      ).status,
    ).toBe(401);
    expect(hmacs.mock.calls.length).toBeGreaterThan(0);
    expect(hmacs.mock.calls.length).toBeLessThan(10);
    hmacs.mockRestore();
  });

  it("takes subscriptions with several states in one delivery, and asks a function for them [B7]", async () => {
    const both = await served({ clientState: [STATE, OTHER] });
    const asked = await served({ clientState: async () => [STATE] });
    const failing = await served({ clientState: async () => Promise.reject(new Error("the vault is closed")) });
    const nobody = await served({ clientState: () => [] });

    expect((await post(both.port, [item, { ...item, clientState: OTHER }])).status).toBe(200);
    expect((await post(asked.port, [item])).status).toBe(200);
    expect((await post(failing.port, [item])).status).toBe(503);
    expect((await post(nobody.port, [item])).status).toBe(401);
  });

  describe("handshake", () => {
    const ask = async (query: string, options: object = {}) => {
      const { port, messages } = await served();
      const answered = await send(port, {
        path: `/${query}`,
        headers: { "content-type": "text/plain; charset=utf-8", "content-length": "0" },
        ...options,
      });
      expect(messages).toEqual([]);
      return answered;
    };

    it("is answered with the token, decoded, as text that nobody takes for markup [B7, T15]", async () => {
      const token = "Validation: Testing client application reachability for subscription Request-Id: 4d6d? <b>é";
      const encoded = encodeURIComponent(token);
      for (const query of [encoded, encoded.replaceAll("%20", "+")]) {
        const { status, text, headers } = await ask(`?validationToken=${query}`);

        expect([status, text]).toEqual([200, token]);
        expect(headers).toMatchObject({
          "content-type": "text/plain; charset=utf-8",
          "x-content-type-options": "nosniff",
        });
      }
      const named = await ask("?tenant=1&validationToken=x");
      expect(named.text).toBe("x");
      expect((await ask(`?validationToken=${"x".repeat(8000)}`)).text).toHaveLength(4096);
    });

    it("is a POST with one token, and nothing else is [A1, A2]", async () => {
      expect((await ask("?validationToken=x", { method: "GET" })).status).toBe(405);
      expect((await ask("?validationToken=x", { method: "OPTIONS" })).status).toBe(405);
      expect((await ask("?validationToken=")).status).toBe(415);
      expect((await ask("?validationToken=x&validationToken=y")).status).toBe(415);
      expect((await ask("?validationtoken=x")).status).toBe(415);
      expect((await ask("")).status).toBe(415);
    });

    it("emits nothing, whatever comes with it [B7]", async () => {
      const body = signMicrosoftGraph(CHANGE, { clientState: STATE }).body;

      expect((await ask("?validationToken=x", { headers: {}, body })).text).toBe("x");
    });
  });

  it("answers before Graph's ten seconds are over [T17]", () => {
    expect(microsoftGraph({ clientState: [STATE] }).accepts?.deadlineMs).toBeLessThan(10_000);
  });
});
