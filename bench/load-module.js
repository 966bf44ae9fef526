/** Loads one module, after Express, and prints what that took as JSON: `node --expose-gc bench/load-module.js <name>`. */
const name = process.argv[2];
if (name !== "express") require("express");

function used() {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss, modules: Object.keys(require.cache).length };
}

const before = used();
const startedAt = performance.now();
require(name);
const ms = performance.now() - startedAt;
const after = used();

console.log(
  JSON.stringify({
    ms,
    heapBytes: after.heapUsed - before.heapUsed,
    rssBytes: after.rss - before.rss,
    modules: after.modules - before.modules,
    hasAjv: Object.keys(require.cache).some((path) => /[\\/]node_modules[\\/]ajv[\\/]/.test(path)),
  }),
);
