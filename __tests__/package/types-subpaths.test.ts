/**
 * Each subpath that the package exports can be imported by itself.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as everything from "express-webhook-node";
import manifest from "../../package.json";

const root = join(__dirname, "../..");

/** Each subpath, and the file of lib that it is built from. */
const subpaths = Object.entries(manifest.exports as Record<string, string | { readonly default: string }>).flatMap(
  ([subpath, target]): [string, string][] =>
    typeof target === "string"
      ? []
      : [[subpath, target.default.replace(/^\.\/dist\//, "lib/").replace(/\.js$/, ".ts")]],
);

/** Imports one file into a module registry of its own. */
function alone(file: string, mocks: Record<string, () => never> = {}): Record<string, unknown> {
  let exported: Record<string, unknown> = {};
  jest.isolateModules(() => {
    for (const [name, mock] of Object.entries(mocks)) jest.doMock(name, mock);
    exported = jest.requireActual<Record<string, unknown>>(join(root, file));
    for (const name of Object.keys(mocks)) jest.dontMock(name);
  });
  return exported;
}

const absent = (): never => {
  throw new Error("It is not installed.");
};

describe("the subpaths", () => {
  it("are many, the package's own among them", () => {
    expect(subpaths.length).toBeGreaterThan(15);
    expect(subpaths[0]).toEqual([".", "lib/index.ts"]);
  });

  it.each(subpaths)("%s can be imported by itself, and exports something that runs", (_, file) => {
    expect(existsSync(join(root, file))).toBe(true);
    const exported = alone(file);

    expect(Object.keys(exported).length).toBeGreaterThan(0);
    for (const value of Object.values(exported)) expect(value).toBeDefined();
    expect(exported).not.toHaveProperty("default");
  });

  const withoutExpress = subpaths.filter(([subpath]) => subpath !== "." && !subpath.startsWith("./testing"));

  it.each(withoutExpress)("%s can be imported where Express is not installed", (_, file) => {
    expect(Object.keys(alone(file, { express: absent })).length).toBeGreaterThan(0);
  });

  it("lead to what the package itself exports under the same name", () => {
    const strays: string[] = [];
    const own = everything as unknown as Record<string, unknown>;
    for (const [subpath, file] of subpaths) {
      const exported = jest.requireActual<Record<string, unknown>>(join(root, file));
      for (const [name, value] of Object.entries(exported)) {
        if (name in own && own[name] !== value) strays.push(`${subpath} ${name}`);
      }
    }

    expect(strays).toEqual([]);
  });
});
