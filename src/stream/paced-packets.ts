import type { Clock, Timer } from "../base/clock.ts";
import { asMediaError } from "../base/errors.ts";
import { SLICE_BYTES } from "../base/send-queue.ts";
import { ticksToUs } from "../base/time.ts";
import type { MediaPacket } from "../media/packet.ts";
import { MessageBatch } from "./message-batch.ts";
import type { PacketRun, RecordedPackets } from "./recorded-packets.ts";
import type { WireRoom } from "./wire-format.ts";

/** The connection of a player to whom a recording is sent. */
export type PacedSink = {
  /** A run begins with the next packet: its tracks may be others than those of the run before. May write. */
  begin?(run: PacketRun): void;
  /** Writes one packet; asks for no room when this player does not get its track. */
  packet(packet: MediaPacket, room: WireRoom): void;
  write(bytes: Uint8Array): void;
  /** Bytes that wait to be sent. When they have been many, `pump` is to be called once they are fewer. */
  queuedBytes(): number;
  /** The player has played all that it got, and a read takes its time. */
  dry?(): void;
  /** All that was asked for is sent; it can still be jumped in. */
  ended(): void;
  /** It is closed: what went wrong stays so, or has done so for long. */
  failed(caught: unknown): void;
};

/** What `PacedPackets` needs. */
export type PacedPacketsParts = {
  readonly packets: RecordedPackets;
  readonly clock: Clock;
  /** How much media is sent ahead of the player's clock. Units: microseconds. */
  readonly bufferUs: number;
  /** Decode time at which a part that was asked for ends; `Infinity` for the recording's own end. */
  readonly stopUs: number;
  /**
   * What a pause stops: all sending, or only the player's clock, so that who jumps while it has paused is sent what it
   * needs to show a picture.
   */
  readonly pauseStops: "sending" | "clock";
};

/** Media is sent in steps of at least so much: a timer for each picture of each player would cost more. */
const STEP_MS = 200;
/** Timers cannot wait for ever; after so long it is looked again. */
const LONGEST_WAIT_MS = 3_600_000;
/** While so much waits in the connection nothing is added: that is when a socket tells that it has drained. */
const MAX_QUEUED_BYTES = SLICE_BYTES;
/** A step of an ordinary film at 1 Mbit/s fits in one. */
const PIECE_BYTES = 32 * 1024;
/** After a read that may succeed later. */
const RETRY_MS = 500;
const MAX_RETRIES = 20;

type State = "flowing" | "paused" | "ended" | "closed";

/**
 * Sends a recording to one player: so much ahead of the player's clock as it has a buffer for, no faster than its
 * connection takes it, from any point on. One run of packets and what the connection's queue may hold are all that it
 * keeps in memory; one read at a time is all that it asks of the storage, however often the player jumps.
 *
 * Nothing is sent before the first `jump` and `pump`, nor by `jump`, `pause` and `resume`: what a protocol says about them
 * goes in between.
 */
export class PacedPackets {
  /** How much media is sent ahead of the player's clock; may change. Units: microseconds. */
  bufferUs: number;
  readonly #parts: PacedPacketsParts;
  readonly #sink: PacedSink;
  #state: State = "flowing";
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
  #sentUs = 0;
  /** Where the player's clock stood, and when. */
  #playedUs = 0;
  #playedAtUs = 0;
  #timer: Timer | null = null;
  /** Until the player's buffer runs dry while a read takes its time. */
  #dryTimer: Timer | null = null;
  /** It was said, and nothing has been sent since. */
  #isDry = false;

  constructor(parts: PacedPacketsParts, sink: PacedSink) {
    this.#parts = parts;
    this.#sink = sink;
    this.bufferUs = parts.bufferUs;
  }

  /** `ended`: all that was asked for is sent. */
  get state(): State {
    return this.#state;
  }

  /** Decode time of the newest packet that was sent, or where it jumped to. Units: microseconds. */
  get sentUs(): number {
    return this.#sentUs;
  }

  /** Where the player's clock stands, should the player never have waited. Units: microseconds. */
  get playedUs(): number {
    if (this.#state === "paused") return this.#playedUs;
    return this.#playedUs + this.#parts.clock.nowUs() - this.#playedAtUs;
  }

  /** Goes on at a decode time, with the player's clock at another one, not before it; a pause stays a pause. */
  jump(fromUs: number, playedUs: number): void {
    if (this.#state === "closed") return;
    this.#readUs = fromUs;
    this.#sentUs = fromUs;
    this.#setPlayed(playedUs);
    this.#run = null;
    this.#jumps++;
    this.#cancelTimers();
    if (this.#state === "ended") this.#state = "flowing";
  }

  /** Stops the player's clock. Returns: whether it ran. */
  pause(): boolean {
    if (this.#state !== "flowing") return false;
    this.#setPlayed(this.playedUs);
    this.#state = "paused";
    this.#cancelTimers();
    return true;
  }

  /** Goes on with the packet after the last one that was sent. Returns: whether it had paused. */
  resume(): boolean {
    if (this.#state !== "paused") return false;
    this.#setPlayed(this.#playedUs);
    this.#state = "flowing";
    return true;
  }

  /** Sends what is due. To be called after a jump or a resume, and whenever the connection has drained. */
  pump(): void {
    try {
      while (this.#maySend() && this.#sink.queuedBytes() < MAX_QUEUED_BYTES) if (!this.#step()) return;
    } catch (caught) {
      // It runs in timers, where nobody would catch what ends this player and nothing else.
      this.#fail(caught);
    }
  }

  /** Ends it without a word; again without effect. */
  close(): void {
    this.#state = "closed";
    this.#cancelTimers();
    this.#run = null;
  }

  #maySend(): boolean {
    return this.#state === "flowing" || (this.#state === "paused" && this.#parts.pauseStops === "clock");
  }

  #setPlayed(us: number): void {
    this.#playedUs = us;
    this.#playedAtUs = this.#parts.clock.nowUs();
  }

  /** Sends the packets that are due, as far as the queue has room. Returns: whether there may be more to send now. */
  #step(): boolean {
    const run = this.#run;
    if (run === null) return this.#readNext();
    const sink = this.#sink;
    const dueUs = this.playedUs + this.bufferUs;
    const roomBytes = MAX_QUEUED_BYTES - sink.queuedBytes();
    const batch = new MessageBatch((bytes) => sink.write(bytes), PIECE_BYTES);
    for (;;) {
      const packet = run.packets[this.#next];
      if (packet === undefined || batch.totalBytes >= roomBytes) break;
      const dtsUs = ticksToUs(packet.dts, packet.track.timescale);
      if (dtsUs > dueUs || dtsUs >= this.#parts.stopUs) break;
      if (this.#next === 0) sink.begin?.(run);
      sink.packet(packet, batch);
      this.#isDry = false;
      this.#sentUs = dtsUs;
      this.#next++;
    }
    batch.flush();
    return this.#afterBatch(run, dueUs);
  }

  #afterBatch(run: PacketRun, dueUs: number): boolean {
    const { stopUs } = this.#parts;
    const packet = run.packets[this.#next];
    if (packet === undefined) {
      this.#run = null;
      if (!run.isLast && run.toUs < stopUs) return true;
      this.#end();
      return false;
    }
    const dtsUs = ticksToUs(packet.dts, packet.track.timescale);
    if (dtsUs >= stopUs) {
      this.#end();
      return false;
    }
    if (dtsUs <= dueUs) return true;
    this.#waitUntilDue(dtsUs, dueUs);
    return false;
  }

  #waitUntilDue(dtsUs: number, dueUs: number): void {
    // While the player's clock stands nothing more becomes due.
    if (this.#state !== "flowing") return;
    this.#wait(Math.min(LONGEST_WAIT_MS, Math.max(STEP_MS, Math.ceil((dtsUs - dueUs) / 1000))));
  }

  #wait(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.schedule(delayMs, () => {
      this.#timer = null;
      this.#isBackingOff = false;
      this.pump();
    });
  }

  #readNext(): boolean {
    if (this.#isReading || this.#isBackingOff) return false;
    this.#isReading = true;
    this.#warnOfDry();
    void this.#read(this.#jumps);
    return false;
  }

  /** Never rejects. */
  async #read(jump: number): Promise<void> {
    let run: PacketRun | null = null;
    let failure: unknown = null;
    try {
      run = await this.#parts.packets.read(this.#readUs);
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
    this.pump();
  }

  #take(run: PacketRun): void {
    this.#run = run;
    this.#next = 0;
    this.#readUs = run.toUs;
    this.#retries = 0;
  }

  #retry(failure: unknown): void {
    const mayPass = asMediaError(failure)?.disposition === "retry" && this.#retries < MAX_RETRIES;
    if (!mayPass) return this.#fail(failure);
    this.#retries++;
    this.#isBackingOff = true;
    this.#wait(RETRY_MS);
    return undefined;
  }

  /** Says so, once, should the player have played all it got before this read is done. */
  #warnOfDry(): void {
    const sink = this.#sink;
    if (sink.dry === undefined || this.#isDry || this.#state !== "flowing") return;
    const leftMs = Math.max(0, this.#sentUs - this.playedUs) / 1000;
    this.#dryTimer?.cancel();
    this.#dryTimer = this.#parts.clock.schedule(Math.max(leftMs, STEP_MS), () => {
      if (this.#state !== "flowing") return;
      this.#isDry = true;
      sink.dry?.();
    });
  }

  #end(): void {
    this.#state = "ended";
    this.#cancelTimers();
    this.#sink.ended();
  }

  #fail(caught: unknown): void {
    if (this.#state === "closed") return;
    this.close();
    this.#sink.failed(caught);
  }

  #cancelTimers(): void {
    this.#isBackingOff = false;
    this.#timer?.cancel();
    this.#timer = null;
    this.#dryTimer?.cancel();
    this.#dryTimer = null;
  }
}
