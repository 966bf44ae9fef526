/**
 * Installs the tarball as a user would, beside Express 5 and beside Express 4, and uses it from CommonJS, from an ES
 * module, and from TypeScript: ours, and the oldest that reads the declarations.
 */
const assert = require("node:assert/strict");
const { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { exports: subpaths, devDependencies, peerDependenciesMeta } = require("../package.json");
const { root } = require("./files");
const { npm, run, withTarball } = require("./pack");

const OLDEST_TYPESCRIPT = "5.4.5";

/** Subpaths whose declarations name Express. All others compile where `@types/express` is missing. */
const NAME_EXPRESS = [".", "./testing"];

const EXPRESS = [
  { express: devDependencies.express, types: devDependencies["@types/express"] },
  { express: devDependencies.express4.replace(/^.*@/, ""), types: "4.17.25" },
];

const names = Object.keys(subpaths).filter((name) => name !== "./package.json");
const imported = (name) => name.replace(/^\./, "express-webhook-node");

withTarball((tarball, temporary) => {
  for (const { express, types } of EXPRESS) {
    const folder = join(temporary, `express-${express}`);
    mkdirSync(folder);
    cpSync(join(__dirname, "smoke"), folder, { recursive: true });
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({
        private: true,
        dependencies: {
          "express-webhook-node": `file:${tarball}`,
          express,
          "@types/express": types,
          "@types/node": devDependencies["@types/node"],
          typescript: OLDEST_TYPESCRIPT,
        },
      }),
    );
    npm(["install", "--no-package-lock", "--ignore-scripts", "--prefer-offline"], folder);

    tell(`Express ${express}: what was packed`);
    const installed = join(folder, "node_modules/express-webhook-node");
    for (const file of ["README.md", "LICENSE", "CHANGELOG.md"]) {
      if (existsSync(join(root, file))) assert.ok(existsSync(join(installed, file)), `${file} is not packed`);
    }
    assert.ok(!existsSync(join(installed, "lib")), "lib is packed");
    const { sourcesContent } = JSON.parse(readFileSync(join(installed, "dist/index.js.map"), "utf8"));
    assert.equal(sourcesContent?.length, 1, "source maps do not hold their source");

    tell(`Express ${express}: require and import of each subpath`);
    run(
      process.execPath,
      ["subpaths.cjs", JSON.stringify({ specifiers: names.map(imported), optional: peers() })],
      folder,
    );

    tell(`Express ${express}: a delivery, from CommonJS`);
    run(process.execPath, ["commonjs.cjs"], folder);
    tell(`Express ${express}: a delivery, from an ES module`);
    run(process.execPath, ["module.mjs"], folder);

    const ours = join(root, "node_modules/typescript/bin/tsc");
    const oldest = join(folder, "node_modules/typescript/bin/tsc");
    const all = subpathsFile(folder, names);

    tell(`Express ${express}: TypeScript ${devDependencies.typescript}, nodenext`);
    check(folder, ours, "nodenext", ["typescript.ts", all]);
    tell(`Express ${express}: TypeScript ${OLDEST_TYPESCRIPT}, node16, and a delivery`);
    check(folder, oldest, "node16", ["typescript.ts", all], ["--outDir", "out"]);
    run(process.execPath, ["--eval", 'require("./deliver.cjs").deliver(require("./out/typescript.js").app)'], folder);
    tell(`Express ${express}: TypeScript ${OLDEST_TYPESCRIPT}, node10`);
    check(folder, oldest, "node10", ["typescript.ts", all]);

    tell(`Express ${express}: TypeScript ${OLDEST_TYPESCRIPT}, without the types of Express`);
    rmSync(join(folder, "node_modules/@types/express"), { recursive: true });
    rmSync(join(folder, "node_modules/@types/express-serve-static-core"), { recursive: true });
    check(folder, oldest, "node16", [
      subpathsFile(
        folder,
        names.filter((name) => !NAME_EXPRESS.includes(name)),
      ),
    ]);
  }
  console.log("The tarball works.");
});

/** @param {string} what */
function tell(what) {
  console.log(`- ${what}`);
}

/**
 * Compiles files with every declaration that they reach.
 *
 * @param {string} folder
 * @param {string} compiler
 * @param {"nodenext" | "node16" | "node10"} resolution
 * @param {readonly string[]} files
 * @param {readonly string[]} emit
 */
function check(folder, compiler, resolution, files, emit = ["--noEmit"]) {
  const module = resolution === "node10" ? "commonjs" : resolution;
  const flags = ["--strict", "--skipLibCheck", "false", "--esModuleInterop", "--target", "es2022", "--types", "node"];
  const how = ["--module", module, "--moduleResolution", resolution];
  run(process.execPath, [compiler, ...flags, ...how, ...emit, ...files], folder);
}

/**
 * Writes a TypeScript file that imports subpaths, and returns its name.
 *
 * @param {string} folder
 * @param {readonly string[]} wanted
 */
function subpathsFile(folder, wanted) {
  const lines = wanted.map((name, index) => `export * as module${index} from "${imported(name)}";`);
  writeFileSync(join(folder, "subpaths.ts"), `${lines.join("\n")}\n`);
  return "subpaths.ts";
}

/** Optional peers: a subpath may need one, and then it is enough that the error names it. */
function peers() {
  return Object.keys(peerDependenciesMeta ?? {}).filter((name) => !name.startsWith("@types/"));
}
