import { finish } from "../base/steps.ts";
import type { Steps } from "../base/steps.ts";
import { readEnvironment } from "./environment.ts";
import { KnownStreams } from "./known-streams.ts";
import { statementSteps } from "./parser.ts";
import { SourceText } from "./place.ts";
import { ProblemList } from "./problem.ts";
import { resolveSteps } from "./resolve.ts";
import { directiveSteps } from "./typed.ts";
import type { Environment } from "./environment.ts";
import type { ResolvedConfig } from "./plan.ts";
import type { SourceFile } from "./place.ts";
import type { StreamTexts } from "./known-streams.ts";
import type { Problem } from "./problem.ts";
import type { Directive } from "./typed.ts";

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
  options: LoadOptions = {},
): LoadedConfig {
  return finish(loadSteps(files, environment, options)).loaded;
}

/** What was read, and what the next reading can do with it. */
export type Reading = { readonly loaded: LoadedConfig; readonly streams: KnownStreams };

/**
 * The same in steps. `before`: what a reading with the same environment left; of streams that are written as they were, the
 * plans are the same objects, and their `place` is where they stood then.
 */
export function* loadSteps(
  files: readonly SourceFile[],
  environment: Environment = {},
  { folder = CONFIG_FOLDER, before = null }: LoadOptions & { readonly before?: StreamTexts | null } = {},
): Steps<Reading> {
  const problems = new ProblemList();
  const known = new KnownStreams(before);
  const directives: Directive[] = [];
  for (const file of files) {
    const statements = yield* statementSteps(new SourceText(file), problems);
    for (const one of yield* directiveSteps(statements, problems, known)) directives.push(one);
  }
  if (!known.isValid) return yield* loadSteps(files, environment, { folder });
  const { settings, source } = readEnvironment(environment, problems);
  const config = yield* resolveSteps(directives, { environment: settings, folder, problems, known });
  if (!known.isValid) return yield* loadSteps(files, environment, { folder });
  const sources = source.text === "" ? [...files] : [...files, source];
  const list = problems.list(sources.map((one) => one.file));
  const loaded = problems.hasErrors ? { problems: list, sources } : { config, problems: list, sources };
  return { loaded, streams: known };
}
