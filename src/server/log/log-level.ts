import type { LogLevel as ConfigLogLevel } from "../../config/plan.ts";
import type { LogLevel } from "../../base/log.ts";

/** Levels of the server's log; `none` is silence. */
export type ServerLogLevel = LogLevel | "none";

/** The least important level that is written; it may change at any time. */
export type LogThreshold = { level: ServerLogLevel };

/** The configuration's levels are syslog's; the log has four and silence. */
const LOG_LEVELS: Record<ConfigLogLevel, ServerLogLevel> = {
  none: "none",
  alert: "error",
  critical: "error",
  error: "error",
  warning: "warn",
  notice: "info",
  info: "info",
  debug: "debug",
};

/** The level at which the server writes when the configuration says `level`. */
export function serverLogLevel(level: ConfigLogLevel): ServerLogLevel {
  return LOG_LEVELS[level];
}

const RANKS = { debug: 0, info: 1, warn: 2, error: 3, none: 4 } as const;

/** Whether a line of that level is written under a threshold. */
export function isLoudEnough(level: LogLevel, threshold: LogThreshold): boolean {
  return RANKS[level] >= RANKS[threshold.level];
}
