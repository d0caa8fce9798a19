import { strict as assert } from "node:assert";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";

/**
 * Which samples of one track lie in which part of a segment, and the payloads of those parts that somebody asked for.
 *
 * A part's last sample lasts as long as was known when the part was complete: whoever asks for it, and whenever, gets
 * the same bytes.
 */
export class TrackParts {
  /** By part, the index behind its last sample. */
  readonly #ends: number[] = [];
  /** By part, what its last sample lasts, in ticks. */
  readonly #lastDurations: number[] = [];
  /** By part, the payloads one behind the other. */
  readonly #pieces: (Uint8Array | undefined)[] = [];
  #made = 0;

  /** The next part ends in front of the sample `end`, its last sample lasts so many ticks. */
  close(end: number, lastTicks: number): void {
    this.#ends.push(end);
    this.#lastDurations.push(lastTicks);
  }

  /** Parts that are complete. */
  get count(): number {
    return this.#ends.length;
  }

  /** Index of a part's first sample. */
  start(part: number): number {
    return part === 0 ? 0 : this.#ends[part - 1]!;
  }

  /** The index behind a part's last sample. */
  end(part: number): number {
    return this.#ends[part]!;
  }

  /** What a part's last sample lasts, in ticks. */
  lastDuration(part: number): number {
    return this.#lastDurations[part]!;
  }

  /** The payloads of a part if they were put together. */
  piece(part: number): Uint8Array | undefined {
    return this.#pieces[part];
  }

  /** Keeps the payloads of a part. */
  keep(part: number, piece: Uint8Array): void {
    if (this.#pieces[part] === undefined) this.#made++;
    this.#pieces[part] = piece;
  }

  /** Somebody asked for a part. */
  get hasPieces(): boolean {
    return this.#made > 0;
  }

  /** The payloads of every part were put together, and they are those of the whole track. */
  get isWhole(): boolean {
    return this.#made === this.count;
  }

  /** The payloads of all parts, in order; to be called when `isWhole`. */
  get pieces(): readonly Uint8Array[] {
    assert(this.isWhole, "payloads of a part are missing");
    return this.#pieces.filter((piece) => piece !== undefined);
  }
}

/** What a track's last sample of a part or of a segment lasts, in ticks: until the next one where that is known. */
export function lastDuration(
  last: Pick<MediaPacket, "dts" | "durationTicks" | "track">,
  nextDts: number | null,
  previousDuration: number,
): number {
  if (nextDts !== null && nextDts > last.dts) return nextDts - last.dts;
  return last.durationTicks || previousDuration || Math.floor(last.track.timescale / 25);
}

/** The sample table of the packets from one index up to another, which are not none; the last one lasts `lastTicks`. */
export function tableOf(
  track: Track,
  packets: readonly MediaPacket[],
  from: number,
  to: number,
  lastTicks: number,
): FragmentTrack {
  const count = to - from;
  const sizes = new Uint32Array(count);
  const durations = new Uint32Array(count);
  const ctsOffsets = new Int32Array(count);
  const syncFlags = new Uint8Array(count);
  let dataBytes = 0;
  for (let i = 0; i < count; i++) {
    const packet = packets[from + i]!;
    sizes[i] = packet.payload.byteLength;
    ctsOffsets[i] = packet.pts - packet.dts;
    syncFlags[i] = packet.isSync ? 1 : 0;
    dataBytes += packet.payload.byteLength;
    if (i > 0) durations[i - 1] = packet.dts - packets[from + i - 1]!.dts;
  }
  durations[count - 1] = lastTicks;
  const baseDts = packets[from]!.dts;
  return { track, baseDts, count, sizes, durations, ctsOffsets, syncFlags, dataBytes };
}
