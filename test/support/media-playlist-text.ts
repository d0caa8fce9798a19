/** A media playlist as its text says it, for tests; shares nothing with what writes playlists. */

/** One part of a segment. */
export type TextPart = {
  readonly uri: string;
  readonly durationS: number;
  readonly isIndependent: boolean;
  readonly isGap: boolean;
};

/** One segment; `uri` null and `durationS` null: it still grows. */
export type TextSegment = {
  readonly msn: number;
  readonly uri: string | null;
  readonly durationS: number | null;
  /** Its place in the count of discontinuities. */
  readonly discontinuityNumber: number;
  readonly hasDiscontinuity: boolean;
  readonly map: string | null;
  readonly dateMs: number | null;
  readonly isGap: boolean;
  readonly parts: readonly TextPart[];
};

/** The attributes of a tag. */
export type TextAttributes = ReadonlyMap<string, string>;

/** A whole playlist. Segments in front of `skipped` are not in the text. */
export type TextPlaylist = {
  readonly lines: readonly string[];
  readonly version: number;
  readonly targetS: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly isIndependent: boolean;
  readonly hasEnd: boolean;
  readonly partTargetS: number | null;
  readonly control: TextAttributes;
  readonly skipped: number;
  readonly segments: readonly TextSegment[];
  readonly hints: readonly TextAttributes[];
  readonly reports: readonly TextAttributes[];
};

/** Reads the attribute list of a tag. Spec: RFC 8216 section 4.2. */
export function parseAttributes(text: string): TextAttributes {
  const attributes = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)(?:,|$)/g)) {
    if (attributes.has(name!)) throw new Error(`attribute ${name} twice in ${text}`);
    attributes.set(name!, value!.replaceAll('"', ""));
  }
  return attributes;
}

type Growing = { -readonly [Key in keyof TextSegment]: TextSegment[Key] } & { parts: TextPart[] };

/** Reads a media playlist. Throws when a line makes no sense where it stands. */
export function parsePlaylistText(text: string): TextPlaylist {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines[0] !== "#EXTM3U") throw new Error("the first line is not #EXTM3U");
  const one = (tag: string): string | null => {
    const found = lines.filter((line) => line === tag || line.startsWith(`${tag}:`));
    if (found.length > 1) throw new Error(`${tag} stands ${found.length} times`);
    return found[0]?.slice(tag.length + 1) ?? null;
  };
  const number = (tag: string, otherwise: number): number => {
    const value = one(tag);
    if (value !== null && !/^\d+$/.test(value)) throw new Error(`${tag}:${value} is no whole number`);
    return value === null ? otherwise : Number(value);
  };
  const attributes = (tag: string): TextAttributes => parseAttributes(one(tag) ?? "");
  const all = (tag: string): TextAttributes[] =>
    lines
      .filter((line) => line.startsWith(`${tag}:`))
      .map((line) => parseAttributes(line.slice(tag.length + 1)));
  const mediaSequence = number("#EXT-X-MEDIA-SEQUENCE", 0);
  const discontinuitySequence = number("#EXT-X-DISCONTINUITY-SEQUENCE", 0);
  const skipped = Number(attributes("#EXT-X-SKIP").get("SKIPPED-SEGMENTS") ?? 0);
  const partTarget = attributes("#EXT-X-PART-INF").get("PART-TARGET");
  return {
    lines,
    version: number("#EXT-X-VERSION", 1),
    targetS: number("#EXT-X-TARGETDURATION", NaN),
    mediaSequence,
    discontinuitySequence,
    isIndependent: one("#EXT-X-INDEPENDENT-SEGMENTS") !== null,
    hasEnd: one("#EXT-X-ENDLIST") !== null,
    partTargetS: partTarget === undefined ? null : Number(partTarget),
    control: attributes("#EXT-X-SERVER-CONTROL"),
    skipped,
    segments: parseSegments(lines, mediaSequence + skipped, discontinuitySequence),
    hints: all("#EXT-X-PRELOAD-HINT"),
    reports: all("#EXT-X-RENDITION-REPORT"),
  };
}

function parseSegments(
  lines: readonly string[],
  firstMsn: number,
  firstDiscontinuity: number,
): TextSegment[] {
  const segments: TextSegment[] = [];
  let map: string | null = null;
  let discontinuityNumber = firstDiscontinuity;
  const begin = (): Growing => ({
    msn: firstMsn + segments.length,
    uri: null,
    durationS: null,
    discontinuityNumber,
    hasDiscontinuity: false,
    map,
    dateMs: null,
    isGap: false,
    parts: [],
  });
  let segment = begin();
  let isBegun = false;
  for (const line of lines) {
    if (!line.startsWith("#")) {
      if (segment.durationS === null) throw new Error(`no EXTINF in front of ${line}`);
      segment.uri = line;
      segments.push(segment);
      segment = begin();
      isBegun = false;
      continue;
    }
    isBegun = takeSegmentTag(segment, line) || isBegun;
    if (line === "#EXT-X-DISCONTINUITY") discontinuityNumber = segment.discontinuityNumber;
    map = segment.map;
  }
  return isBegun ? [...segments, segment] : segments;
}

/** Returns whether the line is a tag of a segment. */
function takeSegmentTag(segment: Growing, line: string): boolean {
  const [tag = "", ...rest] = line.split(":");
  const value = rest.join(":");
  const isEarly = ["#EXT-X-DISCONTINUITY", "#EXT-X-MAP", "#EXT-X-PROGRAM-DATE-TIME"].includes(tag);
  if (isEarly && (segment.parts.length > 0 || segment.durationS !== null))
    throw new Error(`${line} stands behind a part or the EXTINF of its segment`);
  switch (tag) {
    case "#EXT-X-DISCONTINUITY":
      if (segment.hasDiscontinuity) throw new Error("two discontinuities before one segment");
      segment.hasDiscontinuity = true;
      segment.discontinuityNumber++;
      return true;
    case "#EXT-X-MAP":
      segment.map = parseAttributes(value).get("URI") ?? null;
      return true;
    case "#EXT-X-PROGRAM-DATE-TIME":
      segment.dateMs = Date.parse(value);
      return true;
    case "#EXT-X-GAP":
      segment.isGap = true;
      return true;
    case "#EXTINF":
      segment.durationS = Number(value.split(",")[0]);
      return true;
    case "#EXT-X-PART":
      if (segment.durationS !== null) throw new Error(`${line} stands behind the EXTINF of its segment`);
      segment.parts.push(parsePart(parseAttributes(value)));
      return true;
    default:
      return false;
  }
}

function parsePart(attributes: TextAttributes): TextPart {
  const uri = attributes.get("URI");
  const duration = attributes.get("DURATION");
  if (uri === undefined || duration === undefined) throw new Error("a part without URI or DURATION");
  return {
    uri,
    durationS: Number(duration),
    isIndependent: attributes.get("INDEPENDENT") === "YES",
    isGap: attributes.get("GAP") === "YES",
  };
}
