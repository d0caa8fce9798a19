/** The reporter that every test file's process runs with: turns node:test's events into `TestLine`s. */
import { openSync, writeSync } from "node:fs";
import { inspect } from "node:util";
import { TEST_LINES_VARIABLE } from "./test-lines.ts";
import type { TestLine } from "./test-lines.ts";
import type { TestEvent } from "node:test/reporters";

type Ended = Extract<TestEvent, { type: "test:pass" | "test:fail" }>;

/** Totals that node:test gives as diagnostics at the end; the runner counts for itself. */
const TOTALS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [0-9.]+$/;

/** Writes the lines of every event; gives nothing to the destination that node:test has for a reporter. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const file = process.env[TEST_LINES_VARIABLE];
  if (file === undefined) throw new Error(`${TEST_LINES_VARIABLE} is not set`);
  const descriptor = openSync(file, "a");
  const write = (line: TestLine): void => {
    writeSync(descriptor, JSON.stringify(line) + "\n");
  };
  const running: string[] = [];
  const reported: string[] = [];
  for await (const event of source) {
    for (const line of linesOf(event, running, reported)) write(line);
  }
  write({ type: "complete" });
  yield "";
}

/** `running` holds the names of the tests that run now by nesting, `reported` those being reported. */
function linesOf(event: TestEvent, running: string[], reported: string[]): TestLine[] {
  switch (event.type) {
    case "test:dequeue":
      return [{ type: "entered", path: enter(running, event.data) }];
    case "test:complete":
      return [{ type: "left", path: [...running.slice(0, event.data.nesting), event.data.name] }];
    case "test:start":
      enter(reported, event.data);
      return [];
    case "test:pass":
    case "test:fail":
      return ended(event, reported);
    case "test:diagnostic":
      return TOTALS.test(event.data.message) ? [] : [{ type: "note", text: event.data.message }];
    default:
      return [];
  }
}

function enter(names: string[], test: { name: string; nesting: number }): string[] {
  names.length = test.nesting;
  names.push(test.name);
  return [...names];
}

function ended(event: Ended, reported: string[]): TestLine[] {
  const { data } = event;
  const error = event.type === "test:fail" ? event.data.details.error : undefined;
  // A suite is not a test. It fails by itself only when one of its hooks does.
  if (data.details.type === "suite" && (error === undefined || failureType(error) === "subtestsFailed"))
    return [];
  const path = [...reported.slice(0, data.nesting), data.name];
  const skipReason = reasonOf(data.skip) ?? reasonOf(data.todo);
  const status = skipReason !== undefined ? "skipped" : error === undefined ? "passed" : "failed";
  const detail = skipReason ?? (error === undefined ? "" : describeError(error));
  const place = data.file === undefined ? "" : `${data.file}:${data.line ?? 1}`;
  return [{ type: "ended", path, status, durationMs: data.details.duration_ms, place, detail }];
}

/** `skip` and `todo` are a reason, or true, or false for "no" and an empty string for "yes, without a reason". */
function reasonOf(mark: string | boolean | undefined): string | undefined {
  if (mark === undefined || mark === false) return undefined;
  return mark === true || mark === "" ? "no reason given" : mark;
}

function failureType(error: Error): unknown {
  return (error as Error & { failureType?: unknown }).failureType;
}

/** The thrown thing with its stack, without the frames of Node itself. */
function describeError(error: Error): string {
  const thrown = error.cause ?? error;
  const isAssertion = thrown instanceof Error && thrown.name === "AssertionError";
  const text = isAssertion
    ? (thrown.stack ?? thrown.message)
    : inspect(thrown, { depth: 4, breakLength: 100 });
  return text
    .split("\n")
    .filter((line) => !/^\s+at .*\(?(node:|internal\/)/.test(line))
    .join("\n");
}
