/** What the person who runs the tests sees: a line a file, failures in full, and the totals as the last line alone. */
import { isatty } from "node:tty";
import { createColors } from "picocolors";
import type { FileOutcome, TestOutcome } from "./run-file.ts";

/** For people at a terminal only: in a log of CI the escape codes would stand as text. */
const colors = createColors(isatty(1) && process.env["NO_COLOR"] === undefined);

/** Where lines go, and how much is said. */
export type ReportOptions = {
  print(line: string): void;
  /** Every test by its name, and what the files wrote, also of files that passed. */
  readonly verbose: boolean;
};

/** Sums over the whole run. */
export type Totals = { passed: number; failed: number; skipped: number };

const OUTPUT_TAIL_LINES = 40;

/** Collects outcomes and prints them as they come. */
export class Report {
  readonly #options: ReportOptions;
  /** By the file: the outcome that counts. */
  readonly #outcomes = new Map<string, FileOutcome>();
  /** First outcomes of files that failed, and passed when they were run once more. */
  readonly #unsteady: FileOutcome[] = [];

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Begins a group. */
  group(name: string): void {
    this.#options.print(`\n${colors.bold(name)}`);
  }

  /** Takes and prints the outcome of one file. */
  file(outcome: FileOutcome): void {
    this.#outcomes.set(outcome.file, outcome);
    this.#file(outcome);
  }

  /**
   * Takes and prints what a file that failed did when it was run once more. It counts in place of the first outcome when
   * every test of that has passed now; otherwise the first stands.
   */
  again(outcome: FileOutcome): void {
    const first = this.#outcomes.get(outcome.file);
    this.#file(outcome);
    if (first === undefined || !makesGood(first, outcome)) return;
    this.#outcomes.set(outcome.file, outcome);
    this.#unsteady.push(first);
  }

  /** Prints what failed and what was skipped once more, and the totals. Returns the exit code. */
  end(): number {
    const print = (line: string): void => this.#options.print(line);
    this.#endUnsteady();
    const tests = [...this.#outcomes.values()].flatMap(({ file, tests: all }) =>
      all.map((test) => ({ file, test })),
    );
    const failures = tests.filter(({ test }) => test.status === "failed");
    if (failures.length > 0) print(`\n${colors.bold("failed")}`);
    for (const { file, test } of failures) print(`  ${file}: ${test.name}`);
    const skipped = tests.filter(({ test }) => test.status === "skipped");
    const reasons = new Set(skipped.map(({ test }) => test.detail));
    if (reasons.size > 0) print(`\n${colors.bold("skipped because")}`);
    for (const reason of reasons) print(`  ${reason}`);
    print("");
    const totals = countOf(tests.map(({ test }) => test));
    const hasRun = totals.passed + totals.failed > 0;
    if (!hasRun) print("no test has run: that is a failure too");
    print(totalsLine(totals));
    return hasRun && totals.failed === 0 ? 0 : 1;
  }

  /** Whole, though it was printed before: nobody looks for a failure in a run that passed. */
  #endUnsteady(): void {
    const count = this.#unsteady.length;
    if (count === 0) return;
    this.#options.print(`\n${colors.bold("unsteady:")}`);
    for (const first of this.#unsteady) this.#file(first);
    const files = count === 1 ? "1 file" : `${count} files`;
    this.#options.print(
      `\n  note: ${files} failed, and passed alone on the machine: unsteady, a defect to mend`,
    );
  }

  #file(outcome: FileOutcome): void {
    const count = countOf(outcome.tests);
    const word = count.failed > 0 ? colors.red("FAIL") : colors.green("ok  ");
    const seconds = (outcome.durationMs / 1000).toFixed(1);
    this.#options.print(`  ${word}  ${outcome.file}  ${colors.dim(`${totalsLine(count)}, ${seconds} s`)}`);
    for (const test of outcome.tests) this.#test(test);
    for (const note of outcome.notes) this.#indent(colors.dim(`note: ${note}`));
    if (count.failed > 0 || this.#options.verbose) this.#output(outcome.output);
  }

  #test(test: TestOutcome): void {
    const place = test.place === "" ? "" : colors.dim(` (${test.place})`);
    if (test.status === "failed") {
      this.#indent(`${colors.red("failed")}  ${test.name}${place}`);
      this.#indent(test.detail.replaceAll("\n", "\n  "), "  ");
      return;
    }
    if (!this.#options.verbose) return;
    const reason = test.status === "skipped" ? `: ${test.detail}` : "";
    this.#indent(
      `${test.status.padEnd(7)} ${test.name}${colors.dim(`${reason} ${Math.round(test.durationMs)} ms`)}`,
    );
  }

  #output(output: string): void {
    const lines = output.trimEnd().split("\n");
    if (lines.length === 1 && lines[0] === "") return;
    if (lines.length > OUTPUT_TAIL_LINES)
      this.#indent(colors.dim(`... ${lines.length - OUTPUT_TAIL_LINES} lines`));
    for (const line of lines.slice(-OUTPUT_TAIL_LINES)) this.#indent(colors.dim(`| ${line}`));
  }

  #indent(text: string, more = ""): void {
    const margin = `        ${more}`;
    this.#options.print(margin + text.replaceAll("\n", `\n${margin}`));
  }
}

/** `N passed, N failed`, and `, N skipped` only when there are any. */
export function totalsLine(totals: Totals): string {
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
  return `${totals.passed} passed, ${totals.failed} failed${skipped}`;
}

/**
 * Nothing failed, what passed before has passed again, and what failed before was not skipped. A crash, a hang or a hook
 * that failed has no name of its own among tests that pass.
 */
function makesGood(first: FileOutcome, second: FileOutcome): boolean {
  const now = new Map(second.tests.map(({ name, status }) => [name, status]));
  const allPass = [...now.values()].every((status) => status !== "failed");
  const hasPassed = [...now.values()].includes("passed");
  const isKept = ({ name, status }: TestOutcome): boolean =>
    status === "passed" ? now.get(name) === "passed" : status === "skipped" || now.get(name) !== "skipped";
  return allPass && hasPassed && first.tests.every(isKept);
}

function countOf(tests: readonly TestOutcome[]): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const test of tests) totals[test.status]++;
  return totals;
}
