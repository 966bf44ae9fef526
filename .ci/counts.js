/** Prints the counts of a `jest --json` report, summed over its projects. A file that does not load is a failure. */
const { existsSync, readFileSync } = require("node:fs");

const [, , path = ""] = process.argv;
const report = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};

const {
  numPassedTests = 0,
  numFailedTests = 0,
  numRuntimeErrorTestSuites = 0,
  numPendingTests = 0,
  numTodoTests = 0,
} = report;

const failed = numFailedTests + numRuntimeErrorTestSuites;
console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`);
