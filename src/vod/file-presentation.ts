import { buildFragmentHeader } from "../containers/mp4/fragment.ts";
import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import { InitSegments } from "../packaging/init-segments.ts";
import type {
  MediaBody,
  Presentation,
  SegmentEntry,
  TextTrack,
  Timeline,
  TrackSelection,
} from "../packaging/presentation.ts";
import { readBlocks } from "./block-reader.ts";
import { vodErrors } from "./errors.ts";
import { FilePackets } from "./file-packets.ts";
import type { IndexedTrack } from "./indexed-track.ts";
import type { MediaFile } from "./media-file.ts";
import { cutSegments } from "./segment-cuts.ts";
import type { SegmentCuts } from "./segment-cuts.ts";
import type { SegmentBlock, SegmentReading } from "./segment-reading.ts";

/** What `FilePresentation` needs. */
export type FilePresentationOptions = {
  readonly file: MediaFile;
  readonly segmentDurationMs: number;
  readonly reading: SegmentReading;
  /** Unique among the users of `reading`, and another one for another version of the file. */
  readonly cacheKey: string;
};

/** Bytes of a segment with all selected tracks; a segment is held in memory whole. */
const MAX_SEGMENT_BYTES = 128 * 2 ** 20;

/**
 * A file as segments. Nothing is prepared: the timeline comes from the index, and a segment's bytes are read from the
 * file when it is asked for. Tracks are read and cached apart, so that all selections share them, and requests for
 * what is being read wait for that.
 */
export class FilePresentation implements Presentation {
  readonly version: string;
  readonly texts: readonly TextTrack[];
  readonly file: MediaFile;
  readonly #options: FilePresentationOptions;
  readonly #inits = new InitSegments();
  readonly #reads = new Map<string, Promise<ReadonlyMap<TrackId, SegmentBlock>>>();
  #cuts: SegmentCuts | null = null;
  #timeline: Timeline | null = null;
  #indexes: ReadonlyMap<string, number> | null = null;
  #packets: FilePackets | null = null;

  constructor(options: FilePresentationOptions) {
    this.#options = options;
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

  async segment(name: string, selection: TrackSelection): Promise<MediaBody | null> {
    const index = this.#indexOf(name);
    if (index === undefined) return null;
    const tracks = this.file.tracks.filter(({ track }) => selection.includes(track.id));
    if (tracks.length === 0) return null;
    const blocks = await this.#blocks(index, tracks);
    const header = buildFragmentHeader(
      index + 1,
      blocks.map(({ table }) => table),
      { styp: true },
    );
    return [header, ...blocks.map(({ payload }) => payload).filter((payload) => payload.byteLength > 0)];
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

  async #blocks(index: number, tracks: readonly IndexedTrack[]): Promise<SegmentBlock[]> {
    const { reading } = this.#options;
    const blocks = new Map<TrackId, SegmentBlock>();
    const awaited: Promise<ReadonlyMap<TrackId, SegmentBlock>>[] = [];
    const missing: IndexedTrack[] = [];
    for (const track of tracks) {
      const key = this.#keyOf(index, track);
      const known = reading.blocks.get(key);
      const read = this.#reads.get(key);
      if (known !== undefined) blocks.set(track.track.id, known);
      else if (read !== undefined) awaited.push(read);
      else missing.push(track);
    }
    if (missing.length > 0) awaited.push(this.#startRead(index, missing));
    for (const part of await Promise.all(awaited)) for (const [id, block] of part) blocks.set(id, block);
    return tracks.map(({ track }) => blocks.get(track.id)!);
  }

  #keyOf(index: number, track: IndexedTrack): string {
    return `${this.#options.cacheKey} ${index} ${track.track.id}`;
  }

  #startRead(index: number, tracks: readonly IndexedTrack[]): Promise<ReadonlyMap<TrackId, SegmentBlock>> {
    const keys = tracks.map((track) => this.#keyOf(index, track));
    const read = this.#options.reading.work
      .run(() => this.#read(index, tracks))
      .finally(() => keys.forEach((key) => this.#reads.delete(key)));
    for (const key of keys) this.#reads.set(key, read);
    return read;
  }

  async #read(index: number, tracks: readonly IndexedTrack[]): Promise<ReadonlyMap<TrackId, SegmentBlock>> {
    const requests = tracks.map((track) => {
      const samples = this.#getCuts().samples[this.file.tracks.indexOf(track)]!;
      return { samples: track.samples, first: samples[index]!, end: samples[index + 1]! };
    });
    const bytes = requests.reduce(
      (sum, { samples, first, end }) => sum + samples.bytesBetween(first, end),
      0,
    );
    if (bytes > MAX_SEGMENT_BYTES) {
      throw vodErrors.error("VOD_SEGMENT_TOO_BIG", { bytes, limit: MAX_SEGMENT_BYTES });
    }
    const payloads = await readBlocks(this.file.source, requests);
    const blocks = new Map<TrackId, SegmentBlock>();
    for (const [i, track] of tracks.entries()) {
      const table = track.table(requests[i]!.first, requests[i]!.end);
      const block = { table, payload: payloads[i]! };
      blocks.set(track.track.id, block);
      const tableBytes = 13 * table.count + 256;
      this.#options.reading.blocks.set(
        this.#keyOf(index, track),
        block,
        block.payload.byteLength + tableBytes,
      );
    }
    return blocks;
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
