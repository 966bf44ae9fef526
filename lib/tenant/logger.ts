/**
 * The logger that a node's functions write to: the app's, with the node's name on each line, and a level.
 *
 * @module
 */
import { checkLogger, consoleLogger, type Logger } from "../request/logger";
import { shown } from "../request/options";

/** The least severe level let through, by the names that the hosted product uses. */
export type LoggingLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR";

// In the order of severity.
const METHODS = { DEBUG: "debug", INFO: "info", WARNING: "warn", ERROR: "error" } as const;
const LEVELS = Object.keys(METHODS) as LoggingLevel[];

export type Names = { readonly tenant: string; readonly node: string };

/**
 * Makes the logger of a node's functions. One that has `child()`, as those of pino, winston and bunyan do, gets the names
 * as fields; for any other the node's name stands before the line. Without `loggingLevel` the app's own logger decides what
 * is written; where there is none, it is `console`, from INFO on.
 *
 * @throws TypeError at start, for a level that is none, and for what is no logger.
 */
export function functionLogger(logger: Logger, names: Names, loggingLevel?: LoggingLevel): Logger {
  if (loggingLevel !== undefined && !LEVELS.includes(loggingLevel)) {
    throw new TypeError(`loggingLevel: ${shown(loggingLevel)} is none of ${LEVELS.join(", ")}.`);
  }
  const isOurs = checkLogger(logger) === consoleLogger;
  const least = LEVELS.indexOf(loggingLevel ?? (isOurs ? "INFO" : "DEBUG"));
  // What a function chooses to say is said; the node's own lines alone leave out what went well.
  const named = isOurs ? prefixed(console, names) : (childOf(logger, names, loggingLevel) ?? prefixed(logger, names));
  const at = (level: LoggingLevel): Logger["info"] => {
    const method = METHODS[level];
    if (LEVELS.indexOf(level) < least) return () => {};
    return (...args) => {
      try {
        named[method](...args);
      } catch {
        // A logger that fails has nowhere to say so, and fails no request.
      }
    };
  };
  return { debug: at("DEBUG"), info: at("INFO"), warn: at("WARNING"), error: at("ERROR") };
}

type Child = (fields: object, options?: object) => Partial<Logger> | undefined;

/** The logger's own child, if it makes any. pino takes the level too, so that it may be lower than its parent's. */
function childOf(
  logger: Logger & { child?: Child },
  names: Names,
  level: LoggingLevel | undefined,
): Logger | undefined {
  if (typeof logger.child !== "function") return undefined;
  const child = logger.child(names, level && { level: METHODS[level] });
  return Object.values(METHODS).every((method) => typeof child?.[method] === "function")
    ? (child as Logger)
    : undefined;
}

function prefixed(logger: Logger, { node }: Names): Logger {
  const prefix = `webhook ${node}:`;
  const at =
    (method: keyof Logger): Logger["info"] =>
    (line: unknown, ...rest) =>
      typeof line === "string" ? logger[method](`${prefix} ${line}`, ...rest) : logger[method](prefix, line, ...rest);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
