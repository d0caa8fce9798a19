import { readFourCc, readU16, readU24 } from "../../base/bytes.ts";
import { flvErrors } from "./errors.ts";
import { requireTagBytes } from "./tag-unit.ts";

/** How the tracks of a multitrack message are laid out. Spec: Enhanced RTMP v2, AvMultitrackType. */
const MULTITRACK = { oneTrack: 0, manyTracks: 1, manyTracksManyCodecs: 2 } as const;

const MOD_EX = 7;
const TIMESTAMP_OFFSET_NANO = 0;
/** Tracks in one message; a bound on work, since a track may be empty. */
const MAX_TRACKS_PER_MESSAGE = 16;

/** One track's part of an enhanced tag body. */
export type EnhancedPart = {
  readonly fourCc: string;
  readonly trackIndex: number;
  /** Where the part's data begins and ends in the body. */
  readonly start: number;
  readonly end: number;
};

/** The head of an enhanced tag body, after its ModEx prefixes. */
export type EnhancedHead = {
  packetType: number;
  nanoOffset: number;
  /** Where what follows the packet type begins. */
  at: number;
};

/**
 * Reads the packet type of an enhanced tag body and the ModEx prefixes in front of it.
 *
 * ```
 * flags:4 packetType:4 | while packetType is ModEx: size-1 UI8 (255: UI16 follows) | data | modExType:4 packetType:4
 * ```
 * Unknown ModEx types are passed over, as the specification asks.
 * Throws: FLV_TAG_TRUNCATED. Spec: Enhanced RTMP v2, ExVideoTagHeader and ExAudioTagHeader.
 */
export function readEnhancedHead(body: Uint8Array): EnhancedHead {
  const head: EnhancedHead = { packetType: body[0]! & 0x0f, nanoOffset: 0, at: 1 };
  while (head.packetType === MOD_EX) {
    requireTagBytes(body, head.at + 3);
    let lengthBytes = body[head.at]! + 1;
    let dataAt = head.at + 1;
    if (lengthBytes === 256) {
      lengthBytes = readU16(body, dataAt) + 1;
      dataAt += 2;
    }
    const next = dataAt + lengthBytes;
    requireTagBytes(body, next + 1);
    const modExType = body[next]! >>> 4;
    if (modExType === TIMESTAMP_OFFSET_NANO && lengthBytes >= 3) head.nanoOffset = readU24(body, dataAt);
    head.packetType = body[next]! & 0x0f;
    head.at = next + 1;
  }
  return head;
}

/**
 * Reads which codec and track the rest of an enhanced tag body is for.
 *
 * `multitrackType` is the packet type that means "several tracks" (6 for video, 5 for audio); `head` is moved on.
 * Throws: FLV_TAG_TRUNCATED, FLV_PACKET_UNSUPPORTED for a reserved layout and for too many tracks.
 * Spec: Enhanced RTMP v2, ExVideoTagBody and ExAudioTagBody.
 */
export function readEnhancedParts(
  body: Uint8Array,
  head: EnhancedHead,
  multitrackType: number,
  kind: "video" | "audio",
): readonly EnhancedPart[] {
  if (head.packetType !== multitrackType) {
    requireTagBytes(body, head.at + 4);
    const fourCc = readFourCc(body, head.at);
    return [{ fourCc, trackIndex: 0, start: head.at + 4, end: body.byteLength }];
  }
  requireTagBytes(body, head.at + 1);
  const layout = body[head.at]! >>> 4;
  head.packetType = body[head.at]! & 0x0f;
  if (layout > MULTITRACK.manyTracksManyCodecs || head.packetType === multitrackType) {
    throw flvErrors.error("FLV_PACKET_UNSUPPORTED", { kind, packetType: `multitrack ${layout}` });
  }
  return readTracks(body, head.at + 1, layout, kind);
}

function readTracks(
  body: Uint8Array,
  from: number,
  layout: number,
  kind: "video" | "audio",
): readonly EnhancedPart[] {
  const parts: EnhancedPart[] = [];
  const ownFourCc = layout === MULTITRACK.manyTracksManyCodecs;
  if (!ownFourCc) requireTagBytes(body, from + 4);
  const sharedFourCc = ownFourCc ? "" : readFourCc(body, from);
  let at = ownFourCc ? from : from + 4;
  do {
    if (parts.length === MAX_TRACKS_PER_MESSAGE) {
      throw flvErrors.error("FLV_PACKET_UNSUPPORTED", { kind, packetType: "more than 16 tracks" });
    }
    const fieldBytes = (ownFourCc ? 4 : 0) + 1 + (layout === MULTITRACK.oneTrack ? 0 : 3);
    requireTagBytes(body, at + fieldBytes);
    const fourCc = ownFourCc ? readFourCc(body, at) : sharedFourCc;
    const trackIndex = body[at + (ownFourCc ? 4 : 0)]!;
    const start = at + fieldBytes;
    const end = layout === MULTITRACK.oneTrack ? body.byteLength : start + readU24(body, start - 3);
    requireTagBytes(body, end);
    parts.push({ fourCc, trackIndex, start, end });
    at = end;
  } while (at < body.byteLength);
  return parts;
}
