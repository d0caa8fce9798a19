import type { Clock, Timer } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import { SLICE_BYTES } from "../../base/send-queue.ts";
import { ticksToUs } from "../../base/time.ts";
import { configurationMs } from "../../containers/flv/frame-times.ts";
import type { PacketRun, RecordedPackets } from "../../stream/recorded-packets.ts";
import type { WireFormat } from "../../stream/wire-format.ts";
import { MessageBatch } from "./message-batch.ts";
import { recordedConfigurations, recordedTracks, rtmpFormat } from "./from-stream.ts";
import type { RtmpOutbox } from "./outbox.ts";

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
/** Media is sent in steps of at least so much: a timer for each picture of each player would cost more. */
const STEP_MS = 200;
/** While so much waits in the connection nothing is added: that is when a socket tells that it has drained. */
const MAX_QUEUED_BYTES = SLICE_BYTES;
/** A step of an ordinary film at 1 Mbit/s fits in one. */
const PIECE_BYTES = 32 * 1024;
/** After a read that may succeed later. */
const RETRY_MS = 500;
const MAX_RETRIES = 20;

type State = "opening" | "flowing" | "paused" | "ended" | "closed";

/**
 * Plays a recording to one player: as much ahead of the player's clock as it has a buffer for, no faster than its
 * connection takes it, from any point on. One run of packets and what the connection's queue may hold are all that it
 * keeps in memory; one read at a time is all that it asks of the storage, however often the player seeks.
 *
 * A player that asked to begin in the middle has a clock of its own, which begins there: so its timestamps, as the
 * clients of Flash Media Server want it, and so the times to which it seeks. Says what it does in user control events and statuses; how the state of the
 * session follows is up to its owner. Spec: Adobe RTMP 1.0 sections 7.1.7, 7.2.2.
 */
export class RecordedPlay {
  readonly #parts: RecordedPlayParts;
  #format: WireFormat | null = null;
  /** Where on the recording's clock the player's clock begins. */
  #originUs = 0;
  #state: State = "opening";
  #isPausedAtStart = false;
  #packets: RecordedPackets | null = null;
  #run: PacketRun | null = null;
  /** Place of the next packet in the run. */
  #next = 0;
  /** Decode time from which the next run is read. */
  #readUs = 0;
  #isReading = false;
  /** Counts jumps: what was read before the last one is of no use. */
  #jumps = 0;
  #retries = 0;
  /** After a read that failed, until the next. */
  #isBackingOff = false;
  /** Decode time at which a part that was asked for ends. */
  #stopUs = Infinity;
  #sentUs = 0;
  #bufferUs: number;
  /** Where the player's clock stood, and when. */
  #playedUs = 0;
  #playedAtUs = 0;
  #timer: Timer | null = null;
  /** Until the player's buffer runs dry while a read takes its time. */
  #dryTimer: Timer | null = null;

  constructor(parts: RecordedPlayParts) {
    this.#parts = parts;
    this.#bufferUs = bufferUs(parts.bufferMs);
    void this.#open();
  }

  /** Whether it has come to its end. */
  get isEnded(): boolean {
    return this.#state === "ended";
  }

  /** The player says how much media it holds. Units: milliseconds. */
  setBuffer(lengthMs: number): void {
    this.#bufferUs = bufferUs(lengthMs);
    this.#pump();
  }

  /** Nothing is sent until `resume`. What is on its way stays so. */
  pause(): void {
    if (this.#state === "opening") this.#isPausedAtStart = true;
    if (this.#state !== "flowing") return;
    this.#setPlayed(this.#playedNowUs());
    this.#state = "paused";
    this.#cancelTimers();
    this.#parts.out.status("paused");
  }

  /** Goes on with the packet after the last one that was sent. */
  resume(): void {
    this.#isPausedAtStart = false;
    if (this.#state !== "paused") return;
    this.#setPlayed(this.#playedUs);
    this.#state = "flowing";
    this.#parts.out.streamBegin();
    this.#parts.out.status("unpaused");
    this.#pump();
  }

  /**
   * Goes on at the random access point at or before a time, at the last one when the time is beyond the end; a pause
   * stays a pause. Before the recording is open it begins there.
   */
  seek(toMs: number): void {
    const packets = this.#packets;
    if (packets === null) this.#readUs = toMs * 1000;
    if (packets === null || this.#state === "closed") return;
    const { out, name } = this.#parts;
    out.streamEof();
    this.#jump(packets, this.#originUs + toMs * 1000);
    if (this.#state === "ended") this.#state = "flowing";
    out.streamIsRecorded();
    out.streamBegin();
    out.status("seekNotify", `Seeking ${this.#timestampMs(this.#readUs)} (stream ${name}).`);
    if (this.#state === "flowing") out.status("playStart", undefined, { details: name });
    this.#parts.write(recordedConfigurations(packets.tracks, this.#timestampMs(this.#readUs)));
    this.#pump();
  }

  /** The connection's queue is shorter than it was. */
  drained(): void {
    this.#pump();
  }

  /** Ends it without a word; again without effect. */
  close(): void {
    this.#state = "closed";
    this.#cancelTimers();
    this.#run = null;
  }

  async #open(): Promise<void> {
    const { recording, startMs } = this.#parts;
    this.#readUs = startMs * 1000;
    let packets: RecordedPackets;
    try {
      packets = await recording.open();
    } catch (caught) {
      if (this.#state !== "closed") this.#parts.failed(caught);
      return;
    }
    if (this.#state === "closed") return;
    this.#guarded(() => this.#begin(packets));
  }

  #begin(packets: RecordedPackets): void {
    const { out, name, durationMs } = this.#parts;
    this.#packets = packets;
    if (durationMs !== null) this.#stopUs = this.#readUs + durationMs * 1000;
    this.#originUs = packets.startAt(Math.min(this.#readUs + 500, packets.endUs));
    this.#format = rtmpFormat.create(this.#originUs);
    this.#jump(packets, this.#readUs);
    this.#state = "flowing";
    out.streamIsRecorded();
    out.streamBegin();
    out.status("playReset", undefined, { details: name });
    out.status("playStart", undefined, { details: name });
    const { tracks, endUs } = packets;
    this.#parts.write(recordedTracks(tracks, this.#timestampMs(this.#readUs), endUs));
    if (this.#isPausedAtStart) this.pause();
    this.#pump();
  }

  #jump(packets: RecordedPackets, toUs: number): void {
    // Timestamps on the wire are rounded to the nearest millisecond: the time of a key frame finds that frame.
    this.#readUs = Math.max(packets.startAt(Math.min(toUs + 500, packets.endUs)), this.#originUs);
    this.#sentUs = this.#readUs;
    this.#setPlayed(this.#readUs);
    this.#run = null;
    this.#jumps++;
    this.#cancelTimers();
  }

  #timestampMs(us: number): number {
    return configurationMs(us, this.#originUs);
  }

  #setPlayed(us: number): void {
    this.#playedUs = us;
    this.#playedAtUs = this.#parts.recording.clock.nowUs();
  }

  #playedNowUs(): number {
    return this.#playedUs + this.#parts.recording.clock.nowUs() - this.#playedAtUs;
  }

  #pump(): void {
    this.#guarded(() => {
      while (this.#state === "flowing" && this.#parts.recording.queuedBytes() < MAX_QUEUED_BYTES) {
        if (!this.#step()) return;
      }
    });
  }

  /** Sends the packets that are due, as far as the queue has room. Returns: whether there may be more to send now. */
  #step(): boolean {
    const run = this.#run;
    const format = this.#format;
    if (run === null || format === null) return this.#readNext();
    const dueUs = this.#playedNowUs() + this.#bufferUs;
    const roomBytes = MAX_QUEUED_BYTES - this.#parts.recording.queuedBytes();
    const batch = new MessageBatch((bytes) => this.#parts.write(bytes), PIECE_BYTES);
    for (;;) {
      const packet = run.packets[this.#next];
      if (packet === undefined || batch.totalBytes >= roomBytes) break;
      const dtsUs = ticksToUs(packet.dts, packet.track.timescale);
      if (dtsUs > dueUs || dtsUs >= this.#stopUs) break;
      format.packet(packet, batch);
      this.#sentUs = dtsUs;
      this.#next++;
    }
    batch.flush();
    return this.#afterBatch(run, dueUs);
  }

  #afterBatch(run: PacketRun, dueUs: number): boolean {
    const packet = run.packets[this.#next];
    if (packet === undefined) {
      this.#run = null;
      if (!run.isLast && run.toUs < this.#stopUs) return true;
      this.#end();
      return false;
    }
    const dtsUs = ticksToUs(packet.dts, packet.track.timescale);
    if (dtsUs >= this.#stopUs) {
      this.#end();
      return false;
    }
    if (dtsUs <= dueUs) return true;
    this.#wait(Math.max(STEP_MS, Math.ceil((dtsUs - dueUs) / 1000)));
    return false;
  }

  #wait(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.recording.clock.schedule(delayMs, () => {
      this.#timer = null;
      this.#isBackingOff = false;
      this.#pump();
    });
  }

  #readNext(): boolean {
    if (this.#isReading || this.#isBackingOff) return false;
    this.#isReading = true;
    this.#warnOfDry();
    void this.#read(this.#packets!, this.#jumps);
    return false;
  }

  /** Never rejects. */
  async #read(packets: RecordedPackets, jump: number): Promise<void> {
    let run: PacketRun | null = null;
    let failure: unknown = null;
    try {
      run = await packets.read(this.#readUs);
    } catch (caught) {
      failure = caught;
    }
    this.#isReading = false;
    this.#dryTimer?.cancel();
    if (this.#state === "closed") return;
    if (jump === this.#jumps) {
      if (run === null) this.#retry(failure);
      else this.#take(run);
    }
    this.#pump();
  }

  #take(run: PacketRun): void {
    this.#run = run;
    this.#next = 0;
    this.#readUs = run.toUs;
    this.#retries = 0;
  }

  #retry(failure: unknown): void {
    const mayPass = asMediaError(failure)?.disposition === "retry" && this.#retries < MAX_RETRIES;
    if (!mayPass) return this.#parts.failed(failure);
    this.#retries++;
    this.#isBackingOff = true;
    this.#wait(RETRY_MS);
    return undefined;
  }

  /** Says so, once, should the player have played all it got before this read is done. */
  #warnOfDry(): void {
    const leftMs = Math.max(0, this.#sentUs - this.#playedNowUs()) / 1000;
    this.#dryTimer?.cancel();
    this.#dryTimer = this.#parts.recording.clock.schedule(Math.max(leftMs, STEP_MS), () => {
      if (this.#state === "flowing") this.#parts.out.streamDry();
    });
  }

  #end(): void {
    const { out } = this.#parts;
    this.#state = "ended";
    this.#cancelTimers();
    out.playStatus("playComplete", this.#timestampMs(this.#sentUs), { duration: this.#sentUs / 1_000_000 });
    out.streamEof();
    out.status("playStop");
    this.#parts.ended();
  }

  #cancelTimers(): void {
    this.#isBackingOff = false;
    this.#timer?.cancel();
    this.#timer = null;
    this.#dryTimer?.cancel();
    this.#dryTimer = null;
  }

  /** What goes wrong ends this player and nothing else: it runs in timers, where nobody would catch it. */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (caught) {
      if (this.#state !== "closed") this.#parts.failed(caught);
    }
  }
}

function bufferUs(lengthMs: number): number {
  return Math.max(LEAST_BUFFER_MS, lengthMs) * 1000;
}
