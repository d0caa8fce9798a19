import type { TrackId } from "../../media/ids.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import type { SegmentEntry, TrackSelection } from "../../packaging/presentation.ts";
import { formatNotes, silenceLike, silentBytes, silentSamples, silentUs } from "./silent-sound.ts";
import type { SilentSound } from "./silent-sound.ts";

/** Sounds of one set of tracks that others have; more are left out. */
const MAX_SOUNDS = 8;
/** Ways in which one set is completed that are remembered. */
const MAX_WAYS = 16;

/** What a set was completed with; sets that are as they were recorded are not there. */
const silentOf = new WeakMap<TrackSet, readonly SilentSound[]>();
/** Sets that were made of one, by the notes of what they were completed with. */
const completed = new WeakMap<TrackSet, Map<string, TrackSet>>();
const likes = new WeakMap<Track, SilentSound | null>();
const wrapped = new WeakMap<SegmentEntry, CompletedSegment>();

/** Those of the selected tracks of a set that are silence in the place of what is not there. */
export function silentSoundsOf(tracks: TrackSet, selection: TrackSelection): readonly SilentSound[] {
  return silentOf.get(tracks)?.filter(({ track }) => selection.includes(track.id)) ?? [];
}

/** A set with silence in the place of sounds that it lacks; the same for the same. `sounds`: of ids that it has not. */
export function completeSet(tracks: TrackSet, sounds: readonly SilentSound[]): TrackSet {
  if (sounds.length === 0) return tracks;
  const ways = completed.get(tracks) ?? new Map<string, TrackSet>();
  completed.set(tracks, ways);
  const notes = formatNotes(sounds);
  const known = ways.get(notes);
  if (known !== undefined) return known;
  const made = makeTrackSet(tracks.epoch, [...tracks.tracks, ...sounds.map(({ track }) => track)]);
  if (ways.size >= MAX_WAYS) ways.clear();
  ways.set(notes, made);
  silentOf.set(made, sounds);
  return made;
}

/** A segment of an archive whose tracks are completed with silence. */
export class CompletedSegment implements SegmentEntry {
  readonly sequence: number;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tracks: TrackSet;
  readonly discontinuity: boolean;
  readonly stretchStartUs: number;
  readonly isIndependent: boolean;
  readonly utcUs: number | null;
  readonly isGap?: true;
  readonly #segment: SegmentEntry;

  /** `name`: the segment's own unless given. */
  constructor(segment: SegmentEntry, tracks: TrackSet, name: string = segment.name) {
    this.sequence = segment.sequence;
    this.name = name;
    this.startUs = segment.startUs;
    this.durationUs = segment.durationUs;
    this.tracks = tracks;
    this.discontinuity = segment.discontinuity;
    this.stretchStartUs = segment.stretchStartUs;
    this.isIndependent = segment.isIndependent;
    this.utcUs = segment.utcUs;
    if (segment.isGap === true) this.isGap = true;
    this.#segment = segment;
  }

  /** The same object for the same segment and tracks, as long as nobody asks for it with others. */
  static of(segment: SegmentEntry, tracks: TrackSet): CompletedSegment {
    const known = wrapped.get(segment);
    if (known?.tracks === tracks) return known;
    const made = new CompletedSegment(segment, tracks);
    wrapped.set(segment, made);
    return made;
  }

  trackBytes(track: TrackId): number {
    const sound = this.#silent(track);
    return sound === null ? this.#segment.trackBytes(track) : silentBytes(sound, this);
  }

  trackSamples(track: TrackId): number {
    const sound = this.#silent(track);
    return sound === null ? this.#segment.trackSamples(track) : silentSamples(sound, this);
  }

  trackUs(track: TrackId): number {
    const sound = this.#silent(track);
    return sound === null ? this.#segment.trackUs(track) : silentUs(sound, this);
  }

  #silent(id: TrackId): SilentSound | null {
    if (this.isGap === true) return null;
    return silentOf.get(this.tracks)?.find(({ track }) => track.id === id) ?? null;
  }
}

/**
 * Segments of which each with a picture has all the sounds that any of them has: silence where it was not recorded, like the
 * sound of that track before, or where there was none before, like the first one of it. Players make a buffer for each track
 * that they begin with, and stop where one of them runs dry; see docs/decisions/0012.
 *
 * What a segment lacks is said of it as long as the segments in front of it stay, so that a playlist that grows never takes
 * back what it said. `before`: sets that there were in front of the segments, the newest last.
 *
 * Returns: what was given, where nothing is missing.
 */
export function completeSegments(
  segments: readonly SegmentEntry[],
  before: readonly TrackSet[] = [],
): readonly SegmentEntry[] {
  const sets = new Set<TrackSet>();
  for (const { tracks } of segments) sets.add(tracks);
  if (sets.size < 2 && before.length === 0) return segments;
  const sounds = new Map<TrackId, SilentSound>();
  for (const { tracks } of sets)
    for (const track of tracks) if (!sounds.has(track.id) && sounds.size < MAX_SOUNDS) learn(sounds, track);
  for (const { tracks } of before)
    for (const track of tracks) if (sounds.has(track.id) || sounds.size < MAX_SOUNDS) learn(sounds, track);
  let [last, whole]: (TrackSet | null)[] = [null, null];
  let isSame = true;
  const found = segments.map((segment): SegmentEntry => {
    if (segment.tracks !== last) {
      last = segment.tracks;
      for (const track of last.tracks) if (sounds.has(track.id)) learn(sounds, track);
      whole = withSounds(last, sounds);
      isSame &&= whole === last;
    }
    return whole === last ? segment : CompletedSegment.of(segment, whole!);
  });
  return isSame ? segments : found;
}

function learn(sounds: Map<TrackId, SilentSound>, track: Track): void {
  const known = likes.get(track);
  const sound = known === undefined ? silenceLike(track) : known;
  likes.set(track, sound);
  if (sound !== null) sounds.set(track.id, sound);
}

/** Without pictures there is no clock to fill a stretch by. */
function withSounds(tracks: TrackSet, sounds: ReadonlyMap<TrackId, SilentSound>): TrackSet {
  if (tracks.reference.kind !== "video") return tracks;
  const missing = [...sounds.values()].filter(
    ({ track }) => !tracks.tracks.some(({ id }) => id === track.id),
  );
  return completeSet(tracks, missing);
}
