/** Frames from a server: not masked, so that the bytes of one frame serve all who are sent it. */
import { writeU16, writeU64 } from "../bytes.ts";

/** What a frame is. Spec: RFC 6455 section 5.2. */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** One of `OPCODE`. */
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** First bit of a message's last frame. */
const FIN = 0x80;
/** Longest payload whose length stands in the second byte: all that a control frame may have. */
export const MAX_CONTROL_BYTES = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

const encoder = new TextEncoder();

/** Bytes of the header in front of a payload of so many bytes. Spec: RFC 6455 section 5.2. */
export function frameHeaderBytes(payloadBytes: number): number {
  if (payloadBytes <= MAX_CONTROL_BYTES) return 2;
  return payloadBytes <= 0xffff ? 4 : 10;
}

/**
 * Writes the header of a whole message in one frame; the payload stands behind it.
 *
 * Returns: where the payload begins. Spec: RFC 6455 section 5.2.
 */
export function writeFrameHeader(
  out: Uint8Array,
  at: number,
  opcode: Opcode,
  payloadBytes: number,
): number {
  out[at] = FIN | opcode;
  if (payloadBytes <= MAX_CONTROL_BYTES) {
    out[at + 1] = payloadBytes;
    return at + 2;
  }
  if (payloadBytes <= 0xffff) {
    out[at + 1] = LENGTH_16;
    writeU16(out, at + 2, payloadBytes);
    return at + 4;
  }
  out[at + 1] = LENGTH_64;
  writeU64(out, at + 2, payloadBytes);
  return at + 10;
}

/** A message in one frame. Ownership: the result is new. */
export function buildFrame(opcode: Opcode, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(frameHeaderBytes(payload.byteLength) + payload.byteLength);
  out.set(payload, writeFrameHeader(out, 0, opcode, payload.byteLength));
  return out;
}

/** A text message in one frame. */
export function buildTextFrame(text: string): Uint8Array {
  return buildFrame(OPCODE.text, encoder.encode(text));
}

/** A close frame; a longer reason than fits is cut. Spec: RFC 6455 section 5.5.1. */
export function buildCloseFrame(code: number, reason = ""): Uint8Array {
  const payload = new Uint8Array(MAX_CONTROL_BYTES);
  payload[0] = code >>> 8;
  payload[1] = code;
  // Writes whole characters only.
  const { written } = encoder.encodeInto(reason, payload.subarray(2));
  return buildFrame(OPCODE.close, payload.subarray(0, 2 + written));
}
