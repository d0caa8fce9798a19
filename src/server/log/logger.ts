import { pino } from "pino";
import type { Logger as PinoLogger } from "pino";
import type { LogFields, LogLevel, Logger } from "../../base/log.ts";
import { isLoudEnough } from "./log-level.ts";
import type { LogThreshold } from "./log-level.ts";

/** A log that nobody reads must not stop the media: beyond this many unwritten bytes, lines are dropped. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

/**
 * Makes the server's log: one JSON object a line on standard output, `time` as ISO text, `level` as a word, `msg`.
 * `destination` is standard output unless a test gives another writer of lines.
 */
export function makeLogger(threshold: LogThreshold, destination?: { write(line: string): void }): Logger {
  const options = {
    level: "debug",
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const output = destination ?? standardOutput();
  return wrap(pino(options, output), threshold);
}

/**
 * Standard output, whatever becomes of it: where the log is a file on a full volume its lines wait, up to the bound, and are
 * written when there is room; with a pipe that is closed they are gone. Neither stops the server.
 */
function standardOutput(): { write(line: string): void } {
  const output = pino.destination({ sync: false, maxLength: MAX_UNWRITTEN_BYTES });
  const flushSync = output.flushSync.bind(output);
  let isFailing = false;
  output.on("error", () => (isFailing = true));
  output.on("write", () => (isFailing = false));
  // Called at the end of the process: by itself it would try until it succeeds.
  output.flushSync = () => {
    if (!isFailing) flushSync();
  };
  return output;
}

function wrap(target: PinoLogger, threshold: LogThreshold): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (isLoudEnough(level, threshold)) target[level](fields, message);
    };
  return {
    isEnabled: (level) => isLoudEnough(level, threshold),
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => wrap(target.child({ ...fields }), threshold),
  };
}
