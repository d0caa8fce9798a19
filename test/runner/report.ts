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
  readonly totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  readonly #options: ReportOptions;
  readonly #failures: string[] = [];
  readonly #skipReasons = new Set<string>();

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Begins a group. */
  group(name: string): void {
    this.#options.print(`\n${colors.bold(name)}`);
  }

  /** Takes and prints the outcome of one file. */
  file(outcome: FileOutcome): void {
    const count = countOf(outcome.tests);
    this.totals.passed += count.passed;
    this.totals.failed += count.failed;
    this.totals.skipped += count.skipped;
    const word = count.failed > 0 ? colors.red("FAIL") : colors.green("ok  ");
    const seconds = (outcome.durationMs / 1000).toFixed(1);
    this.#options.print(`  ${word}  ${outcome.file}  ${colors.dim(`${totalsLine(count)}, ${seconds} s`)}`);
    for (const test of outcome.tests) this.#test(outcome.file, test);
    for (const note of outcome.notes) this.#indent(colors.dim(`note: ${note}`));
    if (count.failed > 0 || this.#options.verbose) this.#output(outcome.output);
  }

  /** Counts a file that could not be run as one failure. */
  notRun(file: string, reason: string): void {
    const detail = `not run: ${reason}`;
    const test: TestOutcome = {
      name: "(the file as a whole)",
      status: "failed",
      durationMs: 0,
      place: "",
      detail,
    };
    this.file({ file, durationMs: 0, tests: [test], notes: [], output: "" });
  }

  /** Prints what failed and what was skipped once more, and the totals. Returns the exit code. */
  end(): number {
    const print = (line: string): void => this.#options.print(line);
    if (this.#failures.length > 0) print(`\n${colors.bold("failed")}`);
    for (const failure of this.#failures) print(`  ${failure}`);
    if (this.#skipReasons.size > 0) print(`\n${colors.bold("skipped because")}`);
    for (const reason of this.#skipReasons) print(`  ${reason}`);
    print("");
    const hasRun = this.totals.passed + this.totals.failed > 0;
    if (!hasRun) print("no test has run: that is a failure too");
    print(totalsLine(this.totals));
    return hasRun && this.totals.failed === 0 ? 0 : 1;
  }

  #test(file: string, test: TestOutcome): void {
    const place = test.place === "" ? "" : colors.dim(` (${test.place})`);
    if (test.status === "failed") {
      this.#failures.push(`${file}: ${test.name}`);
      this.#indent(`${colors.red("failed")}  ${test.name}${place}`);
      this.#indent(test.detail.replaceAll("\n", "\n  "), "  ");
      return;
    }
    if (test.status === "skipped") this.#skipReasons.add(test.detail);
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

function countOf(tests: readonly TestOutcome[]): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const test of tests) totals[test.status]++;
  return totals;
}
