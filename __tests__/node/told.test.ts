/**
 * What whoever runs the node can find out at three in the morning: which delivery it was, and why.
 */
import { BusyError, PermanentError, type EmitContext } from "express-webhook-node";
import { github } from "express-webhook-node/sources/github";
import {
  quarantine as openQuarantine,
  toRequest,
  type QuarantinedDelivery,
} from "express-webhook-node/emit/quarantine";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { send as post, sign } from "express-webhook-node/testing";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const secret = "s";
const delivery = sign.github({ a: 1 }, { secret, event: "push", deliveryId: "D-1" });
const forged = { ...delivery, body: Buffer.from('{"a":2}') };

describe("a delivery that did not arrive", () => {
  it("is named by its id and type, as far as its header fields say [J4]", async () => {
    const { server, outcomes, lines } = await serveNode({ source: github({ secrets: [secret] }) });
    await post(server, forged);
    expect(outcomes[0]).toMatchObject({ kind: "refused", deliveryId: "D-1", eventType: "push" });
    expect(lines[0]).toMatch(/^warn: webhook webhook: refused, 401 ERR_WEBHOOK_HTTP_EXCEPTION delivery D-1 type push:/);
  });

  it("is named where the emitter has failed, without a stack for a receiver that is away [J4]", async () => {
    const emitter = () => Promise.reject(new BusyError("The broker is away."));
    const { server, outcomes, lines } = await serveNode({ source: github({ secrets: [secret] }), emitter });
    await post(server, delivery);
    expect(outcomes[0]).toMatchObject({ kind: "failed", deliveryId: "D-1", eventType: "push" });
    expect(lines[0]).toMatch(/^error: .*delivery D-1 type push: .* The broker is away\.$/);
  });

  it("is named where it was answered and not emitted [J4]", async () => {
    const { server, outcomes } = await serveNode({ source: github({ secrets: [secret], ignore: ["push"] }) });
    await post(server, delivery);
    expect(outcomes[0]).toMatchObject({ kind: "answered", eventType: "push" });
  });

  it("says who was slow [T16, T17]", async () => {
    const slow = () => new Promise<never>(() => {});
    const emitting = await serveNode({ emitter: slow, deadlineMs: 100 });
    await send(emitting.port, { body: "1" });
    expect(emitting.lines[0]).toContain("The emitter had not settled after deadlineMs (100)");
    const asking = await serveNode({ authenticator: slow, deadlineMs: 100 });
    await send(asking.port, { body: "1" });
    expect(asking.lines[0]).toContain("The authenticator had not settled after deadlineMs (100)");
  });
});

describe("a PermanentError", () => {
  const never = new PermanentError("no such customer");
  const emitter = () => Promise.reject(never);

  it("is told with its reason, also where it goes to the dead letters, which are told it, too [J1]", async () => {
    const seen: EmitContext[] = [];
    const kept = await serveNode({ emitter, deadLetter: async (_, context) => void seen.push(context) });
    expect((await send(kept.port, { body: "1" })).status).toBe(200);
    expect(kept.lines[0]).toMatch(/^warn: webhook webhook: delivered, 200 dead letter [0-9a-f]{32}: no such customer$/);
    expect(kept.outcomes[0]).toMatchObject({ isDeadLetter: true, error: never });
    expect(seen[0]?.error).toBe(never);
    expect(seen[0]?.signal).toBeInstanceOf(AbortSignal);

    const refused = await serveNode({ emitter });
    expect((await send(refused.port, { body: "1" })).text).not.toContain("customer");
    expect(refused.lines[0]).toContain("PermanentError (no such customer)");
  });
});

describe("a node that drains", () => {
  it("tells so quietly: every restart does it [T18]", async () => {
    const { port, node, lines } = await serveNode();
    await node.drain();
    expect((await send(port, { body: "1" })).status).toBe(503);
    expect(lines[0]).toMatch(/^info: .*ERR_WEBHOOK_DRAINING/);
  });
});

describe("a quarantine", () => {
  it("does not keep once more what is replayed and refused again [J4]", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quarantine-"));
    const quarantine = openQuarantine({ folder });
    const { server, url } = await serveNode({ source: github({ secrets: [secret] }), quarantine });
    await post(server, forged);
    let kept: QuarantinedDelivery | undefined;
    for (let turn = 0; turn < 200 && !kept; turn++) {
      [kept] = await quarantine.list();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(kept).toMatchObject({ deliveryId: "D-1", eventType: "push", status: 401 });
    const replayed = quarantine.replay(kept?.id as string, async (refused) => {
      const { url: target, ...init } = toRequest(refused, url);
      if (!(await fetch(target, init)).ok) throw new Error("refused again");
    });
    await expect(replayed).rejects.toThrow("refused again");
    expect(await quarantine.list()).toHaveLength(1);
    await quarantine.close();
    rmSync(folder, { recursive: true });
  });
});

describe("leaseSeconds", () => {
  it("must be longer than deadlineMs [J3]", async () => {
    const store = { claim() {}, confirm() {}, release() {} } as never;
    await expect(serveNode({ deduplicate: { store, leaseSeconds: 10 } })).rejects.toThrow(
      "leaseSeconds: 10 is not longer than deadlineMs (10000)",
    );
  });
});
