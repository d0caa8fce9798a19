import type { SourcePacket } from "../../media/packet.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { equalBytes } from "../../base/bytes.ts";
import { AccessUnitWriter } from "./access-unit-writer.ts";
import { AudioGatherer } from "./audio-gatherer.ts";
import { PMT_PID, carriageOf, carriedInTs } from "./carriage.ts";
import type { TsCarriage } from "./carriage.ts";
import { TS_PID, TS_TIMESCALE } from "./layout.ts";
import { TsPacketWriter } from "./packet-writer.ts";
import type { TsMarks, TsSequence } from "./packet-writer.ts";
import { pesHeaderBytes, writePesHeader } from "./pes-header.ts";
import { ProgramClock } from "./program-clock.ts";
import { buildPat, buildPmt } from "./tables.ts";
import { toTsTicks } from "./timestamps.ts";

/** How a muxer writes. */
export type TsMuxerOptions = {
  /**
   * How long audio frames are gathered for one PES packet; 100 unless given. 0 writes each at once, in a PES packet of
   * its own: for low latency, at 15 kbit/s more.
   */
  readonly audioDelayMs?: number;
  /** PAT and PMT at least so often; 100 unless given. Key frames of the reference track have them in front, too. */
  readonly tableIntervalMs?: number;
  /**
   * How far the PCR is behind the newest decode time, at least; 200 unless given. It has to be longer than `audioDelayMs`.
   * Longer than 250 ms would overflow the audio buffer of the standard's decoder model.
   */
  readonly pcrDelayMs?: number;
  /**
   * How far the PCR falls behind the newest decode time where a track is written later than the others; 3000 unless
   * given. It costs memory and delay: a player that keeps to the clock holds the other tracks for as long as the latest
   * one was late, and a stream whose map has a track that never comes shows its clock after this time only. 0: what is
   * written is in order of decode time over all tracks.
   */
  readonly pcrWaitMs?: number;
  /** Added to every time; 0 unless given. Units: 90 kHz ticks. */
  readonly originTicks?: number;
  /** The first version of the program map, 0 to 31; 0 unless given. */
  readonly firstVersion?: number;
  /** False: tables by the interval alone. */
  readonly tablesAtKeyFrames?: boolean;
  /**
   * The decode time of the picture that follows what is written, in another muxer's bytes: the clock stays before it,
   * also where sound is written that plays later. Units: 90 kHz ticks, before `originTicks`.
   */
  readonly clockEndTicks?: number;
};

/** What a muxer takes of a packet; a `MediaPacket` and a `SourcePacket` both are one. */
export type TsMuxerInput = Pick<SourcePacket, "track" | "dts" | "pts" | "isSync" | "payload">;

/** Most tracks in one program: the program map has to stay below 1024 bytes. */
export const MAX_TS_TRACKS = 16;

/** Spec: ISO/IEC 13818-1 section 2.7.2 asks for 100 ms, ETSI TS 101 154 section 4.1.5.3 for 40. */
const PCR_INTERVAL_TICKS = 0.04 * TS_TIMESCALE;
/** The PCR stands in front of a late track by this and `audioDelayMs`. */
const PCR_MARGIN_MS = 40;
/** Pictures further apart do not tell where the next one is to be expected. */
const MAX_STEP_TICKS = TS_TIMESCALE;
const PROGRAM_NUMBER = 1;
const VERSIONS = 32;

type TsStream = TsCarriage & {
  readonly track: Track;
  /** Its number in the clock. */
  readonly index: number;
  readonly sequence: TsSequence;
  readonly units: AccessUnitWriter | null;
  readonly frames: AudioGatherer | null;
};

/**
 * Writes packets as a transport stream of one program.
 *
 * Call `setTracks`, then `write` in order of decode time of each track, and `take` (or `moveTo`) when the bytes are
 * wanted. Times are the media clock modulo 2^33. The PCR stands `pcrDelayMs` behind the newest decode time, or behind
 * the slowest track as far as `pcrWaitMs`, so that nothing arrives late, and comes in each access unit of the first
 * video track (of the first track when there is no video), in packets of its own where those are more than 40 ms apart.
 * Tracks that a transport stream cannot carry are left out by `canCarryInTs`. A new epoch, or a step of a track of more
 * than ten seconds, or of one second back, is marked as a discontinuity of the time base.
 * Ownership: payloads are copied, once; nothing of a packet is kept.
 * Spec: ISO/IEC 13818-1; ETSI TS 101 154.
 */
export class TsMuxer {
  readonly #writer = new TsPacketWriter();
  readonly #audioTicks: number;
  readonly #tableTicks: number;
  readonly #pcrDelayTicks: number;
  readonly #clock: ProgramClock;
  readonly #originTicks: number;
  readonly #tablesAtKeyFrames: boolean;
  readonly #clockEndTicks: number;
  readonly #patSequence: TsSequence = { pid: TS_PID.pat, counter: 0 };
  readonly #pmtSequence: TsSequence = { pid: PMT_PID, counter: 0 };
  readonly #sequences = new Map<number, TsSequence>();
  readonly #pat = buildPat(PROGRAM_NUMBER, PMT_PID);
  #pmt: Uint8Array | null = null;
  #version: number;
  #epoch: number | null = null;
  #streams: readonly TsStream[] = [];
  #clockStream: TsStream | null = null;
  #lastTablesTicks: number | null = null;
  #lastPcr: number | null = null;
  #isDiscontinuous = false;
  /** Of the clock's own pictures: the last decode time, and how far it was from the one before. */
  #lastPictureTicks: number | null = null;
  #pictureStep = 0;
  #skipped = 0;

  constructor(options: TsMuxerOptions = {}) {
    this.#audioTicks = toTsTicks(options.audioDelayMs ?? 100, 1000);
    this.#tableTicks = toTsTicks(options.tableIntervalMs ?? 100, 1000);
    this.#pcrDelayTicks = toTsTicks(options.pcrDelayMs ?? 200, 1000);
    this.#clock = new ProgramClock({
      delayTicks: this.#pcrDelayTicks,
      waitTicks: toTsTicks(options.pcrWaitMs ?? 3000, 1000),
      marginTicks: this.#audioTicks + toTsTicks(PCR_MARGIN_MS, 1000),
    });
    this.#originTicks = options.originTicks ?? 0;
    this.#tablesAtKeyFrames = options.tablesAtKeyFrames ?? true;
    this.#clockEndTicks = (options.clockEndTicks ?? Infinity) + this.#originTicks;
    this.#version = options.firstVersion ?? 0;
  }

  /** Bytes that wait to be taken. */
  get lengthBytes(): number {
    return this.#writer.lengthBytes;
  }

  /** Packets that were left out because their payload was broken or too long. */
  get skipped(): number {
    return this.#skipped;
  }

  /** The tracks from here on. Returns: those of them that are carried. Throws: CODEC_BAD_CONFIG. */
  setTracks(tracks: TrackSet): readonly Track[] {
    this.flush();
    const carried = carriedInTs(tracks).slice(0, MAX_TS_TRACKS);
    this.#streams = carried.map((track, index) => this.#streamOf(track, index));
    this.#clock.begin(carried.length);
    this.#clockStream =
      this.#streams.find((stream) => stream.track.kind === "video") ?? this.#streams[0] ?? null;
    this.#adoptMap();
    if (this.#epoch !== null && this.#epoch !== tracks.epoch) this.discontinue();
    this.#epoch = tracks.epoch;
    this.#lastTablesTicks = null;
    return carried;
  }

  /**
   * Takes the next packet; one of a track that is not carried is nothing to it.
   *
   * `isLast`: the track has no more, and the continuity counter of its next packet is to be 0; see `muxTsSegment`.
   */
  write(packet: TsMuxerInput, isLast = false): void {
    const stream = this.#streamOfTrack(packet.track);
    if (stream === null) return;
    if (stream.units !== null) this.#picture(stream, stream.units, packet, isLast);
    else if (stream.frames !== null) this.#sound(stream, stream.frames, packet, isLast);
  }

  /** Writes the audio that is still being gathered. */
  flush(): void {
    for (const stream of this.#streams) {
      if (stream.frames !== null) this.#writeFrames(stream, stream.frames, false);
    }
  }

  /** The time base breaks before the next packet. */
  discontinue(): void {
    this.flush();
    if (this.#clock.newest === null) return;
    this.#clock.reset();
    this.#lastPictureTicks = null;
    this.#lastPcr = null;
    this.#lastTablesTicks = null;
    this.#isDiscontinuous = true;
  }

  /** Writes what is left, and fills up the tables until every continuity counter is back at 0; see `muxTsSegment`. */
  finish(): void {
    for (const stream of this.#streams) {
      if (stream.frames !== null) this.#writeFrames(stream, stream.frames, true);
    }
    while (this.#patSequence.counter !== 0) this.#tables();
    const clock = this.#clockStream;
    const last = this.#lastPictureTicks;
    // Up to where the next segment's first picture is to be expected, whose clock is its own.
    if (clock !== null && last !== null)
      this.#fillPcr(clock, last + this.#pictureStep - this.#pcrDelayTicks);
  }

  /** Makes room for so many bytes at once, where it is known how much will come. */
  expect(lengthBytes: number): void {
    this.#writer.expect(lengthBytes);
  }

  /** Hands over what was written. Ownership: the caller's. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#writer.take();
  }

  /** Copies `lengthBytes` of what was written to `out` at an offset; the muxer's own memory is used again. */
  moveTo(out: Uint8Array, at: number): void {
    this.#writer.moveTo(out, at);
  }

  #streamOf(track: Track, index: number): TsStream {
    const carriage = carriageOf(track);
    let sequence = this.#sequences.get(carriage.pid);
    if (sequence === undefined) {
      sequence = { pid: carriage.pid, counter: 0 };
      this.#sequences.set(carriage.pid, sequence);
    }
    const isVideo = track.kind === "video";
    return {
      ...carriage,
      track,
      index,
      sequence,
      units: isVideo ? new AccessUnitWriter(track) : null,
      frames: isVideo ? null : new AudioGatherer(track),
    };
  }

  #streamOfTrack(track: Track): TsStream | null {
    for (const stream of this.#streams) if (stream.track.id === track.id) return stream;
    return null;
  }

  #ticksOf(ticks: number, track: Track): number {
    return toTsTicks(ticks, track.timescale) + this.#originTicks;
  }

  /** The version steps when the map says something else than before. */
  #adoptMap(): void {
    if (this.#clockStream === null) return;
    const map = {
      programNumber: PROGRAM_NUMBER,
      version: this.#version,
      pcrPid: this.#clockStream.pid,
      streams: this.#streams,
    };
    let pmt = buildPmt(map);
    if (this.#pmt !== null && !equalBytes(this.#pmt, pmt)) {
      this.#version = (this.#version + 1) % VERSIONS;
      pmt = buildPmt({ ...map, version: this.#version });
    }
    this.#pmt = pmt;
  }

  #picture(stream: TsStream, units: AccessUnitWriter, packet: TsMuxerInput, isLast: boolean): void {
    const { payload, isSync } = packet;
    const unitBytes = units.measure(payload, isSync);
    if (unitBytes === 0) {
      this.#skipped++;
      return;
    }
    const dts = this.#ticksOf(packet.dts, packet.track);
    const pts = this.#ticksOf(packet.pts, packet.track);
    const isClock = stream === this.#clockStream;
    this.#advance(stream, dts, isSync && isClock && this.#tablesAtKeyFrames);
    if (isClock) this.#noteStep(dts);
    const marks = this.#marks(stream, isSync);
    const headerBytes = pesHeaderBytes(pts, dts);
    const at = this.#writer.beginPes(stream.sequence, headerBytes + unitBytes, marks, isLast);
    const { buffer } = this.#writer;
    writePesHeader(buffer, at, { streamId: stream.streamId, payloadBytes: null, pts, dts });
    units.write(buffer, at + headerBytes, payload);
    this.#writer.endPes(stream.sequence, marks);
  }

  #sound(stream: TsStream, frames: AudioGatherer, packet: TsMuxerInput, isLast: boolean): void {
    const { payload, track } = packet;
    if (!frames.accepts(payload)) {
      this.#skipped++;
      return;
    }
    const pts = this.#ticksOf(packet.pts, track);
    if (this.#clock.isJump(stream.index, pts)) this.discontinue();
    if (!frames.follows(payload, pts)) this.#writeFrames(stream, frames, false);
    frames.add(payload, pts);
    this.#clock.note(stream.index, pts);
    // The clock begins with the first frame, not with the PES packet that has it some frames later.
    if (this.#lastPcr === null) this.#keepTime(this.#clock.newest ?? pts, null);
    if (isLast || frames.lastsTicks >= this.#audioTicks) this.#writeFrames(stream, frames, isLast);
  }

  #writeFrames(stream: TsStream, frames: AudioGatherer, isLast: boolean): void {
    const { lengthBytes, pts } = frames;
    if (lengthBytes === 0) return;
    this.#keepTime(this.#clock.newest ?? pts, stream);
    const marks = this.#marks(stream, true);
    const headerBytes = pesHeaderBytes(pts, pts);
    const at = this.#writer.beginPes(stream.sequence, headerBytes + lengthBytes, marks, isLast);
    const { buffer } = this.#writer;
    writePesHeader(buffer, at, { streamId: stream.streamId, payloadBytes: lengthBytes, pts, dts: pts });
    buffer.set(frames.buffer.subarray(0, lengthBytes), at + headerBytes);
    frames.clear();
    this.#writer.endPes(stream.sequence, marks);
  }

  /** What has to stand in front of an access unit at a time. */
  #advance(next: TsStream, dts: number, needsTables: boolean): void {
    if (this.#clock.isJump(next.index, dts)) this.discontinue();
    this.#clock.note(next.index, dts);
    const newest = this.#clock.newest ?? dts;
    for (const stream of this.#streams) {
      const { frames } = stream;
      if (frames === null || frames.lengthBytes === 0) continue;
      if (needsTables || newest - frames.pts >= this.#audioTicks) this.#writeFrames(stream, frames, false);
    }
    if (needsTables) this.#lastTablesTicks = null;
    this.#keepTime(newest, next);
  }

  #noteStep(dts: number): void {
    const step = this.#lastPictureTicks === null ? 0 : dts - this.#lastPictureTicks;
    this.#pictureStep = step > 0 && step <= MAX_STEP_TICKS ? step : 0;
    this.#lastPictureTicks = dts;
  }

  /** Tables and clock references that are due before something of a stream is written. */
  #keepTime(nowTicks: number, next: TsStream | null): void {
    const last = this.#lastTablesTicks;
    if (last === null || nowTicks - last >= this.#tableTicks) {
      this.#lastTablesTicks = nowTicks;
      this.#tables();
    }
    const clock = this.#clockStream;
    if (clock === null) return;
    const due = Math.min(this.#clock.due, this.#clockEndTicks - this.#pcrDelayTicks);
    // At a beginning the clock comes first, with the first access unit or by itself.
    if (this.#lastPcr === null && next !== clock) this.#pcrOnly(clock, due);
    this.#fillPcr(clock, due);
  }

  #fillPcr(clock: TsStream, due: number): void {
    while (this.#lastPcr !== null && due - this.#lastPcr > PCR_INTERVAL_TICKS) {
      this.#pcrOnly(clock, this.#lastPcr + PCR_INTERVAL_TICKS);
    }
  }

  #pcrOnly(clock: TsStream, pcr: number): void {
    const isDiscontinuous = this.#isDiscontinuous;
    this.#isDiscontinuous = false;
    this.#lastPcr = pcr;
    this.#writer.pcrOnly(clock.sequence, { pcr, isRandomAccess: false, isDiscontinuous });
  }

  #marks(stream: TsStream, isRandomAccess: boolean): TsMarks | null {
    if (stream !== this.#clockStream || this.#clock.newest === null) {
      return isRandomAccess ? RANDOM_ACCESS : null;
    }
    const pcr = this.#clock.due;
    // The same reading twice is an error to analysers.
    if (this.#lastPcr !== null && pcr <= this.#lastPcr) return isRandomAccess ? RANDOM_ACCESS : null;
    const isDiscontinuous = this.#isDiscontinuous;
    this.#isDiscontinuous = false;
    this.#lastPcr = pcr;
    return { pcr, isRandomAccess, isDiscontinuous };
  }

  #tables(): void {
    if (this.#pmt === null) return;
    this.#writer.section(this.#patSequence, this.#pat);
    this.#writer.section(this.#pmtSequence, this.#pmt);
  }
}

const RANDOM_ACCESS: TsMarks = { pcr: null, isRandomAccess: true, isDiscontinuous: false };
