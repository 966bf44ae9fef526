/** Packs the package into a temporary folder, for the scripts that judge the tarball. */
const { execFileSync } = require("node:child_process");
const { mkdtempSync, readdirSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { root } = require("./files");

/**
 * Runs npm, the one that runs this script if one does, in a folder.
 *
 * @param {readonly string[]} args
 * @param {string} cwd
 */
function npm(args, cwd) {
  const { npm_execpath: script } = process.env;
  const quiet = ["--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier"];
  if (script) run(process.execPath, [script, ...args, ...quiet], cwd);
  else execFileSync("npm", [...args, ...quiet], { cwd, stdio: "inherit", shell: process.platform === "win32" });
}

/**
 * Runs a program in a folder, and throws when it fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 */
function run(program, args, cwd) {
  execFileSync(program, [...args], { cwd, stdio: "inherit" });
}

/**
 * Calls a function with the path of the tarball and of a temporary folder, which is gone afterwards.
 *
 * @param {(tarball: string, folder: string) => void} use
 */
function withTarball(use) {
  const folder = mkdtempSync(join(tmpdir(), "express-webhook-node-"));
  try {
    npm(["pack", "--silent", "--foreground-scripts=false", "--pack-destination", folder], root);
    const name = readdirSync(folder).find((file) => file.endsWith(".tgz"));
    if (!name) throw new Error("npm pack made no tarball");
    use(join(folder, name), folder);
  } catch (error) {
    console.error(String(error));
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

module.exports = { npm, run, withTarball };
