/**
 * Function libraries in a child process, where modules are loaded by Node and not by jest.
 *
 * @module
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FunctionEntry, FunctionLibraryOptions } from "express-webhook-node/tenant/functions";

export type State = { readonly list: readonly FunctionEntry[]; readonly lines: readonly string[] };

type Reply = { readonly request: number; readonly result?: unknown; readonly error?: Error };

let child: ChildProcess | undefined;
let requests = 0;
const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();

function start(): ChildProcess {
  const started = fork(join(__dirname, "library.cjs"), {
    // Some versions of Node warn of the first ES module that is required.
    execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning", "--require", join(__dirname, "from-source.cjs")],
    serialization: "advanced",
  });
  started.on("message", ({ request, result, error }: Reply) => {
    const asked = waiting.get(request);
    waiting.delete(request);
    if (error) asked?.reject(new Error(`${error.name}: ${error.message}`));
    else asked?.resolve(result);
  });
  return started;
}

/** Asks the child, which is started with the first question and ended after the test file. */
export function ask(id: string, question: string, ...args: readonly unknown[]): Promise<unknown> {
  child ??= start();
  const request = ++requests;
  return new Promise((resolve, reject) => {
    waiting.set(request, { resolve, reject });
    child?.send({ request, id, ask: question, args });
  });
}

const folders: string[] = [];
const ids: string[] = [];

/** Makes a folder with files for one test. */
export function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "functions-")));
  folders.push(folder);
  write(folder, files);
  return folder;
}

export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

export type Library = {
  readonly state: () => Promise<State>;
  readonly call: (name: string, ...args: readonly unknown[]) => Promise<unknown>;
  /** Does what making a node with a function does. */
  readonly use: (name: string) => Promise<unknown>;
  /** Serves a node with a function, and tells the port. */
  readonly serve: (name: string) => Promise<number>;
  readonly close: () => Promise<unknown>;
  /** Waits until the library's state is as it is to be, for at most five seconds. */
  readonly until: (isTrue: (state: State) => boolean) => Promise<State>;
  /** Waits until a function has a version. */
  readonly version: (name: string, version: number) => Promise<FunctionEntry>;
};

/** Makes a library in the child. It is closed after the test. */
export async function libraryOf(options: Omit<FunctionLibraryOptions, "functions" | "logger">): Promise<Library> {
  const id = `library ${ids.length + 1} of ${requests}`;
  await ask(id, "create", { id, ...options });
  ids.push(id);
  const state = () => ask(id, "state") as Promise<State>;
  const until: Library["until"] = async (isTrue) => {
    const give = performance.now() + 5000;
    for (;;) {
      const now = await state();
      if (isTrue(now)) return now;
      if (performance.now() > give) throw new Error(`it has not become true in five seconds: ${JSON.stringify(now)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return {
    state,
    until,
    call: (name, ...args) => ask(id, "call", name, ...args),
    use: (name) => ask(id, "use", name),
    serve: (name) => ask(id, "serve", name) as Promise<number>,
    close: () => ask(id, "close"),
    async version(name, version) {
      const is = (entry: FunctionEntry): boolean => entry.name === name && entry.version === version;
      const { list } = await until(({ list }) => list.some(is));
      return list.find(is) as FunctionEntry;
    },
  };
}

afterEach(async () => {
  await Promise.all(ids.splice(0).map((id) => ask(id, "close")));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

afterAll(async () => {
  if (!child) return;
  const ended = new Promise((resolve) => child?.once("exit", resolve));
  child.disconnect();
  await ended;
});
