import type { LogFields, LogLevel, Logger } from "../../base/log.ts";
import { isLoudEnough } from "../log/log-level.ts";
import type { LogThreshold } from "../log/log-level.ts";

/** Where a line of a thread's log goes. */
export type LogLineSink = (level: LogLevel, message: string, fields: LogFields) => void;

/** The log of a media thread: levels are judged here, lines are written by the control thread. */
export function threadLog(threshold: LogThreshold, write: LogLineSink, fields: LogFields = {}): Logger {
  const line =
    (level: LogLevel) =>
    (message: string, own: LogFields = {}): void => {
      if (isLoudEnough(level, threshold)) write(level, message, plain({ ...fields, ...own }));
    };
  return {
    isEnabled: (level) => isLoudEnough(level, threshold),
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
