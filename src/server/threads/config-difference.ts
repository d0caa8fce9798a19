import type { ResolvedConfig, StreamPlan } from "../../config/plan.ts";

/**
 * A configuration as it is told to a thread that has another one: streams that are the same objects in both cross as a number
 * each, for ten thousand whole plans take each side some 50 ms of CPU.
 */
export type ConfigDifference = {
  readonly rest: Omit<ResolvedConfig, "streams">;
  /** Of each stream its place among those before; -1: the next of `others`. */
  readonly places: Int32Array;
  readonly others: readonly StreamPlan[];
};

/** What leads from one configuration to another. */
export function configDifference(before: ResolvedConfig, after: ResolvedConfig): ConfigDifference {
  const { streams, ...rest } = after;
  const known = new Map(before.streams.map((stream, i) => [stream, i]));
  const places = Int32Array.from(streams, (stream) => known.get(stream) ?? -1);
  return { rest, places, others: streams.filter((_, i) => places[i] === -1) };
}

/** The configuration that a difference leads to. `before`: the one that it was made from, or its copy in another thread. */
export function withDifference(
  before: ResolvedConfig,
  { rest, places, others }: ConfigDifference,
): ResolvedConfig {
  let next = 0;
  const streams = Array.from(places, (place) => {
    const stream = place === -1 ? others[next++] : before.streams[place];
    if (stream === undefined) throw new TypeError("it was made from another configuration");
    return stream;
  });
  return { ...rest, streams };
}
