import { withoutUndefined } from "../base/without-undefined.ts";
import { readBucketUrl } from "./bucket-url.ts";
import { defaultOf } from "./directives.ts";
import { MAX_DAY_RANGES, readDayRanges, tooManyRanges } from "./recording-values.ts";
import { booleanOf, bySetting, Definitions, numberOf, textOf } from "./settings.ts";
import { nearestName } from "./suggest.ts";
import { quoted } from "./values.ts";
import type { BucketPlan } from "./bucket-url.ts";
import type { DvrPlan, NamedDvrPlan, ReplicatePlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { DayRange } from "./recording-values.ts";
import type { Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";
import type { Value } from "./values.ts";

/** What is said in one place; `root` "" stands for one that was refused. */
type DvrSettings = Partial<Omit<DvrPlan, "replicate" | "place">> & {
  readonly replicate?: string | boolean;
  readonly replicationPort?: number;
  readonly replicationBps?: number;
};

/**
 * What a stream, a template or a `dvr` block says of recording.
 *
 * `named`: what the block that it refers to says. `places`: where each thing is said, by its name.
 */
export type DvrDraft = {
  readonly settings: DvrSettings;
  readonly named?: DvrSettings;
  readonly place: Place;
  readonly places: ReadonlyMap<string, Place>;
};

/** Recording as a block has it: `null` turns it off. */
export type DvrWord = DvrDraft | null | undefined;

/** A `dvr` block, for those that name it, and as a plan. */
export type DvrReading = { readonly draft: DvrDraft; readonly plan: NamedDvrPlan };

/** The `dvr` blocks of a config by their names. */
export type DvrReadings = ReadonlyMap<string, DvrReading>;

/** One setting as it was written, in the line or in the block. */
type Said = ReadonlyMap<string, { readonly values: readonly Value[]; readonly places: readonly Place[] }>;

const DEFAULTS: Pick<DvrPlan, "fsync" | "isOffline"> = {
  fsync: fsyncOf(defaultOf("dvr", "fsync")),
  isOffline: booleanOf(defaultOf("dvr", "dvr_offline")),
};

/** Of use only together with something else; the names of both. */
const NEEDS: readonly [name: string, needs: "copy" | "replicate"][] = [
  ["local", "copy"],
  ["cache", "copy"],
  ["replication_port", "replicate"],
  ["replication_speed", "replicate"],
];

/**
 * Reads the `dvr` blocks of the top level, in the order of the config.
 */
export function readDvrs(settings: Settings, definitions: Definitions, problems: ProblemList): DvrReadings {
  const readings = new Map<string, DvrReading>();
  for (const directive of settings.get("dvr") ?? []) {
    const name = textOf(directive.values[0]);
    const place = directive.places[0]!;
    const said = saidBy(directive, [], problems);
    const draft = { settings: readSettings(said, problems), place, places: firstPlaces(said) };
    const { root } = draft.settings;
    if (root?.startsWith("@") === true) {
      const message = 'root: a place for recordings is a path, and "@" names another one';
      problems.error("CONFIG_BAD_VALUE", draft.places.get("root")!, message, {
        hint: "write the path of a directory",
      });
    } else if (root === undefined && directive.isComplete) {
      const message = `dvr "${name}" has no root, so nothing can be recorded there`;
      problems.error("CONFIG_NOTHING_INSIDE", place, message, { hint: "add: root /PATH;" });
    }
    if (!definitions.define(`dvr "${name}"`, place, "give one of them another name")) continue;
    readings.set(name, { draft, plan: { name, ...planOf(draft.settings, place) } });
  }
  return readings;
}

/**
 * Reads `dvr` of a stream or template. Returns: `null` where it turns recording off.
 */
export function readRecording(
  directive: Directive,
  dvrs: DvrReadings,
  problems: ProblemList,
): DvrDraft | null {
  const [written] = directive.values;
  if (written?.kind === "boolean") {
    reportBehindOff(directive, problems);
    return null;
  }
  const said = saidBy(directive, written === undefined ? [] : [written], problems);
  const settings = readSettings(said, problems);
  const draft = { settings, place: directive.places[0] ?? directive.place, places: firstPlaces(said) };
  const { root } = settings;
  if (root === undefined) {
    // One that was refused is not missing.
    return directive.isComplete ? draft : { ...draft, settings: { ...settings, root: "" } };
  }
  if (!root.startsWith("@")) return draft;
  const named = findDvr(root.slice(1), draft.places.get("root")!, { dvrs, problems });
  return { ...draft, named, settings: { ...settings, root: named.root ?? "" } };
}

/**
 * Puts what a stream says of recording over what its template says, over the `dvr` block that is referred to.
 *
 * `peer`: the server that the stream comes from, which is copied from where no other one is named.
 * Returns: `undefined` where nobody says anything, `null` where recording is turned off.
 */
export function finishRecording(
  own: DvrWord,
  template: DvrWord,
  peer?: string,
): DvrPlan | null | undefined {
  const over = own === undefined ? template : own;
  if (over === undefined || over === null) return over;
  const under = over === own ? (template ?? undefined) : undefined;
  const named = over.settings.root === undefined ? under?.named : over.named;
  const plan = planOf({ ...named, ...under?.settings, ...over.settings }, over.place);
  if (plan.replicate === undefined || plan.replicate.url !== undefined || peer === undefined) return plan;
  return { ...plan, replicate: { ...plan.replicate, url: peer } };
}

/**
 * Says what is missing from a recording, once for each place where one is written, when all that it builds on is known.
 */
export function reportRecording(own: DvrWord, template: DvrWord, problems: ProblemList): void {
  const plan = own === undefined || own === null ? null : finishRecording(own, template);
  if (own === undefined || own === null || plan === null || plan === undefined) return;
  if (own.settings.root === undefined && template?.settings.root === undefined) {
    const message = "this recording has no root: nobody says where it goes";
    problems.error("CONFIG_MISSING_ARGUMENT", own.place, message, { hint: "as in: dvr /PATH 7d;" });
  }
  for (const [name, needs] of NEEDS) {
    const place = own.places.get(name);
    if (place === undefined || plan[needs] !== undefined) continue;
    const message = `${name} is of no use without ${needs}`;
    problems.warning("CONFIG_NEVER_USED", place, message, { hint: `add ${needs}, or remove it` });
  }
}

function reportBehindOff({ options, children }: Directive, problems: ProblemList): void {
  const place = [...options.values(), ...children][0]?.place;
  if (place === undefined) return;
  const message = "recording is turned off here, and something is said of it all the same";
  problems.error("CONFIG_TOO_MANY_ARGUMENTS", place, message, { hint: "remove it, or name a root" });
}

type DvrContext = { readonly dvrs: DvrReadings; readonly problems: ProblemList };

function findDvr(name: string, place: Place, { dvrs, problems }: DvrContext): DvrSettings {
  const found = dvrs.get(name);
  if (found !== undefined) return found.draft.settings;
  const near = problems.isFull ? undefined : nearestName(name, dvrs.keys());
  const hint =
    near === undefined ? `add at the top level: dvr ${name} { root /PATH; }` : `did you mean @${near}?`;
  problems.error("CONFIG_UNKNOWN_DVR", place, `there is no dvr ${quoted(name)}`, { hint });
  return {};
}

/** Line and block together; what both say is reported. */
function saidBy(directive: Directive, root: readonly Value[], problems: ProblemList): Said {
  const said = new Map<string, { values: readonly Value[]; places: readonly Place[] }>();
  const definitions = new Definitions(problems);
  const say = (name: string, values: readonly Value[], places: readonly Place[]): void => {
    if (definitions.define(`"${name}"`, places[0]!, "keep one of them")) said.set(name, { values, places });
  };
  if (root.length > 0) say("root", root, directive.places);
  for (const [name, { value, place }] of directive.options) say(name, [value], [place]);
  for (const [name, [child]] of bySetting(directive.children, problems)) {
    if (child !== undefined) say(name, child.values, [child.place, ...child.places]);
  }
  return said;
}

function firstPlaces(said: Said): Map<string, Place> {
  return new Map([...said].map(([name, { places }]) => [name, places[0]!]));
}

function readSettings(said: Said, problems: ProblemList): DvrSettings {
  const read = <T>(name: string, convert: (value: Value | undefined) => T): T | undefined => {
    const one = said.get(name);
    return one === undefined ? undefined : convert(one.values[0]);
  };
  return withoutUndefined<DvrSettings>({
    root: read("root", textOf),
    depthMs: read("depth", numberOf),
    sizeBytes: read("size", numberOf),
    diskPercent: read("disk_usage_limit", numberOf),
    copy: read("copy", bucketOf),
    localMs: read("local", numberOf),
    replicate: read("replicate", (value) => (value?.kind === "text" ? value.text : booleanOf(value))),
    replicationPort: read("replication_port", numberOf),
    replicationBps: read("replication_speed", numberOf),
    schedule: readSchedule(said, problems),
    fsync: read("fsync", fsyncOf),
    episodesUrl: read("episodes_url", textOf),
    episodesExpirationMs: read("episodes_expiration", numberOf),
    isOffline: read("dvr_offline", booleanOf),
    cache: cacheOf(said.get("cache")?.values),
  });
}

function planOf(settings: DvrSettings, place: Place): DvrPlan {
  const { replicate, replicationPort, replicationBps, ...others } = settings;
  const isReplicated = replicate !== undefined && replicate !== false;
  return {
    ...DEFAULTS,
    ...others,
    root: settings.root ?? "",
    ...(isReplicated ? { replicate: replicationOf(replicate, replicationPort, replicationBps) } : {}),
    place,
  };
}

function replicationOf(
  from: string | true,
  port: number | undefined,
  bps: number | undefined,
): ReplicatePlan {
  return withoutUndefined<ReplicatePlan>({
    url: from === true ? undefined : from,
    bytesPerSecond: bps === undefined ? undefined : Math.floor(bps / 8),
    port,
  });
}

function readSchedule(said: Said, problems: ProblemList): readonly DayRange[] | undefined {
  const one = said.get("schedule");
  if (one === undefined) return undefined;
  const ranges = one.values.flatMap((value) => rangesOf(textOf(value)));
  if (ranges.length <= MAX_DAY_RANGES) return ranges;
  const { fault, hint } = tooManyRanges();
  problems.error("CONFIG_BAD_VALUE", one.places[0]!, `schedule: ${fault}`, { hint });
  return ranges.slice(0, MAX_DAY_RANGES);
}

function rangesOf(text: string): readonly DayRange[] {
  const read = readDayRanges(text);
  if ("fault" in read) throw new TypeError("expected parts of a day");
  return read.ranges;
}

function bucketOf(value: Value | undefined): BucketPlan {
  const read = readBucketUrl(textOf(value));
  if ("fault" in read) throw new TypeError("expected the URL of a bucket");
  return read.bucket;
}

function cacheOf(values: readonly Value[] | undefined): DvrPlan["cache"] {
  return values === undefined ? undefined : { path: textOf(values[0]), sizeBytes: numberOf(values[1]) };
}

function fsyncOf(value: Value | undefined): DvrPlan["fsync"] {
  const text = textOf(value);
  return text === "none" || text === "fragment" ? text : "interval";
}
