/**
 * The lines that the process of a test file writes and the runner reads: one JSON object a line, written
 * synchronously, so that what happened before a crash or a hang is not lost.
 */

/** How one test ended. A test marked `todo` counts as skipped, whatever it did. */
export type TestStatus = "passed" | "failed" | "skipped";

/** One line. `path` is the test's name with the names of the suites around it before it. */
export type TestLine =
  | { readonly type: "entered"; readonly path: readonly string[] }
  | { readonly type: "left"; readonly path: readonly string[] }
  | {
      readonly type: "ended";
      readonly path: readonly string[];
      readonly status: TestStatus;
      readonly durationMs: number;
      /** `file:line` where the test stands; empty when it is not known. */
      readonly place: string;
      /** The error of a failed test, the reason of a skipped one. */
      readonly detail: string;
    }
  | { readonly type: "note"; readonly text: string }
  /** All tests of the file have been run and reported. */
  | { readonly type: "complete" };

/** Environment variable that names the file to which the lines go. */
export const TEST_LINES_VARIABLE = "WEIR_TEST_LINES";

/** Reads the lines of a file's text; a last line that was cut off in the middle is left out. */
export function parseTestLines(text: string): TestLine[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line) as TestLine);
}
