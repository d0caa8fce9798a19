import { concatBytes } from "../../base/bytes.ts";
import { isCarried } from "../../containers/flv/carried.ts";
import {
  FLV_TAG,
  TAG_HEADER_BYTES,
  buildFlvHeader,
  buildFlvTag,
  flvTagBytes,
  writeFlvTag,
} from "../../containers/flv/file-writer.ts";
import { configurationMs, frameTimes } from "../../containers/flv/frame-times.ts";
import { buildMetadataBody } from "../../containers/flv/metadata.ts";
import { buildConfigBody, frameHeaderBytes, writeFrameHeader } from "../../containers/flv/tag-writer.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { TrackKind, TrackSet } from "../../media/track.ts";
import type { WireFormat, WireFormatFactory, WireRoom } from "../../stream/wire-format.ts";

/**
 * The stream as an FLV file without an end, the same bytes for every player behind the file header: legacy forms for
 * H.264, AAC and MP3, Enhanced RTMP's for H.265, AV1, Opus and AC-3. The first video and the first audio track only.
 * Timestamps are milliseconds since the stream's beginning, modulo 2^32.
 * Spec: FLV 10.1 annex E; Enhanced RTMP v2.
 */
export const flvFormat: WireFormatFactory = {
  id: "flv",
  carries: isCarried,
  create: (originUs) => new FlvFormat(originUs),
};

class FlvFormat implements WireFormat {
  readonly #originUs: number;

  constructor(originUs: number) {
    this.#originUs = originUs;
  }

  preamble(tracks: TrackSet): Uint8Array {
    const has = (kind: TrackKind): boolean =>
      tracks.tracks.some((track) => track.kind === kind && isCarried(track));
    return buildFlvHeader(has("video"), has("audio"));
  }

  tracks(tracks: TrackSet, atUs: number): Uint8Array {
    const carried = tracks.tracks.filter(isCarried);
    const timestampMs = configurationMs(atUs, this.#originUs);
    // FFmpeg takes a script tag at another time than 0 for a track of text, in which nothing ever comes.
    const tags = [buildFlvTag(FLV_TAG.script, 0, buildMetadataBody(carried))];
    for (const track of carried) {
      const body = buildConfigBody(track);
      if (body !== null) tags.push(buildFlvTag(tagType(track.kind), timestampMs, body));
    }
    return concatBytes(tags);
  }

  packet(packet: MediaPacket, room: WireRoom): void {
    const { track, payload } = packet;
    if (!isCarried(track)) return;
    const { timestampMs, flags } = frameTimes(packet, this.#originUs);
    const prefixBytes = frameHeaderBytes(track, flags);
    const out = room.reserve(flvTagBytes(prefixBytes + payload.byteLength));
    const at = room.offset;
    writeFlvTag(out, at, { type: tagType(track.kind), timestampMs }, payload, prefixBytes);
    writeFrameHeader(out, at + TAG_HEADER_BYTES, track, flags);
  }
}

function tagType(kind: TrackKind): number {
  return kind === "video" ? FLV_TAG.video : FLV_TAG.audio;
}
