/** What the other scripts here share: where the package is, and which files a folder holds. */
const { existsSync, readdirSync } = require("node:fs");
const { join, relative, sep } = require("node:path");

const root = join(__dirname, "..");

/**
 * Lists the files below a folder, as paths from the package's root with forward slashes, in order.
 *
 * @param {string} folder
 * @param {RegExp} name
 * @returns {string[]}
 */
function filesBelow(folder, name) {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .toSorted();
}

/**
 * Prints what is wrong and makes the process fail, or prints that all is well.
 *
 * @param {readonly string[]} problems
 * @param {string} well
 */
function report(problems, well) {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(well);
}

module.exports = { root, filesBelow, report };
