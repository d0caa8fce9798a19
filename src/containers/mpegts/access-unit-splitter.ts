import { parseH264Sps } from "../../codecs/h264/sps.ts";
import { asMediaError } from "../../base/errors.ts";
import { H264_NAL, h264NalType } from "../../codecs/h264/access-unit.ts";
import { H265_NAL, h265NalType } from "../../codecs/h265/access-unit.ts";

/** The times of a PES packet, unwrapped, in 90 kHz ticks. */
export type PesTimes = { readonly pts: number; readonly dts: number };

/** Takes an access unit: `bytes` from `from` to `to`, good during the call. `times`: what was stated for it. */
export type AccessUnitTaker = (bytes: Uint8Array, from: number, to: number, times: PesTimes | null) => void;

/** Longest access unit; a longer one is dropped. */
export const MAX_TS_ACCESS_UNIT_BYTES = 4 * 1024 * 1024;

/** PES packets in a row that each were one access unit, after which one that ends is not waited on any more. */
export const WHOLE_PES_PACKETS = 8;

const FIRST_BUFFER_BYTES = 16 * 1024;
/** A buffer that grew over this for one access unit is given up after it. */
const KEPT_BUFFER_BYTES = 1024 * 1024;
/** Start code, NAL unit header and the first byte behind it: what tells whether an access unit begins. */
const LOOK_BYTES = { h264: 5, h265: 6 } as const;
/** Zero bytes that may stand in front of the first start code of a PES packet. */
const MAX_LEADING_BYTES = 2;

/** What a NAL unit is to the bounds of access units. */
type Role =
  /** Stands in front of a picture, never within or behind one. */
  | "head"
  /** The first slice of a picture. */
  | "first"
  | "slice"
  | "other";

/**
 * Splits H.264 and H.265 byte streams into access units, wherever PES packets begin and end.
 *
 * An access unit begins with the first delimiter, parameter set, SEI or first slice behind a picture; it has the times
 * of the PES packet in which it is the first to begin. Where H.264 may have fields it begins with a PES packet that has
 * a time, so that both fields of a frame stay together as one sample.
 * What ends with its PES packet is handed over with it once `WHOLE_PES_PACKETS` in a row did; a stream in which one goes
 * on in the next PES packet is read one access unit behind from then on.
 * Bound: `MAX_TS_ACCESS_UNIT_BYTES` for what is kept, and the bytes of one push.
 * Spec: ITU-T H.264 sections 7.4.1.2.3, 7.4.1.2.4; H.265 section 7.4.2.4.4; ISO/IEC 13818-1 section 2.4.3.7.
 */
export class AccessUnitSplitter {
  readonly #codec: "h264" | "h265";
  readonly #take: AccessUnitTaker;
  #buffer: Uint8Array = new Uint8Array(0);
  #lengthBytes = 0;
  /** Where the next start code is looked for. */
  #scanFrom = 0;
  /** Where the open access unit begins; -1 when none is open. */
  #start = -1;
  #times: PesTimes | null = null;
  #hasPicture = false;
  /** Where an SPS begins whose end was not found yet; -1 for none. */
  #spsFrom = -1;
  #isInterlaced = false;
  /** Of the PES packet that is read, and of the one before it: what no access unit has taken yet. */
  #stated: PesTimes | null = null;
  #statedBefore: PesTimes | null = null;
  /** Where the bytes of the PES packet begin. */
  #ownFrom = 0;
  #isFirstUnit = true;
  #isAligned = false;
  #whole = 0;
  #isSplit = false;
  #isCut = false;
  #droppedBytes = 0;

  constructor(codec: "h264" | "h265", take: AccessUnitTaker) {
    this.#codec = codec;
    this.#take = take;
  }

  /** Takes the contents of a PES packet. Returns: bytes that were dropped, as they belong to no access unit. */
  push(bytes: Uint8Array, from: number, to: number, times: PesTimes | null): number {
    this.#droppedBytes = 0;
    if (this.#isCut) this.flush();
    const wasOpen = this.#start >= 0;
    this.#statedBefore = this.#stated ?? this.#statedBefore;
    this.#stated = times;
    this.#ownFrom = this.#lengthBytes;
    this.#isFirstUnit = true;
    this.#isAligned = false;
    this.#append(bytes, from, to);
    this.#scan();
    // Zero bytes may stand in front of the first start code; anything else belongs to nothing.
    if (this.#start < 0 && this.#buffer.subarray(0, this.#scanFrom).some((byte) => byte !== 0))
      this.#droppedBytes += to - from;
    if (!this.#isAligned) this.#isSplit ||= wasOpen || this.#droppedBytes > 0;
    else if (wasOpen) this.#whole++;
    if (!this.#isSplit && this.#whole >= WHOLE_PES_PACKETS) this.flush();
    else this.#compact();
    return this.#droppedBytes;
  }

  /** Bytes before the next PES packet are missing. */
  lost(): void {
    if (this.#isSplit) this.#forget();
    this.#isCut = true;
  }

  /** Nothing more of the open access unit comes: hands it over. */
  flush(): void {
    if (this.#start >= 0) this.#close(this.#lengthBytes);
    this.#forget();
  }

  #forget(): void {
    if (this.#buffer.byteLength > KEPT_BUFFER_BYTES) this.#buffer = new Uint8Array(0);
    this.#lengthBytes = 0;
    this.#scanFrom = 0;
    this.#start = -1;
    this.#spsFrom = -1;
    this.#stated = null;
    this.#statedBefore = null;
    this.#isCut = false;
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.#lengthBytes + to - from;
    if (needed > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2, FIRST_BUFFER_BYTES));
      grown.set(this.#buffer.subarray(0, this.#lengthBytes));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes.subarray(from, to), this.#lengthBytes);
    this.#lengthBytes = needed;
  }

  #scan(): void {
    for (;;) {
      const at = startCodeAt(this.#buffer, this.#scanFrom, this.#lengthBytes);
      if (at < 0) {
        this.#scanFrom = Math.max(this.#scanFrom, this.#lengthBytes - 2);
        return;
      }
      this.#scanFrom = at;
      if (at + LOOK_BYTES[this.#codec] > this.#lengthBytes) return;
      this.#scanFrom = at + 3;
      this.#unit(at);
    }
  }

  #unit(at: number): void {
    this.#learnFields(at);
    const role = this.#codec === "h264" ? h264Role(this.#buffer, at + 3) : h265Role(this.#buffer, at + 3);
    const isFirst = this.#isFirstUnit;
    this.#isFirstUnit = false;
    const mayBegin = role === "head" || role === "first";
    const isBound = !this.#isInterlaced || (isFirst && this.#stated !== null);
    if (mayBegin && (this.#start < 0 || (this.#hasPicture && isBound))) {
      if (isFirst) this.#isAligned = at - this.#ownFrom <= MAX_LEADING_BYTES;
      this.#begin(at);
    } else if (this.#start < 0 && role === "slice") this.#droppedBytes += LOOK_BYTES[this.#codec];
    if (role === "first" || role === "slice") this.#hasPicture = true;
  }

  #begin(at: number): void {
    if (this.#start >= 0) this.#close(at);
    this.#start = at;
    this.#hasPicture = false;
    // A start code that begins in the PES packet before belongs to that, whose time was left over for it.
    const isOwn = at >= this.#ownFrom && this.#stated !== null;
    this.#times = isOwn ? this.#stated : this.#statedBefore;
    if (isOwn) this.#stated = null;
    this.#statedBefore = null;
  }

  #close(end: number): void {
    if (this.#hasPicture) this.#take(this.#buffer, this.#start, end, this.#times);
    this.#start = -1;
    this.#hasPicture = false;
  }

  /** Fields are known by the SPS in front of the first picture that they can be in. */
  #learnFields(at: number): void {
    const from = this.#spsFrom;
    this.#spsFrom = -1;
    if (from >= 0) {
      try {
        this.#isInterlaced = parseH264Sps(this.#buffer.subarray(from, at)).isInterlaced;
      } catch (caught) {
        // Who reads the parameter sets for the track says what is wrong with them.
        if (asMediaError(caught) === null) throw caught;
      }
    }
    if (this.#codec === "h264" && h264NalType(this.#buffer[at + 3]!) === H264_NAL.sps)
      this.#spsFrom = at + 3;
  }

  /** Moves what is kept to the front. */
  #compact(): void {
    const from = this.#start < 0 ? this.#scanFrom : this.#start;
    const keptBytes = this.#lengthBytes - from;
    if (keptBytes > MAX_TS_ACCESS_UNIT_BYTES) {
      this.#droppedBytes += keptBytes;
      this.#forget();
      this.#isSplit = true;
      return;
    }
    if (from === 0) return;
    this.#buffer.copyWithin(0, from, this.#lengthBytes);
    this.#lengthBytes = keptBytes;
    this.#scanFrom -= from;
    if (this.#spsFrom >= 0) this.#spsFrom -= from;
    if (this.#start >= 0) this.#start = 0;
  }
}

/** Offset of the next `00 00 01` that ends before `to`; -1 when there is none. */
function startCodeAt(bytes: Uint8Array, from: number, to: number): number {
  let at = from + 2;
  while (at < to) {
    const byte = bytes[at]!;
    if (byte === 1 && bytes[at - 1] === 0 && bytes[at - 2] === 0) return at - 2;
    at += byte === 0 ? 1 : 3; // a byte that is not zero stands in no start code that ends before at + 3
  }
  return -1;
}

/** Spec: ITU-T H.264 section 7.4.1.2.3. Prefix NAL units (14) stand in front of every slice of a base layer, too. */
function h264Role(bytes: Uint8Array, at: number): Role {
  const type = h264NalType(bytes[at]!);
  if (type === H264_NAL.slice || type === H264_NAL.partitionA || type === H264_NAL.idr)
    return (bytes[at + 1]! & 0x80) !== 0 ? "first" : "slice"; // first_mb_in_slice of 0
  const isHead = (type >= H264_NAL.sei && type <= H264_NAL.delimiter) || (type >= 15 && type <= 18);
  return isHead ? "head" : "other";
}

/** Spec: ITU-T H.265 section 7.4.2.4.4. */
function h265Role(bytes: Uint8Array, at: number): Role {
  const type = h265NalType(bytes[at]!);
  const isBaseLayer = (bytes[at]! & 1) === 0 && bytes[at + 1]! >> 3 === 0; // nuh_layer_id
  if (!isBaseLayer) return "other";
  // first_slice_segment_in_pic_flag
  if (type < H265_NAL.vps) return (bytes[at + 2]! & 0x80) !== 0 ? "first" : "slice";
  const isHead =
    (type >= H265_NAL.vps && type <= H265_NAL.delimiter) ||
    type === H265_NAL.seiPrefix ||
    (type >= 41 && type <= 44) ||
    (type >= 48 && type <= 55);
  return isHead ? "head" : "other";
}
