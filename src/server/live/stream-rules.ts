import { matchTemplate, prefixMatches } from "../../config/match.ts";
import { acceptsPublishers, allowsProtocol } from "../../config/plan.ts";
import type { LivePlan, ProtocolRule, ResolvedConfig, VodOptionsPlan, VodPlan } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { StreamRules } from "../../stream/rules.ts";

/**
 * The plan behind a name: its own stream, else the template that covers it; `null` when the config has neither. Names
 * below the prefix of a vod belong to its files: no template covers them, so that no publisher takes a file's place.
 */
export function planOf(
  config: ResolvedConfig,
  name: StreamName,
  purpose: "play" | "publish" = "play",
): LivePlan | null {
  const match = matchTemplate(config, name, purpose);
  if (match === undefined) return null;
  if (match.kind === "stream") return match.stream;
  const isFile = config.vods.some((vod) => vod.name !== "" && prefixMatches(vod.name, name));
  return isFile ? null : match.template;
}

/** What the core needs to know of a name's plan. */
export function rulesOf(
  config: ResolvedConfig,
  name: StreamName,
  purpose: "play" | "publish",
): StreamRules | null {
  const plan = planOf(config, name, purpose);
  if (plan === null) return null;
  const { options } = plan;
  return {
    name,
    disabled: plan.disabled,
    acceptsPublisher: acceptsPublishers(plan),
    secondPublisher: options.secondPublisher,
    sourceTimeoutMs: publishTimeoutMs(plan) ?? options.sourceTimeoutMs,
    prepushMs: options.prepushMs === "gop" ? 0 : options.prepushMs,
    ...(options.sendWindow === undefined ? {} : { sendWindow: options.sendWindow }),
    allowsProtocol: (protocol) => allowsProtocol(options.protocols, protocol),
  };
}

/** The rules of a stream that may be played. Throws STREAM_NOT_FOUND, STREAM_DISABLED. */
export function playableStream(config: ResolvedConfig, text: string): StreamRules {
  const name = parseStreamName(text);
  const rules = name === null ? null : rulesOf(config, name, "play");
  if (rules === null) throw streamErrors.error("STREAM_NOT_FOUND", { name: text });
  if (rules.disabled) throw streamErrors.error("STREAM_DISABLED", { name: text });
  return rules;
}

/** The time-out written on the `publish://` input itself, which goes before the stream's. */
function publishTimeoutMs(plan: LivePlan): number | false | undefined {
  return plan.inputs.find((input) => input.kind === "publish")?.sourceTimeoutMs;
}

/** How the files below a name are served: as the vod with the longest prefix that covers it says; `null` for none. */
function vodOptions(config: ResolvedConfig, name: string): VodOptionsPlan | null {
  let found: VodPlan | null = null;
  for (const vod of config.vods) {
    if (vod.disabled || !prefixMatches(vod.name, name)) continue;
    if (found === null || vod.name.length > found.name.length) found = vod;
  }
  return found?.options ?? null;
}

/** Which protocols may play the files below a name. */
export function vodProtocols(config: ResolvedConfig, name: string): ProtocolRule {
  return vodOptions(config, name)?.protocols ?? { kind: "all" };
}

/** Whether HLS has a variant without video of the stream or file of that name. */
export function addsAudioOnly(config: ResolvedConfig, name: string): boolean {
  const streamName = parseStreamName(name);
  const options = streamName === null ? null : planOf(config, streamName)?.options;
  return (options ?? vodOptions(config, name))?.addAudioOnly ?? false;
}

/** Throws STREAM_PROTOCOL_OFF where `protocols` of a stream or vod leaves the player page out. */
export function requirePlayer(config: ResolvedConfig, name: string): void {
  const streamName = parseStreamName(name);
  const rules = streamName === null ? null : rulesOf(config, streamName, "play");
  const isAllowed = rules?.allowsProtocol("player") ?? allowsProtocol(vodProtocols(config, name), "player");
  if (!isAllowed) throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "the player page" });
}
