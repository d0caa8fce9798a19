/**
 * The rules of RFC 8216 and its second edition (draft-pantos-hls-rfc8216bis) that a live media playlist has to keep, by
 * itself and from one version to the next.
 */
import assert from "node:assert/strict";
import { parsePlaylistText } from "./media-playlist-text.ts";
import type { TextPlaylist, TextSegment } from "./media-playlist-text.ts";

/** A millisecond and what rounding to microseconds adds up to. */
const TOLERANCE_S = 0.0011;

/** Checks one playlist by itself. Throws: the rule that it breaks. */
export function checkPlaylist(playlist: TextPlaylist): void {
  checkHead(playlist);
  checkControl(playlist);
  checkHints(playlist);
  for (const segment of playlist.segments) checkSegment(playlist, segment);
  for (const [index, segment] of playlist.segments.entries()) {
    const next = playlist.segments[index + 1];
    if (next !== undefined) checkNeighbours(segment, next);
  }
}

function checkHead(playlist: TextPlaylist): void {
  const { version, targetS, lines, segments, skipped } = playlist;
  assert.ok(targetS >= 1, "4.4.3.1: a target duration is needed");
  assert.ok(segments.length > 0, "a live playlist has segments");
  const isTs = segments.some(({ uri }) => /\.ts(?:\?|$)/.test(uri ?? ""));
  const least = skipped > 0 ? 9 : isTs ? 3 : 6;
  assert.ok(version >= least, `8: version ${version} is too low`);
  if (isTs) checkTransport(playlist);
  else
    assert.ok(
      skipped > 0 || segments.every(({ map, isGap }) => map !== null || isGap),
      "4.4.4.5: a segment without a map",
    );
  const place = (tag: string): number => lines.findIndex((line) => line.startsWith(tag));
  const first = lines.findIndex((line) => /^(?:#EXTINF|#EXT-X-PART:|#EXT-X-SKIP)/.test(line));
  for (const tag of ["#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE"])
    assert.ok(place(tag) < first, `${tag} stands behind the first segment`);
  if (place("#EXT-X-DISCONTINUITY-SEQUENCE") > 0 && lines.includes("#EXT-X-DISCONTINUITY"))
    assert.ok(
      place("#EXT-X-DISCONTINUITY-SEQUENCE") < lines.indexOf("#EXT-X-DISCONTINUITY"),
      "4.4.3.3: it must stand before any discontinuity",
    );
}

/** What devices that need transport streams know nothing of. */
function checkTransport({ segments, partTargetS, hints }: TextPlaylist): void {
  for (const { uri, map, parts, msn } of segments) {
    assert.match(uri ?? "", /\.ts(?:\?|$)/, `segment ${msn} is no transport stream beside those that are`);
    assert.equal(map, null, `3.2: segment ${msn} is a transport stream with a map`);
    assert.deepEqual(parts, []);
  }
  assert.deepEqual([partTargetS, hints], [null, []], "8: parts in a playlist of version 3");
}

function checkControl({ control, targetS, partTargetS, segments }: TextPlaylist): void {
  const value = (name: string): number | null => {
    const text = control.get(name);
    return text === undefined ? null : Number(text);
  };
  const [skip, holdBack, partHoldBack] = [
    value("CAN-SKIP-UNTIL"),
    value("HOLD-BACK"),
    value("PART-HOLD-BACK"),
  ];
  assert.ok(skip === null || skip >= 6 * targetS, `4.4.3.8: CAN-SKIP-UNTIL ${skip}`);
  assert.ok(holdBack === null || holdBack >= 3 * targetS, `4.4.3.8: HOLD-BACK ${holdBack}`);
  const hasParts = segments.some(({ parts }) => parts.length > 0);
  assert.ok(!hasParts || partTargetS !== null, "4.4.3.7: parts need EXT-X-PART-INF");
  if (partTargetS === null) return;
  assert.ok(
    partHoldBack !== null && partHoldBack >= 3 * partTargetS - 1e-9,
    `4.4.3.8: PART-HOLD-BACK ${partHoldBack} for parts of ${partTargetS}`,
  );
}

function checkHints({ hints, reports, hasEnd }: TextPlaylist): void {
  assert.ok(!hasEnd || hints.length === 0, "4.4.5.3: a hint in a playlist that has ended");
  assert.equal(
    new Set(hints.map((hint) => hint.get("TYPE"))).size,
    hints.length,
    "6.2.6: two hints of a type",
  );
  for (const hint of hints)
    assert.ok(hint.get("URI") && hint.get("TYPE"), "4.4.5.3: a hint without URI or TYPE");
  for (const report of reports) {
    assert.ok(report.get("URI") && report.get("LAST-MSN"), "4.4.5.4: a report without URI or LAST-MSN");
    assert.ok(!/^(?:[a-z]+:|\/)/.test(report.get("URI")!), "4.4.5.4: the URI of a report must be relative");
  }
}

function checkSegment({ targetS, partTargetS }: TextPlaylist, segment: TextSegment): void {
  const { durationS, parts, msn } = segment;
  const name = `segment ${msn}`;
  if (durationS !== null) {
    assert.ok(durationS > 0 && Math.round(durationS) <= targetS, `4.4.3.1: ${name} lasts ${durationS}`);
    const sumS = parts.reduce((sum, part) => sum + part.durationS, 0);
    assert.ok(
      parts.length === 0 || Math.abs(sumS - durationS) < TOLERANCE_S,
      `3.2: ${name} lasts ${durationS}, its parts ${sumS}`,
    );
  }
  for (const [index, part] of parts.entries()) {
    const what = `part ${index} of ${name} lasts ${part.durationS} with a target of ${partTargetS}`;
    assert.ok(part.durationS > 0 && part.durationS <= partTargetS! + 1e-6, `4.4.4.9: ${what}`);
    const isLast = durationS !== null && index === parts.length - 1;
    const isExempt = isLast || part.isIndependent || part.isGap || parts[index + 1]?.isGap === true;
    assert.ok(isExempt || part.durationS >= partTargetS! * 0.85 - 1e-6, `4.4.4.9: ${what}`);
    assert.ok(!segment.isGap || part.isGap, `${name} is a gap and its part ${index} is not`);
  }
}

function checkNeighbours(segment: TextSegment, next: TextSegment): void {
  assert.ok(segment.durationS !== null, "a segment that grows is the last one");
  if (next.hasDiscontinuity || segment.dateMs === null || next.dateMs === null) return;
  const gapS = (next.dateMs - segment.dateMs) / 1000 - segment.durationS;
  assert.ok(
    Math.abs(gapS) < TOLERANCE_S,
    `dates of ${segment.msn} and the next are ${gapS} s off the durations`,
  );
}

/** Checks that `next` may be what `before` has become. Throws: the rule that is broken. */
export function checkChange(before: TextPlaylist, next: TextPlaylist): void {
  assert.equal(next.targetS, before.targetS, "6.2.1: the target duration must not change");
  assert.equal(next.partTargetS, before.partTargetS, "6.2.1: the part target duration must not change");
  assert.deepEqual([...next.control], [...before.control], "EXT-X-SERVER-CONTROL must not change");
  assert.ok(next.mediaSequence >= before.mediaSequence, "6.2.2: the media sequence must not go back");
  assert.ok(
    next.discontinuitySequence >= before.discontinuitySequence,
    "6.2.2: the discontinuity sequence must not go back",
  );
  assert.ok(
    before.isIndependent || !next.isIndependent,
    "4.4.2.1: a promise of independent segments that was taken back is made again",
  );
  const known = new Map(next.segments.map((segment) => [segment.msn, segment]));
  for (const segment of before.segments) {
    const now = known.get(segment.msn);
    if (now === undefined)
      assert.ok(
        segment.msn < next.mediaSequence + next.skipped,
        `6.2.1: segment ${segment.msn} was taken from the middle or the end`,
      );
    else {
      checkSame(segment, now);
      checkPartsKept(segment, now, next);
    }
  }
  checkHintKept(before, known);
}

/** What was said of a segment stays; one that grew may have grown. */
function checkSame(was: TextSegment, now: TextSegment): void {
  const name = `segment ${was.msn}`;
  const facts = ({ discontinuityNumber, hasDiscontinuity, dateMs, isGap }: TextSegment): unknown => ({
    discontinuityNumber,
    hasDiscontinuity,
    dateMs,
    isGap,
  });
  if (was.uri === null) {
    const kept = now.uri === null || now.parts.length > 0 ? was.parts : [];
    assert.deepEqual(now.parts.slice(0, was.parts.length), kept, `6.2.1: parts of ${name} changed`);
    assert.deepEqual({ ...(facts(now) as object), isGap: false }, facts(was), `6.2.1: ${name} changed`);
    return;
  }
  assert.deepEqual([now.uri, now.durationS], [was.uri, was.durationS], `6.2.1: ${name} changed`);
  assert.deepEqual(facts(now), facts(was), `6.2.1: ${name} changed`);
  assert.ok(
    was.map === null || now.map === null || now.map === was.map,
    `6.2.1: the map of ${name} changed`,
  );
  assert.ok(
    now.parts.length === 0 || was.parts.length === 0 || now.parts.length === was.parts.length,
    `6.2.2: ${name} had ${was.parts.length} parts and has ${now.parts.length}`,
  );
  if (now.parts.length > 0 && was.parts.length > 0) assert.deepEqual(now.parts, was.parts);
}

/** Parts are taken away only three target durations from the end. */
function checkPartsKept(was: TextSegment, now: TextSegment, playlist: TextPlaylist): void {
  if (was.parts.length === 0 || now.parts.length > 0) return;
  const sumOf = (segment: TextSegment): number =>
    segment.durationS ?? segment.parts.reduce((sum, part) => sum + part.durationS, 0);
  const after = playlist.segments.filter(({ msn }) => msn > now.msn);
  const distanceS = after.reduce((sum, segment) => sum + sumOf(segment), 0);
  assert.ok(
    distanceS >= 3 * playlist.targetS - TOLERANCE_S,
    `6.2.2: segment ${now.msn} lost its parts ${distanceS} s from the end`,
  );
}

/** Where the segment that was hinted at has come so far, the part has the address that was hinted at. */
function checkHintKept(before: TextPlaylist, known: ReadonlyMap<number, TextSegment>): void {
  const hint = before.hints.find((candidate) => candidate.get("TYPE") === "PART")?.get("URI");
  const last = before.segments.at(-1)!;
  if (hint === undefined) return;
  const [msn, index] = last.uri === null ? [last.msn, last.parts.length] : [last.msn + 1, 0];
  const part = known.get(msn)?.parts[index];
  if (part !== undefined) assert.equal(part.uri, hint, "4.4.5.3: the hint must be the address of the part");
}

/**
 * What a client makes of a delta update and the playlist that it has. Throws when it does not have all that was skipped.
 * Spec: RFC 8216bis section 6.3.7.
 */
export function mergeDelta(had: TextPlaylist, delta: TextPlaylist): TextPlaylist {
  const own = delta.segments[0];
  const skipped = had.segments.filter(
    ({ msn }) => msn >= delta.mediaSequence && msn < delta.mediaSequence + delta.skipped,
  );
  assert.equal(skipped.length, delta.skipped, "the delta update skips what is not known");
  const before = skipped.at(-1);
  if (own === undefined || before === undefined) return delta;
  const shift = before.discontinuityNumber - delta.discontinuitySequence;
  let { map } = before;
  const rest = delta.segments.map((segment) => {
    map = segment.map ?? map;
    return { ...segment, map, discontinuityNumber: segment.discontinuityNumber + shift };
  });
  return { ...delta, skipped: 0, segments: [...skipped.map((one) => ({ ...one, parts: [] })), ...rest] };
}

/** Watches one playlist from version to version. */
export class PlaylistWatch {
  #last: TextPlaylist | null = null;
  #changes = 0;

  /** Versions that were not the same as the one before. */
  get changes(): number {
    return this.#changes;
  }

  /** Takes the next version. Throws: the rule that it breaks, with both texts. */
  take(text: string): TextPlaylist {
    const before = this.#last;
    try {
      const playlist = parsePlaylistText(text);
      assert.equal(playlist.skipped, 0, "only whole playlists are watched");
      checkPlaylist(playlist);
      if (before !== null) checkChange(before, playlist);
      if (before === null || before.lines.join("\n") !== playlist.lines.join("\n")) this.#changes++;
      this.#last = playlist;
      return playlist;
    } catch (caught) {
      if (caught instanceof Error)
        caught.message = `${caught.message}\n--- before\n${before?.lines.join("\n") ?? ""}\n--- now\n${text}`;
      throw caught;
    }
  }

  /** Takes a delta update of the present version, which is checked against the whole. */
  takeDelta(text: string): void {
    const delta = parsePlaylistText(text);
    assert.ok(this.#last !== null, "a delta update of nothing");
    const merged = mergeDelta(this.#last, delta);
    const facts = ({ segments }: TextPlaylist): unknown =>
      segments.map(({ parts, ...rest }) => ({ ...rest, parts: parts.length }));
    assert.deepEqual(facts(merged), facts(this.#last), "the delta update is not the whole playlist");
    assert.ok(delta.segments.length > 0, "a delta update has segments");
  }
}
