/** A recording in memory, for tests of what plays files. */
import { setImmediate as turn } from "node:timers/promises";
import type { MediaPacket } from "../../src/media/packet.ts";
import { usToTicks } from "../../src/base/time.ts";
import type { PacketRun, RecordedPackets } from "../../src/stream/recorded-packets.ts";
import { livePackets, mediaPacket, trackSet } from "./media.ts";

/** How long every film is. */
export const FILM_MS = 10_000;

/** What a film may be like. */
export type FilmOptions = {
  /** 64 unless given. */
  readonly payloadBytes?: number;
  /** Pictures are shown so much later than they are decoded, as with B-frames. */
  readonly reorderMs?: number;
};

/** Ten seconds with a key frame each second, read a second at a time. */
export class Film implements RecordedPackets {
  readonly tracks = trackSet();
  readonly endUs = FILM_MS * 1000;
  readonly reorderUs: number;
  readonly reads: number[] = [];
  running = 0;
  mostRunning = 0;
  /** Thrown by reads, when set. */
  failure: Error | null = null;
  /** Reads wait for this. */
  gate: Promise<void> = Promise.resolve();
  readonly packets: readonly MediaPacket[];

  constructor({ payloadBytes = 64, reorderMs = 0 }: FilmOptions = {}) {
    this.reorderUs = reorderMs * 1000;
    const shown = ({ dts, track }: MediaPacket): number =>
      track.kind === "video" ? dts + usToTicks(this.reorderUs, track.timescale) : dts;
    this.packets = livePackets({ durationMs: FILM_MS, payloadBytes })
      .map((packet) => mediaPacket(packet))
      .map((packet) => ({ ...packet, pts: shown(packet) }));
  }

  startAt(us: number): number {
    return Math.max(0, Math.floor(us / 1_000_000) - (us >= this.endUs ? 1 : 0)) * 1_000_000;
  }

  async read(fromUs: number): Promise<PacketRun> {
    this.reads.push(fromUs);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    await this.gate;
    this.running--;
    if (this.failure !== null) throw this.failure;
    const toUs = Math.floor(fromUs / 1_000_000 + 1) * 1_000_000;
    const packets = this.packets.filter(({ dts, track: { timescale } }) => {
      return dts >= usToTicks(fromUs, timescale) && dts < usToTicks(toUs, timescale);
    });
    return { packets, toUs, isLast: toUs >= this.endUs };
  }
}

/** Lets everything that waits for reads of a film, and for nothing else, come to its end. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await turn();
}

/** The times of so many pictures of a film. Units: milliseconds. */
export const pictureTimes = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => from + i * 40);
