/**
 * Preloaded by a child process, compiles lib as it is required, so that the child runs the source in Node's own module
 * system, which jest replaces.
 */
const { readFileSync } = require("node:fs");
const { _extensions: extensions } = require("node:module");
const { join, sep } = require("node:path");
const { transformSync } = require("@swc/core");

const lib = join(__dirname, "../../../lib") + sep;
const { ".ts": own = extensions[".js"] } = extensions;

extensions[".ts"] = (module, filename) => {
  if (!filename.startsWith(lib)) return own(module, filename);
  const { code } = transformSync(readFileSync(filename, "utf8"), {
    filename,
    swcrc: false,
    sourceMaps: "inline",
    module: { type: "commonjs" },
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
  });
  return module._compile(code, filename);
};
