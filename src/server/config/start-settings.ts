import type { ResolvedConfig } from "../../config/plan.ts";

/** What a reload leaves as it was when the server was started: the directives whose change asks for a new process. */
export const START_SETTINGS = ["hostname", "threads"] as const satisfies (keyof ResolvedConfig)[];

/** A new configuration with the start settings of the one that the server was started with. */
export function withStartSettings(config: ResolvedConfig, atStart: ResolvedConfig): ResolvedConfig {
  const { hostname: _hostname, threads: _threads, ...rest } = config;
  const { hostname, threads } = atStart;
  return {
    ...rest,
    ...(hostname === undefined ? {} : { hostname }),
    ...(threads === undefined ? {} : { threads }),
  };
}
