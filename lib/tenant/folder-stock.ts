/**
 * Keeps a table of functions in step with a folder of modules.
 *
 * @module
 */
import type { Logger } from "../request/logger";
import { printable } from "../request/outcome";
import { FunctionFolder, type FoundFunction, type Look, type Problem } from "./function-folder";
import type { FunctionTable } from "./function-table";
import { checkRequirements } from "./requirements";
import { watchFolder, type Watched, type WatchOptions } from "./watch";

export type StockOptions = {
  readonly folder: string;
  readonly table: FunctionTable;
  /** Whether a node was made with the function of a name: it stays, whatever becomes of its module. */
  readonly isUsed: (name: string) => boolean;
  readonly logger: Logger;
  readonly resolveFrom: string | undefined;
};

const SET_BY_APP = "the app has put a function there itself, which a module does not replace";

export class FolderStock {
  readonly #options: StockOptions;
  readonly #folder: FunctionFolder;
  /** What was told at the last look, so that it is told once. */
  #told = new Set<string>();

  constructor(options: StockOptions) {
    this.#options = options;
    this.#folder = new FunctionFolder(options.folder);
  }

  /**
   * Puts all functions of the folder into the table, and returns what is wrong with the others.
   *
   * @throws TypeError if the folder cannot be read.
   */
  fill(): readonly Problem[] {
    const { table, folder } = this.#options;
    let look: Look;
    try {
      look = this.#folder.look();
    } catch (cause) {
      throw new TypeError(`folder: ${folder} cannot be read: ${(cause as Error).message}`, { cause });
    }
    const { found, problems } = look;
    const twice = found.filter(({ name }) => table.entry(name));
    for (const one of found) if (!twice.includes(one)) table.put(one.name, one, placeOf(one));
    return [
      ...problems,
      ...twice.map(({ name, file }) => ({ name, why: `it is there twice: in functions, and as ${file}` })),
    ];
  }

  /** Takes what changes in the folder, from now on until it is closed. */
  watch(options: WatchOptions): Watched {
    const { folder, logger } = this.#options;
    const watched = watchFolder(
      folder,
      options,
      () => this.#refresh(),
      (error) => {
        logger.warn(
          printable(`functions: ${folder} cannot be watched, and is looked at each second: ${error.message}`),
        );
      },
    );
    // What has changed between the first look and the first watch.
    this.#refresh();
    return watched;
  }

  /** Takes what has changed in the folder, and tells what cannot be taken. */
  #refresh(): void {
    const { folder } = this.#options;
    let look: Look;
    try {
      look = this.#folder.look();
    } catch (error) {
      this.#tell([{ name: folder, why: "the folder cannot be read", error }]);
      return;
    }
    const refused = look.found.map((one) => this.#take(one)).filter((problem) => problem !== undefined);
    // An unmet requirement may be met the next time.
    for (const { name } of refused) this.#folder.retry(name);
    this.#tell([...look.problems, ...refused, ...this.#drop(look.names)]);
  }

  #take(found: FoundFunction): Problem | undefined {
    const { table, isUsed, logger, resolveFrom } = this.#options;
    const { name, requirements, file } = found;
    const old = table.entry(name);
    if (old && old.file === undefined) return { name, why: SET_BY_APP };
    if (isUsed(name)) {
      try {
        checkRequirements({ requirements, resolveFrom });
      } catch (error) {
        return { name, why: (error as Error).message.replaceAll("\n", " ") };
      }
    }
    const { version } = table.put(name, found, placeOf(found));
    logger.info(printable(`functions: ${name}: version ${version}, from ${file}`));
    return undefined;
  }

  /** Takes out the functions whose modules have gone, but for those in use. */
  #drop(names: ReadonlySet<string>): readonly Problem[] {
    const { table, isUsed, logger } = this.#options;
    const gone = table.list().filter(({ name, file }) => file !== undefined && !names.has(name));
    for (const { name, file } of gone) {
      if (isUsed(name)) continue;
      table.remove(name);
      logger.info(printable(`functions: ${name}: taken out, for ${file} has gone`));
    }
    return gone.filter(({ name }) => isUsed(name)).map(({ name, file }) => ({ name, why: `${file} has gone` }));
  }

  #tell(problems: readonly Problem[]): void {
    const { table, logger } = this.#options;
    const told = new Set<string>();
    for (const { name, why, error } of problems) {
      const entry = table.entry(name);
      const line = printable(
        `functions: ${name}: ${why}${entry ? `; version ${entry.version} stays in its place` : ""}`,
      );
      told.add(line);
      if (this.#told.has(line)) continue;
      if (error === undefined) logger.warn(line);
      else logger.error(line, error);
    }
    this.#told = told;
  }
}

function placeOf({ file, digest }: FoundFunction): Pick<FoundFunction, "file" | "digest"> {
  return { file, digest };
}
