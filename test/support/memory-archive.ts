/** An archive in memory, written as the recorder would: for tests of what exports and plays archives. */
import { setImmediate as turn } from "node:timers/promises";
import { concatBytes } from "../../src/base/bytes.ts";
import { ticksToUs, usToTicks } from "../../src/base/time.ts";
import { buildFragmentHeader } from "../../src/containers/mp4/fragment.ts";
import type { FragmentTrack } from "../../src/containers/mp4/fragment.ts";
import { buildInitSegment } from "../../src/containers/mp4/init-segment.ts";
import { trackNumber } from "../../src/containers/mp4/track-number.ts";
import type {
  StoredChunk,
  StoredRange,
  StoredReader,
  StoredSegment,
} from "../../src/dvr/export/stored-range.ts";
import type { TrackId } from "../../src/media/ids.ts";
import type { MediaPacket, SourcePacket } from "../../src/media/packet.ts";
import { makeTrackSet } from "../../src/media/track.ts";
import type { Track } from "../../src/media/track.ts";
import { Segmenter } from "../../src/packaging/segmenter.ts";
import type { FinishedSegment } from "../../src/packaging/segmenter.ts";

/** Monday, 23 November 2026, 08:00 UTC. Units: microseconds since 1970. */
export const RECORDED_US = 1_795_420_800_000_000;

/** Chunks of tracks without key frames have at least so much. */
const CHUNK_US = 1_000_000;

/** One read of a media file. */
export type ArchiveRead = { readonly file: string; readonly offset: number; readonly length: number };

/** Keeps media files in memory. A new one begins with each other set of tracks. */
export class MemoryArchive implements StoredRange {
  readonly segments: StoredSegment[] = [];
  readonly mediaFiles = new Map<string, readonly Track[]>();
  /** All packets that were recorded, with their times on the media clock, track by track. */
  readonly recorded = new Map<TrackId, MediaPacket[]>();
  readonly reads: ArchiveRead[] = [];
  /** Reads under way, and bytes that they will give. */
  running = 0;
  runningBytes = 0;
  /** Thrown by reads, when set. */
  failure: Error | null = null;
  /** Reads wait for this. */
  gate: Promise<void> = Promise.resolve();
  readonly #files = new Map<string, Uint8Array>();
  readonly #segmenter: Segmenter;
  #epoch = 0;
  #sequence = 0;

  constructor({ segmentDurationMs = 1000 }: { readonly segmentDurationMs?: number } = {}) {
    this.#segmenter = new Segmenter({
      segmentDurationUs: segmentDurationMs * 1000,
      maxDurationUs: () => 20_000_000,
      onSegment: (segment) => this.#store(segment),
    });
  }

  /** Records packets, whose times begin near 0, from a time of the media clock on; a break is in front of them. */
  record(packets: readonly SourcePacket[], startUs: number): void {
    const tracks = makeTrackSet(++this.#epoch, [...new Set(packets.map(({ track }) => track))]);
    this.#segmenter.onTracks(tracks);
    for (const packet of packets) {
      const shift = usToTicks(startUs, packet.track.timescale);
      this.#segmenter.onPacket({
        ...packet,
        dts: packet.dts + shift,
        pts: packet.pts + shift,
        startsGop: packet.isSync && packet.track === tracks.reference,
        epoch: tracks.epoch,
        arrivalUs: 0,
      });
    }
    this.#segmenter.onEnd();
  }

  /** The bytes of a media file; to be changed by tests of damage. */
  bytesOf(file: string): Uint8Array {
    return this.#files.get(file)!;
  }

  /** Puts other bytes in the place of a media file. */
  replace(file: string, bytes: Uint8Array): void {
    this.#files.set(file, bytes);
  }

  /** Samples of a track that were recorded. */
  samplesOf(id: string): number {
    return this.recorded.get(id as TrackId)?.length ?? 0;
  }

  /** All chunks in their order. */
  get chunks(): StoredChunk[] {
    return this.segments.flatMap(({ chunks }) => [...chunks]);
  }

  readonly read: StoredReader = async (file, offset, targets) => {
    const length = targets.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.reads.push({ file, offset, length });
    this.running++;
    this.runningBytes += length;
    try {
      await this.gate;
      await turn();
      if (this.failure !== null) throw this.failure;
      return scatter(this.#files.get(file)!.subarray(offset), targets);
    } finally {
      this.running--;
      this.runningBytes -= length;
    }
  };

  #store(segment: FinishedSegment): void {
    const file = this.#fileOf(segment);
    const parts = [...segment.media.values()].flatMap((media) =>
      cut(media.table, concatBytes(media.blocks())),
    );
    parts.sort((a, b) => startOf(a.table) - startOf(b.table));
    const chunks = parts.map((part) => this.#append(file, part));
    for (const part of parts) this.#note(part);
    this.segments.push({
      startUs: segment.startUs,
      durationUs: segment.durationUs,
      discontinuity: segment.discontinuity,
      independent: segment.isIndependent,
      chunks,
    });
  }

  #fileOf({ tracks: { tracks } }: FinishedSegment): string {
    const newest = [...this.mediaFiles].at(-1);
    const isSame =
      newest?.[1].length === tracks.length && newest[1].every((track, i) => track === tracks[i]);
    if (newest !== undefined && isSame) return newest[0];
    const file = `08.${this.mediaFiles.size}.mp4`;
    this.mediaFiles.set(file, tracks);
    this.#files.set(file, buildInitSegment(tracks));
    return file;
  }

  #append(file: string, { table, payload }: Part): StoredChunk {
    const header = buildFragmentHeader(++this.#sequence, [table], { sampleDescriptionIndex: true });
    const bytes = this.#files.get(file)!;
    this.#files.set(file, concatBytes([bytes, header, payload]));
    let ticks = 0;
    for (const duration of table.durations) ticks += duration;
    return {
      trackNumber: trackNumber(table.track.id),
      mediaFileKey: file,
      offset: bytes.byteLength,
      size: header.byteLength + payload.byteLength,
      headerBytes: header.byteLength,
      startUs: startOf(table),
      durationUs: ticksToUs(ticks, table.track.timescale),
      samples: table.count,
    };
  }

  #note({ table, payload }: Part): void {
    const { track } = table;
    const packets = this.recorded.get(track.id) ?? [];
    this.recorded.set(track.id, packets);
    let [dts, at] = [table.baseDts, 0];
    for (let i = 0; i < table.count; i++) {
      packets.push({
        track,
        dts,
        pts: dts + table.ctsOffsets[i]!,
        durationTicks: table.durations[i]!,
        isSync: table.syncFlags[i] === 1,
        startsGop: false,
        epoch: 0,
        arrivalUs: 0,
        payload: payload.slice(at, at + table.sizes[i]!),
      });
      dts += table.durations[i]!;
      at += table.sizes[i]!;
    }
  }
}

type Part = { readonly table: FragmentTrack; readonly payload: Uint8Array };

function startOf({ baseDts, track }: FragmentTrack): number {
  return ticksToUs(baseDts, track.timescale);
}

/** A track's samples in chunks: of a GOP each, or of a second where all are sync samples. */
function cut(table: FragmentTrack, block: Uint8Array): Part[] {
  const { track, count, durations, syncFlags, sizes } = table;
  const parts: Part[] = [];
  let [from, at, dts] = [0, 0, table.baseDts];
  while (from < count) {
    let [to, bytes, ticks] = [from, 0, 0];
    do {
      bytes += sizes[to]!;
      ticks += durations[to]!;
      to++;
    } while (
      to < count &&
      !(syncFlags[to] === 1 && ticksToUs(ticks, track.timescale) >= CHUNK_US - 100_000)
    );
    parts.push({
      table: {
        track,
        baseDts: dts,
        count: to - from,
        sizes: sizes.slice(from, to),
        durations: durations.slice(from, to),
        ctsOffsets: table.ctsOffsets.slice(from, to),
        syncFlags: syncFlags.slice(from, to),
        dataBytes: bytes,
      },
      payload: block.slice(at, at + bytes),
    });
    [from, at, dts] = [to, at + bytes, dts + ticks];
  }
  return parts;
}

function scatter(bytes: Uint8Array, targets: readonly Uint8Array[]): number {
  let at = 0;
  for (const target of targets) {
    const part = bytes.subarray(at, at + target.byteLength);
    target.set(part);
    at += part.byteLength;
  }
  return at;
}

/** What a list of segments without media is like. */
export type ListOptions = {
  readonly tracks: readonly Track[];
  readonly segments: number;
  /** 2 s unless given. */
  readonly segmentUs?: number;
  /** Of each chunk; 100 KB unless given. */
  readonly chunkBytes?: number;
};

/** A range that is nothing but a list: a chunk of each track in each segment, one after the other in one file. */
export function listedRange({
  tracks,
  segments,
  segmentUs = 2_000_000,
  chunkBytes = 100_000,
}: ListOptions): StoredRange {
  const numbers = tracks.map(({ id }) => trackNumber(id));
  function* chunksAt(segment: number): Iterable<StoredChunk> {
    for (const [i, number] of numbers.entries()) {
      yield {
        trackNumber: number,
        mediaFileKey: "08.mp4",
        offset: 1000 + (segment * numbers.length + i) * chunkBytes,
        size: chunkBytes,
        headerBytes: 600,
        startUs: RECORDED_US + segment * segmentUs,
        durationUs: segmentUs,
        samples: 50,
      };
    }
  }
  function* list(): Iterable<StoredSegment> {
    for (let segment = 0; segment < segments; segment++) {
      yield {
        startUs: RECORDED_US + segment * segmentUs,
        durationUs: segmentUs,
        discontinuity: false,
        independent: true,
        chunks: chunksAt(segment),
      };
    }
  }
  return {
    segments: list(),
    mediaFiles: new Map([["08.mp4", tracks]]),
    read: () => Promise.reject(new Error("a list alone is never read")),
  };
}
