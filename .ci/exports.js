/**
 * Holds `exports` and `typesVersions` in package.json in step with the files of lib.
 *
 * Every file of lib is public, by its own path, unless it is named in PRIVATE.
 *
 *     node .ci/exports.js           fails, and says what differs
 *     node .ci/exports.js --write   rewrites both
 */
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { filesBelow, report, root } = require("./files");

/** Modules that users cannot import by name: path below lib, without `.ts` or `/index.ts`. @type {readonly string[]} */
const PRIVATE = [
  "accept/watermarks",
  "authenticate/authenticator",
  "authenticate/basic-users",
  "authenticate/bearer-scheme",
  "authenticate/bounded",
  "authenticate/challenge",
  "authenticate/diagnose",
  "authenticate/explain",
  "authenticate/fingerprint",
  "authenticate/hmac-mismatch",
  "authenticate/is-equal",
  "authenticate/jwks",
  "authenticate/jwt-verifier",
  "authenticate/signature-form",
  "authenticate/signed",
  "authenticate/unauthorized",
  "authenticate/unavailable",
  "authenticate/verified",
  "emit/amqp-line",
  "emit/answers",
  "emit/audit-record",
  "emit/batch",
  "emit/carried-fields",
  "emit/compile-message-type",
  "emit/confirm",
  "emit/confirmation",
  "emit/deduplicate/store",
  "emit/destination",
  "emit/disk/level",
  "emit/disk/open-folders",
  "emit/disk/sequence",
  "emit/disk/store",
  "emit/emit-context",
  "emit/emit-failure",
  "emit/http-post",
  "emit/identity",
  "emit/invoke",
  "emit/message",
  "emit/outbox",
  "emit/payload-of",
  "emit/percent-encoded",
  "emit/public-address",
  "emit/quarantine/options",
  "emit/quarantine/replay-request",
  "emit/quarantine/ring",
  "emit/quarantine/without-credentials",
  "emit/receiver-url",
  "emit/redis-command",
  "emit/redis-failure",
  "emit/schema/engine",
  "emit/schema/formats",
  "emit/schema/issue",
  "emit/schema/json-schema",
  "emit/schema/json-schema-issue",
  "emit/schema/linear-pattern",
  "emit/schema/references",
  "emit/schema/standard-schema",
  "emit/schema/unique-items",
  "emit/split",
  "emit/spool/attempt",
  "emit/spool/backoff",
  "emit/spool/desk",
  "emit/spool/events",
  "emit/spool/heap",
  "emit/spool/intake",
  "emit/spool/journal",
  "emit/spool/options",
  "emit/spool/schedule",
  "emit/spool/stock",
  "emit/spool/stored-message",
  "emit/spool/worker",
  "emit/success",
  "emit/system-types",
  "emit/too-large",
  "emit/tracking-id",
  "emit/validate",
  "message",
  "request/answer",
  "request/arrival",
  "request/body",
  "request/body-limits",
  "request/chain",
  "request/content-coding",
  "request/content-type",
  "request/depth",
  "request/field-lines",
  "request/holds",
  "request/inflate",
  "request/json",
  "request/lazy",
  "request/library-name",
  "request/lifetime",
  "request/logger",
  "request/nearest",
  "request/not-promised",
  "request/octets",
  "request/options",
  "request/outcome",
  "request/read-before",
  "request/reading",
  "request/refusal",
  "request/refused",
  "request/refused-delivery",
  "request/source",
  "request/source-answer",
  "request/step",
  "request/text",
  "request/thenable",
  "request/turns",
  "sources/access-token",
  "sources/content-digest",
  "sources/signature-base",
  "sources/signature-keys",
  "sources/sns-envelope",
  "sources/structured-fields",
  "sources/webhook-origin",
  "tenant/bulk-data",
  "tenant/config",
  "tenant/context",
  "tenant/folder-stock",
  "tenant/function-folder",
  "tenant/function-table",
  "tenant/installed-package",
  "tenant/load-module",
  "tenant/lock",
  "tenant/logger",
  "tenant/module-files",
  "tenant/module-function",
  "tenant/package-manager",
  "tenant/requirement",
  "tenant/system-functions",
  "tenant/unmet-requirements",
  "tenant/watch",
  "testing/signed",
  "webhook-node",
];

/**
 * `lib/emit/index.ts` is `emit`; `lib/index.ts` is the empty path.
 *
 * @param {string} file
 */
const subpathOf = (file) => file.replace(/^lib\//, "").replace(/(?:^|\/)index\.ts$|\.ts$/, "");

const files = filesBelow("lib", /(?<!\.d)\.ts$/);
const modules = new Map(files.map((file) => [subpathOf(file), file]));
const problems = PRIVATE.filter((name) => !modules.has(name)).map(
  (name) => `.ci/exports.js: PRIVATE names ${name}, but lib has no such file.`,
);
if (modules.size < files.length) problems.push("lib: a file and a folder's index.ts ask for the same subpath.");

/** @type {Record<string, string | { types: string, default: string }>} */
const wantedExports = {};
/** @type {Record<string, string[]>} */
const wantedTypes = {};
for (const [subpath, file] of [...modules].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  if (PRIVATE.includes(subpath)) continue;
  const built = file.replace(/^lib\//, "./dist/").replace(/\.ts$/, "");
  wantedExports[subpath === "" ? "." : `./${subpath}`] = { types: `${built}.d.ts`, default: `${built}.js` };
  if (subpath !== "") wantedTypes[subpath] = [`${built}.d.ts`];
}
wantedExports["./package.json"] = "./package.json";

const path = join(root, "package.json");
const manifest = JSON.parse(readFileSync(path, "utf8"));

if (process.argv.includes("--write")) {
  manifest.exports = wantedExports;
  manifest.typesVersions = { "*": wantedTypes };
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
} else {
  compare("exports", wantedExports, manifest.exports ?? {});
  compare("typesVersions", wantedTypes, manifest.typesVersions?.["*"] ?? {});
  if (problems.length > 0) {
    problems.push("Name what is private in .ci/exports.js, then run: node .ci/exports.js --write");
  }
}
report(problems, `${Object.keys(wantedExports).length} exports, in step with lib.`);

/**
 * @param {string} field
 * @param {Record<string, unknown>} wanted
 * @param {Record<string, unknown>} found
 */
function compare(field, wanted, found) {
  for (const key of new Set([...Object.keys(wanted), ...Object.keys(found)])) {
    if (!(key in found)) problems.push(`package.json: ${field} lacks "${key}", which lib has.`);
    else if (!(key in wanted)) problems.push(`package.json: ${field} lists "${key}", which is private or not in lib.`);
    else if (JSON.stringify(wanted[key]) !== JSON.stringify(found[key])) {
      problems.push(
        `package.json: ${field} "${key}" is ${JSON.stringify(found[key])}, not ${JSON.stringify(wanted[key])}.`,
      );
    }
  }
}
