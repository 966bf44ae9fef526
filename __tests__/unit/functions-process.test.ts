import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { folderWith } from "../tenant/child/library";

describe("a library that watches [E3]", () => {
  it("keeps no process alive", () => {
    const folder = folderWith({ "verify.js": "module.exports = () => 1;" });
    const text = `
      const { createFunctionLibrary } = require(${JSON.stringify(resolve(__dirname, "../../lib/tenant/functions"))});
      for (const watch of [true, { pollMs: 10 }]) createFunctionLibrary({ folder: ${JSON.stringify(folder)}, watch });
      process.on("exit", () => console.log("ended by itself"));
    `;
    const preload = resolve(__dirname, "../tenant/child/from-source.cjs");
    const told = execFileSync(process.execPath, ["--require", preload, "--eval", text], { timeout: 15_000 });
    expect(told.toString()).toBe("ended by itself\n");
  });
});
