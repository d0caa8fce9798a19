import { acceptsPublishers } from "./plan.ts";
import { reportRecording } from "./resolve-dvr.ts";
import { finishLive, readLive } from "./resolve-live.ts";
import { textOf } from "./settings.ts";
import type { TemplatePlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { LiveContext, LiveDraft } from "./resolve-live.ts";
import type { Definitions, Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";

type Prefix = { readonly text: string; readonly place: Place };

/** A template as its block says it, for the streams that name it, and as a plan. */
export type TemplateReading = {
  readonly draft: LiveDraft;
  readonly plan: TemplatePlan;
  readonly prefixes: readonly Prefix[];
};

/** What templates refer to, and where names and problems are noted. */
type TemplateContext = LiveContext & { readonly definitions: Definitions };

/**
 * Reads the templates, by name, in the order of the config.
 */
export function readTemplates(
  settings: Settings,
  context: TemplateContext,
): ReadonlyMap<string, TemplateReading> {
  const { definitions, problems } = context;
  const readings = new Map<string, TemplateReading>();
  for (const { values, places, children } of settings.get("template") ?? []) {
    const name = textOf(values[0]);
    const place = places[0]!;
    const draft = readLive(children, context);
    reportRecording(draft.dvr, undefined, problems);
    if (!definitions.define(`template "${name}"`, place, "give one of them another name")) continue;
    const prefixes = children.filter((child) => child.spec.name === "prefix").flatMap(prefixesOf);
    const texts = [...new Set(prefixes.map((prefix) => prefix.text))];
    readings.set(name, { draft, plan: { ...finishLive(name, place, draft), prefixes: texts }, prefixes });
  }
  reportPrefixes([...readings.values()], problems);
  return readings;
}

function prefixesOf(directive: Directive): Prefix[] {
  return directive.values.map((value, index) => ({ text: textOf(value), place: directive.places[index]! }));
}

type Owner = { readonly template: TemplatePlan; readonly place: Place };

/** Warns of prefixes whose every name goes to an earlier prefix, for publishers as well as for players. */
function reportPrefixes(readings: readonly TemplateReading[], problems: ProblemList): void {
  const owners = new Map<string, Owner>();
  for (const { plan, prefixes } of readings) {
    if (plan.disabled) continue;
    const covers = (owner: Owner): boolean =>
      owner.template !== plan && (acceptsPublishers(owner.template) || !acceptsPublishers(plan));
    for (const { text, place } of prefixes) {
      const owner = ancestors(text)
        .flatMap((prefix) => owners.get(prefix) ?? [])
        .find(covers);
      if (owner !== undefined) reportCovered(text, place, owner, problems);
    }
    for (const { text, place } of prefixes)
      if (!owners.has(text)) owners.set(text, { template: plan, place });
  }
}

/** "a/b" gives "", "a" and "a/b": the prefixes that match every name that it matches. */
function ancestors(prefix: string): string[] {
  if (prefix === "") return [""];
  const parts = prefix.split("/");
  return ["", ...parts.map((_, index) => parts.slice(0, index + 1).join("/"))];
}

function reportCovered(text: string, place: Place, owner: Owner, problems: ProblemList): void {
  const message = `no name gets to prefix "${text}": template "${owner.template.name}" comes first`;
  problems.warning("CONFIG_NEVER_USED", place, message, {
    hint: "put the narrower template before the wider one",
    related: [{ ...owner.place, message: "this prefix takes them" }],
  });
}
