import { inSlices } from "../../base/slices.ts";
import type { Steps } from "../../base/steps.ts";
import type { Clock } from "../../base/clock.ts";
import { loadSteps } from "../../config/load.ts";
import { keepSteps } from "../../config/same-plans.ts";
import type { Environment } from "../../config/environment.ts";
import type { StreamTexts } from "../../config/known-streams.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { SourceFile } from "../../config/place.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { Turns } from "../turns.ts";

/** Reads a configuration, as `loadConfig` does. Never rejects. */
export type LoadConfig = (files: readonly SourceFile[], env: Environment) => Promise<LoadedConfig>;

/** What a memory of configurations needs. `folder`: of the configuration, as `loadConfig` has it. */
export type ConfigMemoOptions = {
  readonly folder: string;
  readonly clock: Pick<Clock, "nowUs">;
  /** Tests have their own. */
  readonly load?: typeof loadSteps;
};

/** The last configuration without errors. */
type Good = { readonly config: ResolvedConfig; readonly env: Environment; readonly texts: StreamTexts };

/**
 * Reads configurations, one after the other, and remembers the last one: a change by API is checked, and put in force by a
 * reading of the same texts a moment later, which would cost as much again. Streams that say what they said before are the same
 * objects as then. Whoever else works on the thread has turns meanwhile.
 */
export function rememberingLoad({ folder, clock, load = loadSteps }: ConfigMemoOptions): LoadConfig {
  const turns = new Turns();
  let last: { files: readonly SourceFile[]; env: Environment; loaded: LoadedConfig } | null = null;
  let good: Good | null = null;
  const steps = function* (files: readonly SourceFile[], env: Environment): Steps<LoadedConfig> {
    if (last !== null && last.env === env && isSame(last.files, files)) return last.loaded;
    const before = good?.env === env ? good.texts : null;
    const { loaded: read, streams } = yield* load(files, env, { folder, before });
    const { config } = read;
    let loaded = read;
    if (config !== undefined) {
      const kept = good === null ? config : yield* keepSteps(good.config, config);
      good = { config: kept, env, texts: streams.texts(config.streams, kept.streams) };
      loaded = { ...read, config: kept };
    }
    last = { files, env, loaded };
    return loaded;
  };
  return (files, env) => turns.run(() => inSlices(steps(files, env), { clock }));
}

function isSame(a: readonly SourceFile[], b: readonly SourceFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ file, text }, index) => file === b[index]!.file && text === b[index]!.text)
  );
}
