/** Frames as clients send them: masked, and as wrong as a test wants them. */
import { concatBytes } from "../../src/base/bytes.ts";

/** One frame; whatever is left out is as it should be. */
export type ClientFrame = {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly isLast?: boolean;
  readonly isMasked?: boolean;
  /** Bits 0x70 of the first byte. */
  readonly reserved?: number;
  /** How the length is written: in 7, 16 or 64 bits. */
  readonly lengthBits?: 7 | 16 | 64;
  /** What is said instead of the payload's length. */
  readonly lengthBytes?: bigint;
};

const KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** The bytes of a frame. Spec: RFC 6455 section 5.2. */
export function clientFrame(frame: ClientFrame): Uint8Array {
  const { opcode, payload = "", isLast = true, isMasked = true, reserved = 0 } = frame;
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const length = frame.lengthBytes ?? BigInt(bytes.byteLength);
  const bits = frame.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const head = Buffer.alloc({ 7: 2, 16: 4, 64: 10 }[bits]);
  head[0] = (isLast ? 0x80 : 0) | reserved | opcode;
  head[1] = (isMasked ? 0x80 : 0) | { 7: Number(length), 16: 126, 64: 127 }[bits];
  if (bits === 16) head.writeUInt16BE(Number(length), 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt.asUintN(64, length), 2);
  if (!isMasked) return concatBytes([head, bytes]);
  return concatBytes([head, KEY, bytes.map((byte, i) => byte ^ KEY[i % 4]!)]);
}

/** Several frames behind each other. */
export function clientFrames(...frames: readonly ClientFrame[]): Uint8Array {
  return concatBytes(frames.map(clientFrame));
}
