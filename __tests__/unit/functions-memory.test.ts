import { join } from "node:path";
import { ask, folderWith } from "../tenant/child/library";

const VERIFY = 'const { version } = require("./_rules"); module.exports = () => version;';

type Reload = { readonly times: number; readonly isRequiredOutside?: boolean; readonly isNaive?: boolean };

/** By how many bytes the heap grows over the second half of many reloads; each version weighs more than 40,000. */
async function growth({ times, isRequiredOutside = false, isNaive = false }: Reload): Promise<number> {
  const folder = folderWith({
    "app.js": 'module.exports = () => require("./functions/verify")();',
    "functions/verify.js": VERIFY,
  });
  return (await ask("", "reload", {
    file: join(folder, "functions/verify.js"),
    change: join(folder, "functions/_rules.js"),
    folder: join(folder, "functions"),
    also: isRequiredOutside ? join(folder, "app.js") : undefined,
    times,
    isNaive,
  })) as number;
}

// Each version is written, and read back, as it would be.
jest.setTimeout(60_000);

describe("reloadModule and forgetModules [E3]", () => {
  it("keep memory flat over 1,000 reloads of a module and of what it requires", async () => {
    expect(await growth({ times: 1000 })).toBeLessThan(1_000_000);
  });

  it("keep it flat where a module outside of the folder requires each version, too", async () => {
    expect(await growth({ times: 200, isRequiredOutside: true })).toBeLessThan(1_000_000);
  });

  it("are needed: where only the cache is emptied, all versions are kept", async () => {
    expect(await growth({ times: 200, isNaive: true })).toBeGreaterThan(3_000_000);
  });
});
