import { rescale, ticksToUs } from "../../base/time.ts";
import {
  buildConfigBody,
  canCarry,
  frameHeaderBytes,
  metadataCodecId,
  writeFrameHeader,
} from "../../containers/flv/tag-writer.ts";
import type { FrameFlags } from "../../containers/flv/tag-writer.ts";
import { trackId } from "../../media/ids.ts";
import type { TrackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track, TrackKind, TrackSet } from "../../media/track.ts";
import type { WireFormat, WireFormatFactory } from "../../stream/wire-format.ts";
import { amfObject } from "./wire/amf-value.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { writeAmf0 } from "./wire/amf0.ts";
import { buildMessage, headerBytes } from "./wire/chunk-writer.ts";
import { CHUNK_STREAM, MESSAGE } from "./wire/messages.ts";
import { concatBytes } from "../../base/bytes.ts";

/** Chunk size of everything that is sent: few chunks a message, and librtmp takes it. */
export const SENT_CHUNK_BYTES = 60_000;

/** The one message stream that a player has, so that the same bytes fit all players. */
export const PLAY_MESSAGE_STREAM = 1;

const CARRIED_IDS: ReadonlySet<TrackId> = new Set([trackId("video", 1), trackId("audio", 1)]);

/**
 * The stream as RTMP messages, the same bytes for every player: legacy forms for H.264, AAC and MP3, Enhanced RTMP's
 * for H.265, AV1, Opus and AC-3, whether or not the player announced that it knows them; one that does not skips
 * them. The first video and the first audio track only: a player takes no more.
 * Timestamps are milliseconds since the stream's beginning, modulo 2^32.
 * Spec: Adobe RTMP 1.0 sections 5.3.1, 7.1; Enhanced RTMP v2.
 */
export const rtmpFormat: WireFormatFactory = {
  id: "rtmp",
  create: (originUs) => new RtmpFormat(originUs),
};

class RtmpFormat implements WireFormat {
  readonly #originUs: number;

  constructor(originUs: number) {
    this.#originUs = originUs;
  }

  tracks(tracks: TrackSet, atUs: number): Uint8Array {
    const carried = tracks.tracks.filter(isCarried);
    const timestampMs = Math.max(0, this.#milliseconds(atUs));
    const messages = [metadataMessage(carried, timestampMs)];
    for (const track of carried) {
      const body = buildConfigBody(track);
      if (body !== null)
        messages.push(buildMessage(headerOf(track.kind, timestampMs), body, SENT_CHUNK_BYTES));
    }
    return concatBytes(messages);
  }

  packet(packet: MediaPacket): Uint8Array | null {
    const { track, payload } = packet;
    if (!isCarried(track)) return null;
    const exactMs = this.#milliseconds(ticksToUs(packet.dts, track.timescale));
    const ptsMs = this.#milliseconds(ticksToUs(packet.pts, track.timescale));
    const flags: FrameFlags = { isKey: packet.isSync, ctsOffsetMs: ptsMs - exactMs };
    // The other track may begin a little before the stream's beginning; below zero would look like 49 days.
    const dtsMs = Math.max(0, exactMs);
    const prefixBytes = frameHeaderBytes(track, flags);
    const message = buildMessage(headerOf(track.kind, dtsMs), payload, SENT_CHUNK_BYTES, prefixBytes);
    writeFrameHeader(message, headerBytes(dtsMs), track, flags);
    return message;
  }

  /** Rounded to the nearest, so that times which came as milliseconds leave as the same ones. */
  #milliseconds(us: number): number {
    return rescale(us - this.#originUs + 500, 1_000_000, 1000);
  }
}

/** By the track alone, so that a packet's bytes do not depend on what was asked before. */
function isCarried(track: Track): boolean {
  return CARRIED_IDS.has(track.id) && canCarry(track);
}

function headerOf(kind: TrackKind, timestampMs: number) {
  return kind === "video"
    ? {
        chunkStreamId: CHUNK_STREAM.video,
        timestampMs,
        typeId: MESSAGE.video,
        messageStreamId: PLAY_MESSAGE_STREAM,
      }
    : {
        chunkStreamId: CHUNK_STREAM.audio,
        timestampMs,
        typeId: MESSAGE.audio,
        messageStreamId: PLAY_MESSAGE_STREAM,
      };
}

function metadataMessage(tracks: readonly Track[], timestampMs: number): Uint8Array {
  const body = writeAmf0(["onMetaData", amfObject(metadataOf(tracks), "ecma-array")]);
  const header = {
    chunkStreamId: CHUNK_STREAM.status,
    timestampMs,
    typeId: MESSAGE.dataAmf0,
    messageStreamId: PLAY_MESSAGE_STREAM,
  };
  return buildMessage(header, body, SENT_CHUNK_BYTES);
}

/** Spec: FLV 10.1 E.5; Enhanced RTMP v2, Enhancing onMetaData. */
function metadataOf(tracks: readonly Track[]): Record<string, AmfValue> {
  const fields: Record<string, AmfValue> = { server: "Weir" };
  for (const track of tracks) {
    if (track.kind === "video") {
      fields["videocodecid"] = metadataCodecId(track);
      fields["width"] = track.width;
      fields["height"] = track.height;
      if (track.frameRate > 0) fields["framerate"] = track.frameRate;
    } else {
      fields["audiocodecid"] = metadataCodecId(track);
      fields["audiosamplerate"] = track.sampleRate;
      fields["audiosamplesize"] = 16;
      fields["audiochannels"] = track.channels;
      fields["stereo"] = track.channels === 2;
    }
  }
  return fields;
}
