import { withoutUndefined } from "../base/without-undefined.ts";
import { defaultOf } from "./directives.ts";
import { finishAccess, readAccess } from "./resolve-access.ts";
import { finishRecording, readRecording } from "./resolve-dvr.ts";
import { PROTOCOL_ALIASES } from "./schema-stream.ts";
import { activeInput } from "./plan.ts";
import { readInputs, readPeer } from "./resolve-input.ts";
import {
  booleanOf,
  bySetting,
  flag,
  numberOf,
  numberOrAuto,
  numberOrFalse,
  setting,
  textOf,
  textSetting,
} from "./settings.ts";
import type { AccessDraft, Authorizers } from "./resolve-access.ts";
import type { DvrDraft, DvrReadings } from "./resolve-dvr.ts";
import type { InputPlan, LivePlan, MetadataPlan, ProtocolRule, StreamOptionsPlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";
import { quoted } from "./values.ts";
import type { Value } from "./values.ts";

/** What a stream or template says itself, before its template and the defaults are put under it. */
export type LiveDraft = {
  readonly metadata: Partial<MetadataPlan>;
  readonly disabled?: boolean;
  readonly isStatic?: boolean;
  /** Absent when there is no `input` at all; empty when none of them works yet. */
  readonly inputs?: readonly InputPlan[];
  /** The server of the cluster that an input names. */
  readonly peer?: string;
  readonly options: Partial<StreamOptionsPlan>;
  /** `null`: recording is turned off. */
  readonly dvr?: DvrDraft | null;
  readonly access: AccessDraft;
};

/** What blocks of streams and templates can name, and where problems are noted. */
export type LiveContext = {
  readonly dvrs: DvrReadings;
  readonly authorizers: Authorizers;
  readonly problems: ProblemList;
};

/** Nothing is said of access. */
export const NO_ACCESS: AccessDraft = { play: {}, publish: {} };

const EMPTY_DRAFT: LiveDraft = { metadata: {}, options: {}, access: NO_ACCESS };

const DEFAULT_OPTIONS: StreamOptionsPlan = {
  sourceTimeoutMs: numberOrFalse(defaultOf("stream", "source_timeout")),
  segmentDurationMs: numberOf(defaultOf("stream", "segment_duration")),
  segmentCount: numberOf(defaultOf("stream", "segment_count")),
  chunkDurationMs: numberOf(defaultOf("stream", "chunk_duration")),
  addAudioOnly: booleanOf(defaultOf("stream", "add_audio_only")),
  prepushMs: prepushOf(defaultOf("stream", "prepush")),
  protocols: { kind: "all" },
  secondPublisher: secondPublisherOf(defaultOf("stream", "second_publisher")),
};

/**
 * Reads what the block of a stream or template says.
 */
export function readLive(block: readonly Directive[], context: LiveContext): LiveDraft {
  const { dvrs, problems } = context;
  const settings = bySetting(block, problems);
  const inputs = readInputs(block, problems);
  warnOfWhatWaits(settings, inputs ?? [], problems);
  const dvr = setting(settings, "dvr");
  return withoutUndefined<LiveDraft>({
    metadata: readMetadata(settings),
    disabled: flag(settings, "disabled"),
    isStatic: flag(settings, "static"),
    inputs,
    peer: readPeer(block),
    options: readOptions(settings, problems),
    dvr: dvr === undefined ? undefined : readRecording(dvr, dvrs, problems),
    access: readAccess(settings, context),
  });
}

/** Failover and starting on demand do not work yet: a stream runs one of its inputs, all the time. */
function warnOfWhatWaits(settings: Settings, inputs: readonly InputPlan[], problems: ProblemList): void {
  const active = activeInput(inputs);
  for (const input of inputs) {
    if (input === active) continue;
    const message = `input ${quoted(input.url)} has no effect yet`;
    problems.warning("CONFIG_NO_EFFECT_YET", input.place, message, {
      hint: `only ${quoted(active!.url)} runs`,
    });
  }
  const onDemand = setting(settings, "static");
  if (onDemand === undefined || flag(settings, "static") !== false || active?.kind === "publish") return;
  problems.warning("CONFIG_NO_EFFECT_YET", onDemand.place, '"static false" has no effect yet', {
    hint: "the stream runs all the time",
  });
}

/**
 * Puts a template's draft and the defaults under a draft. Inputs are replaced as a whole, labels too; what is said of
 * recording is not.
 */
export function finishLive(name: string, place: Place, own: LiveDraft, template = EMPTY_DRAFT): LivePlan {
  return withoutUndefined<LivePlan>({
    name,
    labels: {},
    ...template.metadata,
    ...own.metadata,
    disabled: own.disabled ?? template.disabled ?? booleanOf(defaultOf("stream", "disabled")),
    isStatic: own.isStatic ?? template.isStatic ?? booleanOf(defaultOf("stream", "static")),
    inputs: own.inputs ?? template.inputs ?? [],
    options: { ...DEFAULT_OPTIONS, ...template.options, ...own.options },
    access: finishAccess(own.access, template.access),
    dvr: finishRecording(own.dvr, template.dvr, own.inputs === undefined ? template.peer : own.peer),
    place,
  });
}

/**
 * Reads `protocols` of a block. A list of names and a list of `-names` cannot be mixed.
 */
export function readProtocols(settings: Settings, problems: ProblemList): ProtocolRule | undefined {
  const directive = setting(settings, "protocols");
  if (directive === undefined) return undefined;
  const words = directive.values.map(textOf);
  const negative = words[0]?.startsWith("-") === true;
  const odd = words.findIndex((word) => word.startsWith("-") !== negative);
  if (odd !== -1) {
    problems.error(
      "CONFIG_BAD_VALUE",
      directive.places[odd]!,
      "protocols: names with and without - are mixed",
      {
        hint: "name those that may play, or with - those that may not",
      },
    );
  }
  const names = [...new Set(words.map((word) => protocolOf(negative ? word.slice(1) : word)))];
  return { kind: negative ? "except" : "only", names };
}

function protocolOf(word: string): string {
  return PROTOCOL_ALIASES[word] ?? word;
}

function readMetadata(settings: Settings): Partial<MetadataPlan> {
  const position = setting(settings, "position");
  const labels = setting(settings, "labels");
  return withoutUndefined<Partial<MetadataPlan>>({
    title: textSetting(settings, "title"),
    comment: textSetting(settings, "comment"),
    provider: textSetting(settings, "provider"),
    position: position === undefined ? undefined : numberOf(position.values[0]),
    labels: labels === undefined ? undefined : Object.fromEntries(labels.values.flatMap(pairOf)),
  });
}

function pairOf(value: Value): [string, string][] {
  return value.kind === "pair" ? [[value.key, value.text]] : [];
}

function readOptions(settings: Settings, problems: ProblemList): Partial<StreamOptionsPlan> {
  const read = <T>(name: string, convert: (value: Value | undefined) => T): T | undefined => {
    const directive = setting(settings, name);
    return directive === undefined ? undefined : convert(directive.values[0]);
  };
  return withoutUndefined<Partial<StreamOptionsPlan>>({
    sourceTimeoutMs: read("source_timeout", numberOrFalse),
    segmentDurationMs: read("segment_duration", numberOf),
    segmentCount: read("segment_count", numberOf),
    chunkDurationMs: read("chunk_duration", numberOf),
    addAudioOnly: read("add_audio_only", booleanOf),
    prepushMs: read("prepush", prepushOf),
    sendWindow: read("send_window", numberOrAuto),
    protocols: readProtocols(settings, problems),
    secondPublisher: read("second_publisher", secondPublisherOf),
  });
}

function prepushOf(value: Value | undefined): number | "gop" | false {
  if (value?.kind !== "boolean") return numberOf(value);
  return value.boolean ? "gop" : false;
}

function secondPublisherOf(value: Value | undefined): "refuse" | "replace" {
  return textOf(value) === "replace" ? "replace" : "refuse";
}
