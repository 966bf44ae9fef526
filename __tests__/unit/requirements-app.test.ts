import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const lib = (file: string): string => JSON.stringify(resolve(__dirname, "../../lib", file));
const preload = resolve(__dirname, "../tenant/child/from-source.cjs");

/** Prints the complaint about `pg@^8`, and which modules of `semver` that has loaded. */
const main = `
  const { checkRequirements } = require(${lib("tenant/requirements")});
  try { checkRequirements({ requirements: ["pg@^8"] }); } catch (error) { console.log(error.message); }
`;

let folder: string;

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function run(args: readonly string[], cwd = folder): string {
  return execFileSync(process.execPath, ["--require", preload, ...args], { cwd, encoding: "utf8" });
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "app-")));
  write({
    "app/package.json": "{}",
    "app/node_modules/pg/package.json": '{"name": "pg", "version": "8.16.0"}',
    "app/dist/server.cjs": main,
    "node_modules/pg/package.json": '{"name": "pg", "version": "7.0.0"}',
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("checkRequirements without resolveFrom [D2]", () => {
  it("looks from the folder of the main module, wherever it was started", () => {
    expect(run(["app/dist/server.cjs"])).toBe("");
    expect(run([join(folder, "app/dist/server.cjs")], tmpdir())).toBe("");
    write({ "app/dist/start.js": main });
    expect(run(["app/dist/start"])).toBe("");
  });

  it("looks from an ES module that is the main one", () => {
    write({
      "app/server.mjs": `import { createRequire } from "node:module"; createRequire(import.meta.url)("./dist/server.cjs");`,
    });
    expect(run(["app/server.mjs"])).toBe("");
  });

  it("looks from where it was started, if the main module is a tool that runs the app", () => {
    write({
      "app/node_modules/runner/node_modules/pg/package.json": '{"name": "pg", "version": "1.0.0"}',
      "app/node_modules/runner/bin.cjs": 'require("../../dist/server.cjs");',
    });
    expect(run(["node_modules/runner/bin.cjs"], join(folder, "app"))).toBe("");
  });

  it("looks from where it was started, if there is no main module, or nothing beside it", () => {
    expect(run(["--eval", main], join(folder, "app"))).toBe("");
    write({ "package.json": "{}" });
    rmSync(join(folder, "node_modules"), { recursive: true });
    write({ "tools/start.cjs": main });
    expect(run([join(folder, "tools/start.cjs")], join(folder, "app"))).toBe("");
  });

  it("tells where the one it has found lies", () => {
    write({ "server.cjs": main });
    expect(run([join(folder, "server.cjs")], join(folder, "app"))).toContain(
      `7.0.0 is installed, in ${join(folder, "node_modules/pg")}`,
    );
  });
});

describe("the package [D2]", () => {
  it("loads nothing that judges requirements before there is one", () => {
    const text = `
      require(${lib("index")});
      require(${lib("tenant/functions")}).createFunctionLibrary();
      require(${lib("tenant/requirements")}).checkRequirements({ requirements: [] });
      const loaded = () => Object.keys(require.cache).some((file) => /node_modules.(semver|validate-npm-package-name)/.test(file));
      const before = loaded();
      require(${lib("tenant/requirements")}).checkRequirements({ requirements: ["pg"] });
      console.log(before, loaded());
    `;
    expect(run(["--eval", text], join(folder, "app"))).toBe("false true\n");
  });
});
