import manifestOfThePackage from "../../package.json";
import { layering, sourcesOfLib } from "../../.ci/layering";

const manifest = {
  name: "express-webhook-node",
  dependencies: { ajv: "^8.0.0" },
  peerDependencies: { express: "^5.0.0", nats: "^2.0.0" },
  peerDependenciesMeta: { nats: { optional: true } },
};

/** Says what is wrong with an invented lib. The files that it lacks hold nothing. */
function problems(sources: Record<string, string>): string[] {
  const empty = ["lib/message.ts", "lib/errors.ts", "lib/request/step.ts", "lib/accept/gate.ts", "lib/emit/index.ts"];
  return layering({ ...Object.fromEntries(empty.map((file) => [file, ""])), ...sources }, manifest);
}

describe("the imports of lib", () => {
  it("run one way", () => {
    expect(layering(sourcesOfLib(), manifestOfThePackage)).toEqual([]);
  });
});

describe("layering", () => {
  it.each([
    [
      "a leg, its own files, what is beneath",
      "lib/emit/x.ts",
      'import { a } from "../request/step"; export * from ".";',
    ],
    ["a dependency", "lib/emit/x.ts", 'import Ajv from "ajv";'],
    ["a module of Node", "lib/emit/x.ts", 'import { once } from "node:events";'],
    ["types of Express", "lib/emit/x.ts", 'import type { Request } from "express";'],
    ["Express in the factory", "lib/webhook-node.ts", 'import { Router } from "express";'],
    ["an optional peer off the path", "lib/emit/x.ts", 'import { connect } from "nats";'],
    ["types in message", "lib/message.ts", "export type A = string; type B = A; export type { B };"],
  ])("takes %s", (_, file, text) => {
    expect(problems({ [file]: text })).toEqual([]);
  });

  it.each([
    ["an import", 'import { a } from "../accept/gate";'],
    ["an import of types", 'import type { A } from "../accept/gate";'],
    ["an import that runs later", 'export const a = () => import("../accept/gate");'],
    ["a require", 'export const a = () => require("../accept/gate");'],
    ["an export from", 'export { a } from "../accept/gate";'],
    ["a type in place", 'export type A = import("../accept/gate").A;'],
  ])("refuses a leg in a leg, as %s", (_, text) => {
    expect(problems({ "lib/emit/x.ts": text })).toEqual([
      "lib/emit/x.ts imports lib/accept/gate.ts: a leg never imports another leg",
    ]);
  });

  it("refuses an import upwards", () => {
    expect(problems({ "lib/request/x.ts": 'import { emit } from "../emit";' })).toEqual([
      "lib/request/x.ts imports lib/emit/index.ts: request imports only errors, message",
    ]);
  });

  it("refuses a file without a layer", () => {
    expect(problems({ "lib/utils.ts": "" })).toEqual([
      "lib/utils.ts is in no layer: give utils a place in .ci/layering.js",
    ]);
  });

  it("refuses a circle, of types too", () => {
    const sources = { "lib/emit/a.ts": 'import { b } from "./b";', "lib/emit/b.ts": 'import type { a } from "./a";' };
    expect(problems(sources)).toEqual(["lib/emit/a.ts -> lib/emit/b.ts -> lib/emit/a.ts: imports in a circle"]);
  });

  it("refuses Express at run time, but in the factory", () => {
    expect(problems({ "lib/emit/x.ts": 'import { Router, type Request } from "express";' })).toEqual([
      "lib/emit/x.ts imports express at run time: only lib/webhook-node.ts and lib/testing.ts may",
    ]);
  });

  it("refuses an optional peer on the path from the index", () => {
    const sources = { "lib/index.ts": 'export * from "./emit/x";', "lib/emit/x.ts": 'import { connect } from "nats";' };
    expect(problems(sources)).toEqual([
      "lib/emit/x.ts imports nats, an optional peer, and is reached by lib/index.ts -> lib/emit/x.ts",
    ]);
  });

  it("refuses a package that is not listed, and a module of Node without its prefix", () => {
    expect(problems({ "lib/emit/x.ts": 'import a from "lodash/get"; import b from "crypto";' })).toEqual([
      "lib/emit/x.ts imports lodash: package.json lists it neither as a dependency nor as a peer",
      "lib/emit/x.ts imports crypto: write node:crypto",
    ]);
  });

  it("refuses values in message", () => {
    expect(problems({ "lib/message.ts": "export const a = 1;" })).toEqual([
      "lib/message.ts holds values: it is for types only",
    ]);
  });

  it("refuses a path that leads nowhere", () => {
    expect(problems({ "lib/emit/x.ts": 'import { a } from "./gone";' })).toEqual([
      "lib/emit/x.ts imports ./gone: lib has no such file",
    ]);
  });
});
