import { readU24, readU32, writeU32 } from "../../../base/bytes.ts";
import { rtmpErrors } from "../errors.ts";
import { readAmf0, writeAmf0 } from "./amf0.ts";
import type { AmfValue } from "./amf-value.ts";
import type { RtmpMessage } from "./chunk-reader.ts";

/** Message types. Spec: Adobe RTMP 1.0 sections 5.4, 6.1, 7.1. */
export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** User control events. Spec: Adobe RTMP 1.0 section 7.1.7. */
export const CONTROL_EVENT = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** Chunk streams that we write on; the numbers are free above 2, these are the usual ones. */
export const CHUNK_STREAM = { control: 2, command: 3, audio: 4, status: 5, video: 6 } as const;

/** A call or its reply: `_result`, `onStatus`, `publish` and so on. */
export type RtmpCommand = {
  readonly name: string;
  /** 0: no reply is wanted. */
  readonly transactionId: number;
  /** The command object, `null` for most. */
  readonly object: AmfValue;
  readonly args: readonly AmfValue[];
};

/**
 * Reads a command message.
 *
 * Type 17 begins with a format byte 0 and goes on in AMF0, whose values may switch to AMF3; some senders leave the
 * byte out. A transaction id that is missing counts as 0.
 * Throws: RTMP_COMMAND_MALFORMED, with the AMF error as its cause.
 * Spec: Adobe RTMP 1.0 sections 7.1.1, 7.2.
 */
export function parseCommand(message: RtmpMessage): RtmpCommand {
  const values = readCommandValues(message);
  const [name, transactionId, object, ...args] = values;
  if (typeof name !== "string" || name === "") {
    throw rtmpErrors.error("RTMP_COMMAND_MALFORMED", { reason: "it does not begin with a name" });
  }
  const id = typeof transactionId === "number" && Number.isFinite(transactionId) ? transactionId : 0;
  return { name, transactionId: id, object, args };
}

function readCommandValues(message: RtmpMessage): AmfValue[] {
  try {
    return readData(message);
  } catch (caught) {
    const reason = caught instanceof Error ? caught.message : String(caught);
    throw rtmpErrors.error("RTMP_COMMAND_MALFORMED", { reason }, caught);
  }
}

/** Reads the values of a data message (types 18 and 15). Throws: the AMF errors. Spec: Adobe RTMP 1.0 section 7.1.2. */
export function readData(message: RtmpMessage): AmfValue[] {
  const isAmf3 = message.typeId === MESSAGE.commandAmf3 || message.typeId === MESSAGE.dataAmf3;
  return readAmf0(message.body, isAmf3 && message.body[0] === 0 ? 1 : 0);
}

/** The body of a command. */
export function buildCommand(command: RtmpCommand): Uint8Array {
  return writeAmf0([command.name, command.transactionId, command.object, ...command.args]);
}

/** A user control event. `value`: message stream id, or timestamp for pings; `bufferMs`: of Set Buffer Length. */
export type UserControl = { readonly event: number; readonly value: number; readonly bufferMs: number };

/** Reads a user control message. Throws: RTMP_CONTROL_TRUNCATED. Spec: Adobe RTMP 1.0 section 7.1.7. */
export function parseUserControl(message: RtmpMessage): UserControl {
  requireBytes(message, 2);
  const event = (message.body[0]! << 8) | message.body[1]!;
  const { byteLength } = message.body;
  const value = byteLength >= 6 ? readU32(message.body, 2) : 0;
  return { event, value, bufferMs: byteLength >= 10 ? readU32(message.body, 6) : 0 };
}

/** The body of a user control event with one 4-byte value. */
export function buildUserControl(event: number, value: number): Uint8Array {
  const body = new Uint8Array(6);
  body[1] = event;
  writeU32(body, 2, value);
  return body;
}

/** Reads the 4-byte number of an Acknowledgement, Window Acknowledgement Size or Set Peer Bandwidth message. */
export function parseControlNumber(message: RtmpMessage): number {
  requireBytes(message, 4);
  return readU32(message.body, 0);
}

/** The body of Set Chunk Size, Acknowledgement or Window Acknowledgement Size. */
export function buildControlNumber(value: number): Uint8Array {
  const body = new Uint8Array(4);
  writeU32(body, 0, value);
  return body;
}

/** The body of Set Peer Bandwidth with the limit type "dynamic". Spec: Adobe RTMP 1.0 section 5.4.5. */
export function buildPeerBandwidth(windowBytes: number): Uint8Array {
  const body = new Uint8Array(5);
  writeU32(body, 0, windowBytes);
  body[4] = 2;
  return body;
}

function requireBytes(message: RtmpMessage, lengthBytes: number): void {
  if (message.body.byteLength >= lengthBytes) return;
  const context = { typeId: message.typeId, lengthBytes: message.body.byteLength };
  throw rtmpErrors.error("RTMP_CONTROL_TRUNCATED", context);
}

const TAG_HEADER_BYTES = 11;
const BACK_POINTER_BYTES = 4;

/**
 * Takes an aggregate message apart, calling `each` with every message in it.
 *
 * ```
 * type UI8 | size UI24 | timestamp UI24 + UI8 (high byte) | stream id UI24 | body | back pointer UI32
 * ```
 * Times are moved so that the first message has the aggregate's time. An aggregate inside an aggregate is passed over.
 * Ownership: bodies are views of the aggregate's.
 * Throws: RTMP_AGGREGATE_MALFORMED, after the messages that were whole.
 * Spec: Adobe RTMP 1.0 section 7.1.6.
 */
export function splitAggregate(message: RtmpMessage, each: (part: RtmpMessage) => void): void {
  const { body, messageStreamId } = message;
  let offset = 0;
  let shiftMs: number | null = null;
  while (offset < body.byteLength) {
    const bodyAt = offset + TAG_HEADER_BYTES;
    const end = bodyAt <= body.byteLength ? bodyAt + readU24(body, offset + 1) : Infinity;
    if (end > body.byteLength) throw rtmpErrors.error("RTMP_AGGREGATE_MALFORMED", { offset });
    const typeId = body[offset]!;
    const ownMs = (readU24(body, offset + 4) | (body[offset + 7]! << 24)) >>> 0;
    shiftMs ??= message.timestampMs - ownMs;
    const timestampMs = (ownMs + shiftMs) >>> 0;
    if (typeId !== MESSAGE.aggregate) {
      each({ typeId, timestampMs, messageStreamId, body: body.subarray(bodyAt, end), slab: message.slab });
    }
    offset = end + BACK_POINTER_BYTES;
  }
}
