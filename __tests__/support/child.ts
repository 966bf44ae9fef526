/**
 * A server in a process of its own, whose memory and handles are nobody else's. It runs the library from its source.
 *
 * @module
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { transformSync } from "@swc/core";

export type Child = {
  /** The port that the program listens on. */
  readonly port: number;
  /** Sends a question to the program, and resolves to its answer. Rejects if the process ends. */
  readonly ask: <Answer>(question: string) => Promise<Answer>;
  /** Whether the process still runs: what nobody has caught ends it. */
  readonly isAlive: () => boolean;
  /** What the process has written to its error output. */
  readonly errors: () => string;
};

const ROOT = path.join(__dirname, "..", "..");
const started: ChildProcess[] = [];
let built: string | undefined;

/**
 * Starts a program (a TypeScript file) in a child process, which is ended after the tests of the file. The program tells
 * its port by `process.send({ port })`, and answers `{ id, question }` with `{ id, answer }`.
 */
export function startChild(program: string): Promise<Child> {
  built ??= build();
  const file = path.join(built, `${path.basename(program, ".ts")}.js`);
  writeFileSync(file, compiled(program));
  const child = fork(file, [], {
    execArgv: ["--expose-gc"],
    // What the library depends on is found where the project has it.
    env: { ...process.env, NODE_PATH: path.join(ROOT, "node_modules"), NODE_ENV: "production" },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  started.push(child);
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));

  const waiting = new Map<number, (answer: unknown) => void>();
  const ended = new Promise<never>((_, reject) => {
    child.once("exit", (code, signal) => reject(new Error(`The child has ended: ${code ?? signal}\n${errors}`)));
  });
  ended.catch(() => {});
  let questions = 0;

  return new Promise((resolve, reject) => {
    ended.catch(reject);
    child.on("message", (message: { port?: number; id?: number; answer?: unknown }) => {
      if (message.id !== undefined) {
        waiting.get(message.id)?.(message.answer);
        waiting.delete(message.id);
        return;
      }
      resolve({
        port: message.port ?? 0,
        ask: <Answer>(question: string) => {
          const id = ++questions;
          const answered = new Promise<Answer>((done) => waiting.set(id, done as (answer: unknown) => void));
          child.send({ id, question });
          return Promise.race([answered, ended]);
        },
        isAlive: () => child.exitCode === null && child.signalCode === null,
        errors: () => errors,
      });
    });
  });
}

/** Compiles the library into a folder of its own, as a package beside the Express that the tests run under. */
function build(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "express-webhook-node-"));
  const lib = path.join(ROOT, "lib");
  const modules = path.join(folder, "node_modules");
  for (const entry of readdirSync(lib, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/(?<!\.d)\.ts$/.test(entry.name)) continue;
    const source = path.join(entry.parentPath, entry.name);
    const target = path.join(modules, "express-webhook-node", path.relative(lib, source).replace(/\.ts$/, ".js"));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, compiled(source));
  }
  mkdirSync(path.join(modules, "express"), { recursive: true });
  const express = JSON.stringify(require.resolve("express"));
  writeFileSync(path.join(modules, "express", "index.js"), `module.exports = require(${express});\n`);
  return folder;
}

function compiled(source: string): string {
  return transformSync(readFileSync(source, "utf8"), {
    swcrc: false,
    filename: source,
    sourceMaps: "inline",
    module: { type: "commonjs" },
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
  }).code;
}

afterAll(async () => {
  await Promise.all(
    started.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }),
  );
  if (built !== undefined) rmSync(built, { recursive: true, force: true, maxRetries: 3 });
});
