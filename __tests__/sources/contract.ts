/**
 * What every source has to keep, whatever its provider: told over HTTP, with deliveries that a signer makes.
 *
 * A provider's own test adds what only that provider has: its vectors, its library as signer and verifier, its handshake.
 *
 * @module
 */
import http from "node:http";
import * as fc from "fast-check";
import type { Source, WebhookNodeOptions } from "express-webhook-node";
import type { SignedDelivery } from "express-webhook-node/testing/signed";
import { dial, head } from "../support/dial";
import { CODE, send, serveNode, type Answered, type ServedNode } from "../support/serve";

/** The time of the clock in tests of sources that check one, in milliseconds. */
export const NOW = 1_755_000_000_000;

export type ExpectedMessage = {
  readonly deliveryId?: string | undefined;
  readonly eventType?: string | undefined;
};

/** A change of a header field that a request may have: the field, what it was, and what it is. */
export type FieldMutation = { readonly field: string; readonly original: string; readonly mutated: string };

export type SourceContract = {
  /** The function: `standardWebhooks`. */
  readonly name: string;
  /** What messages tell as their source. Default: `name`. */
  readonly sourceName?: string;
  /** The source's function itself. */
  readonly source: (options: never) => Source;
  /** Options under which what `sign` makes is accepted. The clock is added where there is `toleranceSeconds`. */
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * The same options with other keys (secrets, tokens, public keys), under which it is refused. Each list here, with the
   * right one behind it, is accepted: that is how keys are changed without an outage.
   */
  readonly otherKeys: Readonly<Record<string, unknown>>;
  /** Signs as the provider does. `now` is in milliseconds. */
  readonly sign: (payload: unknown, options: { readonly now: number }) => SignedDelivery | Promise<SignedDelivery>;
  /** Signs with this text where the time stands, whatever it is. */
  readonly signTime?: ((time: string) => SignedDelivery | Promise<SignedDelivery>) | undefined;
  /** A payload as the provider sends it. */
  readonly payload: unknown;
  /** The target that is posted to. Default: `/`. */
  readonly path?: string;
  /** What becomes of it: one message, or several where the source splits. */
  readonly messages: readonly ExpectedMessage[];
  readonly provenance?: { readonly deliveryId?: "signed" | "unsigned"; readonly eventType?: "signed" | "unsigned" };
  /** Header fields that carry the proof, in lower case: without any of them a request is refused. None if the body does. */
  readonly proof: readonly string[];
  /**
   * Whether the proof covers the body's octets, so that no other body is accepted. `"members"` is for a proof that covers
   * values inside the body: the provider's own test changes these one by one. `"nothing"` is for a token.
   */
  readonly covers?: "octets" | "members" | "nothing";
  /** Changes of a proof's field that change nothing of what it proves. */
  readonly harmless?: ((mutation: FieldMutation) => boolean) | undefined;
  /** Where a time is checked: the tolerance that holds unless told otherwise. */
  readonly toleranceSeconds?: number;
  /** Options that are wrong besides those of all sources: what is wrong, and the options that replace good ones. */
  readonly wrongOptions?: readonly (readonly [string, Readonly<Record<string, unknown>>])[];
  /** Content codings tried. Default: all. */
  readonly codings?: readonly (keyof typeof CODE)[];
  /** The answer to a good delivery. Default: status 200. */
  readonly success?: { readonly status?: number; readonly text?: string };
  /** The answer to a wrong proof. Default: status 401, a problem document. */
  readonly refusal?: { readonly status?: number; readonly text?: string };
  /** Options of the node, where it takes more than the source. */
  readonly node?: Partial<WebhookNodeOptions>;
};

/** Runs the tests that every source passes. */
export function sourceContract(contract: SourceContract): void {
  const { name, source, options, otherKeys, payload, path = "/", proof, covers = "octets" } = contract;
  const { toleranceSeconds, harmless = () => false, codings = Object.keys(CODE) as (keyof typeof CODE)[] } = contract;
  const clock = toleranceSeconds === undefined ? {} : { now: () => NOW };
  const goodOptions = { ...clock, ...options };
  const make = (changed: object = {}): Source => source({ ...goodOptions, ...changed } as never);
  const serveSource = (changed: object = {}, node: Partial<WebhookNodeOptions> = {}): Promise<ServedNode> =>
    serveNode({ source: make(changed), ...contract.node, ...node });
  const sign = async (now: number = NOW): Promise<SignedDelivery> => contract.sign(payload, { now });
  const refusedWith = contract.refusal?.status ?? 401;
  const keyLists = Object.keys(otherKeys).filter((word) => Array.isArray(otherKeys[word]));
  const forEachProof = proof.length > 0 ? it.each(proof) : undefined;

  function isAccepted({ status, text }: Answered): void {
    expect({ status, text }).toMatchObject({ status: 200, ...contract.success });
  }

  function isRefused({ status, text, headers }: Answered): void {
    expect({ status, text }).toMatchObject({ status: refusedWith, ...contract.refusal });
    if (contract.refusal?.text === undefined) expect(headers["content-type"]).toBe("application/problem+json");
  }

  describe(`${name}, as every source`, () => {
    it.each(codings)("accepts what is signed, in the content coding %s [A3, B7]", async (coding) => {
      const { port, messages } = await serveSource();
      const { headers, body } = await sign();
      const octets = CODE[coding](body);
      const coded = coding === "identity" ? headers : { ...headers, "content-encoding": coding };

      isAccepted(await send(port, { path, headers: coded, body: octets }));
      const pieces = [octets.subarray(0, 1), octets.subarray(1, 20), octets.subarray(20)].filter(
        (one) => one.length > 0,
      );
      isAccepted(await send(port, { path, headers: coded, body: pieces }));
      expect(messages).toHaveLength(2 * contract.messages.length);
    });

    it("tells the source, the sender, the delivery id, the event type and where they come from [G2]", async () => {
      const { port, messages } = await serveSource();
      const { headers, body } = await sign();
      await send(port, { path, headers, body });

      const { sourceName = name, provenance } = contract;
      expect(
        messages.map((message) => ({
          source: message.source,
          sender: message.sender?.name,
          deliveryId: message.deliveryId,
          eventType: message.eventType,
          provenance: message.provenance,
        })),
      ).toEqual(
        contract.messages.map(({ deliveryId, eventType }) => ({
          source: sourceName,
          sender: sourceName,
          deliveryId,
          eventType,
          provenance,
        })),
      );
    });

    it("gives a delivery that is sent again the same key, if it has an id [J3]", async () => {
      const { port, messages } = await serveSource();
      const { headers, body } = await sign();
      await send(port, { path, headers, body });
      await send(port, { path, headers, body });

      const keys = messages.map(({ key }) => key);
      const [first, second] = [keys.slice(0, keys.length / 2), keys.slice(keys.length / 2)];
      contract.messages.forEach(({ deliveryId }, index) => {
        expect(first[index] === second[index]).toBe(deliveryId !== undefined);
      });
    });

    it("refuses what is signed with another key, and accepts it with the right key beside that [B7]", async () => {
      const { headers, body } = await sign();
      const beside = Object.fromEntries(
        keyLists.map((word) => [word, [...(otherKeys[word] as unknown[]), ...(options[word] as unknown[])]]),
      );
      const other = await serveSource(otherKeys);
      const both = await serveSource(beside);

      isRefused(await send(other.port, { path, headers, body }));
      expect(other.messages).toEqual([]);
      isAccepted(await send(both.port, { path, headers, body }));
    });

    if (options["secrets"] !== undefined) {
      it("asks a function for the secrets of a request: none is 401, a failure is 503 [B7]", async () => {
        const { headers, body } = await sign();
        const found = options["secrets"];
        const { port } = await serveSource({
          secrets: async (request: http.IncomingMessage) => {
            const { "x-tenant": tenant } = request.headers;
            if (tenant === "broken") throw new Error("the vault is closed");
            return tenant === "stranger" ? [] : found;
          },
        });
        const status = async (tenant: string): Promise<number> =>
          (await send(port, { path, headers: { ...headers, "x-tenant": tenant }, body })).status;

        expect(await status("known")).toBe(contract.success?.status ?? 200);
        expect(await status("stranger")).toBe(refusedWith);
        expect(await status("broken")).toBe(503);
      });
    }

    forEachProof?.("refuses a request whose %s is missing, empty, or sent twice [B7]", async (field) => {
      const { port, messages } = await serveSource();
      const { headers, body } = await sign();
      const { [field]: value = "", ...others } = headers;
      expect(value).not.toBe("");

      isRefused(await send(port, { path, headers: others, body }));
      for (const lines of ["", [value, value], ["x", value], [value, "x"], ["", value]]) {
        isRefused(await send(port, { path, headers: { ...others, [field]: lines }, body }));
      }
      expect(messages).toEqual([]);
    });

    if (covers !== "members" && proof.length > 0) {
      it("refuses a request without a proof before its body has come [B2]", async () => {
        const { port } = await serveSource();
        const { headers } = await sign();
        const lines = Object.entries(headers).filter(([field]) => !proof.includes(field));
        const connection = await dial(port);
        connection.write(
          head(
            [...lines.map(([field, value]) => `${field}: ${value}`), "Content-Length: 1000"],
            `POST ${path} HTTP/1.1`,
          ),
        );

        await connection.answered();
        expect(connection.statuses()).toEqual([refusedWith]);
      });
    }

    forEachProof?.("refuses a request with junk around %s [B7]", async (field) => {
      const { port, messages } = await serveSource();
      const { headers, body } = await sign();
      const original = headers[field] as string;
      const mutants = ["0", "00", "=", "==", ",", "zz", "%00", "\u00a0", `, ${original}`, ", x", " x", ";a=b", "\\n"]
        .flatMap((junk) => [`${original}${junk}`, `${junk}${original}`])
        .concat(original.slice(1), original.slice(0, -1), original.slice(0, original.length / 2))
        .concat(original.replace(/^[^=]*=/, ""), original.replace(/^([^=]*=)/, "$1$1"));
      for (const mutated of mutants) {
        if (mutated === original || harmless({ field, original, mutated })) continue;
        const answered = await send(port, { path, headers: { ...headers, [field]: mutated }, body });
        expect([mutated, answered.status]).toEqual([mutated, refusedWith]);
      }
      expect(messages).toEqual([]);
    });

    it("refuses hex digits in the other case [B7]", async () => {
      const { port, messages } = await serveSource();
      const { headers, body } = await sign();
      for (const field of proof) {
        const original = headers[field] as string;
        const hex = /[0-9a-f]{40,}|[0-9A-F]{40,}/.exec(original)?.[0];
        if (hex === undefined) continue;
        const other = hex.toUpperCase() === hex ? hex.toLowerCase() : hex.toUpperCase();
        isRefused(await send(port, { path, headers: { ...headers, [field]: original.replace(hex, other) }, body }));
      }
      expect(messages).toEqual([]);
    });

    if (proof.length > 0 || covers === "octets") {
      it("refuses every mutation of an accepted request [B7]", async () => {
        const { port, messages } = await serveSource();
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const { headers, body } = await sign();
        await fc.assert(
          fc.asyncProperty(mutationOf({ headers, body }, proof, covers), async (mutant) => {
            const { field, mutated } = mutant;
            if (field !== undefined) {
              const original = headers[field] as string;
              fc.pre(mutated !== original.trim() && !harmless({ field, original, mutated }));
            }
            const answered = await send(port, { path, headers: mutant.headers, body: mutant.body, agent });
            if (mutant.body.length > 0) expect(answered.status).toBe(refusedWith);
            expect(messages).toEqual([]);
          }),
          { numRuns: 100 },
        );
        agent.destroy();
      });
    }

    if (toleranceSeconds !== undefined) timeContract(toleranceSeconds);

    if (contract.messages[0]?.eventType !== undefined) {
      const { eventType } = contract.messages[0];
      const types = [...new Set(contract.messages.map((message) => message.eventType as string))];

      it("answers what only and ignore leave out as a success, and does not emit it [J4]", async () => {
        const { headers, body } = await sign();
        const emitted = async (changed: object): Promise<readonly unknown[]> => {
          const { port, messages } = await serveSource(changed);
          const { status } = await send(port, { path, headers, body });
          expect(status).toBe(contract.success?.status ?? 200);
          return messages.map((message) => message.eventType);
        };
        const all = contract.messages.map((message) => message.eventType);

        expect(await emitted({ only: types })).toEqual(all);
        expect(await emitted({ only: [eventType] })).toEqual(all.filter((type) => type === eventType));
        expect(await emitted({ only: [`${eventType}.`] })).toEqual([]);
        expect(await emitted({ ignore: types })).toEqual([]);
        expect(await emitted({ ignore: [eventType] })).toEqual(all.filter((type) => type !== eventType));
        expect(await emitted({ ignore: [`${eventType}.`] })).toEqual(all);
      });
    }

    it("lets in what lacks a proof where the node only reports it [B7]", async () => {
      const { port, messages } = await serveSource({}, { enforcement: "report" });
      const { headers, body } = await sign();
      for (const field of proof) {
        const { [field]: _, ...others } = headers;
        isAccepted(await send(port, { path, headers: others, body }));
      }
      expect(messages.filter(({ isUnverified }) => isUnverified)).toHaveLength(proof.length * contract.messages.length);
    });

    it("reads ids, types, items and answers from any value, and never throws [B7]", async () => {
      const made = make();
      const { headers, body } = await sign();
      const rawHeaders = Object.entries(headers).flat();
      const isText = (value: unknown): void => {
        if (value !== undefined) expect(typeof value).toBe("string");
      };
      fc.assert(
        fc.property(fc.oneof(fc.jsonValue(), replacedIn(payload)), fc.boolean(), (value, hasFields) => {
          const request = (hasFields ? { method: "POST", url: path, headers, rawHeaders } : BARE) as never;
          for (const event of [value, ...(made.split?.(value, { request, octets: body }) ?? [])]) {
            const facts = { request, payload: event, octets: body };
            isText(made.deliveryId?.(facts));
            isText(made.eventType?.(facts));
            made.reply?.(facts);
          }
        }),
        { numRuns: 200 },
      );
      fc.assert(
        fc.property(
          fc.constantFrom("GET", "OPTIONS", "POST", "HEAD"),
          fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), { maxKeys: 3 }),
          (method, query) => {
            made.handshake?.({ request: { ...BARE, method } as never, query: new URLSearchParams(query) });
          },
        ),
      );
    });

    const forEachList = keyLists.length > 0 ? it.each(keyLists) : undefined;
    forEachList?.("throws when it is made with %s missing, empty or no list [B1]", (word) => {
      for (const wrong of [[], [undefined], [""], [null], [7], "text", 7, null, {}]) {
        expect(() => make({ [word]: wrong })).toThrow(TypeError);
        expect(() => make({ [word]: wrong })).toThrow(new RegExp(word));
      }
      const right = options[word] as readonly unknown[];
      expect(() => make({ [word]: [...right, undefined] })).toThrow(TypeError);
      const { [word]: _, ...others } = goodOptions as Record<string, unknown>;
      if (Object.keys(otherKeys).length === 1) expect(() => source(others as never)).toThrow(TypeError);
    });

    it.each<readonly [string, Readonly<Record<string, unknown>>]>([
      ["a word that is none", { secrett: "x" }],
      ["only beside ignore", { only: ["a"], ignore: ["b"] }],
      ["only that is no list", { only: "push" }],
      ["ignore that is no list of texts", { ignore: [/push/] }],
      ...(toleranceSeconds === undefined
        ? []
        : [NaN, -1, 0, Infinity, "300", null].map(
            (wrong) => [`toleranceSeconds ${wrong}`, { toleranceSeconds: wrong }] as const,
          )),
      ...(toleranceSeconds === undefined ? [] : ([["a clock that is no function", { now: NOW }]] as const)),
      ...(contract.wrongOptions ?? []),
    ])("throws when it is made with %s [B1]", (_, wrong) => {
      expect(() => make(wrong)).toThrow(TypeError);
    });

    it("throws when it is made without options, and never shows a key [B1, T15]", () => {
      for (const none of [undefined, null, [], "text"]) expect(() => source(none as never)).toThrow(TypeError);
      for (const [word, right] of Object.entries(options)) {
        if (!Array.isArray(right)) continue;
        try {
          make({ [word]: [...(right as unknown[]), ""] });
        } catch (error) {
          for (const key of right) expect((error as Error).message).not.toContain(String(key));
        }
      }
    });

    it("is told by undefined that an option is absent [B1]", () => {
      const absent = toleranceSeconds === undefined ? {} : { toleranceSeconds: undefined, now: undefined };

      expect(() => make({ only: undefined, ignore: undefined, ...absent })).not.toThrow();
    });
  });

  function timeContract(seconds: number): void {
    it("accepts a time within the tolerance, and none beyond it, both ways [B7]", async () => {
      const usual = await serveSource();
      const strict = await serveSource({ toleranceSeconds: 10 });
      for (const [{ port }, within] of [
        [usual, seconds],
        [strict, 10],
      ] as const) {
        for (const sense of [-1, 1]) {
          const near = await sign(NOW + sense * within * 1000);
          const far = await sign(NOW + sense * (within + 1) * 1000);
          isAccepted(await send(port, { path, headers: near.headers, body: near.body }));
          isRefused(await send(port, { path, headers: far.headers, body: far.body }));
        }
      }
    });

    if (!contract.signTime) return;
    const { signTime } = contract;
    it("refuses a time that is no plain number, however well it is signed [B7]", async () => {
      const { port, messages } = await serveSource();
      const now = String(Math.floor(NOW / 1000));
      const times = ["NaN", "Infinity", "-1", "0", "1e9", `${now}x`, `x${now}`, `+${now}`, `${now}.5`, "0x689b2f00"];
      for (const time of [...times, `${now},${now}`, `${now} ${now}`, "9".repeat(30)]) {
        const { headers, body } = await signTime(time);
        const { status } = await send(port, { path, headers, body });
        expect([time, status]).toEqual([time, refusedWith]);
      }
      expect(messages).toEqual([]);
    });
  }
}

const BARE = { method: "POST", url: "/", headers: {}, rawHeaders: [] };

type Mutant = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The field that is changed, and to what; the body otherwise. */
  readonly field?: string;
  readonly mutated: string;
};

/** Changes one character of a proof's field, or one octet of the body: put in, taken out, or replaced. */
function mutationOf(
  { headers, body }: SignedDelivery,
  proof: readonly string[],
  covers: "octets" | "members" | "nothing",
): fc.Arbitrary<Mutant> {
  const edit = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom("replace", "insert", "remove"),
    // Visible characters: others end a request before any source sees it.
    character: fc.integer({ min: 0x21, max: 0x7e }),
    octet: fc.integer({ min: 1, max: 255 }),
  });
  const ofField = fc.tuple(fc.constantFrom(...proof), edit).map(([field, { at, kind, character }]): Mutant => {
    const original = headers[field] as string;
    const place = at % (original.length + (kind === "insert" ? 1 : 0));
    const put = kind === "remove" ? "" : String.fromCharCode(character);
    const mutated = original.slice(0, place) + put + original.slice(kind === "insert" ? place : place + 1);
    return { headers: { ...headers, [field]: mutated }, body, field, mutated: mutated.trim() };
  });
  const ofBody = edit.map(({ at, kind, octet }): Mutant => {
    const place = at % (body.length + (kind === "insert" ? 1 : 0));
    const put = kind === "remove" ? [] : [kind === "insert" ? octet : (body[place] as number) ^ octet];
    const mutated = Buffer.concat([
      body.subarray(0, place),
      Buffer.from(put),
      body.subarray(kind === "insert" ? place : place + 1),
    ]);
    return { headers, body: mutated, mutated: "" };
  });
  if (covers !== "octets") return ofField;
  return proof.length === 0 ? ofBody : fc.oneof(ofField, ofBody);
}

/** A payload with any JSON value somewhere in it. */
function replacedIn(payload: unknown): fc.Arbitrary<unknown> {
  const places: (readonly string[])[] = [];
  const visit = (value: unknown, path: readonly string[]): void => {
    places.push(path);
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) visit(member, [...path, name]);
  };
  const parsed: unknown = Buffer.isBuffer(payload) || typeof payload === "string" ? {} : payload;
  visit(parsed, []);
  return fc.tuple(fc.constantFrom(...places), fc.jsonValue()).map(([path, value]) => replaced(parsed, path, value));
}

function replaced(value: unknown, [name, ...path]: readonly string[], put: unknown): unknown {
  if (name === undefined) return put;
  const copy: Record<string, unknown> = (
    Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  ) as never;
  copy[name] = replaced(copy[name], path, put);
  return copy;
}
