/** A log that a test reads. */
import type { LogFields, Logger, LogLevel } from "../../src/base/log.ts";

/** One line. */
export type RecordedLine = {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
};

/** Keeps every line. */
export class RecordingLog implements Logger {
  readonly lines: RecordedLine[] = [];

  isEnabled(): boolean {
    return true;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "debug", message, fields });
  }

  info(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "info", message, fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "warn", message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "error", message, fields });
  }

  child(): Logger {
    return this;
  }

  /** The lines of a level. */
  of(level: LogLevel): RecordedLine[] {
    return this.lines.filter((line) => line.level === level);
  }

  /** Everything that was written, as one text. */
  get text(): string {
    return JSON.stringify(this.lines);
  }
}
