import { TIMESTAMP_BYTES, wrapTicks, writeTimestamp } from "./timestamps.ts";

/** What a PES header that we write says. */
export type PesHeader = {
  readonly streamId: number;
  /** Bytes behind the header; `null` leaves the length open, which only video may. */
  readonly payloadBytes: number | null;
  /** 90 kHz, not wrapped. */
  readonly pts: number;
  readonly dts: number;
};

/** Bytes of a header without times. */
export const PES_FIXED_BYTES = 9;

/** Bytes in front of what PES_packet_length counts. */
export const PES_PREFIX_BYTES = 6;

const MARKER_ALIGNED = 0x84; // '10', data_alignment_indicator
const HAS_PTS = 0x80;
const HAS_DTS = 0x40;

/** Bytes of the header with these times: one or two of them. */
export function pesHeaderBytes(pts: number, dts: number): number {
  return PES_FIXED_BYTES + (pts === dts ? TIMESTAMP_BYTES : 2 * TIMESTAMP_BYTES);
}

/** Writes the header at an offset. Spec: ISO/IEC 13818-1 sections 2.4.3.6, 2.4.3.7. */
export function writePesHeader(out: Uint8Array, at: number, header: PesHeader): void {
  const { streamId, payloadBytes, pts, dts } = header;
  const headerBytes = pesHeaderBytes(pts, dts);
  const lengthBytes = payloadBytes === null ? 0 : headerBytes - PES_PREFIX_BYTES + payloadBytes;
  out[at] = 0;
  out[at + 1] = 0;
  out[at + 2] = 1;
  out[at + 3] = streamId;
  out[at + 4] = lengthBytes >>> 8;
  out[at + 5] = lengthBytes;
  out[at + 6] = MARKER_ALIGNED;
  out[at + 7] = pts === dts ? HAS_PTS : HAS_PTS | HAS_DTS;
  out[at + 8] = headerBytes - PES_FIXED_BYTES;
  writeTimestamp(out, at + PES_FIXED_BYTES, pts === dts ? 2 : 3, wrapTicks(pts));
  if (pts !== dts) writeTimestamp(out, at + PES_FIXED_BYTES + TIMESTAMP_BYTES, 1, wrapTicks(dts));
}
