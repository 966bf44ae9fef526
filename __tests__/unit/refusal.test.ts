import { HTTPException, WebhookError, type WebhookErrorCode } from "express-webhook-node";
import { STATUS } from "../../lib/errors";
import { HTTP_EXCEPTION, refusalOf } from "../../lib/request/refusal";

/** What a sender is told: the status, and the problem document. */
function told(error: unknown): { readonly status: number; readonly problem: unknown } {
  const { status, content } = refusalOf(error).answer;
  return { status, problem: content && (JSON.parse(content.text) as unknown) };
}

const internal = {
  status: 500,
  problem: { type: "about:blank", title: "Internal Server Error", status: 500, code: "ERR_WEBHOOK_INTERNAL" },
};

const throwing = (member: string, others: object = {}): object =>
  Object.defineProperty({ ...others }, member, {
    enumerable: true,
    get(): never {
      throw new Error("secret in a getter");
    },
  });

describe("refusalOf a WebhookError [T15]", () => {
  it.each(Object.keys(STATUS) as WebhookErrorCode[])("answers %s by the table", (code) => {
    const cause = new Error("secret in the cause");
    const error = new WebhookError(code, "Words for the sender.", {
      headers: { "X-A": "b" },
      advice: "Mend it.",
      cause,
    });
    const { answer, outcome } = refusalOf(error);
    const status = STATUS[code];
    expect(answer.status).toBe(status);
    expect(answer.headers).toEqual(status === 503 ? { "Retry-After": "1", "X-A": "b" } : { "X-A": "b" });
    expect(answer.content?.type).toBe("application/problem+json");
    expect(told(error).problem).toEqual({
      type: "about:blank",
      title: expect.stringMatching(/^[A-Z][A-Za-z- ]+$/),
      status,
      detail: "Words for the sender.",
      code,
    });
    expect(JSON.stringify(answer)).not.toMatch(/secret|Mend it|stack/);
    const kind = code === "ERR_WEBHOOK_ABORTED" ? "aborted" : status < 500 ? "refused" : "failed";
    expect(outcome).toEqual({ kind, status, code, detail: "Words for the sender.", advice: "Mend it.", error: cause });
  });

  it("leaves the time to wait that it has", () => {
    const error = new WebhookError("ERR_WEBHOOK_EMIT", "Later.", { headers: { "Retry-After": "7" } });
    expect(refusalOf(error).answer.headers).toEqual({ "Retry-After": "7" });
  });

  it("knows one of another copy of the package by its code and status", () => {
    const { name, message, code, status, headers } = new WebhookError("ERR_WEBHOOK_JSON", "No JSON.");
    expect(told({ name, message, code, status, headers }).status).toBe(400);
    expect(told({ code, status: 418, message })).toEqual({
      status: 418,
      problem: expect.not.objectContaining({ code }),
    });
    expect(told({ code: "constructor", status: undefined })).toEqual(internal);
  });
});

describe("refusalOf an HTTPException [C1]", () => {
  it.each([200, 204, 302, 304, 400, 401, 403, 404, 429, 500, 503, 599])("answers %d as it dictates", (status) => {
    const { answer, outcome } = refusalOf(new HTTPException(status, { headers: { "X-A": "b" } }));
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ "X-A": "b" });
    expect(answer.content === undefined).toBe(status < 400);
    expect(outcome).toMatchObject({
      kind: status < 400 ? "answered" : status < 500 ? "refused" : "failed",
      status,
      code: HTTP_EXCEPTION,
    });
  });

  it("shows a text as the detail of a problem document", () => {
    expect(told(new HTTPException(401, { detail: "Bad token" })).problem).toEqual({
      type: "about:blank",
      title: "Unauthorized",
      status: 401,
      detail: "Bad token",
      code: HTTP_EXCEPTION,
    });
  });

  it.each([[{ a: [1] }], [[1]], [null], [0], [false]])("sends any other detail as JSON: %j", (detail) => {
    const { content } = refusalOf(new HTTPException(400, { detail })).answer;
    expect(content).toEqual({ type: "application/json", text: JSON.stringify({ detail }) });
  });

  it.each([undefined, Number.NaN, "401", 99, 199, 600, 401.5, null])(
    "takes one with the status %p for no exception of its kind",
    (status) => {
      expect(told({ code: HTTP_EXCEPTION, status })).toEqual(internal);
    },
  );

  it("is 500 for a detail that has become no JSON", () => {
    const detail: Record<string, unknown> = {};
    const error = new HTTPException(400, { detail });
    detail["itself"] = detail;
    expect(told(error)).toEqual(internal);
  });
});

describe("refusalOf any other error [C1, C2, T15]", () => {
  it.each<[string, object, string | undefined]>([
    ["that is exposed", { status: 404, expose: true, message: "No such shop" }, "No such shop"],
    ["with statusCode alone", { statusCode: 404, expose: true, message: "No such shop" }, "No such shop"],
    ["that is not exposed", { status: 404, expose: false, message: "secret" }, undefined],
    ["that does not say", { status: 404, message: "secret" }, undefined],
    ["that is exposed by what is not true", { status: 404, expose: 1, message: "secret" }, undefined],
    ["whose message is no text", { status: 404, expose: true, message: { secret: 1 } }, undefined],
  ])("keeps the status of one %s", (_, error, detail) => {
    expect(told(error)).toEqual({
      status: 404,
      problem: { type: "about:blank", title: "Not Found", status: 404, ...(detail !== undefined && { detail }) },
    });
  });

  it("carries the fields of one that is exposed, and of no other", () => {
    const headers = { "WWW-Authenticate": "Bearer", "X-Number": 5 };
    expect(refusalOf({ status: 401, expose: true, headers }).answer.headers).toEqual({
      "WWW-Authenticate": "Bearer",
      "X-Number": "5",
    });
    expect(refusalOf({ status: 401, expose: false, headers }).answer.headers).toEqual({});
    for (const none of [null, undefined, "X: y", 5]) {
      expect(refusalOf({ status: 401, expose: true, headers: none }).answer.headers).toEqual({});
    }
  });

  it("shows nothing of what an HTTP client says of its own upstream", () => {
    // The members of an error of axios 1.
    const error = Object.assign(new Error("Request failed with status code 404"), {
      name: "AxiosError",
      code: "ERR_BAD_REQUEST",
      status: 404,
      config: { headers: { Authorization: "Bearer secret" }, url: "http://vault.internal/secret" },
      response: { status: 404, headers: { "set-cookie": ["secret"] }, data: "<b>secret</b>" },
    });
    const { answer, outcome } = refusalOf(error);
    expect(JSON.stringify(answer)).not.toMatch(/secret|vault|failed|BAD_REQUEST/);
    expect([answer.status, answer.headers]).toEqual([404, {}]);
    expect(outcome).toEqual({ kind: "refused", status: 404, error });
  });

  it.each([
    ["an Error", new Error("secret")],
    ["a text", "secret"],
    ["a number", 404],
    ["null", null],
    ["undefined", undefined],
    ["false", false],
    ["a symbol", Symbol("secret")],
    ["a bigint", 10n],
    ["a function", Object.assign(() => {}, { status: 404, expose: true, message: "secret" })],
    ["an array", ["secret"]],
    ["an object without a prototype", Object.create(null)],
    ["a status below 400", { status: 200, expose: true, message: "secret" }],
    ["a status of 399", { status: 399, expose: true, message: "secret" }],
    ["a status of 600", { status: 600, expose: true, message: "secret" }],
    ["a status that is text", { status: "404", expose: true, message: "secret" }],
    ["a status that is no whole number", { status: 404.5, expose: true, message: "secret" }],
    ["a code that throws", throwing("code")],
    ["a status that throws", throwing("status")],
    ["a message that throws", throwing("message", { status: 404, expose: true })],
    ["fields that throw", { status: 404, expose: true, headers: throwing("X-A") }],
    ["a field that has no text", { status: 404, expose: true, headers: { "X-A": Object.create(null) as unknown } }],
    [
      "a proxy whose every member throws",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("secret");
          },
        },
      ),
    ],
  ])("is 500 without a word for %s", (_, error) => {
    expect(told(error)).toEqual(internal);
    const { answer, outcome } = refusalOf(error);
    expect(answer.headers).toEqual({});
    expect(outcome).toMatchObject({ kind: "failed", status: 500, code: "ERR_WEBHOOK_INTERNAL" });
    expect(outcome.error).toBe(error);
  });

  it("adds the time to wait to any 503", () => {
    expect(refusalOf({ status: 503 }).answer.headers).toEqual({ "Retry-After": "1" });
  });

  it("names a status that has no name", () => {
    expect(told({ status: 599 }).problem).toEqual({ type: "about:blank", title: "Error", status: 599 });
  });
});
