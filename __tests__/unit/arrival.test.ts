/**
 * A body on its way, in pieces of any size.
 */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { Arrival } from "../../lib/request/arrival";
import { Lifetime } from "../../lib/request/lifetime";

/** What arrives of a request that brings these pieces. */
async function arrived(pieces: readonly Buffer[]): Promise<{ readonly count: number; readonly whole: Buffer }> {
  const request = new PassThrough();
  const room = { reserve: () => undefined };
  const arrival = new Arrival(request as unknown as IncomingMessage, new Lifetime(10_000), 10_000_000, room);
  for (const piece of pieces) request.write(piece);
  request.end();
  const octets = await arrival.whole;
  return { count: octets.pieces.length, whole: octets.whole };
}

describe("Arrival [T4]", () => {
  it.each([
    ["of one octet", 1, 10_000, 800],
    ["of a few octets", 100, 5_000, 912],
    ["of a segment each, which are kept as they are", 1460, 2_000, 2_000],
  ])("keeps few of many pieces %s", async (_, bytes, count, kept) => {
    const pieces = Array.from({ length: count }, (__, at) => Buffer.alloc(bytes, at));
    const octets = await arrived(pieces);
    expect(octets.count).toBeLessThanOrEqual(kept);
    expect(octets.whole.equals(Buffer.concat(pieces))).toBe(true);
  });
});
