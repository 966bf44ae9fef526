/**
 * Tracking ids.
 */
import { trackingId } from "express-webhook-node/emit/tracking-id";
import { send, serveNode } from "../support/serve";

describe("trackingId", () => {
  it("is 32 hex digits, and new each time [G1]", () => {
    const ids = Array.from({ length: 10_000 }, trackingId);

    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(10_000);
  });

  it("looks random in each of its digits [G1]", () => {
    const ids = Array.from({ length: 2000 }, trackingId);
    for (let digit = 0; digit < 32; digit++) expect(new Set(ids.map((id) => id[digit])).size).toBe(16);
  });

  it("is what the sender reads in the answer, and the outcome tells [G1, J4]", async () => {
    const { port, messages, outcomes } = await serveNode();
    const answered = await send(port, { body: "1" });

    expect(answered.json.trackingId).toBe(messages[0]!.trackingId);
    expect(outcomes[0]!.trackingId).toBe(messages[0]!.trackingId);
  });
});
