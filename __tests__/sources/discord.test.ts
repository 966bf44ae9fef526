/**
 * Discord: its own library as verifier, and its pings.
 */
import { createPrivateKey, sign } from "node:crypto";
import { verifyKey } from "discord-interactions";
import { discord } from "express-webhook-node/sources/discord";
import { signDiscord } from "express-webhook-node/testing/discord";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const TIME = "x-signature-timestamp";
const SIGNATURE = "x-signature-ed25519";
/** The keys of the first two tests of RFC 8032 section 7.1. */
const own = {
  publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  privateKey: keyOf("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
};
const other = {
  publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  privateKey: keyOf("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
};
const PUBLIC_KEYS = [own.publicKey];
const EVENT = {
  version: 1,
  application_id: "1234560123453231555",
  type: 1,
  event: { type: "APPLICATION_AUTHORIZED", timestamp: "2024-10-18T14:42:53.064834", data: { scopes: ["écrire"] } },
};
const PING = { version: 1, application_id: "1234560123453231555", type: 0 };
const COMMAND = { application_id: "1234560123453231555", id: "846462639134605312", type: 2, token: "A_UNIQUE_TOKEN" };

/** A private key of Ed25519 of its 32 octets (RFC 8410 section 7). */
function keyOf(hex: string) {
  const key = Buffer.from(`302e020100300506032b657004220420${hex}`, "hex");
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

const contract = {
  name: "discord",
  source: discord,
  otherKeys: { publicKeys: [other.publicKey] },
  sign: (payload: unknown, { now }: { readonly now: number }) =>
    signDiscord(payload, { privateKey: own.privateKey, now }),
  proof: [TIME, SIGNATURE],
  toleranceSeconds: 900,
};

sourceContract({
  ...contract,
  options: { publicKeys: PUBLIC_KEYS },
  signTime(time) {
    const body = Buffer.from(JSON.stringify(EVENT));
    const signature = sign(null, Buffer.concat([Buffer.from(time), body]), own.privateKey).toString("hex");
    return { headers: { [TIME]: time, [SIGNATURE]: signature }, body };
  },
  payload: EVENT,
  messages: [{ deliveryId: undefined, eventType: "APPLICATION_AUTHORIZED" }],
  provenance: { eventType: "signed" },
  success: { status: 204, text: "" },
  wrongOptions: [
    ["a mode that is none", { mode: "interaction" }],
    ["half a key", { publicKeys: [own.publicKey.slice(0, 32)] }],
    ["a key in base64", { publicKeys: [Buffer.from(own.publicKey, "hex").toString("base64")] }],
  ],
});

describe("for interactions", () => {
  sourceContract({
    ...contract,
    options: { publicKeys: PUBLIC_KEYS, mode: "interactions" },
    payload: COMMAND,
    messages: [{ deliveryId: COMMAND.id, eventType: "2" }],
    provenance: { deliveryId: "signed", eventType: "signed" },
    success: { text: '{"type":5}' },
  });
});

againstSdk({
  sdk: "discord-interactions, verifyKey",
  source: discord({ publicKeys: PUBLIC_KEYS, toleranceSeconds: 300 }),
  sign({ isOther, now = Date.now() } = {}) {
    // To the library a byte 00 is written as well with one digit as with two.
    for (let at = now; ; at -= 1000) {
      const signed = signDiscord(EVENT, { privateKey: (isOther ? other : own).privateKey, now: at });
      if (!signed.headers[SIGNATURE]?.endsWith("00")) return signed;
    }
  },
  verifies: ({ headers, body }) =>
    verifyKey(body, headers[SIGNATURE] as string, headers[TIME] as string, own.publicKey),
  proof: [TIME, SIGNATURE],
  isTimed: true,
  differs: {
    "in ten minutes": "it checks no time",
    "ten minutes ago": "as above",
    [`${SIGNATURE} in upper case`]: "hex is hex to it",
  },
});

describe("discord", () => {
  it.each([
    ["events", PING, 204, ""],
    ["interactions", { ...COMMAND, type: 1 }, 200, '{"type":1}'],
  ] as const)("answers the ping of %s once it is verified [B7]", async (mode, ping, status, text) => {
    const { port, messages } = await serveNode({ source: discord({ publicKeys: PUBLIC_KEYS, mode }) });
    const { headers, body } = signDiscord(ping, { privateKey: own.privateKey });
    const wrong = signDiscord(ping, { privateKey: other.privateKey });

    expect(await send(port, { headers, body })).toMatchObject({ status, text });
    expect((await send(port, wrong)).status).toBe(401);
    expect((await send(port, { body })).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it("keeps events and interactions apart: a ping of the one is none of the other [B7]", async () => {
    const events = await serveNode({ source: discord({ publicKeys: PUBLIC_KEYS }) });
    const interactions = await serveNode({ source: discord({ publicKeys: PUBLIC_KEYS, mode: "interactions" }) });
    await send(events.port, signDiscord({ ...COMMAND, type: 1 }, { privateKey: own.privateKey }));
    await send(interactions.port, signDiscord(PING, { privateKey: own.privateKey }));

    expect([events.messages.length, interactions.messages.length]).toEqual([1, 1]);
  });

  it("lets the node say more to an interaction [J1]", async () => {
    const { port } = await serveNode({
      source: discord({ publicKeys: PUBLIC_KEYS, mode: "interactions" }),
      respond: () => ({ type: 4, data: { content: "Done" } }),
    });

    expect((await send(port, signDiscord(COMMAND, { privateKey: own.privateKey }))).json).toEqual({
      type: 4,
      data: { content: "Done" },
    });
  });

  it("takes a public key in upper case [B7]", async () => {
    const { port } = await serveNode({
      source: discord({ publicKeys: [own.publicKey.toUpperCase()], now: () => NOW }),
    });

    expect((await send(port, signDiscord(EVENT, { privateKey: own.privateKey, now: NOW }))).status).toBe(204);
  });

  it("answers before Discord's three seconds are over [T17]", () => {
    expect(discord({ publicKeys: PUBLIC_KEYS }).accepts?.deadlineMs).toBeLessThan(3000);
  });
});
