import { cachedSecrets } from "express-webhook-node/authenticate/cached-secrets";
import type { WebhookRequest } from "express-webhook-node";

const from = (tenant: string) => ({ params: { tenant } }) as unknown as WebhookRequest;
const key = ({ params }: WebhookRequest) => String(params["tenant"]);

describe("cachedSecrets", () => {
  it("loads a key once for all that ask meanwhile, and again after its time", async () => {
    const load = jest.fn(async (tenant: string) => [`secret of ${tenant}`]);
    const find = cachedSecrets({ key, load, ttlSeconds: 60 });
    const all = await Promise.all([find(from("a")), find(from("a")), find(from("b"))]);
    expect(all).toEqual([["secret of a"], ["secret of a"], ["secret of b"]]);
    await find(from("a"));
    expect(load.mock.calls).toEqual([["a"], ["b"]]);

    const now = jest.spyOn(performance, "now").mockReturnValue(performance.now() + 60_001);
    await find(from("a"));
    now.mockRestore();
    expect(load).toHaveBeenCalledTimes(3);
  });

  it("remembers no failure", async () => {
    const load = jest.fn().mockRejectedValueOnce(new Error("vault is down")).mockResolvedValue(["s"]);
    const find = cachedSecrets({ key, load });
    await expect(Promise.all([find(from("a")), find(from("a"))])).rejects.toThrow("vault is down");
    await expect(find(from("a"))).resolves.toEqual(["s"]);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it("forgets the key asked for longest ago, so that strangers cannot fill it", async () => {
    const load = jest.fn(async () => ["s"]);
    const find = cachedSecrets({ key, load, maxKeys: 2 });
    for (const tenant of ["a", "b", "a", "c", "a", "b"]) await find(from(tenant));
    expect(load.mock.calls.flat()).toEqual(["a", "b", "c", "b"]);
  });

  it.each([
    ["load: undefined is not a function.", { key }],
    ["ttlSeconds: NaN is not a positive whole number", { key, load: () => [], ttlSeconds: NaN }],
    ["Did you mean ttlSeconds?", { key, load: () => [], ttlSecond: 1 }],
  ])("throws at start: %s", (message, options) => {
    expect(() => cachedSecrets(options as never)).toThrow(message);
  });
});
