/** Logging as the rest of the project sees it: levels, a message, structured fields. The writer is chosen by `server/`. */

/** Levels from chatty to grave. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Structured facts of a log line. Never tokens, passwords or whole URLs with queries. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A place to log to. */
export type Logger = {
  isEnabled(level: LogLevel): boolean;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same logger with fields added to every line. */
  child(fields: LogFields): Logger;
};

/** Says nothing. */
export const silentLogger: Logger = {
  isEnabled: () => false,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

/**
 * Turns events that may come with every packet into at most one log line a second: a count and the last cause.
 * It needs no timer: the line of a second is written by the first event of a later one, or by `flush`.
 */
export class PerSecondLog {
  readonly #logger: Logger;
  readonly #message: string;
  /** The clock begins with the process: its first second is no quiet one otherwise. */
  #windowStartUs = -Infinity;
  #count = 0;
  #lastFields: LogFields = {};
  total = 0;

  constructor(logger: Logger, message: string) {
    this.#logger = logger;
    this.#message = message;
  }

  /** Counts one event; the first after a quiet second is logged at once. */
  add(nowUs: number, fields: LogFields = {}): void {
    this.total++;
    this.#lastFields = fields;
    this.#count++;
    if (nowUs - this.#windowStartUs < 1_000_000) return;
    this.#windowStartUs = nowUs;
    this.flush();
  }

  /** Writes what is counted and not yet logged. */
  flush(): void {
    if (this.#count === 0) return;
    this.#logger.warn(this.#message, { ...this.#lastFields, count: this.#count });
    this.#count = 0;
  }
}
