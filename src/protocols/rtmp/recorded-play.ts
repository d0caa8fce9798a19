import type { Clock } from "../../base/clock.ts";
import { late } from "../../base/late/late.ts";
import { configurationMs } from "../../containers/flv/frame-times.ts";
import { ticksToUs } from "../../base/time.ts";
import type { TrackSet } from "../../media/track.ts";
import type { PacedPackets } from "../../stream/paced-packets.ts";
import type { RecordedPackets } from "../../stream/recorded-packets.ts";
import type { WireFormat } from "../../stream/wire-format.ts";
import { recordedConfigurations, recordedTracks, rtmpFormat } from "./from-stream.ts";
import type { RtmpOutbox } from "./outbox.ts";

const pacing = late("recordings over RTMP", () => import("../../stream/paced-packets.ts"));

/** A recording as a connection finds it. */
export type RtmpRecording = {
  /** Rejects with a `MediaError` whose message the peer is told. */
  open(): Promise<RecordedPackets>;
  readonly clock: Clock;
  /** Bytes that wait to be sent; when they have been many, `drained` is called once they are fewer. */
  queuedBytes(): number;
};

/** What `RecordedPlay` needs. */
export type RecordedPlayParts = {
  readonly recording: RtmpRecording;
  readonly out: RtmpOutbox;
  /** What the peer calls it. */
  readonly name: string;
  readonly startMs: number;
  /** `null`: to the end. */
  readonly durationMs: number | null;
  readonly bufferMs: number;
  write(bytes: Uint8Array): void;
  /** All that was asked for is sent and said; it can still be sought in. */
  ended(): void;
  failed(caught: unknown): void;
};

/** How far ahead of its clock a player is sent media that asks for nothing; less than the least is not heeded. */
export const DEFAULT_BUFFER_MS = 3000;
const LEAST_BUFFER_MS = 1000;
/**
 * Plays a recording to one player, see `PacedPackets`, and says what it does in user control events and statuses; how the
 * state of the session follows is up to its owner.
 *
 * A player that asked to begin in the middle has a clock of its own, which begins there: so its timestamps, as the
 * clients of Flash Media Server want it, and so the times to which it seeks. Spec: Adobe RTMP 1.0 sections 7.1.7, 7.2.2.
 */
export class RecordedPlay {
  readonly #parts: RecordedPlayParts;
  /** `null` until the recording is open. */
  #paced: PacedPackets | null = null;
  #packets: RecordedPackets | null = null;
  #isClosed = false;
  #isPausedAtStart = false;
  /** What the player was told of last. */
  #tracks: TrackSet | null = null;
  /** Counts seeks: only the last one counts. */
  #seeks = 0;
  /** Where it goes is being looked for. */
  #isSeeking = false;
  #isPausedInSeek = false;
  /** Where on the recording's clock the player's clock begins. */
  #originUs = 0;
  /** Where it begins or was sought to. */
  #fromUs: number;
  #bufferUs: number;

  constructor(parts: RecordedPlayParts) {
    this.#parts = parts;
    this.#fromUs = parts.startMs * 1000;
    this.#bufferUs = bufferUs(parts.bufferMs);
    void this.#open();
  }

  /** Whether it has come to its end, and does not go elsewhere now. */
  get isEnded(): boolean {
    return this.#paced?.state === "ended" && !this.#isSeeking;
  }

  /** The player says how much media it holds. Units: milliseconds. */
  setBuffer(lengthMs: number): void {
    this.#bufferUs = bufferUs(lengthMs);
    if (this.#paced === null) return;
    this.#paced.bufferUs = this.#bufferUs;
    this.#paced.pump();
  }

  /** Nothing is sent until `resume`. What is on its way stays so. */
  pause(): void {
    if (this.#paced === null) this.#isPausedAtStart = true;
    else if (this.#paced.pause()) this.#parts.out.status("paused");
    else this.#isPausedInSeek = this.#isSeeking;
  }

  /** Goes on with the packet after the last one that was sent. */
  resume(): void {
    this.#isPausedAtStart = false;
    this.#isPausedInSeek = false;
    if (this.#paced?.resume() !== true) return;
    this.#parts.out.streamBegin();
    this.#parts.out.status("unpaused");
    this.#paced.pump();
  }

  /**
   * Goes on at the random access point at or before a time, at the last one when the time is beyond the end; a pause
   * stays a pause. Before the recording is open it begins there.
   */
  seek(toMs: number): void {
    const [packets, paced] = [this.#packets, this.#paced];
    if (packets === null || paced === null) {
      this.#fromUs = toMs * 1000;
      return;
    }
    if (this.#isClosed) return;
    this.#seeks++;
    const start = startNear(packets, this.#originUs + toMs * 1000);
    if (start instanceof Promise) void this.#seekLater(start, packets, paced);
    else this.#goTo(start, packets, paced);
  }

  /** Never rejects. */
  async #seekLater(start: Promise<number>, packets: RecordedPackets, paced: PacedPackets): Promise<void> {
    const seek = this.#seeks;
    this.#isSeeking = true;
    try {
      const startUs = await start;
      if (seek === this.#seeks && !this.#isClosed) this.#goTo(startUs, packets, paced);
    } catch (caught) {
      if (!this.#isClosed) this.#parts.failed(caught);
    }
  }

  #goTo(startUs: number, packets: RecordedPackets, paced: PacedPackets): void {
    const { out, name } = this.#parts;
    out.streamEof();
    this.#isSeeking = false;
    this.#jump(startUs, paced);
    out.streamIsRecorded();
    out.streamBegin();
    const timestampMs = this.#timestampMs(this.#fromUs);
    out.status("seekNotify", `Seeking ${timestampMs} (stream ${name}).`);
    if (paced.state === "flowing") out.status("playStart", undefined, { details: name });
    this.#tracks = packets.tracks;
    this.#parts.write(recordedConfigurations(packets.tracks, timestampMs));
    if (this.#isPausedInSeek) this.pause();
    this.#isPausedInSeek = false;
    paced.pump();
  }

  /** The connection's queue is shorter than it was. */
  drained(): void {
    this.#paced?.pump();
  }

  /** Ends it without a word; again without effect. */
  close(): void {
    this.#isClosed = true;
    this.#paced?.close();
  }

  async #open(): Promise<void> {
    try {
      const packets = await this.#parts.recording.open();
      const Paced = await pacing((loaded) => loaded.PacedPackets);
      let [askedUs, startUs] = [NaN, 0];
      // Whoever seeks meanwhile begins there.
      while (askedUs !== this.#fromUs) {
        askedUs = this.#fromUs;
        startUs = await startNear(packets, askedUs);
      }
      if (!this.#isClosed) this.#begin(packets, startUs, Paced);
    } catch (caught) {
      if (!this.#isClosed) this.#parts.failed(caught);
    }
  }

  #begin(packets: RecordedPackets, startUs: number, Paced: typeof PacedPackets): void {
    const { out, name, durationMs } = this.#parts;
    const stopUs = durationMs === null ? Infinity : this.#fromUs + durationMs * 1000;
    this.#originUs = startUs;
    const paced = this.#pace(packets, stopUs, Paced);
    this.#jump(startUs, paced);
    this.#packets = packets;
    this.#paced = paced;
    out.streamIsRecorded();
    out.streamBegin();
    out.status("playReset", undefined, { details: name });
    out.status("playStart", undefined, { details: name });
    this.#tell(packets.tracks, packets, this.#fromUs);
    if (this.#isPausedAtStart) this.pause();
    paced.pump();
  }

  #pace(packets: RecordedPackets, stopUs: number, Paced: typeof PacedPackets): PacedPackets {
    const { recording } = this.#parts;
    const format: WireFormat = rtmpFormat.create(this.#originUs);
    return new Paced(
      { packets, clock: recording.clock, bufferUs: this.#bufferUs, stopUs, pauseStops: "sending" },
      {
        begin: ({ tracks, packets: [first] }) => {
          if (tracks === undefined || tracks === this.#tracks || first === undefined) return;
          this.#tell(tracks, packets, ticksToUs(first.dts, first.track.timescale));
        },
        packet: (packet, room) => format.packet(packet, room),
        write: (bytes) => this.#parts.write(bytes),
        queuedBytes: () => recording.queuedBytes(),
        dry: () => this.#parts.out.streamDry(),
        ended: () => this.#end(),
        failed: (caught) => this.#parts.failed(caught),
      },
    );
  }

  /** What there is from a time on. */
  #tell(tracks: TrackSet, { endUs }: RecordedPackets, us: number): void {
    this.#tracks = tracks;
    this.#parts.write(recordedTracks(tracks, this.#timestampMs(us), endUs));
  }

  #jump(startUs: number, paced: PacedPackets): void {
    this.#fromUs = Math.max(startUs, this.#originUs);
    paced.jump(this.#fromUs, this.#fromUs);
  }

  #timestampMs(us: number): number {
    return configurationMs(us, this.#originUs);
  }

  #end(): void {
    const { out } = this.#parts;
    const sentUs = this.#paced?.sentUs ?? 0;
    out.playStatus("playComplete", this.#timestampMs(sentUs), { duration: sentUs / 1_000_000 });
    out.streamEof();
    out.status("playStop");
    this.#parts.ended();
  }
}

/** Timestamps on the wire are rounded to the nearest millisecond: the time of a key frame finds that frame. */
function startNear(packets: RecordedPackets, us: number): number | Promise<number> {
  return packets.startAt(Math.min(us + 500, packets.endUs));
}

function bufferUs(lengthMs: number): number {
  return Math.max(LEAST_BUFFER_MS, lengthMs) * 1000;
}
