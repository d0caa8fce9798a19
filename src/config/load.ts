import { readEnvironment } from "./environment.ts";
import { parseStatements } from "./parser.ts";
import { SourceText } from "./place.ts";
import { ProblemList } from "./problem.ts";
import { resolveConfig } from "./resolve.ts";
import { readDirectives } from "./typed.ts";
import type { Environment } from "./environment.ts";
import type { ResolvedConfig } from "./plan.ts";
import type { SourceFile } from "./place.ts";
import type { Problem } from "./problem.ts";

/**
 * What came of reading a config. `config` is absent when there is an error among `problems`: a config that does
 * not check is refused whole. `sources` are the texts that places refer to, for `formatProblems`: the files, and
 * the environment with its secrets left out.
 */
export type LoadedConfig = {
  readonly config?: ResolvedConfig;
  readonly problems: readonly Problem[];
  readonly sources: readonly SourceFile[];
};

/** The folder that a config is in, unless another one is named. */
export const CONFIG_FOLDER = "/etc/flussonic";

/** Where the config's own folder is, which certificates are looked for in: a whole path without a slash at its end. */
export type LoadOptions = { readonly folder?: string };

/**
 * Reads a config: the texts of all its files, in order, as one, and the environment.
 *
 * This is the way in to this folder. A text goes through the lexer (tokens), the parser (statements), `typed`
 * (directives checked against the schema) and `resolve` (the plan: every default, template and variable
 * applied). The schema is data: the checks, the defaults and docs/config.md are made from it. Nothing in this
 * folder reads a file, a clock or the process, so that all of it runs in a browser too.
 *
 * Never throws for anything in the texts or the environment: what is wrong is in `problems`.
 */
export function loadConfig(
  files: readonly SourceFile[],
  environment: Environment = {},
  { folder = CONFIG_FOLDER }: LoadOptions = {},
): LoadedConfig {
  const problems = new ProblemList();
  const directives = files.flatMap((file) =>
    readDirectives(parseStatements(new SourceText(file), problems), problems),
  );
  const { settings, source } = readEnvironment(environment, problems);
  const config = resolveConfig(directives, { environment: settings, folder, problems });
  const sources = source.text === "" ? [...files] : [...files, source];
  const list = problems.list(sources.map((one) => one.file));
  return problems.hasErrors ? { problems: list, sources } : { config, problems: list, sources };
}
