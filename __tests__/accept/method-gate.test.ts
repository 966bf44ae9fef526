import express from "express";
import { methodGate, problem, type WebhookError } from "express-webhook-node";
import { quietConsole } from "../support/quiet";
import { send, serve, serveApp, serveNode } from "../support/serve";

quietConsole();

const handler = (_req: unknown, res: { end: (text: string) => void }): void => res.end("passed");

describe("methodGate [A1]", () => {
  it("lets POST through", async () => {
    const { port } = await serve(methodGate(), handler, problem());
    expect(await send(port)).toMatchObject({ status: 200, text: "passed" });
  });

  it.each(["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH", "HEAD"])(
    "answers 405 with Allow to %s",
    async (method) => {
      const { port } = await serve(methodGate(), handler, problem());
      const { status, headers, text, json } = await send(port, { method });
      expect([status, headers.allow, headers["content-type"]]).toEqual([405, "POST", "application/problem+json"]);
      if (method === "HEAD") expect(text).toBe("");
      else expect(json).toMatchObject({ title: "Method Not Allowed", status: 405, code: "ERR_WEBHOOK_METHOD" });
    },
  );

  it("lets through the methods that it is told, and names them in Allow", async () => {
    const { port } = await serve(methodGate({ methods: ["PUT", "PATCH"] }), handler, problem());
    expect((await send(port, { method: "PUT" })).status).toBe(200);
    expect((await send(port, { method: "PATCH" })).status).toBe(200);
    expect(await send(port)).toMatchObject({ status: 405, headers: { allow: "PUT, PATCH" } });
  });

  it("reads its options once", async () => {
    const methods = ["POST"];
    const gate = methodGate({ methods });
    methods[0] = "GET";
    const { port } = await serve(gate, handler, problem());
    expect((await send(port)).status).toBe(200);
    expect((await send(port, { method: "GET" })).headers.allow).toBe("POST");
  });

  it("takes undefined for absent", async () => {
    const { port } = await serve(methodGate({ methods: undefined }), handler, problem());
    expect((await send(port)).status).toBe(200);
  });

  it.each([
    [[]],
    [["post"]],
    [["Post"]],
    [["POST", ""]],
    [["POST GET"]],
    [["POST,GET"]],
    [[1]],
    ["POST"],
    [null],
    [{}],
  ])("throws at start for methods that are %j", (methods) => {
    expect(() => methodGate({ methods: methods as never })).toThrow(TypeError);
    expect(() => methodGate({ methods: methods as never })).toThrow(/^methods: /);
  });

  it("hands its refusal to next, as Express and http-errors have them", () => {
    let refusal: unknown;
    const request = { method: "GET", url: "/", headers: {}, rawHeaders: [] };
    const response = { on: () => response, destroyed: false };
    methodGate()(request as never, response as never, (error) => (refusal = error));
    const { code, status, statusCode, headers, expose } = refusal as WebhookError;
    expect({ code, status, statusCode, headers, expose }).toEqual({
      code: "ERR_WEBHOOK_METHOD",
      status: 405,
      statusCode: 405,
      headers: { Allow: "POST" },
      expose: true,
    });
  });
});

describe("a node [A1]", () => {
  it("answers 405 at its root, and leaves what is below to the app", async () => {
    const { node, messages } = await serveNode();
    const app = express();
    app.use("/hooks", node);
    app.use((req, res) => void res.status(404).end(`not mine: ${req.method} ${req.originalUrl}`));
    const { port } = await serveApp(app);

    expect(await send(port, { method: "GET", path: "/hooks" })).toMatchObject({
      status: 405,
      headers: { allow: "POST" },
    });
    expect((await send(port, { path: "/hooks", body: "{}" })).status).toBe(200);
    expect((await send(port, { path: "/hooks/", body: "{}" })).status).toBe(200);
    for (const method of ["POST", "GET"]) {
      const answered = await send(port, { method, path: "/hooks/below", body: "{}" });
      expect([answered.status, answered.text]).toEqual([404, `not mine: ${method} /hooks/below`]);
    }
    expect(messages.length).toBe(2);
  });
});
