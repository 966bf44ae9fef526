/** Judges the tarball as its users' tools will: publint its fields, attw how its declarations are found. */
const { join } = require("node:path");
const { root } = require("./files");
const { run, withTarball } = require("./pack");

withTarball((tarball) => {
  run(process.execPath, [join(root, "node_modules/publint/src/cli.js"), "run", tarball, "--strict"], root);
  run(
    process.execPath,
    [
      join(root, "node_modules/@arethetypeswrong/cli/dist/index.js"),
      tarball,
      "--format=table-flipped",
      "--no-emoji",
      "--no-color",
    ],
    root,
  );
});
