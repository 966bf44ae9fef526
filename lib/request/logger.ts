/**
 * The logger that a node writes to: the four methods that `console`, pino and winston have in common.
 *
 * @module
 */

/**
 * Any object with these four methods. A line is one string, with control characters made visible. `error` may be given
 * the thrown value as a second argument.
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

/** Writes an error. A logger that fails has nowhere to say so, and fails no request. */
export function logError(logger: Logger, line: string, error: unknown): void {
  try {
    logger.error(line, error);
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
