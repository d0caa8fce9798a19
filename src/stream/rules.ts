import type { StreamName } from "../media/ids.ts";

/** How long media is collected before it is written to the viewers: milliseconds, or as the load asks for. */
export type SendWindow = number | "auto";

/** What the configuration says about one stream, as far as the core cares. */
export type StreamRules = {
  readonly name: StreamName;
  readonly disabled: boolean;
  /** It has an `input publish://`. */
  readonly acceptsPublisher: boolean;
  readonly secondPublisher: "refuse" | "replace";
  /** How long the stream stays when its source is gone; `false`: for ever. */
  readonly sourceTimeoutMs: number | false;
  /** How much past a new subscriber gets at once: at least the running GOP, unless `false`. */
  readonly prepushMs: number | false;
  /** `null`: what the viewer's listener says, else `auto`. */
  readonly sendWindow?: SendWindow | null;
  /** Whether the `protocols` directive lets this protocol play the stream. */
  allowsProtocol(protocol: string): boolean;
};

/** How long viewers wait for a publisher where `source_timeout` says nothing. */
const MAX_WAIT_MS = 60_000;

/** How long viewers wait for a publisher that left, or has not come yet. Units: milliseconds. */
export function waitMs(rules: StreamRules): number {
  return rules.sourceTimeoutMs || MAX_WAIT_MS;
}

/**
 * Finds the rules of a name: its own `stream`, else the first template that matches; `null` when neither is there.
 * For a publisher, templates that take none are passed over.
 */
export type StreamRulesLookup = (name: StreamName, purpose: "play" | "publish") => StreamRules | null;
