/**
 * Holds a source against the provider's own library, in both directions: what either signs the other accepts, and what is
 * not quite so is refused by both, or the difference is named.
 *
 * @module
 */
import type { Source, WebhookNodeOptions } from "express-webhook-node";
import type { SignedDelivery } from "express-webhook-node/testing/signed";
import { send, serveNode } from "../support/serve";

type Awaitable<T> = T | Promise<T>;

export type SdkContract = {
  /** The package and its function: `stripe, constructEvent`. */
  readonly sdk: string;
  readonly source: Source;
  /** How our signer signs. `secret` is another one than the source has, where told so; `now` is in milliseconds. */
  readonly sign: (changed?: { readonly isOther?: true; readonly now?: number }) => Awaitable<SignedDelivery>;
  /** How the library signs, where it can. */
  readonly sdkSigns?: (() => Awaitable<SignedDelivery>) | undefined;
  /** Whether the library accepts a delivery. Fields that came twice are joined, as `request.headers` has them. */
  readonly verifies: (delivery: SignedDelivery) => Awaitable<boolean>;
  /** Header fields that carry the proof, in lower case. */
  readonly proof: readonly string[];
  /** Whether a time is signed. */
  readonly isTimed?: boolean;
  readonly path?: string;
  readonly node?: Partial<WebhookNodeOptions>;
  /** What the library accepts and we refuse on purpose: the mutation's name, and why. */
  readonly differs?: Readonly<Record<string, string>>;
};

type Mutation = readonly [name: string, delivery: Sent];
type Sent = { readonly headers: Readonly<Record<string, string | readonly string[]>>; readonly body: Buffer };

/** What the libraries of Standard Webhooks accept, with header fields of one family. */
export const standardDifferences = (family: "webhook" | "svix"): Readonly<Record<string, string>> => ({
  [`${family}-signature twice`]: "two lines are joined, and each element between spaces is tried",
  [`${family}-signature twice, first wrong`]: "as above",
  [`${family}-signature twice, last wrong`]: "as above",
  [`${family}-signature with a comma behind it`]: "what stands behind a second comma is not looked at",
  [`${family}-timestamp twice`]: "parseInt stops at what is no digit, and what it made is signed",
  [`${family}-timestamp twice, last wrong`]: "as above",
  [`${family}-timestamp with a comma behind it`]: "as above",
  [`${family}-timestamp with letters behind it`]: "as above",
});

/** Runs the tests of one library. */
export function againstSdk(contract: SdkContract): void {
  const { sdk, source, sign, sdkSigns, verifies, path = "/", differs = {} } = contract;

  describe(`${source.name}, against ${sdk}`, () => {
    async function statusOf(port: number, { headers, body }: Sent): Promise<number> {
      return (await send(port, { path, headers: headers as Record<string, string>, body })).status;
    }

    if (sdkSigns) {
      it("accepts what the library signs [B7]", async () => {
        const { port, messages } = await serveNode({ source, ...contract.node });
        const delivery = await sdkSigns();

        expect(await statusOf(port, delivery)).toBeLessThan(300);
        expect(messages.length).toBeGreaterThan(0);
        expect(await verifies(delivery)).toBe(true);
      });
    }

    it("signs what the library accepts [B7]", async () => {
      const { port } = await serveNode({ source, ...contract.node });
      const delivery = await sign();

      expect(await verifies(delivery)).toBe(true);
      expect(await statusOf(port, delivery)).toBeLessThan(300);
    });

    it("refuses with the library what is not quite right, and differs only where it is said [B7]", async () => {
      const { port, messages } = await serveNode({ source, ...contract.node });
      const accepted: string[] = [];
      for (const [name, mutant] of await mutations(contract)) {
        const status = await statusOf(port, mutant);
        expect([name, status]).toEqual([name, mutant.body.length === 0 && status === 400 ? 400 : 401]);
        if (await verifies({ headers: joined(mutant.headers), body: mutant.body })) accepted.push(name);
      }
      expect(accepted.sort()).toEqual(Object.keys(differs).sort());
      expect(messages).toEqual([]);
    });
  });
}

async function mutations({ sign, proof, isTimed = false }: SdkContract): Promise<Mutation[]> {
  const { headers, body } = await sign();
  const middle = Math.floor(body.length / 2);
  const flipped = Buffer.from(body);
  flipped[middle] = (flipped[middle] as number) ^ 1;
  const all: Mutation[] = [
    ["an octet of the body changed", { headers, body: flipped }],
    ["an octet behind the body", { headers, body: Buffer.concat([body, Buffer.from(" ")]) }],
    ["an octet of the body missing", { headers, body: body.subarray(0, -1) }],
    ["a byte order mark before the body", { headers, body: Buffer.concat([Buffer.from("\uFEFF"), body]) }],
    ["no body", { headers, body: Buffer.alloc(0) }],
    ["another secret", await sign({ isOther: true })],
  ];
  if (isTimed) {
    all.push(["ten minutes ago", await sign({ now: Date.now() - 600_000 })]);
    all.push(["in ten minutes", await sign({ now: Date.now() + 600_000 })]);
  }
  for (const field of proof) {
    const { [field]: value = "", ...others } = headers;
    const change = (what: string, lines: string | readonly string[]): void => {
      all.push([`${field} ${what}`, { headers: { ...others, [field]: lines }, body }]);
    };
    all.push([`${field} missing`, { headers: others, body }]);
    change("empty", "");
    change("twice", [value, value]);
    change("twice, first wrong", [changed(value, 0), value]);
    change("twice, last wrong", [value, changed(value, 0)]);
    change("with its first digit changed", changed(value, value.search(/\w(?=\w*=*$)/)));
    change("with its last digit changed", changed(value, value.search(/\w\W*$/)));
    change("with its last digit missing", value.replace(/\w(\W*)$/, "$1"));
    change("with a digit behind it", `${value}0`);
    change("with letters behind it", `${value}zz`);
    change("with a comma behind it", `${value},`);
    const hex = /[0-9a-f]{40,}$/.exec(value)?.[0];
    if (hex !== undefined) change("in upper case", value.replace(hex, hex.toUpperCase()));
  }
  return all;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Puts another digit at a place: one that means other octets, also at the end of base64, where bits are to spare. */
function changed(value: string, at: number): string {
  const digit = value[at] as string;
  const isNumber = /^[\da-f]*$/.test(/\w*$/.exec(value)?.[0] ?? "");
  const other = isNumber ? (digit === "1" ? "2" : "1") : (BASE64[BASE64.indexOf(digit) ^ 32] as string);
  return value.slice(0, at) + other + value.slice(at + 1);
}

function joined(headers: Sent["headers"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, lines]) => [name, [lines].flat().join(", ")]));
}
