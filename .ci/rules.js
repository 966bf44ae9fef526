/**
 * Every rule in __tests__/rules.json (an id, and the sentence that it stands for) is named by a test, as `[A1]` or
 * `[A1, B2]`, and no test names a rule that is not there.
 */
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { filesBelow, report, root } = require("./files");

const NAMED = /\[([A-Z]\d+(?:\s*,\s*[A-Z]\d+)*)\]/g;

const path = join(root, "__tests__", "rules.json");
const rules = Object.keys(existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {});

/** @type {Map<string, string>} An id, and the first test file that names it. */
const named = new Map();
for (const file of filesBelow("__tests__", /\.test\.ts$/)) {
  for (const [, ids = ""] of readFileSync(join(root, file), "utf8").matchAll(NAMED)) {
    for (const id of ids.split(/\s*,\s*/)) if (!named.has(id)) named.set(id, file);
  }
}

report(
  [
    ...rules.filter((id) => !named.has(id)).map((id) => `__tests__/rules.json: no test names [${id}].`),
    ...[...named]
      .filter(([id]) => !rules.includes(id))
      .map(([id, file]) => `${file}: names [${id}], which __tests__/rules.json does not hold.`),
  ],
  `${rules.length} rules, each named by a test.`,
);
