/**
 * The step from octets to a value, alone.
 */
import type { Request, Response } from "express";
import { jsonPayload, problem } from "express-webhook-node";
import { send, serve } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

beforeEach(() => {
  jest.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => {
  jest.restoreAllMocks();
});

const tellBody = (request: Request, response: Response): void => {
  response.json({ body: request.body as unknown });
};

describe("jsonPayload", () => {
  it.each([
    ["an object", '{"a":[1,2.5e3,"\\u00e9"]}'],
    ["a list", "[]"],
    ["text", '"a"'],
    ["a number", "-0.5"],
    ["true", "true"],
    ["false", "false"],
    ["null", "null"],
    ["white space around it", " \r\n\t{} "],
    ["a key twice, of which the last one counts", '{"a":1,"a":2}'],
  ])("puts the value on request.body, and goes on: %s", async (_, text) => {
    const { port } = await serve(jsonPayload(), tellBody);

    expect((await send(port, { body: text })).json).toEqual({ body: JSON.parse(text) as unknown });
  });

  it("leaves a key __proto__ an own one, and no prototype poisoned [T11]", async () => {
    let seen: unknown;
    const { port } = await serve(jsonPayload(), (request: Request, response: Response) => {
      seen = request.body;
      response.end();
    });
    await send(port, { body: '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}' });

    expect(Object.keys(seen as object)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(seen)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([
    ["nothing", "", "ERR_WEBHOOK_BODY_EMPTY"],
    ["no JSON", "{", "ERR_WEBHOOK_JSON"],
    ["white space alone", " ", "ERR_WEBHOOK_JSON"],
    ["two values", "1 2", "ERR_WEBHOOK_JSON"],
    ["NaN", "NaN", "ERR_WEBHOOK_JSON"],
    ["what is no text", Buffer.from([0x22, 0xff, 0x22]), "ERR_WEBHOOK_TEXT"],
    ["129 levels", "[".repeat(129) + "]".repeat(129), "ERR_WEBHOOK_JSON_DEPTH"],
  ])("refuses %s: 400, and goes no further [T6, T8, T9]", async (_, body, code) => {
    const { port } = await serve(jsonPayload(), tellBody, problem());
    const answered = await send(port, { body });

    expect([answered.status, answered.json.code]).toEqual([400, code]);
  });

  it("takes 128 levels [T8]", async () => {
    const { port } = await serve(jsonPayload(), (_: Request, response: Response) => response.json("deep"));

    expect((await send(port, { body: "[".repeat(128) + "]".repeat(128) })).json).toBe("deep");
  });
});
