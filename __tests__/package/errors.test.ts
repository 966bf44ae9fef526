/**
 * The table of refusals, held equal to the README's both ways.
 */
import { STATUS_CODES } from "node:http";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { WebhookError, type WebhookErrorCode } from "express-webhook-node";
import { retryAfter, STATUS } from "express-webhook-node/errors";

const root = join(__dirname, "../..");
const codes = Object.entries(STATUS) as readonly (readonly [WebhookErrorCode, number])[];

describe("the README's table of errors", () => {
  const rows = [
    ...readFileSync(join(root, "README.md"), "utf8").matchAll(
      /^\|\s*`(ERR_WEBHOOK_\w+)`\s*\|\s*(\d{3})\s*\|\s*(.*?)\s*\|\s*$/gm,
    ),
  ];

  it("tells the same codes with the same statuses as the code", () => {
    expect(Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]))).toEqual(STATUS);
  });

  it("tells each once, and what it means", () => {
    expect(new Set(rows.map(([, code]) => code)).size).toBe(rows.length);
    expect(rows.filter(([, , , meaning]) => !meaning)).toEqual([]);
  });
});

describe("STATUS", () => {
  const sources = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && name !== "errors.ts")
    .map((name) => readFileSync(join(root, "lib", name), "utf8"))
    .join("\n");

  it.each(codes)("has a code that lib throws, and a status that HTTP knows: %s", (code, status) => {
    expect(sources).toContain(`"${code}"`);
    expect(STATUS_CODES[status]).toBeDefined();
    expect(status).toBeGreaterThanOrEqual(400);
  });

  it("tells an RFC section for each", () => {
    const lines = readFileSync(join(root, "lib/errors.ts"), "utf8").match(/^ {2}ERR_WEBHOOK_\w+: \d{3},.*$/gm);

    expect(lines).toHaveLength(codes.length);
    for (const line of lines!) expect(line).toMatch(/ \/\/ RFC \d{4} section \d/);
  });
});

describe("WebhookError", () => {
  it.each(codes)("has the status of its code, and shows its message unless the fault is ours: %s", (code, status) => {
    const error = new WebhookError(code, "a message");

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "WebhookError",
      message: "a message",
      code,
      status,
      statusCode: status,
      headers: {},
    });
    expect(error.expose).toBe(status !== 500);
    expect("cause" in error).toBe(false);
    expect(error.advice).toBeUndefined();
  });

  it("carries fields, advice and cause", () => {
    const cause = new Error("beneath");
    const error = new WebhookError("ERR_WEBHOOK_EMIT", "a", { headers: { "Retry-After": "1" }, advice: "b", cause });

    expect(error).toMatchObject({ headers: { "Retry-After": "1" }, advice: "b", cause });
  });

  it("tells in its stack where it was made", () => {
    expect(new WebhookError("ERR_WEBHOOK_EMIT", "a").stack).toMatch(/errors\.test\.ts/);
  });
});

describe("retryAfter", () => {
  it.each([
    [undefined, "1"],
    [0, "1"],
    [0.2, "1"],
    [1, "1"],
    [1.2, "2"],
    [60, "60"],
    [-5, "1"],
  ])("tells whole seconds, one at least: %p", (seconds, told) => {
    expect(retryAfter(seconds)).toEqual({ "Retry-After": told });
  });
});
