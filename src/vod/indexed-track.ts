import { rescale, ticksToUs, usToTicks } from "../base/time.ts";
import { mp4Errors } from "../containers/mp4/errors.ts";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import { MP4_LIMITS } from "../containers/mp4/limits.ts";
import type { MovieTrack } from "../containers/mp4/movie.ts";
import type { SampleTable } from "../containers/mp4/sample-table.ts";
import type { Track } from "../media/track.ts";

/**
 * Coarser clocks are multiplied up to at least this many ticks a second, so that moving a track by the start of
 * another one is exact to a tenth of a millisecond.
 */
const MIN_TIMESCALE = 10_000;

/**
 * Samples that an edit list cuts off are kept when they are this close: decoders need the priming frames of audio,
 * and they are part of the file's frame count.
 */
const KEPT_OUTSIDE_EDIT_US = 200_000;

/** Samples looked at for the first and the last presentation time: more than any reordering is deep. */
const REORDER_SAMPLES = 64;

/** Key frames that are looked at for open GOPs: an encoder makes all of them in the same way. */
const SAMPLED_GOPS = 8;

/** Ticks per second that a track of this timescale is served with. */
export function servedTimescale(timescale: number): number {
  return timescale * Math.ceil(MIN_TIMESCALE / timescale);
}

/** When the samples of a track play, before the tracks are brought to a common start. */
type RawTimes = { readonly factor: number; readonly offsetTicks: number; readonly timescale: number };

/**
 * One track of a file on the presentation's timeline: its edit list is applied, and the earliest sample of all tracks
 * is decoded at 0. Samples are numbered as in the file; `[first, end)` are those that are served.
 *
 * No dts is negative and none is after its pts. With B-frames the first picture therefore plays a little after 0, and
 * so does the audio with it. (Negative composition offsets would let both play at 0, but FFmpeg's demuxer plays such
 * video late by the largest of them.)
 */
export class IndexedTrack {
  readonly track: Track;
  readonly samples: SampleTable;
  readonly first: number;
  readonly end: number;
  /** Ticks of the file to ticks of `track`. */
  readonly #factor: number;
  /** Added to presentation times, in ticks of `track`. */
  readonly #ptsShift: number;
  /** The smallest `pts - dts` of the file, which becomes 0; in ticks of `track`. */
  readonly #leastCts: number;

  constructor(options: {
    track: Track;
    samples: SampleTable;
    first: number;
    end: number;
    factor: number;
    ptsShift: number;
    leastCts: number;
  }) {
    this.track = options.track;
    this.samples = options.samples;
    this.first = options.first;
    this.end = options.end;
    this.#factor = options.factor;
    this.#ptsShift = options.ptsShift;
    this.#leastCts = options.leastCts;
  }

  /** How much later than its decode time the first sample plays, in microseconds. */
  get reorderUs(): number {
    return ticksToUs(this.ptsAt(this.first) - this.dtsAt(this.first), this.track.timescale);
  }

  /**
   * How much later than its decode time any sample plays at most, in microseconds. Key frames of open GOPs, and those of
   * x265, play later after their decode time than the first one does.
   */
  get longestReorderUs(): number {
    const ticks = this.samples.maxCtsOffset() * this.#factor - this.#leastCts;
    return Math.ceil((ticks * 1_000_000) / this.track.timescale);
  }

  /** True when pictures that play before a key frame stand behind it, so that they need those of the GOP before. */
  get hasOpenGops(): boolean {
    let sync = this.syncAtOrAfter(this.first + 1);
    for (let i = 0; i < SAMPLED_GOPS && sync < this.end; i++) {
      const next = this.syncAtOrAfter(sync + 1);
      const stop = Math.min(next, sync + REORDER_SAMPLES);
      const pts = this.ptsAt(sync);
      for (let sample = sync + 1; sample < stop; sample++) if (this.ptsAt(sample) < pts) return true;
      sync = next;
    }
    return false;
  }

  /** Ticks of `track`. */
  ptsAt(sample: number): number {
    return (this.samples.dtsAt(sample) + this.samples.ctsOffsetAt(sample)) * this.#factor + this.#ptsShift;
  }

  /** Ticks of `track`. `end` gives the end of the last sample. */
  dtsAt(sample: number): number {
    return this.samples.dtsAt(sample) * this.#factor + this.#leastCts + this.#ptsShift;
  }

  /** When the first sample in presentation order begins, in microseconds. */
  get startUs(): number {
    let start = Infinity;
    const stop = Math.min(this.end, this.first + REORDER_SAMPLES);
    for (let i = this.first; i < stop; i++) start = Math.min(start, this.ptsAt(i));
    return ticksToUs(start, this.track.timescale);
  }

  /** When the last sample in presentation order ends, in microseconds. */
  get endUs(): number {
    let end = 0;
    const from = Math.max(this.first, this.end - REORDER_SAMPLES);
    const run = this.table(from, this.end);
    let dts = run.baseDts;
    for (let i = 0; i < run.count; i++) {
      end = Math.max(end, dts + run.ctsOffsets[i]! + run.durations[i]!);
      dts += run.durations[i]!;
    }
    return ticksToUs(end, this.track.timescale);
  }

  /** What the samples `[first, end)` last together, in microseconds, without holes between fragments. */
  durationUs(first: number, end: number): number {
    let ticks = this.samples.durationBetween(first, end) * this.#factor;
    if (first < end && end === this.end && this.#isLastWithoutDuration()) ticks += this.#typicalDuration();
    return ticksToUs(ticks, this.track.timescale);
  }

  /** The first served sample whose decode time is at or after a time; `end` when there is none. */
  sampleAtOrAfter(us: number): number {
    const { timescale } = this.track;
    const ticks = usToTicks(us, timescale);
    const isExact = ticksToUs(ticks, timescale) === us;
    const served = (isExact ? ticks : ticks + 1) - this.#leastCts - this.#ptsShift;
    const fileTicks = Math.ceil(served / this.#factor);
    return clamp(this.samples.sampleAtOrAfter(fileTicks), this.first, this.end);
  }

  /** The first sample at or after this one where a decoder may start, at most `end`. */
  syncAtOrAfter(sample: number): number {
    return Math.min(this.samples.syncAtOrAfter(sample), this.end);
  }

  /** The served samples `[first, end)` as columns for a fragment. Ownership: new arrays. */
  table(first: number, end: number): FragmentTrack {
    const run = this.samples.read(first, end);
    for (let i = 0; i < run.count; i++) {
      run.durations[i]! *= this.#factor;
      run.ctsOffsets[i] = run.ctsOffsets[i]! * this.#factor - this.#leastCts;
    }
    const last = run.count - 1;
    if (end === this.end && run.durations[last] === 0) run.durations[last] = this.#typicalDuration();
    const { sizes, durations, ctsOffsets, syncFlags, dataBytes, count } = run;
    return {
      track: this.track,
      baseDts: this.dtsAt(first),
      count,
      sizes,
      durations,
      ctsOffsets,
      syncFlags,
      dataBytes,
    };
  }

  #isLastWithoutDuration(): boolean {
    return this.samples.durationBetween(this.end - 1, this.end) === 0;
  }

  /** Many writers do not know how long the last sample lasts, and say 0. */
  #typicalDuration(): number {
    const previous = this.end - 2;
    const ticks = previous < this.first ? 0 : this.dtsAt(previous + 1) - this.dtsAt(previous);
    return ticks || Math.ceil(this.track.timescale / 25);
  }
}

/** A track of a movie and what is served of it as. */
export type ServedTrack = {
  readonly movieTrack: MovieTrack;
  readonly track: Track;
  /** Of its movie, where tracks are of several. */
  readonly movieTimescale?: number;
};

/**
 * Puts tracks on one timeline whose first decode time is 0, with the distances between them kept.
 * `track.timescale` of each must be `servedTimescale` of its movie track.
 * Throws: MP4_LIMIT when a track begins or ends farther from the first one than a file may last.
 */
export function indexTracks(served: readonly ServedTrack[], movieTimescale: number): IndexedTrack[] {
  const unmoved = served.map(({ movieTrack, track, movieTimescale: own = movieTimescale }) => {
    const { samples } = movieTrack;
    const times = rawTimes(movieTrack, track, own);
    const first = firstServed(movieTrack, times);
    const end = endServed(movieTrack, times, own, first);
    const leastCts = samples.minCtsOffset() * times.factor;
    const startTicks = samples.dtsAt(first) * times.factor + leastCts + times.offsetTicks;
    checkExact(startTicks, times);
    return {
      track,
      samples,
      first,
      end,
      factor: times.factor,
      leastCts,
      offsetTicks: times.offsetTicks,
      startTicks,
    };
  });
  const earliest = unmoved.reduce((a, b) =>
    b.startTicks / b.track.timescale < a.startTicks / a.track.timescale ? b : a,
  );
  const tracks = unmoved.map(({ offsetTicks, ...options }) => {
    const moved = rescale(earliest.startTicks, earliest.track.timescale, options.track.timescale);
    return new IndexedTrack({ ...options, ptsShift: offsetTicks - moved });
  });
  for (const track of tracks) checkSpan(track);
  return tracks;
}

/** How far `indexTracks` moved a track from where its movie has it. Units: microseconds. */
export function movedUs(served: ServedTrack, indexed: IndexedTrack): number {
  const { movieTrack, track, movieTimescale = 1 } = served;
  const raw = rawPts(movieTrack.samples, rawTimes(movieTrack, track, movieTimescale), indexed.first);
  return ticksToUs(indexed.ptsAt(indexed.first) - raw, track.timescale);
}

/** Times beyond the safe integers would be off by more than a tick, and could even be negative. */
function checkExact(startTicks: number, { offsetTicks }: RawTimes): void {
  const ticks = Math.max(Math.abs(startTicks), Math.abs(offsetTicks));
  if (ticks <= Number.MAX_SAFE_INTEGER) return;
  throw mp4Errors.error("MP4_LIMIT", {
    what: "a time in ticks",
    value: ticks,
    limit: Number.MAX_SAFE_INTEGER,
  });
}

/** A short track that an edit list or a first fragment puts years behind the others would be cut into millions. */
function checkSpan(track: IndexedTrack): void {
  const seconds = Math.floor(Math.max(track.startUs, track.endUs) / 1_000_000);
  if (seconds <= MP4_LIMITS.durationS) return;
  throw mp4Errors.error("MP4_LIMIT", {
    what: `a distance in seconds of track ${track.track.id} from the begin`,
    value: seconds,
    limit: MP4_LIMITS.durationS,
  });
}

function rawTimes(movieTrack: MovieTrack, track: Track, movieTimescale: number): RawTimes {
  const { edit } = movieTrack;
  const factor = track.timescale / movieTrack.timescale;
  const delay = rescale(edit.delayMovieTicks, movieTimescale, track.timescale);
  return { factor, offsetTicks: delay - edit.mediaTime * factor, timescale: track.timescale };
}

function rawPts(samples: SampleTable, times: RawTimes, sample: number): number {
  return (samples.dtsAt(sample) + samples.ctsOffsetAt(sample)) * times.factor + times.offsetTicks;
}

/** Video begins at the last key frame at or before the edit's begin, audio at its priming. */
function firstServed(movieTrack: MovieTrack, times: RawTimes): number {
  const { samples, kind } = movieTrack;
  const begin = Math.ceil(
    (-times.offsetTicks - usToTicks(KEPT_OUTSIDE_EDIT_US, times.timescale)) / times.factor,
  );
  if (kind === "audio") return clamp(samples.sampleAtOrAfter(begin), 0, samples.count - 1);
  const firstSync = samples.syncAtOrAfter(0);
  if (firstSync >= samples.count) return 0;
  let first = firstSync;
  // In decode order no sample plays before it is decoded, so the wanted one is not far behind this place.
  const last = samples.sampleAtOrAfter(Math.ceil(-times.offsetTicks / times.factor));
  for (let sync = samples.syncAtOrBefore(Math.min(last, samples.count - 1)); sync > first;) {
    if (rawPts(samples, times, sync) <= 0) first = sync;
    else sync = samples.syncAtOrBefore(sync - 1);
  }
  return first;
}

function endServed(movieTrack: MovieTrack, times: RawTimes, movieTimescale: number, first: number): number {
  const { samples, edit } = movieTrack;
  if (edit.durationMovieTicks === 0) return samples.count;
  const endTicks =
    rescale(edit.delayMovieTicks + edit.durationMovieTicks, movieTimescale, times.timescale) +
    usToTicks(KEPT_OUTSIDE_EDIT_US, times.timescale);
  let end = samples.count;
  while (end > first + 1 && rawPts(samples, times, end - 1) >= endTicks) end--;
  return end;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}
