/**
 * What holds of every emitter that hands messages to a broker, tried on a real one: what was confirmed can be read back with
 * the broker's own client, octet by octet, with all that is told beside it.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Emitter, Message } from "express-webhook-node";
import { attributesOf } from "express-webhook-node/emit/attributes";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";

/** A message as a consumer of the broker has it. */
export type Received = {
  readonly octets: Buffer;
  readonly contentType: string | undefined;
  /** The attributes, under their CloudEvents names without the broker's prefix. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Header fields carried, by lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
};

export type Opened = {
  readonly emitter: Emitter;
  /** Reads what the broker has, with its own client, until there are `count`, or five seconds are over. */
  readonly received: (count: number) => Promise<readonly Received[]>;
  readonly close: () => Promise<void>;
};

export type EmitterContract = {
  /** The function's name: `jetStreamEmitter`. */
  readonly name: string;
  /** `describe`, or the one that `describeWith` returns. */
  readonly describe?: jest.Describe;
  /** A queue, stream or table of its own for each test. */
  readonly open: () => Promise<Opened>;
  /** Attributes that do not fit this broker, and why. */
  readonly lacks?: Readonly<Record<string, string>>;
  /** Whether the broker itself keeps one of two messages with the same key. */
  readonly isDeduplicated: boolean;
  /** Whether messages with one `groupId` keep the order in which they were handed over. */
  readonly isOrdered: boolean;
  /** Whether any octets may be sent, or text alone. */
  readonly isBinary: boolean;
  /** The largest body, in bytes, and one octet less than what is refused with 413. Absent where the broker has no limit. */
  readonly maxBytes?: number;
};

/** Runs the tests of one emitter. */
export function emitterContract(contract: EmitterContract): void {
  const { name, open, lacks = {}, isDeduplicated, isOrdered, isBinary, maxBytes } = contract;

  (contract.describe ?? describe)(`${name}, with the broker`, () => {
    const opened: Opened[] = [];
    const opening = async (): Promise<Opened> => {
      const one = await open();
      opened.push(one);
      return one;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map(({ close }) => close()));
    });

    it("hands over octets, content type, attributes and fields as they are [G1, G2, J1]", async () => {
      const { emitter, received } = await opening();
      const message = messageOf({ groupId: "customer 7 ü" });
      await emitter(message, contextOf());

      const [got] = await received(1);
      expect(got?.octets.equals(message.octets)).toBe(true);
      expect(got?.contentType).toBe(message.contentType);
      expect(got?.fields).toMatchObject(message.fields);
      expect(got?.attributes).toEqual(without(attributesOf(message), Object.keys(lacks)));
    });

    it("hands over a message with nothing that may be absent [G2]", async () => {
      const { emitter, received } = await opening();
      const { sender: _, deliveryId: _id, eventType: _type, source: _source, ...bare } = messageOf();
      const message = { ...bare, fields: {}, contentType: undefined, mediaType: undefined } as unknown as Message;
      await emitter(message, contextOf());

      const [got] = await received(1);
      expect(got?.octets.equals(message.octets)).toBe(true);
      expect(got?.attributes).toEqual(without(attributesOf(message), Object.keys(lacks)));
    });

    it("breaks no header by what a sender wrote [G2]", async () => {
      const { emitter, received } = await opening();
      const message = messageOf({ deliveryId: "a\r\nX-Evil: 1\r\n\r\nb", eventType: '100% "ü" 🎉', groupId: "x\0y" });
      await emitter(message, contextOf());
      await emitter(messageOf({ eventType: "e".repeat(200_000), deliveryId: "d".repeat(200_000) }), contextOf());

      const [got] = await received(2);
      expect(got?.attributes["type"]).toBe('100% "ü" 🎉');
      expect(got?.attributes).not.toHaveProperty("deliveryid");
      expect(got?.octets.equals(message.octets)).toBe(true);
    });

    it("confirms each of many at once, and the broker has them all [J1]", async () => {
      const { emitter, received } = await opening();
      const messages = Array.from({ length: 250 }, (_, n) => messageOf({ body: JSON.stringify({ n }) }));
      await Promise.all(messages.map((message) => emitter(message, contextOf())));

      const got = await received(messages.length);
      expect(got.map(({ octets }) => octets.toString()).sort()).toEqual(messages.map(({ body }) => body).sort());
    });

    it("hands over an empty object and a body of 100 KB [G1]", async () => {
      const { emitter, received } = await opening();
      const bodies = ["{}", JSON.stringify("ü".repeat(50_000))];
      for (const body of bodies) await emitter(messageOf({ body }), contextOf());

      const got = await received(2);
      expect(got.map(({ octets }) => octets.toString()).sort()).toEqual([...bodies].sort());
    });

    if (isBinary) {
      it("hands over octets that are no text [G1]", async () => {
        const { emitter, received } = await opening();
        const octets = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x0d, 0x80]), randomBytes(64)]);
        await emitter(messageOf({ octets, body: "7", contentType: "application/json; charset=utf-16" }), contextOf());

        expect((await received(1))[0]?.octets.equals(octets)).toBe(true);
      });
    }

    if (isDeduplicated) {
      it("confirms the same message twice, and the broker keeps one of them [J3]", async () => {
        const { emitter, received } = await opening();
        const message = messageOf();
        await emitter(message, contextOf());
        await emitter({ ...message, trackingId: "0".repeat(32) }, contextOf());
        const other = messageOf({ deliveryId: message.deliveryId as string, body: '{"other":1}' });
        await emitter(other, contextOf());

        const got = await received(3);
        expect(got.map(({ octets }) => octets.toString()).sort()).toEqual([message.body, other.body].sort());
      });
    }

    if (isOrdered) {
      it("keeps the order of messages with one groupId [G1]", async () => {
        const { emitter, received } = await opening();
        const messages = Array.from({ length: 60 }, (_, n) => messageOf({ groupId: "g", body: String(n) }));
        await Promise.all(messages.map((message) => emitter(message, contextOf())));

        expect((await received(60)).map(({ octets }) => Number(octets))).toEqual(messages.map((_, n) => n));
      });
    }

    if (maxBytes !== undefined) {
      it("refuses with 413 what the broker would not take, and takes the next [G1]", async () => {
        const { emitter, received } = await opening();
        const { port } = await serveNode({ emitter, maxBytes: maxBytes + 1_000_000 });
        const big = JSON.stringify("x".repeat(maxBytes));

        expect((await send(port, { body: big })).status).toBe(413);
        expect((await send(port, { body: "7" })).status).toBe(200);
        expect((await received(1)).map(({ octets }) => octets.toString())).toEqual(["7"]);
      });
    }

    it("is the emitter of a node [J1]", async () => {
      const { emitter, received } = await opening();
      const { port } = await serveNode({ emitter });
      const answer = await send(port, { body: '{"a": 1}' });

      expect(answer.status).toBe(200);
      const [got] = await received(1);
      expect(got?.octets.toString()).toBe('{"a": 1}');
      if (!("trackingid" in lacks)) expect(got?.attributes["trackingid"]).toBe(answer.json.trackingId);
    });
  });
}

function without(attributes: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}
