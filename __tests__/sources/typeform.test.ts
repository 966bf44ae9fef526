/**
 * Typeform: no library verifies its webhooks, so the code of its documentation, written anew, does.
 */
import { createHmac } from "node:crypto";
import { typeform } from "express-webhook-node/sources/typeform";
import { signTypeform } from "express-webhook-node/testing/typeform";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "abc123";
const OTHER = "another secret";
const FIELD = "typeform-signature";
const EVENT = {
  event_id: "LtWXD3crgy",
  event_type: "form_response",
  form_response: {
    form_id: "lT4Z3j",
    token: "a3a12ec67a1365927098a606107fac15",
    answers: [{ type: "text", text: "Köln" }],
  },
};

sourceContract({
  name: "typeform",
  source: typeform,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signTypeform(payload, { secret: SECRET }),
  payload: EVENT,
  messages: [{ deliveryId: EVENT.event_id, eventType: EVENT.event_type }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
});

describe("typeform", () => {
  const served = () => serveNode({ source: typeform({ secrets: [SECRET] }) });

  // https://www.typeform.com/developers/webhooks/secure-your-webhooks/: HMAC-SHA256 of the payload in base64, behind sha256=
  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await served();
    const { headers, body } = signTypeform(EVENT, { secret: SECRET });
    const documented = `sha256=${createHmac("sha256", SECRET).update(body).digest("base64")}`;

    expect(headers[FIELD]).toBe(documented);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  it.each(["hex", "base64url"] as const)(
    "refuses a signature in %s, and one by another prefix [B7]",
    async (encoding) => {
      const { port } = await served();
      const { headers, body } = signTypeform("{}", { secret: SECRET });
      const signature = createHmac("sha256", SECRET).update(body).digest(encoding);

      for (const field of [`sha256=${signature}`, signature, headers[FIELD]!.toUpperCase(), headers[FIELD]!.slice(7)]) {
        expect((await send(port, { headers: { [FIELD]: field }, body })).status).toBe(401);
      }
    },
  );
});
