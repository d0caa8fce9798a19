import { buildFragmentHeader } from "../containers/mp4/fragment.ts";
import type { TrackSet } from "../media/track.ts";
import { InitSegments } from "../packaging/init-segments.ts";
import type {
  LentBody,
  MediaBody,
  Presentation,
  SegmentEntry,
  TextTrack,
  Timeline,
  TrackSelection,
} from "../packaging/presentation.ts";
import { FilePackets } from "./file-packets.ts";
import type { IndexedTrack } from "./indexed-track.ts";
import type { MediaFile } from "./media-file.ts";
import { cutSegments } from "./segment-cuts.ts";
import type { SegmentCuts } from "./segment-cuts.ts";
import { SegmentBlocks } from "./segment-blocks.ts";
import type { SegmentReading } from "./segment-reading.ts";

/** What `FilePresentation` needs. */
export type FilePresentationOptions = {
  readonly file: MediaFile;
  readonly segmentDurationMs: number;
  readonly reading: SegmentReading;
  /** Unique among the users of `reading`, and another one for another version of the file. */
  readonly cacheKey: string;
};

/**
 * A file as segments. Nothing is prepared: the timeline comes from the index, and a segment's bytes are read from the
 * file when it is asked for.
 */
export class FilePresentation implements Presentation {
  readonly version: string;
  readonly texts: readonly TextTrack[];
  readonly file: MediaFile;
  readonly #options: FilePresentationOptions;
  readonly #inits = new InitSegments();
  readonly #blocks: SegmentBlocks;
  #cuts: SegmentCuts | null = null;
  #timeline: Timeline | null = null;
  #indexes: ReadonlyMap<string, number> | null = null;
  #packets: FilePackets | null = null;

  constructor(options: FilePresentationOptions) {
    this.#options = options;
    this.#blocks = new SegmentBlocks(options);
    this.file = options.file;
    this.version = options.file.source.version;
    this.texts = options.file.texts;
  }

  timeline(): Timeline {
    this.#timeline ??= makeTimeline(this.file, this.#getCuts());
    return this.#timeline;
  }

  initName(tracks: TrackSet, selection: TrackSelection): string {
    return this.#inits.nameOf(tracks, selection);
  }

  initSegment(name: string, selection: TrackSelection): MediaBody | null {
    this.#inits.add(this.file.trackSet);
    return this.#inits.find(name, selection);
  }

  /** The memory of what is asked for in this way is not used again: it is the garbage collector's. */
  async segment(name: string, selection: TrackSelection): Promise<MediaBody | null> {
    return (await this.lendSegment(name, selection))?.body ?? null;
  }

  async lendSegment(name: string, selection: TrackSelection): Promise<LentBody | null> {
    const index = this.#indexOf(name);
    if (index === undefined) return null;
    const tracks = this.file.tracks.filter(({ track }) => selection.includes(track.id));
    if (tracks.length === 0) return null;
    const blocks = await this.#blocks.hold(this.#getCuts(), index, tracks);
    const tables = blocks.map(({ table }) => table);
    const header = buildFragmentHeader(index + 1, tables, { styp: true });
    const payloads = blocks.map(({ payload }) => payload).filter(({ byteLength }) => byteLength > 0);
    let isLent = true;
    const release = (): void => {
      if (isLent) for (const { memory } of blocks) memory?.release();
      isLent = false;
    };
    return { body: [header, ...payloads], release };
  }

  /** The same file as packets; what is read of it counts to the same bounds. */
  packets(): FilePackets {
    this.#packets ??= new FilePackets(this.#options);
    return this.#packets;
  }

  #getCuts(): SegmentCuts {
    if (this.#cuts !== null) return this.#cuts;
    const { tracks, trackSet } = this.file;
    const reference = tracks.find(({ track }) => track === trackSet.reference)!;
    this.#cuts = cutSegments(tracks, reference, this.#options.segmentDurationMs * 1000);
    return this.#cuts;
  }

  #indexOf(name: string): number | undefined {
    this.#indexes ??= new Map(this.timeline().segments.map((segment, index) => [segment.name, index]));
    return this.#indexes.get(name);
  }
}

function makeTimeline(file: MediaFile, cuts: SegmentCuts): Timeline {
  const { trackSet, tracks } = file;
  const bytes = tracks.map((track, t) => bytesOfSegments(track, cuts.samples[t]!));
  const durations = tracks.map((track, t) => durationsOfSegments(track, cuts.samples[t]!));
  const places = new Map(tracks.map(({ track }, t) => [track.id, t]));
  const segments: SegmentEntry[] = [];
  let longestUs = 0;
  for (let i = 0; i < cuts.count; i++) {
    const startUs = cuts.boundsUs[i]!;
    const durationUs = cuts.boundsUs[i + 1]! - startUs;
    longestUs = Math.max(longestUs, durationUs);
    segments.push({
      sequence: i,
      name: String(Math.floor(startUs / 1000)),
      startUs,
      durationUs,
      tracks: trackSet,
      discontinuity: false,
      stretchStartUs: cuts.boundsUs[0]!,
      isIndependent: cuts.independent[i] === 1,
      utcUs: null,
      trackBytes: (id) => bytes[places.get(id) ?? -1]?.[i] ?? 0,
      trackSamples: (id) => {
        const samples = cuts.samples[places.get(id) ?? -1];
        return samples === undefined ? 0 : samples[i + 1]! - samples[i]!;
      },
      trackUs: (id) => durations[places.get(id) ?? -1]?.[i] ?? 0,
    });
  }
  return {
    tracks: trackSet,
    mutability: "static",
    segments,
    discontinuitySequence: 0,
    targetDurationUs: longestUs,
  };
}

function bytesOfSegments(track: IndexedTrack, samples: Uint32Array): Float64Array {
  const bytes = new Float64Array(samples.length - 1);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = track.samples.bytesBetween(samples[i]!, samples[i + 1]!);
  return bytes;
}

function durationsOfSegments(track: IndexedTrack, samples: Uint32Array): Float64Array {
  const durationsUs = new Float64Array(samples.length - 1);
  for (let i = 0; i < durationsUs.length; i++)
    durationsUs[i] = track.durationUs(samples[i]!, samples[i + 1]!);
  return durationsUs;
}
