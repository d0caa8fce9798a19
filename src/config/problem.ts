import { wholeFile } from "./place.ts";
import type { Place } from "./place.ts";

/**
 * Every kind of thing that can be said about a config, with a sentence for the reference page.
 */
export const PROBLEM_CODES = {
  CONFIG_BAD_CHARACTER: "A control character, an odd space or a typographic quote stands in the text.",
  CONFIG_UNCLOSED_QUOTE: "A double quote is not closed on its line.",
  CONFIG_MISPLACED_QUOTE:
    "A double quote stands in the middle of a word, or a word touches a closing quote.",
  CONFIG_WORD_TOO_LONG: "A word is longer than any value may be.",
  CONFIG_FILE_TOO_LONG: "A file has more words and signs than are read from one file.",
  CONFIG_MISSING_SEMICOLON: "A statement does not end in `;`.",
  CONFIG_UNCLOSED_BLOCK: "A `{` has no `}`.",
  CONFIG_STRAY_BRACE: "A `}` has no `{`, or a `{` has no directive before it.",
  CONFIG_TOO_DEEP: "Blocks stand in blocks too deep.",
  CONFIG_UNKNOWN_DIRECTIVE: "No directive has this name.",
  CONFIG_WRONG_PLACE: "The directive is used in other blocks, not in this one.",
  CONFIG_NO_EFFECT_YET: "The directive, option or variable is known, and Weir runs without it for now.",
  CONFIG_REFUSED:
    "The directive, option or variable does not work yet, and ignoring it would open or lose something.",
  CONFIG_MISSING_ARGUMENT: "The directive needs an argument that is not there.",
  CONFIG_TOO_MANY_ARGUMENTS: "The directive takes fewer arguments.",
  CONFIG_UNKNOWN_OPTION: "The directive has no option of this name.",
  CONFIG_BAD_VALUE: "A value is not of the kind, or not in the range, that is asked for.",
  CONFIG_MISSING_BLOCK: "The directive needs a `{ }` block.",
  CONFIG_UNEXPECTED_BLOCK: "The directive takes no `{ }` block.",
  CONFIG_DEFINED_TWICE: "A name, a setting or an option is given twice.",
  CONFIG_ADDRESS_TAKEN: "Two listeners want the same port of the same address.",
  CONFIG_UNKNOWN_TEMPLATE: "A stream names a template that is not there.",
  CONFIG_UNKNOWN_AUTH: "An `auth://` or `jwt://` names an `auth_backend` or a `jwt` that is not there.",
  CONFIG_UNKNOWN_DVR: "A recording names a `dvr` block that is not there.",
  CONFIG_NESTED_ROOTS: "The root of a recording lies where streams are recorded below another root.",
  CONFIG_NEVER_USED:
    "What is written can never take effect: a prefix taken by an earlier template, a repeated input, a setting " +
    "that is of use only with another.",
  CONFIG_NOTHING_INSIDE:
    "A stream has no input, a vod no storage, a `dvr` block no root, a listener with `proxy_protocol` no `trusted_proxies`, " +
    "or another block lacks what it is for.",
  CONFIG_UNKNOWN_VOD: "A file input names a vod that is not there.",
  CONFIG_UNKNOWN_VARIABLE: "An environment variable has our prefix and an unknown name.",
  CONFIG_NOT_NEEDED: "What is given is accepted and not needed.",
  CONFIG_WELL_KNOWN:
    "A password is one of manuals and tutorials, which everybody tries first. In production it is refused.",
  CONFIG_FILE_UNREADABLE: "A file or directory of the config cannot be read.",
  CONFIG_FILE_TOO_BIG: "A file, or all files together, are bigger than a config may be.",
  CONFIG_FILE_NOT_TEXT: "A file is not UTF-8 text.",
  CONFIG_TOO_MANY_FILES: "The directory has more parts than are read.",
  CONFIG_NO_FILES: "The directory has no config in it.",
  CONFIG_TOO_MANY_PROBLEMS: "There is more to say than is shown.",
} as const satisfies Record<string, string>;

/** The code of a problem: stable, for programs and tests. */
export type ProblemCode = keyof typeof PROBLEM_CODES;

/** An error refuses the config; a warning and a note do not. */
export type Severity = "error" | "warning" | "note";

/** A second place that explains a problem. */
export type RelatedPlace = Place & { readonly message: string };

/**
 * One thing that is wrong, or worth saying, about a config; plain data.
 *
 * Units: as `Place`.
 */
export type Problem = Place & {
  readonly severity: Severity;
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
  readonly related?: readonly RelatedPlace[];
};

/** What a problem may have besides its place and message. */
export type ProblemExtra = {
  readonly hint?: string | undefined;
  readonly related?: readonly RelatedPlace[];
};

/** Most problems of one severity that are kept: a binary file given as a config must not fill the memory. */
export const MAX_PROBLEMS = 200;

/**
 * Collects problems; keeps the first `MAX_PROBLEMS` of each severity and counts the rest.
 */
export class ProblemList {
  readonly #kept: Problem[] = [];
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };

  /** Whether an error has been added, kept or not. */
  get hasErrors(): boolean {
    return this.#counts.error > 0;
  }

  /** All that were added, kept or not. */
  get count(): number {
    return this.#counts.error + this.#counts.warning + this.#counts.note;
  }

  /** Whether more errors would only be counted: whoever has to work for a good hint can save it. */
  get isFull(): boolean {
    return this.#counts.error >= MAX_PROBLEMS;
  }

  error(code: ProblemCode, place: Place, message: string, extra?: ProblemExtra): void {
    this.add(problem("error", code, place, message, extra));
  }

  warning(code: ProblemCode, place: Place, message: string, extra?: ProblemExtra): void {
    this.add(problem("warning", code, place, message, extra));
  }

  note(code: ProblemCode, place: Place, message: string, extra?: ProblemExtra): void {
    this.add(problem("note", code, place, message, extra));
  }

  add(added: Problem): void {
    this.#counts[added.severity] += 1;
    if (this.#counts[added.severity] <= MAX_PROBLEMS) this.#kept.push(added);
  }

  /**
   * The problems in reading order: files in the order of `files`, then lines, then columns; what has no file
   * there comes last. One more problem at the end says how many were not kept.
   */
  list(files: readonly string[]): Problem[] {
    const order = new Map(files.map((file, index) => [file, index]));
    const rank = (one: Problem): number => order.get(one.file) ?? files.length;
    const sorted = this.#kept.toSorted(
      (a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column,
    );
    for (const severity of ["error", "warning", "note"] as const) {
      const left = this.#counts[severity] - MAX_PROBLEMS;
      const last = sorted.findLast((one) => one.severity === severity);
      if (left <= 0 || last === undefined) continue;
      const place = wholeFile(last.file);
      const message = `${left} more ${severity}s are not shown`;
      sorted.push(problem(severity, "CONFIG_TOO_MANY_PROBLEMS", place, message));
    }
    return sorted;
  }
}

/**
 * Makes a problem from its parts; properties that are not given are absent.
 */
export function problem(
  severity: Severity,
  code: ProblemCode,
  place: Place,
  message: string,
  extra: ProblemExtra = {},
): Problem {
  const { file, line, column, length } = place;
  const { hint, related } = extra;
  return {
    severity,
    code,
    file,
    line,
    column,
    length,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(related === undefined ? {} : { related }),
  };
}
