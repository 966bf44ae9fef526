/**
 * The logger that a node writes to: the four methods that `console`, pino and winston have in common.
 *
 * @module
 */

/**
 * Any object with these four methods. A line is one string, with control characters made visible. `error` may be given
 * the thrown value as a second argument; pino is given it as it wants it.
 */
export type Logger = {
  debug(line: string, ...rest: unknown[]): void;
  info(line: string, ...rest: unknown[]): void;
  warn(line: string, ...rest: unknown[]): void;
  error(line: string, ...rest: unknown[]): void;
};

/** The default: refusals and failures to `console`, and no word of what went well. */
export const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn: (line) => console.warn(line),
  error: (line, ...rest) => console.error(line, ...rest),
};

/** Writes a line with what was thrown. pino takes that first, by the name `err`, and drops what stands behind the line. */
export function writeError(logger: Logger, line: string, error: unknown): void {
  const isPino = typeof (logger as { bindings?: unknown }).bindings === "function";
  if (isPino) (logger as unknown as { error(fields: object, line: string): void }).error({ err: error }, line);
  else logger.error(line, error);
}

/** Writes an error. A logger that fails has nowhere to say so, and fails no request. */
export function logError(logger: Logger, line: string, error: unknown): void {
  try {
    writeError(logger, line, error);
  } catch {
    // The log alone is poorer.
  }
}

/** Writes a warning, by the same measure. */
export function logWarning(logger: Logger, line: string): void {
  try {
    logger.warn(line);
  } catch {
    // The log alone is poorer.
  }
}

/** Holds an option to the shape of a logger. @throws TypeError at start. */
export function checkLogger(logger: Logger): Logger {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    if (typeof (logger as Partial<Logger> | null)?.[level] !== "function") {
      throw new TypeError(
        `logger: it has no method ${level}(); pass console, or an object with debug, info, warn and error.`,
      );
    }
  }
  return logger;
}
