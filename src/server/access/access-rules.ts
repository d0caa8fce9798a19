import type { SessionKind } from "../../auth/claim.ts";
import { isGuarded } from "../../auth/guarded.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { AccessRules, SessionKey } from "../../auth/rules.ts";
import { prefixMatches } from "../../config/match.ts";
import type { ResolvedConfig, VodPlan } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import { planOf } from "../live/stream-rules.ts";

/** A key of a session that is read from the request. */
export type ExtraKey = Extract<SessionKey, { readonly kind: "header" | "query" }>;

/** The rules of a name as a media thread needs them. */
export type NameRules = {
  /** Somebody has to be asked before anything is served. */
  readonly isGuarded: boolean;
  readonly extraKeys: readonly ExtraKey[];
  readonly rules: AccessRules;
};

/** The rules of a stream, or of the vod with the longest prefix of a file's name; nobody is asked about other names. */
export function accessRulesOf(config: ResolvedConfig, kind: SessionKind, name: string): AccessRules {
  const streamName = parseStreamName(name);
  const plan = streamName === null ? null : planOf(config, streamName, kind);
  if (plan !== null) return plan.access[kind];
  return kind === "play" ? (vodOf(config, name)?.access ?? OPEN_RULES) : OPEN_RULES;
}

/** What a media thread keeps of rules. */
export function nameRulesOf(rules: AccessRules, kind: SessionKind): NameRules {
  const extraKeys = rules.sessionKeys.filter((key) => key.kind === "header" || key.kind === "query");
  return { isGuarded: isGuarded(rules, kind), extraKeys, rules };
}

/** Whether a server may be asked about anybody under a configuration. */
export function asksServers({ streams, templates, vods }: ResolvedConfig): boolean {
  const ofStreams = [...streams, ...templates].flatMap(({ access }) => [access.play, access.publish]);
  return ofStreams.some(isServerAsked) || vods.some(({ access }) => isServerAsked(access));
}

function isServerAsked({ authorizer }: AccessRules): boolean {
  if (authorizer?.kind === "block") return authorizer.block.backends.length > 0;
  return authorizer?.kind === "http";
}

function vodOf(config: ResolvedConfig, name: string): VodPlan | null {
  let found: VodPlan | null = null;
  for (const vod of config.vods) {
    if (vod.disabled || !prefixMatches(vod.name, name)) continue;
    if (found === null || vod.name.length > found.name.length) found = vod;
  }
  return found;
}
