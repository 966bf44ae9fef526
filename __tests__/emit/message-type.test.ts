import { compileMessageType } from "express-webhook-node/emit/compile-message-type";
import { defineMessageType, type MessageType } from "express-webhook-node/emit/message-type";
import { createMessageTypes } from "express-webhook-node/emit/message-types";
import type { AuditAttributes } from "express-webhook-node/emit/audit";
import type { Message } from "express-webhook-node";
import { z } from "zod";

const order: MessageType = {
  name: "shop.order",
  description: "An order of the shop.",
  mediaTypes: ["application/vnd.shop.order+json"],
  schema: { type: "object", required: ["id"], properties: { id: { type: "integer" } } },
  sampleMessage: '{"id":1}',
  requirements: ["pg@>=8.11"],
  readme: "# Orders",
};

describe("createMessageTypes", () => {
  it("holds the app's types and the system's, by name [H1]", () => {
    const library = createMessageTypes([order]);
    expect(library.get("shop.order")).toEqual(order);
    expect(library.get("echo.json")?.name).toBe("echo.json");
    expect(library.get("constructor")).toBeUndefined();
    const names = library.list().map(({ name }) => name);
    expect(names.at(-1)).toBe("shop.order");
    expect(names.slice(0, -1).every((name) => name.startsWith("echo."))).toBe(true);
  });

  it("does not change with the types that it was made of", () => {
    const mine = { ...order };
    const library = createMessageTypes([mine]);
    Object.assign(mine, { description: "changed" });
    expect(library.get("shop.order")?.description).toBe("An order of the shop.");
    expect(Object.isFrozen(library.get("shop.order"))).toBe(true);
  });

  it.each(["abc", "a-b.c:d/e=f+g@h i_J9", "x".repeat(80)])("takes the name %j [E1, H1]", (name) => {
    expect(createMessageTypes([{ name }]).get(name)).toEqual({ name });
  });

  it.each(["", "ab", "x".repeat(81), "a\tb", "a\nb", "äöü", "a,b", "a;b", 'a"b', "a\\b", "a\u00a0b", 7, undefined])(
    "refuses the name %j at start [E1, H1]",
    (name) => {
      expect(() => createMessageTypes([{ name: name as string }])).toThrow("a name has 3 to 80 characters");
    },
  );

  it("lists all that is wrong in one error [H1]", () => {
    const types = [
      { name: "echo.mine" },
      { name: "a" },
      { name: "twice" },
      { name: "twice" },
      { name: "wrong", mediaTypes: ["json"], auditor: 5, requirements: "pg", patterns: "fast", shema: {}, readme: 1 },
      null,
    ];
    let message = "";
    try {
      createMessageTypes(types as never);
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      ({ message } = error as Error);
    }
    expect(message.split("; ")).toEqual([
      `createMessageTypes: "echo.mine": names that begin with "echo." are the system's`,
      '"a": a name has 3 to 80 characters, of A-Z a-z 0-9 _ . : / = + - @ and space',
      '"twice": there are two of that name',
      '"wrong": there is no "shema" in a message type',
      "did you mean schema",
      '"wrong": readme is not a text',
      '"wrong": mediaTypes is not a list of media types, such as ["application/fhir+json"]',
      '"wrong": requirements is not a list of texts',
      '"wrong": auditor is not a function',
      '"wrong": patterns is neither "linear" nor "native"',
      "null is no message type.",
    ]);
  });

  it("refuses what is not a list", () => {
    expect(() => createMessageTypes({} as never)).toThrow(/^createMessageTypes: an object is not a list/);
  });
});

describe("compileMessageType", () => {
  it("finds a type by its name in a library [H1]", () => {
    const { name, validate, requirements } = compileMessageType("shop.order", { library: createMessageTypes([order]) });
    expect(name).toBe("shop.order");
    expect(requirements).toEqual(["pg@>=8.11"]);
    expect(validate?.({ id: 1 })).toEqual({ value: { id: 1 } });
    expect(validate?.({ id: "1" })).toEqual({ issues: [{ pointer: "#/id", detail: "must be integer" }] });
  });

  it("takes a type as it is", () => {
    const compiled = compileMessageType({ name: "plain" });
    expect(compiled).toEqual({ name: "plain", covers: expect.any(Function), requirements: [] });
  });

  it("compiles a type of a library once", () => {
    const library = createMessageTypes([order]);
    const { validate } = compileMessageType("shop.order", { library });
    expect(validate).toBeDefined();
    expect(compileMessageType("shop.order", { library }).validate).toBe(validate);
  });

  it.each([
    ["echo.jsn", "Did you mean echo.json?"],
    ["shop.orders", "Did you mean shop.order?"],
    ["something", 'Pass it as { name: "something" }'],
  ])("refuses the unknown name %j at start", (name, mend) => {
    const library = createMessageTypes([order]);
    expect(() => compileMessageType(name, { library })).toThrow(TypeError);
    expect(() => compileMessageType(name, { library })).toThrow(`messageType: there is no type "${name}". ${mend}`);
  });

  it.each([
    [{ name: "echo.mine" }, "are the system's"],
    [{ name: "x" }, "a name has 3 to 80 characters"],
    [5, "5 is no message type"],
    [{ name: "order", schema: { typ: "object" } }, 'messageType "order": schema: strict mode: unknown keyword: "typ"'],
    [{ name: "order", schema: z.string(), patterns: "native" }, 'messageType "order": patterns:'],
    [{ name: "order", schema: {}, sampleMessage: "{" }, 'messageType "order": sampleMessage: it is not JSON'],
    [
      { ...order, sampleMessage: "{}" },
      `messageType "shop.order": sampleMessage: by its own schema, # must have required property 'id'`,
    ],
  ])("refuses a type that is none at start: %j", (type, message) => {
    expect(() => compileMessageType(type as MessageType)).toThrow(TypeError);
    expect(() => compileMessageType(type as MessageType)).toThrow(message);
  });

  it("does not wait for a schema that needs time to see a sample", () => {
    const schema = z.string().refine(async () => false);
    expect(compileMessageType({ name: "order", schema, sampleMessage: '"a"' }).validate).toBeInstanceOf(Function);
  });
});

describe("the media types that a message type covers", () => {
  const all = ["application/json", "application/fhir+json", "model/gltf+json", "text/json", undefined];

  it.each<[string, string | MessageType]>([
    ["echo.json", "echo.json"],
    ["echo.text", "echo.text"],
    ["a type that names none", { name: "any" }],
    ["a type of application/json, in any case", { name: "any", mediaTypes: ["Application/JSON; charset=utf-8"] }],
    ["a type that has application/json among others", { name: "any", mediaTypes: ["text/csv", "application/json"] }],
  ])("are all for %s [A4]", (_, type) => {
    const { covers } = compileMessageType(type);
    expect(all.map(covers)).toEqual(all.map(() => true));
  });

  it("are its own for others [A4]", () => {
    const { covers } = compileMessageType("echo.fhir-json");
    expect(all.map(covers)).toEqual([false, true, false, false, false]);
  });

  it.each(["echo.hl7", "echo.xml", "echo.yaml", "echo.toml", "echo.csv"])(
    "are not JSON for %s, which is refused at start [A4]",
    (name) => {
      expect(() => compileMessageType(name)).toThrow(TypeError);
      expect(() => compileMessageType(name)).toThrow(`messageType: "${name}" is not JSON`);
    },
  );

  it("are not JSON for a type of the app that says so [A4]", () => {
    const type = { name: "mine", mediaTypes: ["text/csv", "application/pdf"] };
    expect(() => compileMessageType(type)).toThrow('"mine" is not JSON (text/csv, application/pdf)');
  });

  it("are JSON where the node takes them for that [A4]", () => {
    const type = { name: "mine", mediaTypes: ["text/json"] };
    expect(() => compileMessageType(type)).toThrow("is not JSON");
    const { covers } = compileMessageType(type, { mediaTypes: ["text/json"] });
    expect(all.map(covers)).toEqual([false, false, false, true, false]);
  });
});

describe("a message type of the system", () => {
  const library = createMessageTypes([]);
  const json = library.list().filter(({ mediaTypes = [] }) => mediaTypes.some((one) => /json|text\/plain/.test(one)));

  it.each(json.map((type) => [type.name, type] as const))(
    "has a sample that its schema takes: %s [H1]",
    (name, type) => {
      expect(type.description).toMatch(/\.$/);
      const { validate } = compileMessageType(name, { library });
      const payload: unknown = JSON.parse(type.sampleMessage as string);
      if (validate) expect(validate(payload)).toEqual({ value: payload });
      expect(validate === undefined).toBe(name === "echo.json" || name === "echo.text");
    },
  );

  it.each<[string, string, string]>([
    ["echo.fhir-json", '{"id":"1"}', "# must have required property 'resourceType'"],
    ["echo.fhir-json", '{"resourceType":"patient"}', '#/resourceType must match pattern "^[A-Z][A-Za-z]+$"'],
    ["echo.cloudevents-json", '{"specversion":"0.3","id":"1","source":"/","type":"a"}', '#/specversion must be "1.0"'],
    [
      "echo.cloudevents-json",
      '{"specversion":"1.0","id":"1","source":"/","type":"a","data":1,"data_base64":""}',
      "# must NOT be valid",
    ],
    ["echo.geo-json", '{"type":"Circle"}', "#/type must be one of"],
    [
      "echo.file",
      '{"contentLength":-1,"contentType":"a","modificationDateTime":"b","name":"c"}',
      "#/contentLength must be >= 0",
    ],
  ])("refuses what is none: %s, %s [H2]", (name, text, line) => {
    const { validate } = compileMessageType(name);
    const found = validate?.(JSON.parse(text)) as { issues: { pointer: string; detail: string }[] };
    expect(found.issues.map(({ pointer, detail }) => `${pointer} ${detail}`).join("\n")).toContain(line);
  });

  it.each<[string, AuditAttributes]>([
    ["echo.fhir-json", { resource_type: "Patient", id: "example" }],
    ["echo.cloudevents-json", { id: "1", source: "/orders", type: "order.placed", subject: undefined }],
    ["echo.geo-json", { type: "Point", id: undefined }],
    [
      "echo.file",
      {
        content_length: 12,
        content_type: "text/csv",
        modification_datetime: "2026-01-31T12:00:00Z",
        name: "orders.csv",
      },
    ],
  ])("has an auditor: %s [I1]", (name, attributes) => {
    const payload: unknown = JSON.parse(library.get(name)?.sampleMessage as string);
    expect(compileMessageType(name).auditor?.({ payload } as Message)).toEqual(attributes);
  });
});

describe("defineMessageType", () => {
  it("is the type that it is given", () => {
    expect(defineMessageType(order as never)).toBe(order);
  });
});
