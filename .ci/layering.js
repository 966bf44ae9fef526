/**
 * Holds the arrows between the files of lib: imports run one way, in no circle, and a leg never imports another leg.
 *
 *     index -> webhook-node -> sources, tenant, observe -> accept | authenticate | emit -> request -> errors, message
 */
const { readFileSync } = require("node:fs");
const { builtinModules } = require("node:module");
const { join, posix } = require("node:path");
const { parseSync } = require("@swc/core");
const { filesBelow, report, root } = require("./files");

const BENEATH = ["errors", "message"];
const LEGS = ["accept", "authenticate", "emit"];
const AROUND = ["sources", "tenant", "observe"];

/** A part of lib, and the parts that its files may import besides their own. @type {Record<string, string[]>} */
const MAY_IMPORT = {
  message: ["errors"],
  errors: [],
  request: BENEATH,
  problem: ["request", "errors"],
  ...Object.fromEntries(LEGS.map((leg) => [leg, ["request", ...BENEATH]])),
  ...Object.fromEntries(AROUND.map((part) => [part, [...LEGS, "request", ...BENEATH]])),
  "webhook-node": [...AROUND, ...LEGS, "problem", "request", ...BENEATH],
  index: ["webhook-node", ...AROUND, ...LEGS, "problem", "request", ...BENEATH],
  testing: ["webhook-node", ...AROUND, ...LEGS, "problem", "request", ...BENEATH],
};

/** The only files that may import Express itself; all others are typed on node:http. */
const NAMES_EXPRESS = ["lib/webhook-node.ts", "lib/testing.ts"];

/** What a package manager provides at run time: Yarn's Plug'n'Play. */
const PROVIDED = ["pnpapi"];

/** @typedef {{ specifier: string, typeOnly: boolean }} Import */
/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {object} [dependencies]
 * @property {object} [peerDependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 */

/**
 * Says what is wrong with the imports of a set of files.
 *
 * @param {Record<string, string>} sources A path such as `lib/emit/index.ts`, and the text of that file.
 * @param {Manifest} manifest
 * @returns {string[]}
 */
function layering(sources, manifest) {
  const problems = [];
  const optional = Object.entries(manifest.peerDependenciesMeta ?? {})
    .filter(([, { optional }]) => optional)
    .map(([name]) => name);
  const installed = new Set([
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
  ]);

  /** @type {Map<string, string[]>} A file of lib, and the files of lib that it imports. */
  const graph = new Map();
  /** @type {Map<string, string[]>} A file of lib, and the optional peers that it imports. */
  const peers = new Map();

  for (const [file, text] of Object.entries(sources)) {
    const { imports, holdsValues } = read(text);
    const part = partOf(file);
    const allowed = MAY_IMPORT[part];
    graph.set(file, []);
    peers.set(file, []);
    if (!allowed) problems.push(`${file} is in no layer: give ${part} a place in .ci/layering.js`);
    if (file === "lib/message.ts" && holdsValues) problems.push(`${file} holds values: it is for types only`);

    for (const { specifier, typeOnly } of imports) {
      if (specifier.startsWith(".")) {
        const target = resolve(file, specifier, sources);
        if (!target) {
          problems.push(`${file} imports ${specifier}: lib has no such file`);
          continue;
        }
        graph.get(file)?.push(target);
        const other = partOf(target);
        if (!allowed || other === part || allowed.includes(other)) continue;
        const both = LEGS.includes(part) && LEGS.includes(other);
        const why = both ? "a leg never imports another leg" : `${part} imports ${list(allowed)}`;
        problems.push(`${file} imports ${target}: ${why}`);
        continue;
      }

      if (specifier.startsWith("node:")) continue;
      const name = packageOf(specifier);
      if (builtinModules.includes(name)) problems.push(`${file} imports ${specifier}: write node:${specifier}`);
      else if (name === manifest.name) problems.push(`${file} imports ${specifier}: inside lib, import by path`);
      else if (name === "express" && !typeOnly && !NAMES_EXPRESS.includes(file)) {
        problems.push(`${file} imports express at run time: only ${NAMES_EXPRESS.join(" and ")} may`);
      } else if (!installed.has(name) && !PROVIDED.includes(name)) {
        problems.push(`${file} imports ${name}: package.json lists it neither as a dependency nor as a peer`);
      }
      if (optional.includes(name)) peers.get(file)?.push(name);
    }
  }

  for (const circle of circles(graph)) problems.push(`${circle.join(" -> ")}: imports in a circle`);

  for (const [file, path] of reachable(graph, "lib/index.ts")) {
    for (const name of peers.get(file) ?? []) {
      problems.push(`${file} imports ${name}, an optional peer, and is reached by ${path.join(" -> ")}`);
    }
  }
  return problems;
}

/**
 * Reads the imports of a file, and whether it declares anything that is there at run time.
 *
 * @param {string} text
 * @returns {{ imports: Import[], holdsValues: boolean }}
 */
function read(text) {
  const { body } = parseSync(text, { syntax: "typescript", target: "es2022" });
  /** @type {Import[]} */
  const imports = [];
  visit(body);
  const holdsValues = body.some((item) => {
    const inner = item.type === "ExportDeclaration" ? item.declaration : item;
    if (inner.type === "ImportDeclaration") return false;
    if (inner.type === "ExportNamedDeclaration" && (inner.typeOnly || everyIsType(inner.specifiers))) return false;
    return inner.type !== "TsTypeAliasDeclaration" && inner.type !== "TsInterfaceDeclaration";
  });
  return { imports, holdsValues };

  /** @param {any} node */
  function visit(node) {
    if (node === null || typeof node !== "object") return;
    if (Array.isArray(node)) return node.forEach(visit);
    const { type, source } = node;
    if (type === "ImportDeclaration" || type === "ExportNamedDeclaration") {
      if (source) add(source.value, node.typeOnly || everyIsType(node.specifiers));
    } else if (type === "ExportAllDeclaration") {
      add(source.value, node.typeOnly);
    } else if (type === "TsImportType") {
      add(node.argument.value, true);
    } else if (type === "TsExternalModuleReference") {
      add(node.expression.value, false);
    } else if (type === "CallExpression") {
      const loads =
        node.callee.type === "Import" || (node.callee.type === "Identifier" && node.callee.value === "require");
      const [argument] = node.arguments;
      if (loads && argument?.expression.type === "StringLiteral") add(argument.expression.value, false);
    }
    Object.values(node).forEach(visit);
  }

  /**
   * @param {string} specifier
   * @param {boolean} [typeOnly]
   */
  function add(specifier, typeOnly = false) {
    imports.push({ specifier, typeOnly });
  }
}

/** @param {readonly object[]} specifiers */
function everyIsType(specifiers) {
  return (
    specifiers.length > 0 && specifiers.every((specifier) => "isTypeOnly" in specifier && specifier.isTypeOnly === true)
  );
}

/**
 * `lib/emit/nats.ts` belongs to `emit`, `lib/errors.ts` to `errors`.
 *
 * @param {string} file
 */
function partOf(file) {
  return /^lib\/([^/]+?)(?:\.ts$|\/)/.exec(file)?.[1] ?? file;
}

/**
 * `@scope/name/sub` is a file of `@scope/name`.
 *
 * @param {string} specifier
 */
function packageOf(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/**
 * @param {string} from
 * @param {string} specifier
 * @param {Record<string, string>} sources
 */
function resolve(from, specifier, sources) {
  const path = posix.join(posix.dirname(from), specifier).replace(/\/$|\.js$/, "");
  return [`${path}.ts`, `${path}/index.ts`].find((file) => file in sources);
}

/**
 * Finds one circle for each file that an import leads back to.
 *
 * @param {Map<string, string[]>} graph
 */
function circles(graph) {
  /** @type {string[][]} */
  const found = [];
  const done = new Set();
  /**
   * @param {string} file
   * @param {string[]} path
   */
  function walk(file, path) {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file]);
    if (path.includes(file) || done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  }
  for (const file of graph.keys()) walk(file, []);
  return found;
}

/**
 * The files that a start leads to, each with one way there.
 *
 * @param {Map<string, string[]>} graph
 * @param {string} start
 */
function reachable(graph, start) {
  const ways = new Map([[start, [start]]]);
  for (const [file, way] of ways) {
    for (const next of graph.get(file) ?? []) if (!ways.has(next)) ways.set(next, [...way, next]);
  }
  return ways;
}

/** @param {string[]} parts */
function list(parts) {
  return parts.length === 0 ? "no other part of lib" : `only ${parts.join(", ")}`;
}

/** The text of every file in lib. */
function sourcesOfLib() {
  return Object.fromEntries(filesBelow("lib", /\.ts$/).map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

module.exports = { layering, sourcesOfLib };

if (require.main === module) {
  const sources = sourcesOfLib();
  const problems = layering(sources, require("../package.json"));
  report(problems, `${Object.keys(sources).length} files in lib, every import in its place.`);
}
