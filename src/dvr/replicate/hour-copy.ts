/** Copies what we lack of an hour from a peer. */
import type { Clock } from "../../base/clock.ts";
import type { ArchiveFile } from "../archive-files.ts";
import { FIRST_FILL_FILE, fillIndexFile, storedFills, storedMediaFile } from "../format/fill.ts";
import type { StoredFill } from "../format/fill.ts";
import { indexFile } from "../format/hour.ts";
import type { HourChunk } from "../format/hour-index.ts";
import { readDeletedFile } from "../format/read-deleted.ts";
import { readMediaHead } from "../reader/init-tracks.ts";
import { FillHour } from "./fill-hour.ts";
import type { FillHourPlace } from "./fill-hour.ts";
import { countFills } from "./fill-numbering.ts";
import { withoutDeleted } from "./missing.ts";
import type { Pace } from "./pace.ts";
import { MAX_RANGE_BYTES } from "./peer.ts";
import type { Peer } from "./peer.ts";
import type { OfferedHour } from "./peer-listing.ts";

/** A segment of a peer. `file` is a number as `storedMediaFile` has it. */
export type OfferedSegment = StoredFill;

/** What copying needs. */
export type HourCopyOptions = {
  readonly peer: Peer;
  /** The stream's name there. */
  readonly remote: string;
  readonly place: FillHourPlace;
  readonly pace: Pace;
  readonly bytesPerSecond: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Asked before anything is written. */
  mayWrite(): boolean;
};

/** What came of it. */
export type CopiedSegments = {
  readonly segments: number;
  readonly bytes: number;
  /** Names of segments whose media is damaged there. */
  readonly damaged: readonly string[];
  /** All that was wanted was copied, or is damaged. */
  readonly isAll: boolean;
};

/** What is copied before it is shown. Units: bytes. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** Requests are no smaller, whatever the speed. Units: bytes. */
const MIN_RANGE_BYTES = 64 * 1024;

type Run = { readonly offset: number; bytes: number; readonly chunks: HourChunk[] };

/** The segments that a peer shows of an hour: what is deleted there is no offer. Rejects with DVR_PEER_*. */
export async function offeredSegments(
  peer: Peer,
  remote: string,
  { hour, indexBytes, fillBytes }: OfferedHour,
): Promise<OfferedSegment[]> {
  const found: OfferedSegment[] = [];
  // Read first: what is deleted there meanwhile may still be copied, what was deleted before is not.
  const of = { hour, deleted: await peer.deleted(remote, hour) };
  if (indexBytes > 0) found.push(...storedFills(await peer.index(remote, indexFile(hour), of)));
  if (fillBytes === 0) return found;
  const fills = storedFills(await peer.index(remote, fillIndexFile(hour), of));
  return [...found, ...fills.map((fill) => ({ ...fill, file: fill.file + FIRST_FILL_FILE }))];
}

/** One copying of segments of one hour. */
export class HourCopy {
  readonly #options: HourCopyOptions;
  /** Init segments by the number of the peer's media file. */
  readonly #inits = new Map<number, Uint8Array>();

  constructor(options: HourCopyOptions) {
    this.#options = options;
  }

  /**
   * Copies segments, and shows them some at a time; ends early where the stream is not ours to write any more.
   * `segments`: in order, apart from each other and from all that is recorded. Rejects with DVR_*, MP4_*, CODEC_*, and with
   * what the system says; what was shown by then stays.
   */
  async run(segments: readonly OfferedSegment[]): Promise<CopiedSegments> {
    const fill = await FillHour.open(this.#options.place);
    let [copied, bytes] = [0, 0];
    const damaged: string[] = [];
    let isAll = true;
    try {
      for (const batch of batchesOf(segments)) {
        isAll = this.#goesOn() && fill.hasRoomFor(batch);
        if (!isAll) break;
        const stored = await this.#fetch(fill, batch);
        isAll = stored !== null && this.#goesOn();
        if (stored === null || !isAll) break;
        const whole = await this.#undeleted(
          stored.filter(({ isWhole }) => isWhole).map(({ segment }) => segment),
        );
        damaged.push(...stored.filter(({ isWhole }) => !isWhole).map(({ segment }) => segment.name));
        if (whole.length > 0) await fill.commit(whole, (index) => countFills(this.#options.place, index));
        copied += whole.length;
        bytes += whole.reduce((sum, segment) => sum + bytesOf(segment), 0);
      }
      return { segments: copied, bytes, damaged, isAll };
    } finally {
      await fill.close();
    }
  }

  /** Without what was deleted here while it was copied. */
  async #undeleted(segments: readonly StoredFill[]): Promise<StoredFill[]> {
    const { files, folder, hour } = this.#options.place;
    return withoutDeleted(segments, (await readDeletedFile(files, folder, hour)).spans);
  }

  #goesOn(): boolean {
    return !this.#options.signal.aborted && this.#options.mayWrite();
  }

  /** The media of segments, appended to ours; `null` where it is not wanted any more. */
  async #fetch(
    fill: FillHour,
    batch: readonly OfferedSegment[],
  ): Promise<{ readonly segment: StoredFill; readonly isWhole: boolean }[] | null> {
    const stored: { readonly segment: StoredFill; readonly isWhole: boolean }[] = [];
    for (const group of groupsOf(batch)) {
      const source = group[0]!.file;
      const file = await fill.fileFor(await this.#initOf(source));
      const places = new Map<HourChunk, number>();
      for (const run of runsOf(group)) {
        const at = await this.#append(fill, file, source, run);
        if (at === null) return null;
        for (const chunk of run.chunks) places.set(chunk, at + chunk.offset - run.offset);
      }
      for (const segment of group) {
        const chunks = segment.chunks.map((chunk) => ({ ...chunk, offset: places.get(chunk)! }));
        const isWhole = await fill.hasChunks(file, chunks);
        stored.push({ segment: { ...segment, file, chunks }, isWhole });
      }
    }
    return stored;
  }

  /** Bytes that lie together at the peer, appended to a file of ours. Returns: where they begin. */
  async #append(fill: FillHour, file: number, source: number, run: Run): Promise<number | null> {
    const { peer, remote, pace, bytesPerSecond, signal, place } = this.#options;
    const most = Math.min(MAX_RANGE_BYTES, Math.max(MIN_RANGE_BYTES, Math.floor(bytesPerSecond / 2)));
    const path = storedMediaFile(place.hour, source);
    let beginsAt: number | null = null;
    for (let done = 0; done < run.bytes;) {
      const asked = Math.min(most, run.bytes - done);
      await pace.wait(asked, signal);
      if (!this.#goesOn()) return null;
      const { bytes } = await peer.range(remote, path, run.offset + done, asked);
      if (bytes.byteLength < asked) throw peer.badMedia(remote, path, "it ends before its index says");
      const at = await fill.append(file, bytes);
      beginsAt ??= at;
      done += asked;
    }
    return beginsAt;
  }

  async #initOf(source: number): Promise<Uint8Array> {
    const known = this.#inits.get(source);
    if (known !== undefined) return known;
    const { peer, remote, place } = this.#options;
    const { init } = await readMediaHead(remoteFile(peer, remote, storedMediaFile(place.hour, source)));
    this.#inits.set(source, init);
    return init;
  }
}

/** All chunks of a segment. Units: bytes. */
export function bytesOf({ chunks }: StoredFill): number {
  return chunks.reduce((sum, { size }) => sum + size, 0);
}

function* batchesOf(segments: readonly OfferedSegment[]): Generator<OfferedSegment[]> {
  let batch: OfferedSegment[] = [];
  let bytes = 0;
  for (const segment of segments) {
    if (batch.length > 0 && bytes + bytesOf(segment) > BATCH_BYTES) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(segment);
    bytes += bytesOf(segment);
  }
  if (batch.length > 0) yield batch;
}

/** Neighbours that are in one file of the peer. */
function groupsOf(batch: readonly OfferedSegment[]): OfferedSegment[][] {
  const groups: OfferedSegment[][] = [];
  for (const segment of batch) {
    const last = groups.at(-1);
    if (last?.[0]?.file === segment.file) last.push(segment);
    else groups.push([segment]);
  }
  return groups;
}

function runsOf(group: readonly OfferedSegment[]): Run[] {
  const runs: Run[] = [];
  for (const chunk of group.flatMap(({ chunks }) => chunks)) {
    const last = runs.at(-1);
    if (last !== undefined && last.offset + last.bytes === chunk.offset) {
      last.bytes += chunk.size;
      last.chunks.push(chunk);
    } else runs.push({ offset: chunk.offset, bytes: chunk.size, chunks: [chunk] });
  }
  return runs;
}

async function never(): Promise<never> {
  return await Promise.reject(new TypeError("a peer's file is only read"));
}

/** A file of the peer, as far as reading its beginning goes. */
function remoteFile(peer: Peer, remote: string, file: string): ArchiveFile {
  const head = async (offset: number, bytes: number): Promise<Awaited<ReturnType<Peer["range"]>>> =>
    await peer.range(remote, file, offset, bytes);
  return {
    path: `${peer.name}/${remote}/${file}`,
    async read(offset, into) {
      let got = 0;
      while (got < into.byteLength) {
        const { bytes, totalBytes } = await head(offset + got, into.byteLength - got);
        into.set(bytes, got);
        got += bytes.byteLength;
        if (offset + got >= totalBytes) break;
      }
      return got;
    },
    sizeBytes: async () => (await head(0, 1)).totalBytes,
    append: never,
    truncate: never,
    sync: never,
    close: async () => await Promise.resolve(),
  };
}
