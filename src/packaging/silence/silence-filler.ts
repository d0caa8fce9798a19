import type { Logger } from "../../base/log.ts";
import { silentLogger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";
import { MICROSECONDS, ticksToUs } from "../../base/time.ts";
import type { TrackId } from "../../media/ids.ts";
import type { MediaPacket, PacketSink } from "../../media/packet.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { Segmenter } from "../segmenter.ts";
import { FilledTrack } from "./filled-track.ts";
import { KeptSound } from "./kept-sound.ts";
import { SilenceLog } from "./silence-log.ts";

/** More tracks than a stream has at one time; a source that changes its tracks all the time leaves no more behind. */
const MAX_PAST = 16;

/** What a filler may be given. */
export type SilenceFillerOptions = {
  /** Sound that the window before this one had. */
  readonly heard?: readonly Track[];
  /** The stream's. */
  readonly log?: Logger;
};

/**
 * Keeps the sound of a stream going in front of a packager.
 *
 * Players make a buffer for each track of an init segment, and stop where one of them runs dry. So an audio track that
 * falls more than a second behind the pictures goes on as silence, from where it ended and then frame by frame with the
 * pictures, until sound is back; and a track that a new set lacks stays in it as silence. What comes of sound for a time
 * that was filled is dropped. All this is a function of the packets and their order: who sees the same packets gives on
 * the same.
 *
 * A source that sends its sound late by more than that is no silent one: how late the last frame was, is waited for half a
 * second longer.
 * Without video nothing is filled, and nothing over a hole of the pictures.
 */
export class SilenceFiller implements PacketSink {
  readonly #sink: PacketSink;
  readonly #kept: KeptSound;
  readonly #log: SilenceLog;
  #set: TrackSet | null = null;
  /** The audio tracks of the set of which there is silence. */
  #tracks: FilledTrack[] = [];
  /** What there was in sets before, by id, the latest used last: times that were filled stay filled. Bound: `MAX_PAST`. */
  readonly #past = new Map<TrackId, FilledTrack>();
  /** Where the pictures of the set have come; `null` before their first random access point. */
  #pictureUs: number | null = null;
  /** What the last picture lasted, as far as it matters for holes. */
  #stepUs = 0;
  /** From `dts` to the clock of pictures: that of the last random access point. Units: ticks of the reference track. */
  #ctsTicks = 0;
  /** Used anew for each picture. */
  readonly #frames: MediaPacket[] = [];

  constructor(sink: PacketSink, { heard = [], log = silentLogger }: SilenceFillerOptions = {}) {
    this.#sink = sink;
    this.#kept = new KeptSound(heard);
    this.#log = new SilenceLog(log);
  }

  /** Sound that a window which takes this one's place is to keep. */
  get heard(): readonly Track[] {
    return this.#kept.heard;
  }

  onTracks(tracks: TrackSet): void {
    const set = this.#kept.complete(tracks);
    for (const track of this.#tracks) this.#remember(track);
    this.#set = set;
    this.#pictureUs = null;
    this.#stepUs = 0;
    this.#tracks = [];
    for (const track of set.tracks) {
      const before = this.#past.get(track.id) ?? null;
      const filled = FilledTrack.of(track, !tracks.tracks.includes(track), before);
      if (filled !== null) this.#tracks.push(filled);
    }
    // What was silent may have given way to sound that is never filled.
    this.#note(0);
    this.#sink.onTracks(set);
  }

  onPacket(packet: MediaPacket): void {
    if (this.#tracks.length === 0 || packet.epoch !== this.#set!.epoch) this.#sink.onPacket(packet);
    else if (packet.track.kind !== "video") this.#other(packet);
    else if (packet.track === this.#set!.reference) this.#picture(packet);
    else this.#sink.onPacket(packet);
  }

  onPause(): void {
    this.#sink.onPause();
  }

  onEnd(reason: string): void {
    this.#sink.onEnd(reason);
  }

  #picture(packet: MediaPacket): void {
    const us = this.#follow(packet);
    if (us === null) {
      this.#sink.onPacket(packet);
      return;
    }
    this.#fill(packet, us, packet.startsGop ? 0 : -1);
    this.#sink.onPacket(packet);
    // The frame that begins with the picture or behind it completes a segment that ends here.
    if (packet.startsGop) this.#fill(packet, us, 1);
  }

  /** Returns: where the pictures are with this one; `null` before the first random access point. */
  #follow(packet: MediaPacket): number | null {
    if (packet.startsGop) this.#ctsTicks = packet.pts - packet.dts;
    else if (this.#pictureUs === null) return null;
    const ticks = Math.min(packet.dts + this.#ctsTicks, packet.pts);
    const us = ticksToUs(ticks, packet.track.timescale);
    const beforeUs = this.#pictureUs;
    if (beforeUs === null || us - beforeUs > Segmenter.MAX_HOLE_US + this.#stepUs) {
      for (const track of this.#tracks) track.begin(us);
    }
    if (beforeUs !== null && us > beforeUs) this.#stepUs = Math.min(us - beforeUs, MICROSECONDS);
    this.#pictureUs = Math.max(us, beforeUs ?? 0);
    return this.#pictureUs;
  }

  /**
   * Fills up to the picture and so many frames beyond: one less than to the picture itself, nothing goes on behind the
   * last picture of a source that leaves, which would be over the first one of the next.
   */
  #fill({ epoch, arrivalUs }: MediaPacket, us: number, beyond: -1 | 0 | 1): void {
    const frames = this.#frames;
    for (const track of this.#tracks) {
      if (!track.isMissingAt(us)) continue;
      const wasSilent = track.isSilent;
      track.fill(frames, { untilUs: us + beyond * track.frameUs, epoch, arrivalUs });
      if (!wasSilent) this.#note(us);
    }
    if (frames.length === 0) return;
    for (const frame of frames) this.#sink.onPacket(frame);
    frames.length = 0;
  }

  #other(packet: MediaPacket): void {
    const track = this.#trackOf(packet);
    const wasSilent = track !== null && track.isSilent;
    if (track !== null && !track.take(packet, this.#pictureUs)) return;
    if (wasSilent) this.#note(this.#pictureUs ?? 0);
    this.#sink.onPacket(packet);
  }

  #remember(filled: FilledTrack): void {
    const { id } = filled.track;
    this.#past.delete(id);
    this.#past.set(id, filled);
    dropOldest(this.#past, MAX_PAST);
  }

  #trackOf({ track }: MediaPacket): FilledTrack | null {
    for (const known of this.#tracks) if (known.track === track) return known;
    return null;
  }

  #note(us: number): void {
    this.#log.note(
      this.#tracks.filter(({ isSilent }) => isSilent).map(({ track }) => track.id),
      us,
    );
  }
}
