import { strict as assert } from "node:assert";
import { TS_BODY_BYTES, TS_PACKET_BYTES, TS_SYNC_BYTE } from "./layout.ts";
import { PCR_BYTES, writePcr } from "./timestamps.ts";

/** One PID's place in its sequence of packets. */
export type TsSequence = {
  readonly pid: number;
  /** continuity_counter of its next packet with payload. */
  counter: number;
};

/** What the adaptation field of a PES packet's first TS packet says. */
export type TsMarks = {
  /** 90 kHz, not wrapped; `null` for none. */
  readonly pcr: number | null;
  readonly isRandomAccess: boolean;
  readonly isDiscontinuous: boolean;
};

/** Bits of the adaptation field's flags. Spec: ISO/IEC 13818-1 section 2.4.3.4. */
const FLAG = { discontinuity: 0x80, randomAccess: 0x40, pcr: 0x10 } as const;
const UNIT_START = 0x4000;
const PAYLOAD = 0x10;
const ADAPTATION = 0x20;
/** Length and flags of an adaptation field, and a PCR. */
const ADAPTATION_HEAD_BYTES = 2;
const STUFFING = 0xff;
/** Counters are modulo this. */
const COUNTERS = 16;
const MIN_BUFFER_BYTES = 16 * TS_PACKET_BYTES;

/**
 * Writes TS packets into a buffer that grows, until somebody takes them.
 *
 * A PES packet is laid out flat at the end of the room that its TS packets need; then each part is moved to the front
 * of where it belongs, which never reaches a part that was not moved yet. So nothing is allocated per TS packet, and
 * the payload is copied into the buffer once.
 * Spec: ISO/IEC 13818-1 sections 2.4.3.2 to 2.4.3.5.
 */
export class TsPacketWriter {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #lengthBytes = 0;
  #pesStart = 0;
  #pesPackets = 0;
  #pesBytes = 0;

  /** Bytes that wait to be taken. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** The buffer; what `beginPes` gave an offset of is written here. Another one after each `begin…`, `section`, `take`. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Makes room for so many bytes to come at once, where that is known. */
  expect(lengthBytes: number): void {
    const at = this.#lengthBytes;
    this.#reserve(Math.ceil(lengthBytes / TS_PACKET_BYTES));
    this.#lengthBytes = at;
  }

  /** Hands over what was written; the writer begins a new buffer. Ownership: the caller's. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#buffer.subarray(0, this.#lengthBytes);
    this.#buffer = new Uint8Array(0);
    this.#lengthBytes = 0;
    return taken;
  }

  /** Copies what was written to `out` at an offset and forgets it; the buffer is used again. */
  moveTo(out: Uint8Array, at: number): void {
    out.set(this.#buffer.subarray(0, this.#lengthBytes), at);
    this.#lengthBytes = 0;
  }

  /** One section that begins a packet, in as many packets as it needs, with counters going on. */
  section(sequence: TsSequence, section: Uint8Array): void {
    for (let from = -1; from < section.byteLength;) {
      const isFirst = from < 0;
      const at = this.#reserve(1);
      const out = this.#buffer;
      const room = isFirst ? TS_BODY_BYTES - 1 : TS_BODY_BYTES;
      if (isFirst) from = 0;
      const end = Math.min(section.byteLength, from + room);
      let to = this.#head(at, sequence, isFirst, PAYLOAD);
      if (isFirst) out[to++] = 0; // pointer_field
      out.set(section.subarray(from, end), to);
      out.fill(STUFFING, to + end - from, at + TS_PACKET_BYTES);
      from = end;
    }
  }

  /** A packet of nothing but a PCR; its counter does not step. Spec: ISO/IEC 13818-1 section 2.4.3.3. */
  pcrOnly(sequence: TsSequence, marks: TsMarks): void {
    const at = this.#reserve(1);
    const before = { pid: sequence.pid, counter: (sequence.counter + COUNTERS - 1) % COUNTERS };
    this.#head(at, before, false, ADAPTATION);
    this.#adaptation(at + 4, TS_BODY_BYTES, marks);
  }

  /**
   * Makes room for a PES packet of exactly `lengthBytes`. Its bytes are to be written into `buffer`, from the offset that
   * is returned on; then `endPes` cuts them into packets.
   *
   * `isLast`: the packets are made so many that the next counter is 0, by stuffing them; see `muxTsSegment`.
   */
  beginPes(sequence: TsSequence, lengthBytes: number, marks: TsMarks | null, isLast = false): number {
    const needed = Math.ceil((lengthBytes + marksBytes(marks)) / TS_BODY_BYTES);
    const over = (sequence.counter + needed) % COUNTERS;
    const more = isLast && over !== 0 ? COUNTERS - over : 0;
    assert(!isLast || lengthBytes >= COUNTERS, "each packet of a PES packet has a byte of it at least");
    this.#pesPackets = needed + more;
    this.#pesBytes = lengthBytes;
    this.#pesStart = this.#reserve(this.#pesPackets);
    return this.#lengthBytes - lengthBytes;
  }

  /** Cuts the PES packet that `beginPes` made room for. */
  endPes(sequence: TsSequence, marks: TsMarks | null): void {
    let from = this.#lengthBytes - this.#pesBytes;
    let at = this.#pesStart;
    for (let left = this.#pesPackets; left > 0; left--) {
      const isFirst = at === this.#pesStart;
      const own = isFirst ? marks : null;
      const room = TS_BODY_BYTES - marksBytes(own);
      const rest = this.#lengthBytes - from;
      const take = Math.min(room, rest - (left - 1));
      const end = at + TS_PACKET_BYTES;
      this.#buffer.copyWithin(end - take, from, from + take);
      const fieldBytes = TS_BODY_BYTES - take;
      this.#head(at, sequence, isFirst, fieldBytes > 0 ? PAYLOAD | ADAPTATION : PAYLOAD);
      if (fieldBytes > 0) this.#adaptation(at + 4, fieldBytes, own);
      from += take;
      at = end;
    }
  }

  /** The four bytes that every packet begins with; steps the counter. */
  #head(at: number, sequence: TsSequence, isStart: boolean, control: number): number {
    const out = this.#buffer;
    const pid = sequence.pid | (isStart ? UNIT_START : 0);
    out[at] = TS_SYNC_BYTE;
    out[at + 1] = pid >>> 8;
    out[at + 2] = pid;
    out[at + 3] = control | sequence.counter;
    sequence.counter = (sequence.counter + 1) % COUNTERS;
    return at + 4;
  }

  /** An adaptation field of exactly `fieldBytes`, its length byte counted. */
  #adaptation(at: number, fieldBytes: number, marks: TsMarks | null): void {
    const out = this.#buffer;
    out[at] = fieldBytes - 1;
    if (fieldBytes === 1) return;
    let flags = 0;
    let to = at + ADAPTATION_HEAD_BYTES;
    if (marks !== null) {
      if (marks.isDiscontinuous) flags |= FLAG.discontinuity;
      if (marks.isRandomAccess) flags |= FLAG.randomAccess;
      if (marks.pcr !== null) {
        flags |= FLAG.pcr;
        writePcr(out, to, marks.pcr);
        to += PCR_BYTES;
      }
    }
    out[at + 1] = flags;
    out.fill(STUFFING, to, at + fieldBytes);
  }

  /** Room for so many packets. Returns: its offset. */
  #reserve(packets: number): number {
    const at = this.#lengthBytes;
    const needed = at + packets * TS_PACKET_BYTES;
    if (needed > this.#buffer.byteLength) {
      const grown = unfilled(Math.max(needed, this.#buffer.byteLength * 2, MIN_BUFFER_BYTES));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
    }
    this.#lengthBytes = needed;
    return at;
  }
}

/** Memory that is not set to 0 first: every byte of every packet is written before anybody sees it. */
function unfilled(lengthBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
}

function marksBytes(marks: TsMarks | null): number {
  if (marks === null) return 0;
  return ADAPTATION_HEAD_BYTES + (marks.pcr === null ? 0 : PCR_BYTES);
}
