/** Packets as a live source sends them, stretch by stretch, on the media clock. */
import type { MediaPacket, PacketSink } from "../../src/media/packet.ts";
import { makeTrackSet } from "../../src/media/track.ts";
import type { Track } from "../../src/media/track.ts";
import { audioTrack, mediaPacket, videoTrack } from "./media.ts";

/** 2026-01-01T00:00:00Z: a multiple of every segment duration of whole seconds. Units: microseconds. */
export const SOURCE_START_US = 1_767_225_600_000_000;

/** How a source behaves for a while. */
export type SourceStretch = {
  readonly seconds: number;
  readonly hasVideo?: boolean;
  readonly hasAudio?: boolean;
  /** 25 unless given. */
  readonly frameRate?: number;
  /** Pictures from one key frame to the next; 50 unless given. */
  readonly gopFrames?: number;
  /** The same of the other quality, where the source has one; as the first one unless given. */
  readonly otherGopFrames?: number;
  /** Video times are whole milliseconds, as RTMP has them. */
  readonly isRounded?: boolean;
  /** Of each picture, whether it is left out: a variable frame rate. */
  readonly drops?: (frame: number) => boolean;
  /** Pictures from a key frame to its presentation; 0 unless given. */
  readonly reorderFrames?: number;
  /** Sound comes so much later than its time says. Units: microseconds. */
  readonly audioLagUs?: number;
  /** What it begins with: nothing unless given. */
  readonly begins?: "break" | "track-change";
};

const PAYLOAD_BYTES = { video: 60, audio: 9 };

/** Sends stretches to a sink, packet by packet; payloads tell which packet they are of. */
export class LiveSource {
  readonly video: Track;
  readonly audio: Track;
  /** Another quality of the picture. */
  readonly other: Track | null;
  readonly #sink: PacketSink;
  #epoch = 0;
  #tracks: readonly Track[] = [];
  #atUs = SOURCE_START_US;
  #frame = 0;
  #count = 0;

  constructor(
    sink: PacketSink,
    tracks: { readonly video?: Track; readonly audio?: Track; readonly other?: Track | null } = {},
  ) {
    this.#sink = sink;
    this.video = tracks.video ?? videoTrack();
    this.audio = tracks.audio ?? audioTrack();
    this.other = tracks.other ?? null;
  }

  /** Where the source is. Units: microseconds on the media clock. */
  get atUs(): number {
    return this.#atUs;
  }

  /** Passes time without a packet. */
  skip(seconds: number): void {
    this.#atUs += Math.round(seconds * 1e6);
  }

  /** Sends a stretch; `onPacket` is called behind each packet. */
  play(stretch: SourceStretch, onPacket: () => void = () => {}): void {
    const { seconds, begins } = stretch;
    if (begins === "break") this.#sink.onPause();
    if (begins !== undefined || this.#tracks.length === 0) this.#begin(stretch);
    const endUs = this.#atUs + Math.round(seconds * 1e6);
    const first = this.#frame;
    const packets = this.#videoPackets(this.video, stretch, endUs);
    if (this.other !== null) {
      const { otherGopFrames: gopFrames = stretch.gopFrames ?? 50 } = stretch;
      this.#frame = first;
      packets.push(...this.#videoPackets(this.other, { ...stretch, gopFrames }, endUs));
    }
    packets.push(...this.#audioPackets(stretch, endUs));
    packets.sort((a, b) => a.arrivalUs - b.arrivalUs);
    this.#atUs = endUs;
    for (const packet of packets) {
      this.#sink.onPacket({ ...packet, payload: this.#payload(packet) });
      onPacket();
    }
  }

  #begin({ hasVideo = true, hasAudio = true }: SourceStretch): void {
    const isSilent = !hasVideo && !hasAudio;
    this.#tracks = [
      ...(hasVideo || isSilent ? [this.video] : []),
      ...(hasVideo && this.other !== null ? [this.other] : []),
      ...(hasAudio || isSilent ? [this.audio] : []),
    ];
    this.#frame = 0;
    this.#sink.onTracks(makeTrackSet(++this.#epoch, this.#tracks));
  }

  #videoPackets(track: Track, stretch: SourceStretch, endUs: number): MediaPacket[] {
    const { hasVideo = true, frameRate = 25, gopFrames = 50, drops, reorderFrames = 0 } = stretch;
    if (!hasVideo || !this.#tracks.includes(track)) return [];
    const packets: MediaPacket[] = [];
    const unitUs = stretch.isRounded === true ? 1000 : 1;
    const ticks = (us: number): number => Math.round((Math.round(us / unitUs) * unitUs * 9) / 100);
    for (let n = 0; this.#atUs + (n * 1e6) / frameRate < endUs - 1; n++) {
      const us = this.#atUs + (n * 1e6) / frameRate;
      const frame = this.#frame++;
      const isSync = frame % gopFrames === 0;
      if (!isSync && drops?.(frame) === true) continue;
      const dts = ticks(us);
      const pts = ticks(us + (reorderFrames * 1e6) / frameRate);
      const startsGop = isSync && track === this.video;
      packets.push(mediaPacket({ track, dts, pts, isSync, startsGop, epoch: this.#epoch, arrivalUs: us }));
    }
    return packets;
  }

  #audioPackets({ hasAudio = true, audioLagUs = 0 }: SourceStretch, endUs: number): MediaPacket[] {
    if (!hasAudio || !this.#tracks.includes(this.audio)) return [];
    const packets: MediaPacket[] = [];
    const { sampleRate } = this.audio;
    const startsGop = this.#tracks[0] === this.audio;
    const first = Math.ceil((this.#atUs / 1e6) * (sampleRate / 1024));
    for (let n = first; (n * 1024e6) / sampleRate < endUs - 1; n++) {
      const arrivalUs = (n * 1024e6) / sampleRate + audioLagUs;
      packets.push(
        mediaPacket({
          track: this.audio,
          dts: n * 1024,
          isSync: true,
          startsGop,
          epoch: this.#epoch,
          arrivalUs,
        }),
      );
    }
    return packets;
  }

  #payload({ track }: MediaPacket): Uint8Array {
    const payload = new Uint8Array(PAYLOAD_BYTES[track.kind === "video" ? "video" : "audio"]);
    new DataView(payload.buffer).setUint32(0, this.#count++);
    return payload;
  }
}
