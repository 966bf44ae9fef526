import { renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith, libraryOf, write } from "../tenant/child/library";

const returning = (value: unknown): string => `module.exports = () => ${JSON.stringify(value)};`;
const watch = { settleMs: 20 };
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

/** Makes a link to a folder beside it, in the place of another: at once, where the system can. */
function link(target: string, path: string): void {
  if (process.platform === "win32") {
    rmSync(path, { force: true, recursive: true });
    symlinkSync(join(path, "..", target), path, "junction");
  } else {
    symlinkSync(target, `${path}.next`);
    renameSync(`${path}.next`, path);
  }
}

describe("createFunctionLibrary that watches a folder [E3]", () => {
  it("swaps a function whose module is written, and tells of it", async () => {
    const folder = folderWith({ "verify.js": returning("old"), "other.js": returning("other") });
    const library = await libraryOf({ folder, watch: true });
    write(folder, { "verify.js": returning("new") });

    const entry = await library.version("verify", 2);
    expect(await library.call("verify")).toBe("new");
    const { list, lines } = await library.state();
    expect(lines).toEqual(["info: functions: verify: version 2, from verify.js"]);
    expect(entry.since).not.toEqual(list.find(({ name }) => name === "other")?.since);
    expect(list.map(({ name, version }) => [name, version])).toEqual([
      ["other", 1],
      ["verify", 2],
    ]);
  });

  it("takes a new function, in a new folder too", async () => {
    const folder = folderWith({ "one.js": returning(1) });
    const library = await libraryOf({ folder, watch });
    write(folder, { "two.js": returning(2) });
    await library.version("two", 1);
    write(folder, { "deep/er/three.js": returning(3) });
    await library.version("deep/er/three", 1);
    write(folder, { "deep/er/three.js": returning("three") });
    await library.version("deep/er/three", 2);
    expect(await library.call("deep/er/three")).toBe("three");
  });

  describe("whatever an editor does to save a file:", () => {
    it("a rename of another over it, again and again", async () => {
      const folder = folderWith({ "verify.js": returning(1) });
      const library = await libraryOf({ folder, watch });
      for (let version = 2; version <= 5; version++) {
        write(folder, { ".verify.js.tmp": returning(version) });
        renameSync(join(folder, ".verify.js.tmp"), join(folder, "verify.js"));
        await library.version("verify", version);
        expect(await library.call("verify")).toBe(version);
      }
      expect((await library.state()).lines.filter((line) => !line.startsWith("info"))).toEqual([]);
    });

    it("a copy kept, and the file written anew", async () => {
      const folder = folderWith({ "verify.js": returning("old") });
      const library = await libraryOf({ folder, watch });
      await library.use("verify");
      renameSync(join(folder, "verify.js"), join(folder, "verify.js~"));
      write(folder, { "verify.js": returning("new") });
      unlinkSync(join(folder, "verify.js~"));
      await library.version("verify", 2);
      expect((await library.state()).lines).toEqual(["info: functions: verify: version 2, from verify.js"]);
    });

    it("the file emptied, and written before it has settled", async () => {
      const folder = folderWith({ "verify.js": returning("old") });
      const library = await libraryOf({ folder, watch: { settleMs: 500 } });
      truncateSync(join(folder, "verify.js"));
      await soon();
      writeFileSync(join(folder, "verify.js"), 'module.exports = () => "ne', { flag: "a" });
      await soon();
      writeFileSync(join(folder, "verify.js"), 'w";', { flag: "a" });
      await library.version("verify", 2);
      expect(await library.call("verify")).toBe("new");
      expect((await library.state()).lines).toEqual(["info: functions: verify: version 2, from verify.js"]);
    });

    it("the file emptied and half written for long: the old function stays, and that is told once each", async () => {
      const folder = folderWith({ "verify.js": returning("old"), "other.js": returning(1) });
      const library = await libraryOf({ folder, watch });

      truncateSync(join(folder, "verify.js"));
      await library.until(({ lines }) => lines.length === 1);
      writeFileSync(join(folder, "verify.js"), 'module.exports = () => "ne');
      await library.until(({ lines }) => lines.length === 2);
      expect(await library.call("verify")).toBe("old");
      write(folder, { "other.js": returning(2) });
      await library.version("other", 2);

      writeFileSync(join(folder, "verify.js"), returning("new"));
      await library.version("verify", 2);
      expect(await library.call("verify")).toBe("new");
      expect((await library.state()).lines).toEqual([
        "warn: functions: verify: it exports no function; version 1 stays in its place",
        "error: functions: verify: it could not be loaded: SyntaxError: Invalid or unexpected token; version 1 stays in its place | Invalid or unexpected token",
        "info: functions: other: version 2, from other.js",
        "info: functions: verify: version 2, from verify.js",
      ]);
    });

    it("a file that never comes to rest", async () => {
      const folder = folderWith({ "verify.js": returning("old"), "log.json": "0" });
      const library = await libraryOf({ folder, watch });
      write(folder, { "verify.js": returning("new") });
      const writing = setInterval(() => write(folder, { "log.json": `${Math.random()}` }), 5);
      try {
        await library.version("verify", 2);
      } finally {
        clearInterval(writing);
      }
    });
  });

  it("leaves the old function where a module throws, or exports several functions or another value", async () => {
    const folder = folderWith({ "verify.js": returning("old") });
    const library = await libraryOf({ folder, watch });
    for (const text of ["throw new Error('no');", "exports.a = () => 1; exports.b = () => 2;", "module.exports = 1;"]) {
      const { lines } = await library.state();
      write(folder, { "verify.js": text });
      await library.until((now) => now.lines.length > lines.length);
      expect(await library.call("verify")).toBe("old");
    }
    expect((await library.state()).lines).toEqual([
      "error: functions: verify: it could not be loaded: Error: no; version 1 stays in its place | no",
      "warn: functions: verify: it exports several functions (a, b), and none is its module.exports or its default export; version 1 stays in its place",
      "warn: functions: verify: it exports no function; version 1 stays in its place",
    ]);
  });

  it("takes out a function whose module has gone, unless a node uses it", async () => {
    const folder = folderWith({ "used.js": returning("used"), "idle.js": returning("idle") });
    const library = await libraryOf({ folder, watch });
    await library.use("used");
    unlinkSync(join(folder, "used.js"));
    unlinkSync(join(folder, "idle.js"));

    await library.until(({ list, lines }) => list.length === 1 && lines.length === 2);
    expect(await library.call("used")).toBe("used");
    expect((await library.state()).lines.toSorted()).toEqual([
      "info: functions: idle: taken out, for idle.js has gone",
      "warn: functions: used: used.js has gone; version 1 stays in its place",
    ]);

    write(folder, { "used.js": returning("back") });
    await library.version("used", 2);
    expect(await library.call("used")).toBe("back");
  });

  it("takes many changes at once", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `functions/number-${index}`);
    const files = (version: number): Record<string, string> =>
      Object.fromEntries(names.map((name) => [`${name}.js`, returning(version)]));
    const folder = folderWith(files(1));
    const library = await libraryOf({ folder, watch });
    for (let version = 2; version <= 10; version++) write(folder, files(version));
    await library.until(({ list }) => list.length === 60 && list.every(({ version }) => version > 1));
    await soon();
    expect(await Promise.all(names.map((name) => library.call(name)))).toEqual(names.map(() => 10));
  });

  describe("what functions require in the folder", () => {
    it("is read again with those that require it, and with no others", async () => {
      const counting = "let calls = 0; exports.count = () => ++calls;";
      const folder = folderWith({
        "one.js":
          'const { a } = require("./_deep/a"); const { count } = require("./_kept"); module.exports = () => [a, count()];',
        "two.js": 'const limits = require("./_limits.json"); module.exports = () => limits;',
        "three.js": 'const { count } = require("./_kept"); module.exports = () => count();',
        "_deep/a.js": 'exports.a = require("./b").b;',
        "_deep/b.js": "exports.b = 1;",
        "_kept.js": counting,
        "_limits.json": "10",
      });
      const library = await libraryOf({ folder, watch });
      expect(await library.call("one")).toEqual([1, 1]);
      expect(await library.call("three")).toBe(2);

      write(folder, { "_deep/b.js": "exports.b = 2;" });
      await library.version("one", 2);
      expect(await library.call("one")).toEqual([2, 3]);
      write(folder, { "_limits.json": "20" });
      await library.version("two", 2);
      expect(await library.call("two")).toBe(20);
      write(folder, { "one.js": "module.exports = () => 0;" });
      await library.version("one", 3);
      expect((await library.state()).list.map(({ name, version }) => `${name} ${version}`)).toEqual([
        "one 3",
        "three 1",
        "two 2",
      ]);
    });

    it("leaves the old functions while it is broken or gone", async () => {
      const folder = folderWith({
        "verify.js": 'const { rule } = require("./_rules"); module.exports = () => rule;',
        "_rules.js": "exports.rule = 1;",
      });
      const library = await libraryOf({ folder, watch });
      write(folder, { "_rules.js": "exports.rule = " });
      await library.until(({ lines }) => lines.length === 1);
      unlinkSync(join(folder, "_rules.js"));
      await library.until(({ lines }) => lines.length === 2);
      expect(await library.call("verify")).toBe(1);
      write(folder, { "_rules.js": "exports.rule = 2;" });
      await library.version("verify", 2);
      expect(await library.call("verify")).toBe(2);
    });

    it("may go in a circle", async () => {
      const folder = folderWith({
        "verify.js": 'exports.verify = () => require("./_a").a(); exports.name = "verify"; require("./_a");',
        "_a.js": 'const other = require("./verify"); exports.a = () => `${other.name} 1`;',
      });
      const library = await libraryOf({ folder, watch });
      expect(await library.call("verify")).toBe("verify 1");
      write(folder, { "_a.js": 'const other = require("./verify"); exports.a = () => `${other.name} 2`;' });
      await library.version("verify", 2);
      expect(await library.call("verify")).toBe("verify 2");
    });

    it("is shared by all versions where it lies outside of it", async () => {
      const folder = folderWith({ "pool.js": "exports.opened = {}; exports.count = 0;" });
      const text = (version: number): string =>
        `const pool = require("../pool"); module.exports = () => [${version}, ++pool.count];`;
      write(folder, { "functions/verify.js": text(1) });
      const library = await libraryOf({ folder: join(folder, "functions"), watch });
      expect(await library.call("verify")).toEqual([1, 1]);
      write(folder, { "pool.js": "exports.count = 100;", "functions/verify.js": text(2) });
      await library.version("verify", 2);
      expect(await library.call("verify")).toEqual([2, 2]);
    });
  });

  it("asks for a restart when an ES module changes, once, and takes a new one", async () => {
    const folder = folderWith({ "verify.mjs": "export default () => 1;" });
    const library = await libraryOf({ folder, watch });
    write(folder, { "new.mjs": "export default () => 3;" });
    await library.version("new", 1);
    write(folder, { "verify.mjs": "export default () => 2;" });
    await library.until(({ lines }) => lines.length === 2);
    expect(await library.call("verify")).toBe(1);
    write(folder, { "new.cjs": "" });
    await library.until(({ lines }) => lines.length > 2);
    expect((await library.state()).lines).toEqual([
      "info: functions: new: version 1, from new.mjs",
      "warn: functions: verify: it is an ES module, which Node keeps for ever; restart to take the change; version 1 stays in its place",
      "warn: functions: new: it is there twice: new.cjs, new.mjs; version 1 stays in its place",
    ]);
    write(folder, { "verify.mjs": "export default () => 1;" });
    await library.version("verify", 2);
  });

  it("tells of a name that cannot be, and of one that the app has taken", async () => {
    const folder = folderWith({ "one.js": returning(1) });
    const library = await libraryOf({ folder, watch });
    write(folder, { "a.js": returning(2), "echo.own.js": returning(3) });
    const { list, lines } = await library.until((state) => state.lines.length === 2);
    expect(list.map(({ name }) => name)).toEqual(["one"]);
    expect(lines.toSorted()).toEqual([
      "warn: functions: a: a name has 3 to 80 characters, of A-Z a-z 0-9 _ . : / = + - @ and space",
      'warn: functions: echo.own: names that begin with "echo." are the system\'s',
    ]);
  });

  it("checks what the next function requires before it takes the place of one in use [D1]", async () => {
    const folder = folderWith({ "used.js": returning(1), "idle.js": returning(1) });
    const library = await libraryOf({ folder, watch, resolveFrom: folder });
    await library.use("used");
    const needing = (version: number): string => `${returning(version)} module.exports.requirements = ["left-pad@^1"];`;
    write(folder, { "used.js": needing(2), "idle.js": needing(2) });
    await library.version("idle", 2);
    const { lines } = await library.until((state) => state.lines.length === 2);
    expect(await library.call("used")).toBe(1);
    expect(lines).toContain(
      `warn: functions: used: requirements: one is not met. - left-pad@^1: it is not installed Run in ${folder}: npm install "left-pad@^1"; version 1 stays in its place`,
    );

    write(folder, { "node_modules/left-pad/package.json": '{"name": "left-pad", "version": "1.3.0"}' });
    write(folder, { "idle.js": needing(3) });
    await library.version("used", 2);
    expect(await library.call("used")).toBe(2);
  });

  describe("a folder that is replaced:", () => {
    it("moved away, and another put in its place", async () => {
      const folder = folderWith({ "now/verify.js": returning("old"), "next/verify.js": returning("new") });
      const library = await libraryOf({ folder: join(folder, "now"), watch });
      renameSync(join(folder, "now"), join(folder, "before"));
      renameSync(join(folder, "next"), join(folder, "now"));
      await library.version("verify", 2);
      write(folder, { "now/verify.js": returning("newer") });
      await library.version("verify", 3);
      expect(await library.call("verify")).toBe("newer");
    });

    it("gone for a while: functions stay, and it is looked for", async () => {
      const folder = folderWith({ "now/verify.js": returning("old") });
      const library = await libraryOf({ folder: join(folder, "now"), watch });
      rmSync(join(folder, "now"), { recursive: true });
      const { lines } = await library.until((state) => state.lines.length === 2);
      expect(lines).toEqual([
        expect.stringMatching(/^warn: functions: .*now cannot be watched, and is looked at each second: ENOENT/),
        expect.stringMatching(/^error: functions: .*now: the folder cannot be read \| ENOENT/),
      ]);
      expect(await library.call("verify")).toBe("old");
      write(folder, { "now/verify.js": returning("new") });
      await library.version("verify", 2);
    });

    it("by links that are switched, as Kubernetes mounts a ConfigMap, whichever of its files differ", async () => {
      const mounted = (verify: string, rule: number): Record<string, string> => ({
        "verify.js": `const rule = require("./_rule"); module.exports = () => [${JSON.stringify(verify)}, rule];`,
        "_rule.js": `module.exports = ${rule};`,
      });
      const folder = folderWith();
      const mount = (count: number, files: Record<string, string>): void => {
        write(join(folder, `..${count}`), files);
        link(`..${count}`, join(folder, "..data"));
        rmSync(join(folder, `..${count - 1}`), { recursive: true, force: true });
      };
      mount(1, mounted("a", 1));
      for (const file of ["verify.js", "_rule.js"]) symlinkSync(join("..data", file), join(folder, file));
      const library = await libraryOf({ folder, watch });
      expect(await library.call("verify")).toEqual(["a", 1]);

      for (const [index, [verify, rule]] of (
        [
          ["a", 2],
          ["b", 2],
          ["b", 3],
          ["b", 4],
        ] as const
      ).entries()) {
        mount(index + 2, mounted(verify, rule));
        await library.version("verify", index + 2);
        expect(await library.call("verify")).toEqual([verify, rule]);
      }
    });

    it("by a link to it, which no event tells of, where it is polled", async () => {
      const folder = folderWith({ "1/verify.js": returning(1), "2/verify.js": returning(2) });
      link("1", join(folder, "current"));
      const library = await libraryOf({ folder: join(folder, "current"), watch: { pollMs: 20 } });
      link("2", join(folder, "current"));
      await library.version("verify", 2);
      expect(await library.call("verify")).toBe(2);
    });
  });

  it("ends with close(): functions stay as they are", async () => {
    const folder = folderWith({ "verify.js": returning("old"), "other.js": returning(1) });
    const [closed, open] = [await libraryOf({ folder, watch }), await libraryOf({ folder, watch })];
    await closed.close();
    write(folder, { "verify.js": returning("new") });
    await open.version("verify", 2);
    await soon();
    expect(await closed.call("verify")).toBe("old");
  });
});
