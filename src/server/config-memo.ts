import { loadConfig } from "../config/load.ts";
import { keepStreams } from "../config/same-plans.ts";
import type { Environment } from "../config/environment.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { SourceFile } from "../config/place.ts";
import type { ResolvedConfig } from "../config/plan.ts";

/** Reads a configuration, as `loadConfig` does. */
export type LoadConfig = (files: readonly SourceFile[], env: Environment) => LoadedConfig;

/**
 * Reads configurations and remembers the last one: a change by API is checked, and put in force by a reading of the same
 * texts a moment later, which would cost as much again. Streams that say what they said before are the same objects as then.
 * `folder`: of the configuration, as `loadConfig` has it.
 */
export function rememberingLoad(folder: string, load: typeof loadConfig = loadConfig): LoadConfig {
  let last: { files: readonly SourceFile[]; env: Environment; loaded: LoadedConfig } | null = null;
  let good: ResolvedConfig | null = null;
  return (files, env) => {
    if (last !== null && last.env === env && isSame(last.files, files)) return last.loaded;
    const loaded = keeping(good, load(files, env, { folder }));
    good = loaded.config ?? good;
    last = { files, env, loaded };
    return loaded;
  };
}

function keeping(before: ResolvedConfig | null, loaded: LoadedConfig): LoadedConfig {
  const { config } = loaded;
  if (before === null || config === undefined) return loaded;
  return { ...loaded, config: keepStreams(before, config) };
}

function isSame(a: readonly SourceFile[], b: readonly SourceFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ file, text }, index) => file === b[index]!.file && text === b[index]!.text)
  );
}
