/**
 * Dropbox: a vector of others, the construction of its documentation written anew, and the handshake.
 */
import { createHmac } from "node:crypto";
import { dropbox } from "express-webhook-node/sources/dropbox";
import { signDropbox } from "express-webhook-node/testing/dropbox";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "the_secret";
const OTHER = "another secret";
const FIELD = "x-dropbox-signature";
const EVENT = {
  list_folder: { accounts: ["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc", "dbid:AAG9f99T0taONIb-OurWxbNQ6ywGRopQngc"] },
  delta: { users: [12_345_678, 23_456_789] },
};

sourceContract({
  name: "dropbox",
  source: dropbox,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signDropbox(payload, { secret: SECRET }),
  payload: EVENT,
  messages: [{ deliveryId: undefined, eventType: "list_folder" }],
  provenance: { eventType: "signed" },
  proof: [FIELD],
});

describe("dropbox", () => {
  const served = () => serveNode({ source: dropbox({ secrets: [SECRET] }) });

  // From the tests of a plugin for hapi that receives Dropbox's webhooks; not Dropbox's own.
  it("accepts a delivery that others have signed [B7]", async () => {
    const { port, messages } = await served();
    const body = '{"delta": {"users": [12345]}}';
    const signature = "0a8c16b085420b960dc78664279fe09e936a2a01b1f91064869d9e77dfd64529";

    expect((await send(port, { headers: { [FIELD]: signature }, body })).status).toBe(200);
    expect((await send(port, { headers: { [FIELD]: signature }, body: body.replace("5", "6") })).status).toBe(401);
    expect(messages).toMatchObject([{ eventType: "delta" }]);
  });

  // https://www.dropbox.com/developers/reference/webhooks: HMAC-SHA256 of the body, in hex, with the app secret
  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await served();
    const { headers, body } = signDropbox(EVENT, { secret: SECRET });
    const documented = createHmac("sha256", SECRET).update(body).digest("hex");

    expect(headers[FIELD]).toBe(documented);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  it("answers the handshake with its challenge, as text [B7, T15]", async () => {
    const { port, messages, outcomes } = await served();
    for (const challenge of ["abc123", "<script>1</script>", "ä b+c&d=e"]) {
      const path = `/?challenge=${encodeURIComponent(challenge)}`;
      const { status, text, headers } = await send(port, { method: "GET", path });

      expect([status, text]).toEqual([200, challenge]);
      expect(headers).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
      });
    }
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["answered", "answered", "answered"]);
  });

  it.each(["/?challenge=", "/?challenge", "/?challenge=a&challenge=b", "/?challenge=a&challenge="])(
    "refuses the handshake %s, and echoes nothing [B7, T15]",
    async (path) => {
      const { port } = await served();

      expect(await send(port, { method: "GET", path })).toMatchObject({ status: 400, text: "" });
    },
  );

  it("bounds what it echoes, and takes no other request for a handshake [T15, A1]", async () => {
    const { port } = await served();
    const { text } = await send(port, { method: "GET", path: `/?challenge=${"1".repeat(8000)}` });

    expect(text).toHaveLength(4096);
    expect((await send(port, { method: "GET", path: "/" })).status).toBe(405);
    expect((await send(port, { method: "PUT", path: "/?challenge=1" })).status).toBe(405);
    expect((await send(port, { path: "/?challenge=1", body: "{}" })).status).toBe(401);
  });

  it("answers before Dropbox's ten seconds are over [T17]", () => {
    expect(dropbox({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(10_000);
  });
});
