import { PLAY_MESSAGE_STREAM, SENT_CHUNK_BYTES } from "./from-stream.ts";
import { statusObject } from "./status.ts";
import type { StatusKey } from "./status.ts";
import { writeAmf0 } from "./wire/amf0.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { buildMessage } from "./wire/chunk-writer.ts";
import {
  CHUNK_STREAM,
  CONTROL_EVENT,
  MESSAGE,
  buildCommand,
  buildControlNumber,
  buildPeerBandwidth,
  buildUserControl,
} from "./wire/messages.ts";

/** Bytes after which each side wants to hear from the other. */
export const WINDOW_BYTES = 2_500_000;

const BEFORE_CHUNK_SIZE = 128;

/** Everything that a session says besides media, as bytes. */
export class RtmpOutbox {
  readonly #write: (bytes: Uint8Array) => void;
  #chunkSize = BEFORE_CHUNK_SIZE;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** The control messages in front of the reply to `connect`; from here on chunks are big. */
  greet(): void {
    this.#control(MESSAGE.windowAckSize, buildControlNumber(WINDOW_BYTES));
    this.#control(MESSAGE.setPeerBandwidth, buildPeerBandwidth(WINDOW_BYTES));
    this.#control(MESSAGE.setChunkSize, buildControlNumber(SENT_CHUNK_BYTES));
    this.#chunkSize = SENT_CHUNK_BYTES;
  }

  /** Tells the peer how many bytes have come, modulo 2^32. */
  acknowledge(receivedBytes: number): void {
    this.#control(MESSAGE.acknowledgement, buildControlNumber(receivedBytes));
  }

  /** Repeats the window to a peer that changed its limit. */
  announceWindow(): void {
    this.#control(MESSAGE.windowAckSize, buildControlNumber(WINDOW_BYTES));
  }

  /** Answers a ping with its own timestamp. */
  pong(timestampMs: number): void {
    this.#control(MESSAGE.userControl, buildUserControl(CONTROL_EVENT.pingResponse, timestampMs));
  }

  /** Stream Begin for the player's message stream. */
  streamBegin(): void {
    this.#control(MESSAGE.userControl, buildUserControl(CONTROL_EVENT.streamBegin, PLAY_MESSAGE_STREAM));
  }

  /** Stream EOF for the player's message stream. */
  streamEof(): void {
    this.#control(MESSAGE.userControl, buildUserControl(CONTROL_EVENT.streamEof, PLAY_MESSAGE_STREAM));
  }

  /** Stream Dry for the player's message stream: nothing can be sent for now. */
  streamDry(): void {
    this.#control(MESSAGE.userControl, buildUserControl(CONTROL_EVENT.streamDry, PLAY_MESSAGE_STREAM));
  }

  /** Stream Is Recorded for the player's message stream: one can seek in it. */
  streamIsRecorded(): void {
    const body = buildUserControl(CONTROL_EVENT.streamIsRecorded, PLAY_MESSAGE_STREAM);
    this.#control(MESSAGE.userControl, body);
  }

  /** A status as a data message, `onPlayStatus`, among the media of a time. */
  playStatus(key: StatusKey, timestampMs: number, more: Readonly<Record<string, AmfValue>>): void {
    const body = writeAmf0(["onPlayStatus", statusObject(key, undefined, more)]);
    const header = { chunkStreamId: CHUNK_STREAM.status, timestampMs, typeId: MESSAGE.dataAmf0 };
    this.#write(buildMessage({ ...header, messageStreamId: PLAY_MESSAGE_STREAM }, body, this.#chunkSize));
  }

  /** The reply to a call; nothing when the call wanted none. */
  result(transactionId: number, object: AmfValue, ...args: readonly AmfValue[]): void {
    if (transactionId !== 0) this.#command(0, "_result", transactionId, object, args);
  }

  /** The reply to a call that failed; nothing when the call wanted none. */
  failure(transactionId: number, key: StatusKey, description?: string): void {
    if (transactionId === 0) return;
    this.#command(0, "_error", transactionId, null, [statusObject(key, description)]);
  }

  /** A call of ours on the connection that wants no reply, e.g. `onFCPublish`. */
  call(name: string, ...args: readonly AmfValue[]): void {
    this.#command(0, name, 0, null, args);
  }

  /** `onStatus` on the client's stream. */
  status(key: StatusKey, description?: string, more?: Readonly<Record<string, AmfValue>>): void {
    const info = statusObject(key, description, more);
    this.#command(PLAY_MESSAGE_STREAM, "onStatus", 0, null, [info]);
  }

  #control(typeId: number, body: Uint8Array): void {
    const header = { chunkStreamId: CHUNK_STREAM.control, timestampMs: 0, typeId, messageStreamId: 0 };
    this.#write(buildMessage(header, body, this.#chunkSize));
  }

  #command(
    messageStreamId: number,
    name: string,
    transactionId: number,
    object: AmfValue,
    args: readonly AmfValue[],
  ): void {
    const chunkStreamId = messageStreamId === 0 ? CHUNK_STREAM.command : CHUNK_STREAM.status;
    const header = { chunkStreamId, timestampMs: 0, typeId: MESSAGE.commandAmf0, messageStreamId };
    this.#write(buildMessage(header, buildCommand({ name, transactionId, object, args }), this.#chunkSize));
  }
}
