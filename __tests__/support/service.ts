/**
 * Services that tests talk to: real ones, on this machine. Where one is not there its tests are skipped and say why, unless
 * `SERVICES=required` says that all must be there.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";

const HOST = "127.0.0.1";

/** Nobody else has this name, not the other project of this very run either. */
export const unique = `webhook_test_${process.pid}_${randomBytes(4).toString("hex")}`;

/** `describe`, or what says why it is skipped. Nothing is where services are required. */
export function describeWith(service: string, port: number): jest.Describe {
  return isThere(service, port) ? describe : describe.skip;
}

/** `it`, or what says why it is skipped. Nothing is where services are required. */
export function itWith(service: string, port: number): jest.It {
  return isThere(service, port) ? it : it.skip;
}

function isThere(service: string, port: number): boolean {
  const why = process.env["SERVICES"] === "required" ? "" : missing(port);
  if (!why) return true;
  process.stderr.write(`${service} is not at ${HOST}:${port} (${why}), so its tests are skipped.\n`);
  return false;
}

/** Why nothing listens on a port, or an empty text. Asked of another process, for a test file cannot wait for the answer. */
function missing(port: number): string {
  const probe = `require("net").connect(${port}, "${HOST}", () => process.exit()).on("error", (e) => {
    process.stdout.write(e.code);
    process.exit();
  }).setTimeout(1000, () => process.stdout.write("no answer", () => process.exit()))`;
  return spawnSync(process.execPath, ["-e", probe], { encoding: "utf8" }).stdout;
}
