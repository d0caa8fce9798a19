/**
 * Rules that an MPD keeps, alone and from one version to the next.
 *
 * Spec: ISO/IEC 23009-1 sections 5.2.3, 5.3.1 to 5.3.9, 5.4.1 (MPD updates).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { validateXML } from "xmllint-wasm";

/** Attributes by name, unescaped. */
type Attributes = Readonly<Record<string, string>>;

type Element = { readonly name: string; readonly attributes: Attributes; readonly children: Element[] };

/** A segment that a timeline lists; milliseconds. */
export type MpdSegment = { readonly timeMs: number; readonly durationMs: number };

/** A Representation with its segments. */
export type MpdRepresentation = {
  readonly id: string;
  readonly setId: string;
  /** What must stay as it is from one MPD to the next: codecs, sizes, addresses, offsets. */
  readonly fixed: Attributes;
  readonly bandwidth: number;
  readonly initialization: string;
  readonly media: string;
  readonly presentationTimeOffset: number;
  readonly segments: readonly MpdSegment[];
};

/** A Period; times in milliseconds. */
export type MpdPeriod = {
  readonly id: string;
  readonly startMs: number;
  readonly representations: readonly MpdRepresentation[];
};

/** What the rules are about. */
export type ParsedMpd = {
  readonly text: string;
  readonly isDynamic: boolean;
  readonly attributes: Attributes;
  /** It lists segments that are not complete. */
  readonly isLowLatency: boolean;
  readonly periods: readonly MpdPeriod[];
};

/** What xmllint has against these MPDs: not well-formed, or not what `mpd.xsd` allows. Empty when nothing. */
export async function schemaProblems(texts: readonly string[]): Promise<string[]> {
  const schema = await readFile(join(import.meta.dirname, "mpd.xsd"), "utf8");
  const xml = texts.map((contents, index) => ({ fileName: `${index}.mpd`, contents }));
  const { errors } = await validateXML({ xml, schema });
  return errors.map(({ rawMessage }) => rawMessage);
}

/** Reads an MPD that the schema has nothing against. */
export function parseMpd(text: string): ParsedMpd {
  const mpd = parseElements(text);
  const periods = mpd.children.filter(({ name }) => name === "Period").map(parsePeriod);
  return {
    text,
    isDynamic: mpd.attributes["type"] === "dynamic",
    attributes: mpd.attributes,
    isLowLatency: text.includes('availabilityTimeComplete="false"'),
    periods,
  };
}

function parseElements(text: string): Element {
  const root: Element = { name: "", attributes: {}, children: [] };
  const open = [root];
  for (const [, end, name, attributes, selfEnd] of text.matchAll(
    /<(\/?)(\w+)((?:\s+[\w:]+="[^"]*")*)\s*(\/?)>/g,
  )) {
    if (end === "/") {
      open.pop();
      continue;
    }
    const element: Element = { name: name!, attributes: parseAttributes(attributes!), children: [] };
    open.at(-1)!.children.push(element);
    if (selfEnd !== "/") open.push(element);
  }
  return root.children[0]!;
}

function parseAttributes(text: string): Attributes {
  const unescape = (value: string): string =>
    value.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  return Object.fromEntries(
    [...text.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key, value]) => [key!, unescape(value!)]),
  );
}

function parsePeriod({ attributes, children }: Element): MpdPeriod {
  const representations = children
    .filter(({ name }) => name === "AdaptationSet")
    .flatMap((set) =>
      set.children
        .filter(({ name }) => name === "Representation")
        .map((element) => parseRepresentation(element, set.attributes)),
    );
  return { id: attributes["id"]!, startMs: milliseconds(attributes["start"]!), representations };
}

function parseRepresentation({ attributes, children }: Element, set: Attributes): MpdRepresentation {
  const template = children.find(({ name }) => name === "SegmentTemplate")!;
  const { bandwidth, frameRate: _measured, ...own } = attributes;
  const { availabilityTimeOffset: _offset, ...places } = template.attributes;
  return {
    id: attributes["id"]!,
    setId: set["id"]!,
    fixed: { ...own, ...places, contentType: set["contentType"]!, mimeType: set["mimeType"]! },
    bandwidth: Number(bandwidth),
    initialization: template.attributes["initialization"]!,
    media: template.attributes["media"]!,
    presentationTimeOffset: Number(template.attributes["presentationTimeOffset"] ?? 0),
    segments: timelineSegments(template.children[0]!, Number(template.attributes["timescale"])),
  };
}

function timelineSegments({ children }: Element, timescale: number): MpdSegment[] {
  const segments: MpdSegment[] = [];
  let at = 0;
  for (const { attributes } of children) {
    const duration = Number(attributes["d"]);
    at = attributes["t"] === undefined ? at : Number(attributes["t"]);
    for (let i = 0; i <= Number(attributes["r"] ?? 0); i++, at += duration)
      segments.push({ timeMs: (at * 1000) / timescale, durationMs: (duration * 1000) / timescale });
  }
  return segments;
}

/** `PT1.5S` as milliseconds. */
function milliseconds(length: string): number {
  return Math.round(Number(/^PT([\d.]+)S$/.exec(length)![1]) * 1000);
}

/** What one MPD does wrong. */
export function mpdProblems(mpd: ParsedMpd): string[] {
  const { attributes, isDynamic, periods } = mpd;
  const problems: string[] = [];
  const need = isDynamic
    ? ["availabilityStartTime", "publishTime", "minimumUpdatePeriod"]
    : ["mediaPresentationDuration"];
  for (const name of need) if (attributes[name] === undefined) problems.push(`MPD@${name} is missing`);
  if (isDynamic && !mpd.text.includes("<UTCTiming")) problems.push("no UTCTiming in a dynamic MPD");
  if (new Set(periods.map(({ id }) => id)).size < periods.length) problems.push("two Periods have one id");
  for (const [index, period] of periods.entries()) {
    const next = periods[index + 1];
    if (next !== undefined && next.startMs <= period.startMs)
      problems.push(`Period ${next.id} does not rise`);
    problems.push(...periodProblems(period, next).map((problem) => `Period ${period.id}: ${problem}`));
  }
  if (!isDynamic) problems.push(...staticProblems(mpd));
  return problems;
}

function periodProblems({ representations, startMs }: MpdPeriod, next: MpdPeriod | undefined): string[] {
  const problems: string[] = [];
  const ids = representations.map(({ id }) => id);
  if (new Set(ids).size < ids.length) problems.push("two Representations have one id");
  for (const { id, setId, segments, presentationTimeOffset, fixed } of representations) {
    if (Math.floor(Number(setId) / 100) !== ["v", "a", "t"].indexOf(id[0]!))
      problems.push(`${id} is in set ${setId}`);
    if (fixed["codecs"] === "") problems.push(`${id} has no codec`);
    let endMs = presentationTimeOffset;
    for (const { timeMs, durationMs } of segments) {
      if (timeMs < endMs) problems.push(`${id}: the segment at ${timeMs} begins before ${endMs}`);
      endMs = timeMs + durationMs;
    }
    const endInPresentation = endMs - presentationTimeOffset + startMs;
    if (next !== undefined && endInPresentation > next.startMs)
      problems.push(`${id}: ends at ${endInPresentation}, after the next Period's begin`);
  }
  return problems;
}

function staticProblems({ attributes, periods }: ParsedMpd): string[] {
  const durationMs = milliseconds(attributes["mediaPresentationDuration"]!);
  const ends = periods.flatMap(({ startMs, representations }) =>
    representations.map(({ segments, presentationTimeOffset }) => {
      const last = segments.at(-1)!;
      return startMs + last.timeMs + last.durationMs - presentationTimeOffset;
    }),
  );
  const longest = Math.max(...ends);
  if (periods[0]!.startMs !== 0) return ["the first Period does not begin at zero"];
  return Math.abs(longest - durationMs) > 2 ? [`lasts ${durationMs} ms, its media ${longest} ms`] : [];
}

/** What an MPD does wrong as the successor of another one of the same presentation. */
export function successionProblems(before: ParsedMpd, after: ParsedMpd): string[] {
  if (before.text === after.text) return [];
  const problems: string[] = [];
  for (const name of ["availabilityStartTime", "type", "profiles"])
    if (before.attributes[name] !== after.attributes[name]) problems.push(`MPD@${name} has changed`);
  const [was, is] = [before, after].map(({ attributes }) => Date.parse(attributes["publishTime"]!));
  if (!(is! > was!))
    problems.push(`another MPD, but publishTime ${after.attributes["publishTime"]} does not rise`);
  const kept = after.periods.filter(({ id }) => before.periods.some((period) => period.id === id));
  if (kept.length > 0 && kept[0] !== after.periods[0])
    problems.push("a Period came before one that was there");
  for (const period of kept) {
    const old = before.periods.find(({ id }) => id === period.id)!;
    if (old.startMs !== period.startMs) problems.push(`Period ${period.id} moved`);
    problems.push(...setChanges(old, period).map((change) => `Period ${period.id}: ${change}`));
    const isLast = old === before.periods.at(-1);
    for (const representation of period.representations) {
      const known = old.representations.find(({ id }) => id === representation.id);
      if (known === undefined) continue;
      const growing = before.isLowLatency && isLast ? 2 : 0;
      problems.push(
        ...changes(known, representation, growing).map((change) => `Period ${period.id}: ${change}`),
      );
    }
  }
  return problems;
}

/** Sets and Representations live as long as their Period. Spec: ISO/IEC 23009-1 section 5.4. */
function setChanges(old: MpdPeriod, now: MpdPeriod): string[] {
  const idsOf = ({ representations }: MpdPeriod): string[] =>
    representations.map(({ id, setId }) => `${id} of set ${setId}`);
  const [was, is] = [idsOf(old), idsOf(now)];
  return [
    ...was.filter((id) => !is.includes(id)).map((id) => `${id} has gone`),
    ...is.filter((id) => !was.includes(id)).map((id) => `${id} has come`),
  ];
}

/** `growing`: so many segments at the end of the older one were not complete. */
function changes(old: MpdRepresentation, now: MpdRepresentation, growing: number): string[] {
  const problems: string[] = [];
  if (JSON.stringify(old.fixed) !== JSON.stringify(now.fixed) || old.setId !== now.setId)
    problems.push(`${now.id} has changed: ${JSON.stringify(old.fixed)}, then ${JSON.stringify(now.fixed)}`);
  const known = old.segments.slice(0, growing === 0 ? undefined : -growing);
  const firstMs = now.segments[0]!.timeMs;
  const stays = known.filter(({ timeMs }) => timeMs >= firstMs);
  for (const [index, segment] of stays.entries()) {
    const again = now.segments[index];
    if (again?.timeMs !== segment.timeMs || again.durationMs !== segment.durationMs)
      problems.push(`${now.id}: the segment at ${segment.timeMs} became ${JSON.stringify(again)}`);
  }
  if (known.length > 0 && firstMs < known[0]!.timeMs)
    problems.push(`${now.id}: a segment came back at ${firstMs}`);
  return problems;
}
