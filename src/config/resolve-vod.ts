import { withoutUndefined } from "../base/without-undefined.ts";
import { defaultOf } from "./directives.ts";
import { finishAccess, readAccess } from "./resolve-access.ts";
import { readProtocols } from "./resolve-live.ts";
import { LATER_STORAGES } from "./schema-vod.ts";
import { booleanOf, bySetting, flag, numberOf, setting, textOf, textSetting } from "./settings.ts";
import { quoted, splitUrl } from "./values.ts";
import type { LivePlan, StoragePlan, VodPlan } from "./plan.ts";
import type { ProblemList } from "./problem.ts";
import type { Authorizers } from "./resolve-access.ts";
import type { Definitions, Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";

/** What vods can name, and where names and problems are noted. */
type VodContext = {
  readonly authorizers: Authorizers;
  readonly definitions: Definitions;
  readonly problems: ProblemList;
};

/**
 * Reads the vods, in the order of the config.
 */
export function readVods(settings: Settings, context: VodContext): VodPlan[] {
  return (settings.get("vod") ?? []).flatMap((directive) => readVod(directive, context));
}

/**
 * Warns of file inputs that name a vod which the config does not have.
 */
export function reportUnknownVods(
  plans: readonly LivePlan[],
  vods: readonly VodPlan[],
  problems: ProblemList,
): void {
  const names = new Set(vods.map((vod) => vod.name));
  // Streams share the inputs of their template: one warning for each that is written.
  const inputs = new Set(plans.flatMap((plan) => plan.inputs));
  for (const { path, place } of inputs) {
    if (path === undefined || path.startsWith("/")) continue;
    const parts = path.split("/");
    if (parts.some((_, index) => index > 0 && names.has(parts.slice(0, index).join("/")))) continue;
    problems.warning("CONFIG_UNKNOWN_VOD", place, `no vod has a file ${quoted(path)}`, {
      hint: "the path begins with the prefix of a vod",
    });
  }
}

function readVod(directive: Directive, context: VodContext): VodPlan[] {
  const { definitions, problems } = context;
  const { children, values, places } = directive;
  const settings = bySetting(children, problems);
  const name = textOf(values[0]);
  const place = places[0]!;
  const segmentDuration = setting(settings, "segment_duration")?.values[0];
  const vod = withoutUndefined<VodPlan>({
    name,
    title: textSetting(settings, "title"),
    comment: textSetting(settings, "comment"),
    disabled: flag(settings, "disabled") ?? booleanOf(defaultOf("vod", "disabled")),
    storages: readStorages(settings, problems),
    autoMbr: flag(settings, "auto_mbr") ?? booleanOf(defaultOf("vod", "auto_mbr")),
    download: flag(settings, "download") ?? booleanOf(defaultOf("vod", "download")),
    access: finishAccess(readAccess(settings, context)).play,
    options: {
      segmentDurationMs: numberOf(segmentDuration ?? defaultOf("vod", "segment_duration")),
      addAudioOnly: flag(settings, "add_audio_only") ?? booleanOf(defaultOf("vod", "add_audio_only")),
      protocols: readProtocols(settings, problems) ?? { kind: "all" },
    },
    place,
  });
  if (!settings.has("storage") && directive.isComplete) {
    problems.warning("CONFIG_NOTHING_INSIDE", place, `vod "${name}" has no storage, so it has no files`, {
      hint: "add: storage /PATH;",
    });
  }
  return definitions.define(`vod "${name}"`, place, "put the storages into one vod, or rename one")
    ? [vod]
    : [];
}

function readStorages(settings: Settings, problems: ProblemList): StoragePlan[] {
  const storages: StoragePlan[] = [];
  for (const { values, places } of settings.get("storage") ?? []) {
    const path = textOf(values[0]);
    const scheme = splitUrl(path)?.scheme;
    if (scheme === undefined) {
      storages.push({ kind: "disk", path });
    } else if (LATER_STORAGES.includes(scheme)) {
      problems.warning(
        "CONFIG_NO_EFFECT_YET",
        places[0]!,
        `storages of kind ${scheme}:// have no effect yet`,
      );
    } else {
      problems.error(
        "CONFIG_BAD_VALUE",
        places[0]!,
        `storage: no kind of storage is called ${quoted(scheme)}`,
        {
          hint: "write the path of a directory",
        },
      );
    }
  }
  return storages;
}
