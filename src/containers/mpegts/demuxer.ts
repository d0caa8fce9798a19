import { asMediaError } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { Unwrapper } from "../../base/time.ts";
import { equalBytes } from "../../base/bytes.ts";
import { kindOf } from "../../codecs/track.ts";
import { trackId } from "../../media/ids.ts";
import type { TrackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Track, TrackKind } from "../../media/track.ts";
import { AUDIO_FRAMINGS } from "./audio-frames.ts";
import type { ElementaryReader } from "./elementary-reader.ts";
import { tsErrors } from "./errors.ts";
import { TS_PACKET_BYTES, TS_PID } from "./layout.ts";
import { PacketGate } from "./packet-gate.ts";
import type { TsSink } from "./packet-gate.ts";
import { TsPacketFramer } from "./packet-framer.ts";
import { PesAssembler } from "./pes-assembler.ts";
import type { PesPayload } from "./pes-assembler.ts";
import { PictureReader } from "./picture-reader.ts";
import { SectionAssembler } from "./section-assembler.ts";
import { SoundReader } from "./sound-reader.ts";
import { streamCodecOf } from "./stream-codec.ts";
import { parsePat, parsePmt } from "./table-reader.ts";
import type { ProgramEntry, StreamEntry } from "./table-reader.ts";
import { nearestDifference } from "./timestamps.ts";

/** What a demuxer has seen. */
export type TsDemuxerStats = {
  /** Packets handed over. */
  readonly packets: number;
  /** Times that a continuity counter was not the next one. */
  readonly continuityErrors: number;
  /** Bytes that belonged to no TS packet. */
  readonly skippedBytes: number;
  /** Errors told to `onSkipped`. */
  readonly skipped: number;
};

/** Elementary streams of one kind that are read. */
export const MAX_TS_TRACKS_PER_KIND = 8;

/** Longest PES packets: of video some 800 Mbit/s at 25 pictures a second; each stream of a sender may hold one. */
export const MAX_PES_BYTES = { video: 4 * 1024 * 1024, audio: 256 * 1024 } as const;

/** Elementary streams that are told to be left out, each once. */
const MAX_LEFT_OUT = 64;

/** What is known of one PID. */
type PidState = {
  readonly parts: SectionAssembler | PesAssembler;
  /** The reader of an elementary stream; `null` for tables. */
  readonly reader: ElementaryReader | null;
  readonly entry: StreamEntry | null;
  readonly id: TrackId | null;
  /** continuity_counter of its last packet; -1 when the next may have any. */
  counter: number;
  isRepeated: boolean;
};

/**
 * Reads a transport stream: the first program of its PAT, of that H.264, H.265, AAC in ADTS, MPEG audio, AC-3, E-AC-3
 * and Opus.
 *
 * Feed bytes as they come with `push`, and call `end` after the last. Tracks and packets go to the sink as a publisher
 * takes them: video in ticks of 90 kHz, audio in samples, times unwrapped over all tracks together. A new program map
 * makes a new set of tracks in front of the next packet. What is broken, lost, or not carried is counted, told to
 * `onSkipped`, and dropped: a video access unit with a hole, an audio frame. LATM is left out, as are other programs.
 * Bounds: three TS packets, one section, one PES packet of `MAX_PES_BYTES` a stream, `TS_TRACK_WAIT`.
 * Ownership: payloads are new; nothing of what is pushed is kept.
 * Spec: ISO/IEC 13818-1; ETSI TS 101 154.
 */
export class TsDemuxer {
  readonly #gate: PacketGate;
  readonly #onSkipped: (error: MediaError) => void;
  readonly #framer = new TsPacketFramer((bytes, at) => this.#packet(bytes, at));
  readonly #pids = new Map<number, PidState>();
  readonly #clock = new Unwrapper(33);
  #program: ProgramEntry | null = null;
  #map: Uint8Array | null = null;
  /** Of the program map in force, video before audio. */
  #readers: readonly ElementaryReader[] = [];
  readonly #leftOut = new Set<number>();
  #packets = 0;
  #continuityErrors = 0;
  #skipped = 0;

  /** `onSkipped` is called for each thing that is dropped; it counts and logs, and does not throw. */
  constructor(sink: TsSink, onSkipped: (error: MediaError) => void = () => {}) {
    this.#gate = new PacketGate(sink);
    this.#onSkipped = onSkipped;
    const pat = new SectionAssembler(TS_PID.pat, (section) => this.#onPat(section));
    this.#pids.set(TS_PID.pat, tableState(pat));
  }

  /** What was read so far. */
  get stats(): TsDemuxerStats {
    return {
      packets: this.#packets,
      continuityErrors: this.#continuityErrors,
      skippedBytes: this.#framer.skippedBytes,
      skipped: this.#skipped,
    };
  }

  /** Takes the next bytes. Throws: TS_NO_SYNC when they are no transport stream. */
  push(bytes: Uint8Array): void {
    this.#framer.push(bytes);
  }

  /** Nothing more comes: hands over what is whole. */
  end(): void {
    this.#framer.end();
    for (const state of this.#pids.values()) this.#close(state);
    this.#gate.settle();
  }

  /** Spec: ISO/IEC 13818-1 sections 2.4.3.2, 2.4.3.3. */
  #packet(bytes: Uint8Array, at: number): void {
    const second = bytes[at + 1]!;
    const pid = ((second & 0x1f) << 8) | bytes[at + 2]!;
    const state = this.#pids.get(pid);
    if (state === undefined) return;
    const flags = bytes[at + 3]!;
    if ((second & 0x80) !== 0) return this.#lose(state, pid, "a packet is marked as damaged");
    if ((flags & 0xc0) !== 0) return this.#lose(state, pid, "a packet is scrambled");
    const end = at + TS_PACKET_BYTES;
    const hasField = (flags & 0x20) !== 0;
    const from = hasField ? at + 5 + bytes[at + 4]! : at + 4;
    if (from > end) return this.#lose(state, pid, "an adaptation field is longer than its packet");
    const isMarked = hasField && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x80) !== 0; // discontinuity_indicator
    if (isMarked) state.counter = -1;
    if ((flags & 0x10) === 0 || from === end) return;
    if (!this.#follows(state, pid, flags & 0x0f)) return;
    try {
      state.parts.payload(bytes, from, end, (second & 0x40) !== 0);
    } catch (caught) {
      this.#skip(caught);
    }
  }

  /** Checks the counter. Returns: false for a packet that came twice. */
  #follows(state: PidState, pid: number, counter: number): boolean {
    const last = state.counter;
    state.counter = counter;
    // Muxers are met that never step the counters of tables; the CRC tells whether those are whole.
    if (last < 0 || state.reader === null) return true;
    if (counter === last && !state.isRepeated) {
      state.isRepeated = true;
      return false;
    }
    state.isRepeated = false;
    if (counter !== (last + 1) % 16) {
      this.#continuityErrors++;
      this.#lose(state, pid, "packets are missing");
    }
    return true;
  }

  #lose(state: PidState, pid: number, reason: string): void {
    state.parts.lost();
    state.reader?.lost();
    this.#skip(tsErrors.error("TS_PACKET_BROKEN", { pid, reason }));
  }

  #skip(caught: unknown): void {
    const error = asMediaError(caught);
    if (error === null) throw caught;
    this.#skipped++;
    this.#onSkipped(error);
  }

  #onPat(section: Uint8Array): void {
    const programs = parsePat(section);
    if (programs === null) return;
    const current = this.#program;
    const stays = programs.some(
      ({ programNumber, pmtPid }) => programNumber === current?.programNumber && pmtPid === current.pmtPid,
    );
    if (stays) return;
    // A table of several sections: another one may have the program that is read.
    const isPart = section[7] !== 0; // last_section_number
    const next = programs.find(({ pmtPid }) => isUsable(pmtPid));
    if (next === undefined || (isPart && current !== null)) return;
    if (current !== null) this.#remove(current.pmtPid);
    this.#adopt([]);
    this.#program = next;
    this.#map = null;
    const pmt = new SectionAssembler(next.pmtPid, (bytes) => this.#onPmt(bytes, next));
    this.#pids.set(next.pmtPid, tableState(pmt));
  }

  #onPmt(section: Uint8Array, program: ProgramEntry): void {
    if (this.#map !== null && equalBytes(this.#map, section)) return;
    const streams = parsePmt(section, program);
    if (streams === null) return;
    this.#map = section.slice();
    this.#adopt(this.#chosen(streams, program.pmtPid));
  }

  /** The streams that are read, video first; the others are told. */
  #chosen(streams: readonly StreamEntry[], pmtPid: number): StreamEntry[] {
    const seen = new Set([TS_PID.pat, pmtPid]);
    const chosen: Record<TrackKind, StreamEntry[]> = { video: [], audio: [], text: [] };
    for (const entry of streams) {
      const stream = streamCodecOf(entry);
      const list = stream === null ? null : chosen[kindOf(stream.codec)];
      if (!isUsable(entry.pid) || seen.has(entry.pid))
        this.#leaveOut(entry, "its PID is in use or reserved");
      else if (list === null) this.#leaveOut(entry, "its codec is not carried");
      else if (list.length >= MAX_TS_TRACKS_PER_KIND) this.#leaveOut(entry, "too many streams of its kind");
      else list.push(entry);
      seen.add(entry.pid);
    }
    return [...chosen.video, ...chosen.audio];
  }

  /** Told once a stream: a sender that changes its program map all the time is not worth a line each time. */
  #leaveOut({ pid, streamType }: StreamEntry, reason: string): void {
    const key = pid * 256 + streamType;
    if (this.#leftOut.has(key) || this.#leftOut.size >= MAX_LEFT_OUT) return;
    this.#leftOut.add(key);
    this.#skip(tsErrors.error("TS_STREAM_UNSUPPORTED", { pid, streamType, reason }));
  }

  /** Reads these streams from now on; those that were read before, and stay what they were, go on. */
  #adopt(entries: readonly StreamEntry[]): void {
    const kept = new Set<number>();
    const readers: ElementaryReader[] = [];
    const counts = { video: 0, audio: 0, text: 0 };
    for (const entry of entries) {
      const stream = streamCodecOf(entry)!;
      const kind = kindOf(stream.codec);
      const id = trackId(kind, ++counts[kind]);
      let state = this.#pids.get(entry.pid);
      if (state === undefined || !isSame(state, entry, id)) {
        if (state !== undefined) this.#remove(entry.pid);
        state = this.#open(entry, id);
      }
      kept.add(entry.pid);
      readers.push(state.reader!);
    }
    for (const [pid, state] of this.#pids) if (state.reader !== null && !kept.has(pid)) this.#remove(pid);
    this.#readers = readers;
  }

  #open(entry: StreamEntry, id: TrackId): PidState {
    const { pid } = entry;
    const stream = streamCodecOf(entry)!;
    const take = (packet: SourcePacket): void => this.#write(packet);
    const framing = AUDIO_FRAMINGS[stream.codec];
    const kind = framing === null ? "video" : "audio";
    const reader =
      framing === null
        ? new PictureReader(pid, id, stream.codec === "h265" ? "h265" : "h264", take)
        : new SoundReader(pid, id, stream, framing, take);
    const parts = new PesAssembler(pid, MAX_PES_BYTES[kind], (pes) => this.#pes(reader, pes));
    // The section that the entry is a view of is used again.
    const own = { ...entry, descriptors: entry.descriptors.slice() };
    const state: PidState = { parts, reader, entry: own, id, counter: -1, isRepeated: false };
    this.#pids.set(pid, state);
    return state;
  }

  #remove(pid: number): void {
    const state = this.#pids.get(pid);
    if (state === undefined) return;
    this.#close(state);
    this.#pids.delete(pid);
  }

  #close(state: PidState): void {
    try {
      state.parts.end();
    } catch (caught) {
      this.#skip(caught);
    }
    try {
      state.reader?.end();
    } catch (caught) {
      this.#skip(caught);
    }
  }

  #pes(reader: ElementaryReader, pes: PesPayload): void {
    if (pes.pts === null || pes.dts === null) return reader.pes(pes, null, null);
    const dts = this.#clock.unwrap(pes.dts);
    reader.pes(pes, dts + nearestDifference(pes.dts, pes.pts), dts);
  }

  #write(packet: SourcePacket): void {
    this.#packets++;
    const tracks = this.#tracks();
    this.#gate.write(packet, tracks, tracks.length === this.#readers.length);
  }

  #tracks(): Track[] {
    const tracks: Track[] = [];
    for (const { track } of this.#readers) if (track !== null) tracks.push(track);
    return tracks;
  }
}

function tableState(parts: SectionAssembler): PidState {
  return { parts, reader: null, entry: null, id: null, counter: -1, isRepeated: false };
}

/** Whether a program may use the PID. Spec: ISO/IEC 13818-1 table 2-3. */
function isUsable(pid: number): boolean {
  return pid >= TS_PID.firstFree && pid < TS_PID.null;
}

/** Whether an entry of a new program map says what the one before said. */
function isSame(state: PidState, entry: StreamEntry, id: TrackId): boolean {
  const known = state.entry;
  if (known === null || state.id !== id || known.streamType !== entry.streamType) return false;
  return equalBytes(known.descriptors, entry.descriptors);
}
