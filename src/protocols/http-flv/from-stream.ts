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
import {
  buildConfigBody,
  canCarry,
  frameHeaderBytes,
  writeFrameHeader,
} from "../../containers/flv/tag-writer.ts";
import { trackId } from "../../media/ids.ts";
import type { TrackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track, TrackKind, TrackSet } from "../../media/track.ts";
import { chosenTracks } from "../../packaging/chosen-tracks.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";
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
  create: (originUs) => new FlvFormat(originUs, isCarried),
};

/**
 * The same of the tracks that a viewer chose: the first of each kind that is named, as a file has one of each. `null`: of
 * those that who does not choose gets.
 */
export function flvFormatOf(selection: TrackSelection | null): WireFormatFactory {
  if (selection === null) return flvFormat;
  const chosen = oneOfEach(selection);
  const isUsual = chosen.length === USUAL_IDS.size && chosen.every((id) => USUAL_IDS.has(id));
  return isUsual ? flvFormat : chosenTracks(anyTracks, chosen);
}

/** Who chooses these gets what who does not choose gets. */
const USUAL_IDS: ReadonlySet<TrackId> = new Set([trackId("video", 1), trackId("audio", 1)]);

/** Of whatever tracks it is given. */
const anyTracks: WireFormatFactory = {
  id: "flv",
  carries: canCarry,
  create: (originUs) => new FlvFormat(originUs, canCarry),
};

function oneOfEach(selection: TrackSelection): TrackSelection {
  const first = ["v", "a"].flatMap((kind) => selection.find((id) => id.startsWith(kind)) ?? []);
  return first.length > 0 ? first : selection;
}

class FlvFormat implements WireFormat {
  readonly #originUs: number;
  readonly #isCarried: (track: Track) => boolean;

  constructor(originUs: number, carries: (track: Track) => boolean) {
    this.#originUs = originUs;
    this.#isCarried = carries;
  }

  preamble(tracks: TrackSet): Uint8Array {
    const has = (kind: TrackKind): boolean =>
      tracks.tracks.some((track) => track.kind === kind && this.#isCarried(track));
    return buildFlvHeader(has("video"), has("audio"));
  }

  tracks(tracks: TrackSet, atUs: number): Uint8Array {
    const carried = tracks.tracks.filter(this.#isCarried);
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
    if (!this.#isCarried(track)) return;
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
