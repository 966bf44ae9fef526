import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { folderWith, libraryOf, write } from "../tenant/child/library";

/** What is wrong with a folder, as the error says it. */
async function complaint(files: Readonly<Record<string, string>>): Promise<string> {
  try {
    await libraryOf({ folder: folderWith(files) });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const returning = (value: string): string => `module.exports = () => ${JSON.stringify(value)};`;

describe("createFunctionLibrary of a folder [E1, E3]", () => {
  it("names functions by their paths", async () => {
    const folder = folderWith({
      "verify.js": returning("a"),
      "orders/verify.cjs": returning("b"),
      "orders/cancel/index.js": returning("c"),
      "a+b=c @1.js": returning("d"),
    });
    const library = await libraryOf({ folder });
    const { list } = await library.state();
    expect(list.map(({ name, file }) => [name, file])).toEqual([
      ["a+b=c @1", "a+b=c @1.js"],
      ["orders/cancel", "orders/cancel/index.js"],
      ["orders/verify", "orders/verify.cjs"],
      ["verify", "verify.js"],
    ]);
    expect(await library.call("orders/cancel")).toBe("c");
  });

  it("tells where a function came from, and since when it is in use", async () => {
    const startedAt = Date.now();
    const folder = folderWith({ "verify.js": "module.exports = () => 1;" });
    const { list } = await (await libraryOf({ folder })).state();
    expect(list).toEqual([
      {
        name: "verify",
        version: 1,
        since: expect.anything(),
        file: "verify.js",
        // printf 'module.exports = () => 1;' | sha256sum
        digest: "37eaea828917199a136fdabe10b069dc63e0dd709ee2ff9383602110c27ab532",
        requirements: [],
      },
    ]);
    expect(Number(list[0]?.since)).toBeGreaterThanOrEqual(startedAt);
  });

  it("takes no function from what is hidden, installed, declared, or there for others to require", async () => {
    const folder = folderWith({
      "verify.js": 'module.exports = () => [require("./_shared"), require("./_rules/one"), require("./limits.json")];',
      "_shared.js": "module.exports = 1;",
      "_rules/one.js": "module.exports = 2;",
      "limits.json": "3",
      "verify.d.ts": "export {};",
      "verify.d.cts": "export {};",
      "verify.js.map": "{}",
      "verify.js~": "(",
      ".verify.js": "(",
      ".git/verify.js": "(",
      "node_modules/other/index.js": "(",
      "notes.md": "# Notes",
    });
    const library = await libraryOf({ folder });
    expect((await library.state()).list.map(({ name }) => name)).toEqual(["verify"]);
    expect(await library.call("verify")).toEqual([1, 2, 3]);
  });

  it.each([
    ["module.exports", "one.js", 'module.exports = () => "it"; module.exports.requirements = ["pg"];'],
    ["module.exports, async", "one.cjs", 'module.exports = async () => "it"; module.exports.requirements = ["pg"];'],
    ["exports.default", "one.js", 'exports.default = () => "it"; exports.requirements = ["pg"];'],
    ["the only function among its exports", "one.js", 'exports.verify = () => "it"; exports.requirements = ["pg"];'],
    [
      "exports.default beside others",
      "one.js",
      'exports.other = () => "no"; exports.default = () => "it"; exports.requirements = ["pg"];',
    ],
    ["an ES module's default", "one.mjs", 'export default () => "it"; export const requirements = ["pg"];'],
    [
      "an ES module's only function",
      "one.mjs",
      'export function verify() { return "it"; } verify.requirements = ["pg"];',
    ],
    [
      "CommonJS by the name of TypeScript's",
      "one.cts",
      'module.exports = () => "it"; exports = module.exports; exports.requirements = ["pg"];',
    ],
  ])("takes %s", async (_, file, text) => {
    const library = await libraryOf({ folder: folderWith({ [file]: text }) });
    expect(await library.call("one")).toBe("it");
    expect((await library.state()).list[0]?.requirements).toEqual(["pg"]);
  });

  it("takes an ES module by the type of its package", async () => {
    const folder = folderWith({
      "package.json": '{"type": "module"}',
      "functions/one.js": 'export default () => "it";',
      "functions/two.cjs": returning("other"),
    });
    const library = await libraryOf({ folder: join(folder, "functions") });
    expect([await library.call("one"), await library.call("two")]).toEqual(["it", "other"]);
  });

  it("takes TypeScript where Node strips types, and says so where it does not", async () => {
    const folder = folderWith({ "one.cts": 'module.exports = (): string => "it";' });
    if ("typescript" in process.features && process.features.typescript) {
      expect(await (await libraryOf({ folder })).call("one")).toBe("it");
    } else {
      await expect(libraryOf({ folder })).rejects.toThrow(
        /"one": it could not be loaded: SyntaxError: .*; this Node strips no types, as 22\.18 and later do$/,
      );
    }
  });

  it("follows a link to a module", async () => {
    const folder = folderWith({ "kept/elsewhere.js": returning("linked") });
    write(folder, { "functions/other.js": returning("other") });
    symlinkSync(join(folder, "kept/elsewhere.js"), join(folder, "functions/linked.js"));
    symlinkSync(join(folder, "nowhere.js"), join(folder, "functions/broken.js"));
    const library = await libraryOf({ folder: join(folder, "functions") });
    expect(await library.call("linked")).toBe("linked");
  });

  it("refuses all that cannot be taken in one error that lists it", async () => {
    expect(
      await complaint({
        "ab.js": returning("short"),
        [`${"a".repeat(81)}.js`]: returning("long"),
        "näme.js": returning("letters"),
        "echo.basic.js": returning("the system's"),
        "twice.js": returning("1"),
        "twice.cjs": returning("2"),
        "orders.js": returning("1"),
        "orders/index.js": returning("2"),
        "empty.js": "",
        "value.js": "module.exports = { a: 1 };",
        "several.js": "exports.a = () => 1; exports.b = () => 2;",
        "broken.js": "module.exports = () => {",
        "throws.js": 'throw new RangeError("no\\nway");',
        "waits.mjs": "await 0; export default () => 1;",
        "lacks.js": 'require("not-installed"); module.exports = () => 1;',
        "wrong.js": 'module.exports = () => 1; module.exports.requirements = "pg";',
        "good.js": returning("good"),
      }),
    ).toMatch(
      new RegExp(
        `^TypeError: createFunctionLibrary: 14 functions cannot be taken\\.
- "a{81}": a name has 3 to 80 characters, of A-Z a-z 0-9 _ \\. : / = \\+ - @ and space
- "ab": a name has 3 to 80 characters, .*
- "broken": it could not be loaded: SyntaxError: .*
- "echo\\.basic": names that begin with "echo\\." are the system's
- "empty": it exports no function
- "lacks": it could not be loaded: Error: Cannot find module 'not-installed'
- "näme": a name has 3 to 80 characters, .*
- "orders": it is there twice: orders\\.js, orders/index\\.js
- "several": it exports several functions \\(a, b\\), and none is its module\\.exports or its default export
- "throws": it could not be loaded: RangeError: no
- "twice": it is there twice: twice\\.cjs, twice\\.js
- "value": it exports no function
- "waits": it could not be loaded: Error.*: .*
- "wrong": its requirements are not a list of texts, such as \\["pg@>=8\\.11", "jose"\\]$`,
      ),
    );
  });

  it("refuses a folder that is not there", async () => {
    await expect(libraryOf({ folder: "not/there" })).rejects.toThrow(
      `TypeError: folder: ${resolve("not/there")} cannot be read: ENOENT`,
    );
  });
});
