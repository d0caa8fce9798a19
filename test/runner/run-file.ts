/** Runs one test file in a process of its own, bounded in time, and says how each of its tests ended. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endMarked, findMarked, RUN_MARK_VARIABLE, signal } from "./leftovers.ts";
import { parseTestLines, TEST_LINES_VARIABLE } from "./test-lines.ts";
import type { TestLine, TestStatus } from "./test-lines.ts";

/** How to run a file. */
export type FileRunOptions = {
  /** The root of the project: the working directory of the tests. */
  readonly root: string;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  /** Ends the file early; what it had not done counts as failed. */
  readonly abort: AbortSignal;
  /** Only tests whose names match; the file may then have none to run. */
  readonly namePattern: string | null;
};

/** How one test ended. */
export type TestOutcome = {
  readonly name: string;
  readonly status: TestStatus;
  readonly durationMs: number;
  readonly place: string;
  readonly detail: string;
};

/** How a file ended. What failed as a whole (a crash, a hang) is one more failed outcome. */
export type FileOutcome = {
  readonly file: string;
  readonly durationMs: number;
  readonly tests: readonly TestOutcome[];
  readonly notes: readonly string[];
  /** The end of what the file wrote to stdout and stderr. */
  readonly output: string;
};

/** How the process came to its end. */
type Ending = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly cut: "" | "timeout" | "abort";
};

const OUTPUT_LIMIT_CHARACTERS = 64 * 1024;
const GRACE_MS = 2000;
const REPORTER = new URL("./line-reporter.ts", import.meta.url).href;

/** Runs `file` (a path that may be relative to the root). Never rejects because of what the file does. */
export async function runTestFile(file: string, options: FileRunOptions): Promise<FileOutcome> {
  const startedAt = performance.now();
  const directory = await mkdtemp(join(tmpdir(), "weir-test-"));
  const linesFile = join(directory, "lines");
  const mark = randomUUID();
  try {
    const child = start(file, options, { [TEST_LINES_VARIABLE]: linesFile, [RUN_MARK_VARIABLE]: mark });
    const output = keepTail(child);
    const closed = new Promise((resolve) => child.once("close", resolve));
    const ending = await untilEnd(child, options);
    const left = await endLeftovers(mark);
    // What the file wrote last may still be in the pipes; who else holds them open is not waited for.
    await Promise.race([closed, sleep(GRACE_MS, undefined, { ref: false })]);
    child.stdout?.destroy();
    child.stderr?.destroy();
    const lines = parseTestLines(await readFile(linesFile, "utf8").catch(() => ""));
    const durationMs = performance.now() - startedAt;
    const tests = outcomesOf(lines, ending, options);
    const notes = [
      ...notesOf(lines),
      ...left.map((command) => `was still running and got ended: ${command}`),
    ];
    return { file, durationMs, tests, notes, output: output() };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function start(file: string, options: FileRunOptions, marks: Record<string, string>): ChildProcess {
  const { NODE_TEST_CONTEXT: _outerRunner, ...inherited } = process.env;
  const names = options.namePattern === null ? [] : ["--test-name-pattern", options.namePattern];
  const reporter = ["--test-reporter", REPORTER, "--test-reporter-destination", "stdout"];
  return spawn(process.execPath, [...reporter, ...names, file], {
    cwd: options.root,
    env: { ...inherited, ...options.env, ...marks },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that a file that hangs can be ended with what it started.
    detached: true,
  });
}

function keepTail(child: ChildProcess): () => string {
  let text = "";
  const take = (chunk: string): void => {
    text = (text + chunk).slice(-OUTPUT_LIMIT_CHARACTERS);
  };
  child.stdout?.setEncoding("utf8").on("data", take);
  child.stderr?.setEncoding("utf8").on("data", take);
  return () => text;
}

async function untilEnd(child: ChildProcess, options: FileRunOptions): Promise<Ending> {
  let cut: Ending["cut"] = "";
  const endGroup = (why: "timeout" | "abort"): void => {
    cut = why;
    if (child.pid === undefined) return;
    const group = -child.pid;
    signal(group, "SIGTERM");
    setTimeout(() => signal(group, "SIGKILL"), GRACE_MS).unref();
  };
  const onAbort = (): void => endGroup("abort");
  const timer = setTimeout(() => endGroup("timeout"), options.timeoutMs);
  options.abort.addEventListener("abort", onAbort, { once: true });
  if (options.abort.aborted) onAbort();
  // "exit", not "close": a child of the test may hold the pipes open for ever.
  const [code, name] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once("exit", (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
    child.once("error", () => resolve([null, "not started"]));
  });
  clearTimeout(timer);
  options.abort.removeEventListener("abort", onAbort);
  return { code, signal: name, cut };
}

/** Gives what is about to end by itself a moment, then ends the rest. */
async function endLeftovers(mark: string): Promise<string[]> {
  for (let waitedMs = 0; waitedMs < 500 && findMarked(mark).length > 0; waitedMs += 50) await sleep(50);
  const met = await endMarked(mark, GRACE_MS);
  return met.map(({ pid, command }) => `${pid} ${command}`);
}

function outcomesOf(lines: readonly TestLine[], ending: Ending, options: FileRunOptions): TestOutcome[] {
  const tests: TestOutcome[] = [];
  for (const line of lines) {
    if (line.type !== "ended") continue;
    const { status, durationMs, detail } = line;
    const place = line.place.replace(`${options.root}/`, "");
    tests.push({ name: line.path.join(" > "), status, durationMs, place, detail });
  }
  const trouble = troubleOf(lines, ending, options);
  if (trouble !== "") {
    tests.push({
      name: "(the file as a whole)",
      status: "failed",
      durationMs: 0,
      place: "",
      detail: trouble,
    });
  }
  return tests;
}

/** What went wrong with the file as a whole; empty when nothing did. */
function troubleOf(lines: readonly TestLine[], ending: Ending, options: FileRunOptions): string {
  const isComplete = lines.some((line) => line.type === "complete");
  const ended = lines.filter((line) => line.type === "ended");
  if (ending.cut === "abort") return "was ended before it was done, as the whole run was";
  if (ending.cut === "timeout")
    return `took longer than ${options.timeoutMs / 1000} s; ${unfinished(lines)}`;
  const end = ending.signal === null ? `exit code ${ending.code}` : `signal ${ending.signal}`;
  const isSilent = lines.length === 0 && ending.code === 0;
  if (isSilent)
    return "has no tests, or its process ended with exit code 0 before any of them was reported";
  if (!isComplete) return `crashed: its process ended (${end}) before its tests were done`;
  if (ending.code !== 0 && !ended.some((line) => line.status === "failed")) {
    return `ended with ${end} although no test failed; see its notes and output`;
  }
  return ended.length === 0 && options.namePattern === null ? "has no tests" : "";
}

function unfinished(lines: readonly TestLine[]): string {
  const open = new Map<string, string>();
  for (const line of lines) {
    if (line.type === "entered") open.set(JSON.stringify(line.path), line.path.join(" > "));
    if (line.type === "left") open.delete(JSON.stringify(line.path));
  }
  const innermost = [...open.values()].at(-1);
  if (innermost !== undefined) return `not done: ${innermost}`;
  return "its tests are done, but an open socket, timer or child process keeps it alive";
}

function notesOf(lines: readonly TestLine[]): string[] {
  return lines.flatMap((line) => (line.type === "note" ? [line.text] : []));
}
