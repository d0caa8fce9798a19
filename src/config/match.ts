import { acceptsPublishers } from "./plan.ts";
import type { ResolvedConfig, StreamPlan, TemplatePlan } from "./plan.ts";

/** What the config has for a name: a stream of its own, or a template with the prefix that matched. */
export type NameMatch =
  | { readonly kind: "stream"; readonly stream: StreamPlan }
  | { readonly kind: "template"; readonly template: TemplatePlan; readonly prefix: string };

const streamIndexes = new WeakMap<ResolvedConfig, ReadonlyMap<string, StreamPlan>>();

/**
 * Finds what the config has for a stream's name, for playback (`play`) or for a publisher (`publish`).
 *
 * A stream of exactly that name comes first, also when it is disabled or takes no publishers: a template never
 * takes over a name that is written down. Else the first template, in the order of the config, one of whose
 * prefixes matches; disabled templates are passed over, and for `publish` those without `publish://` too.
 * A prefix matches whole parts: "pub" matches "pub/a" and "pub/a/b", neither "public" nor "pub" itself. The
 * empty prefix matches every name. Of several prefixes of one template the longest is given.
 */
export function matchTemplate(
  config: ResolvedConfig,
  streamName: string,
  purpose: "play" | "publish" = "play",
): NameMatch | undefined {
  const stream = streamIndex(config).get(streamName);
  if (stream !== undefined) return { kind: "stream", stream };
  for (const template of config.templates) {
    if (template.disabled || (purpose === "publish" && !acceptsPublishers(template))) continue;
    const prefix = longestMatch(template.prefixes, streamName);
    if (prefix !== undefined) return { kind: "template", template, prefix };
  }
  return undefined;
}

/**
 * Whether a prefix of a template covers a name; see `matchTemplate`.
 */
export function prefixMatches(prefix: string, streamName: string): boolean {
  if (prefix === "") return true;
  return (
    streamName.length > prefix.length + 1 &&
    streamName.startsWith(prefix) &&
    streamName[prefix.length] === "/"
  );
}

function longestMatch(prefixes: readonly string[], streamName: string): string | undefined {
  let longest: string | undefined;
  for (const prefix of prefixes) {
    if (!prefixMatches(prefix, streamName)) continue;
    if (longest === undefined || prefix.length > longest.length) longest = prefix;
  }
  return longest;
}

function streamIndex(config: ResolvedConfig): ReadonlyMap<string, StreamPlan> {
  const known = streamIndexes.get(config);
  if (known !== undefined) return known;
  const index = new Map(config.streams.map((stream) => [stream.name, stream]));
  streamIndexes.set(config, index);
  return index;
}
