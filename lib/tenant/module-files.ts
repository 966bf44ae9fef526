/**
 * Lists the modules below a folder, and the folders that they lie in.
 *
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export type ModuleFiles = {
  /** All folders, the topmost first. */
  readonly folders: readonly string[];
  /** Modules and the JSON that they may require, as paths from the topmost folder with forward slashes, in order. */
  readonly files: readonly string[];
};

const MODULE = /(?<!\.d)\.[cm]?[jt]s$|\.json$/;

/**
 * Lists what lies below a folder. Hidden files and folders, and `node_modules`, are passed over.
 *
 * @throws the system's error if the folder itself cannot be read.
 */
export function moduleFiles(folder: string): ModuleFiles {
  const folders = [folder];
  const files: string[] = [];
  list("");
  return { folders, files: files.toSorted() };

  function list(below: string): void {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const path = below + entry.name;
      if (entry.isDirectory()) {
        folders.push(join(folder, path));
        unlessGone(() => list(`${path}/`));
      } else if (MODULE.test(entry.name) && (entry.isFile() || isLinkToFile(join(folder, path)))) {
        files.push(path);
      }
    }
  }
}

function isLinkToFile(path: string): boolean {
  return unlessGone(() => statSync(path).isFile()) ?? false;
}

/** A folder or a file may go between two looks at it. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
