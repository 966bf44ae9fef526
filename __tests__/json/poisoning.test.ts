/** Keys that mean something to an object: they arrive as they were sent, and change nothing but the value they stand in. */
import { toCloudEvent } from "express-webhook-node";
import { CODE, send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { oneNode } from "./one-node";

watchUnhandled();

const BODIES: readonly string[] = [
  '{"__proto__":{"polluted":true}}',
  '{"__proto__":null}',
  '{"__proto__":[]}',
  '{"__proto__":"text"}',
  '{"\\u005f\\u005fproto\\u005f\\u005f":{"polluted":true}}',
  '{"a":{"__proto__":{"polluted":true}}}',
  '[{"__proto__":{"polluted":true}}]',
  '{"__proto__":{"__proto__":{"polluted":true}}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"constructor":null,"prototype":null}',
  '{"toString":null,"valueOf":1,"hasOwnProperty":false,"toJSON":"x"}',
  '{"then":"x","catch":1,"finally":null}',
  '{"then":{"then":{}}}',
  '{"length":-1,"0":"x"}',
  '{"code":"ERR_WEBHOOK_PERMANENT","status":200,"isAuthenticated":true,"scopes":["admin"]}',
];

describe("a payload with keys of its own meaning [T11]", () => {
  const judge = oneNode();
  const judgeItem = oneNode({ split: true });

  /** What nothing may have changed. */
  const untouched = (): void => {
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(([] as unknown as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(() => {}).not.toHaveProperty("polluted");
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("polluted");
  };

  it.each(BODIES)("%s is passed on as it came, and poisons nothing", async (body) => {
    for (const coding of ["identity", "br"] as const) {
      const { answered, message } = await judge({ body: CODE[coding](body), headers: { "content-encoding": coding } });
      expect(answered.status).toBe(200);
      expect(Object.keys(answered.json)).toEqual(["trackingId"]);
      expect(message?.body).toBe(body);
      const expected: unknown = JSON.parse(body);
      // As JSON has it: an own key, and the prototype of any other object.
      expect(JSON.stringify(message?.payload)).toBe(JSON.stringify(expected));
      expect([Object.prototype, Array.prototype]).toContain(Object.getPrototypeOf(message?.payload));
      expect(JSON.stringify(toCloudEvent(message!).data)).toBe(JSON.stringify(expected));
      untouched();
    }
  });

  it.each(BODIES.filter((body) => !body.startsWith("[")))(
    "%s is the same as an item of a delivery that is split",
    async (item) => {
      const { message } = await judgeItem({ body: `[${item}]` });
      expect(message?.body).toBe(JSON.stringify(JSON.parse(item)));
      expect(JSON.stringify(message?.payload)).toBe(message?.body);
      expect(Object.getPrototypeOf(message?.payload)).toBe(Object.prototype);
      untouched();
    },
  );

  it("takes no key of the payload for what is known of the message, its sender or its answer", async () => {
    const { port, messages, outcomes } = await serveNode();
    const body = JSON.stringify({
      trackingId: "forged",
      key: "forged",
      node: "forged",
      sender: { name: "forged", scopes: ["admin"] },
    });
    const answered = await send(port, { body });
    expect(answered.text).not.toContain("forged");
    const { payload: _payload, body: _body, octets: _octets, ...known } = messages[0]!;
    expect(JSON.stringify(known)).not.toContain("forged");
    expect(JSON.stringify(outcomes)).not.toContain("forged");
  });
});
