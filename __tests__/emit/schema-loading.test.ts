import type * as CompilingModule from "express-webhook-node/emit/compile-message-type";

const PACKAGES = ["ajv", "ajv/dist/2020", "ajv-formats", "re2js"];

/** The packages that have been loaded. */
const loaded = new Set<string>();

beforeEach(() => {
  loaded.clear();
  jest.resetModules();
  for (const name of PACKAGES) {
    jest.doMock(name, () => {
      loaded.add(name);
      return jest.requireActual<object>(name);
    });
  }
});

type Compiling = typeof CompilingModule;

function compiling(): Compiling["compileMessageType"] {
  require("express-webhook-node");
  return (require("express-webhook-node/emit/compile-message-type") as Compiling).compileMessageType;
}

describe("what schemas need", () => {
  it("is not loaded with the package, nor by types without a schema", () => {
    const compileMessageType = compiling();
    compileMessageType("echo.json");
    expect([...loaded]).toEqual([]);
  });

  it("is not loaded by a Standard Schema", () => {
    const validate = () => ({ value: 1 });
    compiling()({ name: "mine", schema: { "~standard": { version: 1, vendor: "mine", validate } } });
    expect([...loaded]).toEqual([]);
  });

  it("is loaded by the first JSON Schema, each by the first that needs it", () => {
    const compileMessageType = compiling();
    compileMessageType({ name: "mine", schema: { type: "string" } });
    expect(loaded).toEqual(new Set(["ajv", "ajv/dist/2020", "ajv-formats"]));
    compileMessageType({ name: "mine", schema: { pattern: "^a$" } });
    expect(loaded).toEqual(new Set(PACKAGES));
  });
});
