import { loadConfig } from "../config/load.ts";
import type { Environment } from "../config/environment.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { SourceFile } from "../config/place.ts";

/** Reads a configuration, as `loadConfig` does. */
export type LoadConfig = (files: readonly SourceFile[], env: Environment) => LoadedConfig;

/**
 * Reads configurations and remembers the last one: a change by API is checked, and put in force by a reading of the same
 * texts a moment later, which would cost as much again. `folder`: of the configuration, as `loadConfig` has it.
 */
export function rememberingLoad(folder: string, load: typeof loadConfig = loadConfig): LoadConfig {
  let last: { files: readonly SourceFile[]; env: Environment; loaded: LoadedConfig } | null = null;
  return (files, env) => {
    if (last !== null && last.env === env && isSame(last.files, files)) return last.loaded;
    const loaded = load(files, env, { folder });
    last = { files, env, loaded };
    return loaded;
  };
}

function isSame(a: readonly SourceFile[], b: readonly SourceFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ file, text }, index) => file === b[index]!.file && text === b[index]!.text)
  );
}
