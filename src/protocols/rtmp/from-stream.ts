import { concatBytes } from "../../base/bytes.ts";
import { isCarried } from "../../containers/flv/carried.ts";
import { configurationMs, frameTimes } from "../../containers/flv/frame-times.ts";
import { buildMetadataBody } from "../../containers/flv/metadata.ts";
import { buildConfigBody, frameHeaderBytes, writeFrameHeader } from "../../containers/flv/tag-writer.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import type { WireFormat, WireFormatFactory, WireRoom } from "../../stream/wire-format.ts";
import { buildMessage, headerBytes, messageBytes, writeMessage } from "./wire/chunk-writer.ts";
import type { MessageHeader } from "./wire/chunk-writer.ts";
import { CHUNK_STREAM, MESSAGE } from "./wire/messages.ts";

/** Chunk size of everything that is sent: few chunks a message, and librtmp takes it. */
export const SENT_CHUNK_BYTES = 60_000;

/** The one message stream that a player has, so that the same bytes fit all players. */
export const PLAY_MESSAGE_STREAM = 1;

/**
 * The stream as RTMP messages, the same bytes for every player: legacy forms for H.264, AAC and MP3, Enhanced RTMP's
 * for H.265, AV1, Opus and AC-3, whether or not the player announced that it knows them; one that does not skips
 * them. The first video and the first audio track only: a player takes no more.
 * Timestamps are milliseconds since the stream's beginning, modulo 2^32.
 * Spec: Adobe RTMP 1.0 sections 5.3.1, 7.1; Enhanced RTMP v2.
 */
export const rtmpFormat: WireFormatFactory = {
  id: "rtmp",
  carries: isCarried,
  create: (originUs) => new RtmpFormat(originUs),
};

class RtmpFormat implements WireFormat {
  readonly #originUs: number;

  constructor(originUs: number) {
    this.#originUs = originUs;
  }

  tracks(tracks: TrackSet, atUs: number): Uint8Array {
    return trackMessages(tracks, configurationMs(atUs, this.#originUs), null);
  }

  packet(packet: MediaPacket, room: WireRoom): void {
    const { track, payload } = packet;
    if (!isCarried(track)) return;
    const { timestampMs, flags } = frameTimes(packet, this.#originUs);
    const prefixBytes = frameHeaderBytes(track, flags);
    const out = room.reserve(messageBytes(timestampMs, prefixBytes + payload.byteLength, SENT_CHUNK_BYTES));
    const at = room.offset;
    const header = headerOf(track.kind === "video" ? MESSAGE.video : MESSAGE.audio, timestampMs);
    writeMessage(out, at, header, payload, { chunkSize: SENT_CHUNK_BYTES, prefixBytes });
    writeFrameHeader(out, at + headerBytes(timestampMs), track, flags);
  }
}

/**
 * Metadata, and the codec configurations of a recording at a time of the player's clock.
 * `durationUs`: what players show as its length; `Infinity` for what goes on.
 */
export function recordedTracks(tracks: TrackSet, timestampMs: number, durationUs: number): Uint8Array {
  return trackMessages(tracks, timestampMs, Number.isFinite(durationUs) ? durationUs : null);
}

/** The configurations alone: of a recording all has been told at its beginning. */
export function recordedConfigurations({ tracks }: TrackSet, timestampMs: number): Uint8Array {
  return concatBytes(configurationMessages(tracks.filter(isCarried), timestampMs));
}

function trackMessages(tracks: TrackSet, timestampMs: number, durationUs: number | null): Uint8Array {
  const carried = tracks.tracks.filter(isCarried);
  // FFmpeg takes metadata at another time than 0 for a track of text, in which nothing ever comes.
  const header = headerOf(MESSAGE.dataAmf0, 0);
  const metadata = buildMessage(header, buildMetadataBody(carried, durationUs), SENT_CHUNK_BYTES);
  return concatBytes([metadata, ...configurationMessages(carried, timestampMs)]);
}

function configurationMessages(carried: readonly Track[], timestampMs: number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (const track of carried) {
    const body = buildConfigBody(track);
    const type = track.kind === "video" ? MESSAGE.video : MESSAGE.audio;
    if (body !== null) messages.push(buildMessage(headerOf(type, timestampMs), body, SENT_CHUNK_BYTES));
  }
  return messages;
}

const CHUNK_STREAM_OF: Readonly<Record<number, number>> = {
  [MESSAGE.video]: CHUNK_STREAM.video,
  [MESSAGE.audio]: CHUNK_STREAM.audio,
  [MESSAGE.dataAmf0]: CHUNK_STREAM.status,
};

function headerOf(typeId: number, timestampMs: number): MessageHeader {
  const chunkStreamId = CHUNK_STREAM_OF[typeId] ?? CHUNK_STREAM.status;
  return { chunkStreamId, timestampMs, typeId, messageStreamId: PLAY_MESSAGE_STREAM };
}
