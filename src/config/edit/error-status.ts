/** What is wrong with a configuration, as the API tells it. */
import { hideSecrets } from "../secrets.ts";
import { SourceText } from "../place.ts";
import type { LoadedConfig } from "../load.ts";
import type { Problem } from "../problem.ts";

/** Places that are told at most. */
const MAX_TOLD = 50;

/** One thing that is wrong. `path`: the directives around it are not told; the file is. */
export type ConfigErrorDetail = {
  readonly code: string;
  readonly severity: string;
  readonly file: string;
  readonly line: number;
  readonly col: number;
  readonly detail: string;
  readonly hint?: string;
};

/** The state of a configuration that was read. `error` is the code of the first error; `null` when there is none. */
export type ConfigErrorStatus = {
  readonly error: string | null;
  readonly line: number | null;
  readonly col: number | null;
  readonly first_error_line: number | null;
  readonly first_error_col: number | null;
  /** The file, and the words of the statement that the line begins with. */
  readonly path: readonly string[];
  readonly detail: string | null;
  readonly problems: readonly ConfigErrorDetail[];
};

/** Tells of a configuration what came of reading it; secrets are not in it. */
export function configErrorStatus({ problems, sources }: LoadedConfig): ConfigErrorStatus {
  const first = problems.find(({ severity }) => severity === "error");
  const place = first === undefined || first.line === 0 ? null : first;
  return {
    error: first?.code.toLowerCase() ?? null,
    line: place?.line ?? null,
    col: place?.column ?? null,
    first_error_line: place?.line ?? null,
    first_error_col: place?.column ?? null,
    path: first === undefined ? [] : pathOf(first, sources),
    detail: first === undefined ? null : detailOf(first),
    problems: problems.slice(0, MAX_TOLD).map(toDetail),
  };
}

/** A problem as one sentence. */
export function detailOf({ message, hint }: Problem): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

function toDetail(problem: Problem): ConfigErrorDetail {
  const { code, severity, file, line, column: col, message: detail, hint } = problem;
  return {
    code: code.toLowerCase(),
    severity,
    file,
    line,
    col,
    detail,
    ...(hint === undefined ? {} : { hint }),
  };
}

function pathOf({ file, line }: Problem, sources: LoadedConfig["sources"]): string[] {
  const source = sources.find((one) => one.file === file);
  if (source === undefined || line === 0) return [file];
  const text = new SourceText({ file, text: hideSecrets(new SourceText(source)) }).line(line);
  const words = text
    .split("#")[0]!
    .trim()
    .split(/[\s;{}]+/)
    .filter((word) => word !== "");
  return [file, ...words.slice(0, 2)];
}
