import { asMediaError } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import type { Slab } from "../../base/slab-allocator.ts";
import { Unwrapper } from "../../base/time.ts";
import { parseAudioTag } from "../../containers/flv/audio-tag.ts";
import type { ConfigUnit, FrameUnit, TagUnit } from "../../containers/flv/tag-unit.ts";
import { parseVideoTag } from "../../containers/flv/video-tag.ts";
import { trackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import type { Publisher } from "../../stream/directory.ts";
import { IngestTrack } from "./ingest-track.ts";
import { amfField, isAmfObject } from "./wire/amf-value.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import type { RtmpMessage } from "./wire/chunk-reader.ts";
import { MESSAGE, readData, splitAggregate } from "./wire/messages.ts";

/** Tracks of one kind that a publisher may send (Enhanced RTMP's multitrack). */
export const MAX_TRACKS_PER_KIND = 8;

/** How long packets wait for the second kind of track to show up. */
export const TRACK_WAIT = {
  mediaMs: 1000,
  packets: 512,
  bytes: 8 * 1024 * 1024,
} as const;

type Kind = "video" | "audio";
type Kinds = { readonly video: boolean; readonly audio: boolean };

/**
 * Turns a publisher's messages into a stream: tracks and packets of the core.
 *
 * The track set is settled when both kinds have shown their configuration, when the metadata names one kind only and
 * that one has, or when `TRACK_WAIT` is over; packets wait until then. A track that comes later, or another
 * configuration, makes a new set in front of the next packet. What cannot be read is counted and dropped.
 * Ownership: payloads are views of the messages' bodies, which are not written again before their slab is released.
 */
export class RtmpIngest {
  readonly #publisher: Publisher;
  readonly #skipped: PerSecondLog;
  readonly #clock = new Unwrapper(32);
  /** By kind and the sender's track index. */
  readonly #slots: Record<Kind, (IngestTrack | undefined)[]> = { video: [], audio: [] };
  #announced: Kinds | null = null;
  #waiting: SourcePacket[] | null = [];
  #waitingBytes = 0;
  #firstWaitingMs = 0;
  /** The tracks as the next packet needs them. */
  #tracks: readonly Track[] = [];
  #tracksChanged = false;
  #packets = 0;
  /** Of the message that is being read. */
  #slab: Slab | null = null;

  constructor(publisher: Publisher, logger: Logger) {
    this.#publisher = publisher;
    this.#skipped = new PerSecondLog(logger, "skipped what the RTMP publisher sent");
  }

  /** Packets handed to the stream, and messages or frames that were dropped. */
  stats(): { readonly packets: number; readonly skipped: number } {
    return { packets: this.#packets, skipped: this.#skipped.total };
  }

  /**
   * Takes an audio, video, data or aggregate message; others are nothing to it.
   * Throws: a MediaError that is worth the session, such as a broken codec configuration.
   */
  message(message: RtmpMessage, nowUs: number): void {
    try {
      this.#dispatch(message, nowUs);
    } catch (caught) {
      this.#skipOrThrow(caught, nowUs);
    }
  }

  /** How long the connection need not be read. Units: milliseconds. */
  patienceMs(): number {
    return this.#waiting === null ? this.#publisher.patienceMs() : 0;
  }

  /** The publisher left: what still waits goes out first. */
  close(reason: string): void {
    this.#settle();
    this.#skipped.flush();
    this.#publisher.close(reason);
  }

  #dispatch(message: RtmpMessage, nowUs: number): void {
    switch (message.typeId) {
      case MESSAGE.audio:
        return this.#units("audio", parseAudioTag(message.body), message, nowUs);
      case MESSAGE.video:
        return this.#units("video", parseVideoTag(message.body), message, nowUs);
      case MESSAGE.dataAmf0:
      case MESSAGE.dataAmf3:
        return this.#metadata(readData(message));
      case MESSAGE.aggregate:
        return splitAggregate(message, (part) => this.message(part, nowUs));
      default:
    }
  }

  #skipOrThrow(caught: unknown, nowUs: number): void {
    const error = asMediaError(caught);
    if (error === null || !isSkippable(error)) throw caught;
    this.#skipped.add(nowUs, { code: error.code, reason: error.message });
  }

  #units(kind: Kind, units: readonly TagUnit[], message: RtmpMessage, nowUs: number): void {
    const timeMs = this.#clock.unwrap(message.timestampMs);
    this.#slab = message.slab;
    for (const unit of units) {
      try {
        this.#unit(kind, unit, timeMs, nowUs);
      } catch (caught) {
        this.#skipOrThrow(caught, nowUs);
      }
    }
  }

  #unit(kind: Kind, unit: TagUnit, timeMs: number, nowUs: number): void {
    const slot = this.#slotOf(kind, unit.trackIndex);
    if (slot === null) {
      this.#skipped.add(nowUs, { reason: `more than ${MAX_TRACKS_PER_KIND} ${kind} tracks` });
    } else if (unit.type === "config") this.#configure(slot, unit, nowUs);
    else this.#frame(slot, unit, timeMs, nowUs);
  }

  #slotOf(kind: Kind, trackIndex: number): IngestTrack | null {
    if (trackIndex >= MAX_TRACKS_PER_KIND) return null;
    const slots = this.#slots[kind];
    return (slots[trackIndex] ??= new IngestTrack(trackId(kind, trackIndex + 1)));
  }

  #configure(slot: IngestTrack, unit: ConfigUnit, nowUs: number): void {
    // ffmpeg writes an empty header when it learns the configuration later.
    if (unit.config.byteLength === 0) {
      this.#skipped.add(nowUs, { reason: "an empty sequence header" });
      return;
    }
    const isReplacement = slot.track !== null;
    if (!slot.configure(unit.codec, unit.config)) return;
    this.#noteChange(isReplacement);
  }

  /** Packets that wait belong to the old configuration, so that a change of it ends the waiting. */
  #noteChange(isReplacement: boolean): void {
    if (isReplacement) this.#settle();
    this.#tracks = this.#collectTracks();
    this.#tracksChanged = true;
  }

  #frame(slot: IngestTrack, unit: FrameUnit, timeMs: number, nowUs: number): void {
    const isReplacement = slot.track !== null;
    if (slot.configureFromFrame(unit)) this.#noteChange(isReplacement);
    if (unit.payload.byteLength === 0) return;
    const packet = slot.packet(unit, timeMs, this.#slab);
    if (packet === null) {
      this.#skipped.add(nowUs, { reason: `a ${unit.codec} frame before its sequence header` });
      return;
    }
    if (this.#waiting === null) this.#write(packet);
    else this.#hold(this.#waiting, packet, timeMs);
  }

  #write(packet: SourcePacket): void {
    if (this.#tracksChanged) {
      this.#tracksChanged = false;
      this.#publisher.setTracks(this.#tracks);
    }
    this.#packets++;
    this.#publisher.write(packet);
  }

  #hold(waiting: SourcePacket[], packet: SourcePacket, timeMs: number): void {
    if (waiting.length === 0) this.#firstWaitingMs = timeMs;
    waiting.push(packet);
    packet.slab?.retain();
    this.#waitingBytes += packet.payload.byteLength;
    if (this.#isComplete() || this.#hasWaitedEnough(waiting, timeMs)) this.#settle();
  }

  #hasWaitedEnough(waiting: readonly SourcePacket[], timeMs: number): boolean {
    return (
      Math.abs(timeMs - this.#firstWaitingMs) >= TRACK_WAIT.mediaMs ||
      waiting.length >= TRACK_WAIT.packets ||
      this.#waitingBytes >= TRACK_WAIT.bytes
    );
  }

  #isComplete(): boolean {
    const hasVideo = this.#tracks.some((track) => track.kind === "video");
    const hasAudio = this.#tracks.some((track) => track.kind === "audio");
    const announced = this.#announced ?? { video: true, audio: true };
    return (hasVideo || !announced.video) && (hasAudio || !announced.audio);
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === null || waiting.length === 0) return;
    this.#waiting = null;
    this.#waitingBytes = 0;
    for (const packet of waiting) {
      this.#write(packet);
      packet.slab?.release();
    }
  }

  /** Video before audio, each by number. */
  #collectTracks(): readonly Track[] {
    const tracks: Track[] = [];
    for (const slot of [...this.#slots.video, ...this.#slots.audio])
      if (slot !== undefined && slot.track !== null) tracks.push(slot.track);
    return tracks;
  }

  /** `onMetaData`, bare or inside `@setDataFrame`: all that counts is which kinds it names. */
  #metadata(values: readonly AmfValue[]): void {
    const from = values[0] === "@setDataFrame" ? 1 : 0;
    const facts = values[from + 1];
    if (values[from] !== "onMetaData" || !isAmfObject(facts)) return;
    const video = isNamed(facts, "videocodecid", "hasVideo");
    const audio = isNamed(facts, "audiocodecid", "hasAudio");
    this.#announced = video || audio ? { video, audio } : null;
  }
}

function isNamed(facts: AmfValue, codecField: string, flagField: string): boolean {
  const flag = amfField(facts, flagField);
  if (typeof flag === "boolean") return flag;
  const codec = amfField(facts, codecField);
  return (typeof codec === "number" && codec > 0) || (typeof codec === "string" && codec !== "");
}

function isSkippable(error: MediaError): boolean {
  return error.disposition === "skip-unit" || error.disposition === "resync";
}
