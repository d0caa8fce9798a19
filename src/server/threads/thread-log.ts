import type { LogFields, LogLevel, Logger } from "../../base/log.ts";

const RANKS = { debug: 0, info: 1, warn: 2, error: 3, none: 4 } as const;

/** Where a line of a thread's log goes. */
export type LogLineSink = (level: LogLevel, message: string, fields: LogFields) => void;

/** The log of a media thread: levels are judged here, lines are written by the control thread. */
export function threadLog(
  threshold: keyof typeof RANKS,
  write: LogLineSink,
  fields: LogFields = {},
): Logger {
  const line =
    (level: LogLevel) =>
    (message: string, own: LogFields = {}): void => {
      if (RANKS[level] >= RANKS[threshold]) write(level, message, plain({ ...fields, ...own }));
    };
  return {
    isEnabled: (level) => RANKS[level] >= RANKS[threshold],
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    child: (more) => threadLog(threshold, write, { ...fields, ...more }),
  };
}

/** What can be cloned: as a JSON line would have it. */
function plain(fields: LogFields): LogFields {
  return JSON.parse(JSON.stringify(fields)) as LogFields;
}
