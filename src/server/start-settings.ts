import type { ResolvedConfig } from "../config/plan.ts";

/** What a reload leaves as it was when the server was started. */
export const START_SETTINGS = ["threads", "logLevel", "limits"] as const;

/** A new configuration with the start settings of the one that the server was started with. */
export function withStartSettings(config: ResolvedConfig, atStart: ResolvedConfig): ResolvedConfig {
  const kept = START_SETTINGS.filter((name) => atStart[name] !== undefined);
  return { ...config, ...Object.fromEntries(kept.map((name) => [name, atStart[name]])) };
}
