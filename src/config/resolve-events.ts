import { withoutUndefined } from "../base/without-undefined.ts";
import { defaultOf } from "./directives.ts";
import { bySetting, numberOf, setting, textOf, textSetting } from "./settings.ts";
import { tracesUrl } from "./traces-url.ts";
import { quoted } from "./values.ts";
import type { EventFilterPlan, EventSinkPlan, LogLevel, TracesPlan } from "./plan.ts";
import type { ProblemList } from "./problem.ts";
import type { Definitions, Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";

/**
 * Reads where events are sent, in the order of the config.
 */
export function readEventSinks(
  settings: Settings,
  definitions: Definitions,
  problems: ProblemList,
): EventSinkPlan[] {
  return (settings.get("event_sink") ?? []).flatMap((directive) => {
    const sink = readSink(directive, problems);
    const isFirst = definitions.define(
      `event_sink "${sink.name}"`,
      sink.place,
      "give one of them another name",
    );
    return isFirst ? [sink] : [];
  });
}

function readSink(directive: Directive, problems: ProblemList): EventSinkPlan {
  const settings = bySetting(directive.children, problems);
  const name = textOf(directive.values[0]);
  const place = directive.places[0]!;
  const url = textSetting(settings, "url");
  if (url === undefined && directive.isComplete) {
    problems.error("CONFIG_NOTHING_INSIDE", place, `event_sink "${name}" has no url`, {
      hint: "add: url http://HOST/PATH;",
    });
  }
  const optional = (word: string): number | undefined => {
    const given = setting(settings, word);
    return given === undefined ? undefined : numberOf(given.values[0]);
  };
  const number = (word: string): number => optional(word) ?? numberOf(defaultOf("event-sink", word));
  return withoutUndefined<EventSinkPlan>({
    name,
    url: url ?? "",
    only: readFilters(settings, "only", problems),
    except: readFilters(settings, "except", problems),
    throttleDelayMs: number("throttle_delay"),
    resendLimit: optional("resend_limit"),
    resendTimeoutMs: number("resend_timeout"),
    maxSizeBytes: number("max_size"),
    maxDepthMs: optional("max_depth"),
    level: textSetting(settings, "level") as LogLevel | undefined,
    signKey: textSetting(settings, "sign_key"),
    place,
  });
}

function readFilters(
  settings: Settings,
  name: "only" | "except",
  problems: ProblemList,
): EventFilterPlan[] {
  return (settings.get(name) ?? []).map((line) => readFilter(line, problems));
}

/** A key that is there twice has the values of both. */
function readFilter(line: Directive, problems: ProblemList): EventFilterPlan {
  const filter = new Map<string, Set<string>>();
  for (const [index, value] of line.values.entries()) {
    if (value.kind !== "pair") throw new TypeError("expected key=value");
    const texts = value.text.split(",");
    if (texts.includes("")) {
      const message = `${line.spec.name}: ${quoted(value.key)} has an empty value`;
      problems.error("CONFIG_BAD_VALUE", line.places[index]!, message, {
        hint: "as in event=play_*,source_*",
      });
    }
    const values = filter.get(value.key) ?? new Set();
    for (const text of texts) values.add(text);
    filter.set(value.key, values);
  }
  return Object.fromEntries([...filter].map(([key, values]) => [key, [...values]]));
}

/**
 * Reads `traces`; what the environment says wins, each of the two by itself.
 */
export function readTraces(settings: Settings, environment: Partial<TracesPlan>): TracesPlan | undefined {
  const directive = setting(settings, "traces");
  const given = directive === undefined ? undefined : tracesUrl(textOf(directive.values[0]));
  const url = environment.url ?? given;
  if (url === undefined) return undefined;
  const share = directive?.options.get("share");
  return { url, share: environment.share ?? (share === undefined ? 1 : numberOf(share.value)) };
}
