import type { Track, TrackSet } from "../../media/track.ts";
import { makeTrackSet } from "../../media/track.ts";
import { canCarryInTs } from "./carriage.ts";
import { TS_PACKET_BYTES, TS_TIMESCALE } from "./layout.ts";
import { TsMuxer } from "./muxer.ts";
import type { TsMuxerInput, TsMuxerOptions } from "./muxer.ts";
import { toTsTicks } from "./timestamps.ts";

/** How a segment is written. */
export type TsSegmentOptions = Pick<TsMuxerOptions, "audioDelayMs" | "pcrDelayMs" | "originTicks"> & {
  /** No segment follows, whose clock would have to be left room: this one's goes on to the end of its sound. */
  readonly isLast?: boolean;
};

/** PAT and PMT of one segment; a multiple of the continuity counter's modulus. */
const TABLES_PER_SEGMENT = 16;
const VERSIONS = 32;

/**
 * Writes one segment of HLS as a transport stream: PAT and PMT, then the packets.
 *
 * Continuity counters have to go on without a break from each segment to the next (RFC 8216 section 3; players such as
 * ExoPlayer drop media where they do not, VLC and hls.js warn), yet segments are made only when someone asks for them,
 * in any order, by any pod, for any selection of tracks. EXT-X-DISCONTINUITY before each of them would be a lie about
 * the timeline. So every segment begins with every counter at 0 and ends with it at 15: the tables are written 16 times,
 * spread over the segment, and the last PES packet of each track is stuffed into as many TS packets as are missing. That
 * costs 6 KB for the tables and 1.4 KB on average a track and segment, and makes any segment follow any other.
 *
 * Input: the segment's packets in order of decode time; those of tracks that are not in `tracks`, or that
 * `canCarryInTs` refuses, are left out. `tracks.epoch` gives the version of the program map.
 * Returns: whole TS packets; empty when no track can be carried or no packet is left.
 * Ownership: the result is the caller's. Throws: CODEC_BAD_CONFIG.
 * Spec: RFC 8216 sections 3, 3.2, 4.3.2.3.
 */
export function muxTsSegment(
  packets: readonly TsMuxerInput[],
  tracks: TrackSet,
  options: TsSegmentOptions = {},
): Uint8Array<ArrayBuffer> {
  const carried = tracks.tracks.filter(canCarryInTs);
  const chosen = packets.filter(({ track }) => carried.some(({ id }) => id === track.id));
  if (chosen.length === 0) return new Uint8Array(0);
  const { isLast = false, ...muxing } = options;
  const muxer = new TsMuxer({
    ...muxing,
    pcrWaitMs: 0,
    tableIntervalMs: tableInterval(chosen),
    firstVersion: tracks.epoch % VERSIONS,
    tablesAtKeyFrames: false,
    clockEndTicks: isLast ? Infinity : nextPictureTicks(chosen, carried),
  });
  muxer.setTracks(makeTrackSet(tracks.epoch, carried));
  muxer.expect(likelyBytes(chosen));
  const last = new Map(chosen.map((packet) => [packet.track.id, packet]));
  for (const packet of chosen) muxer.write(packet, last.get(packet.track.id) === packet);
  muxer.finish();
  return muxer.take();
}

/**
 * When the next segment's first picture is likely to be decoded, as far from the last as that is from the one before.
 * Sound that plays until the next picture is shown is decoded after that one where pictures are reordered.
 */
function nextPictureTicks(packets: readonly TsMuxerInput[], tracks: readonly Track[]): number {
  const clock = tracks.find(({ kind }) => kind === "video");
  let [before, last] = [-Infinity, -Infinity];
  for (const { track, dts } of packets) if (track.id === clock?.id) [before, last] = [last, dts];
  if (clock === undefined || before === -Infinity) return Infinity;
  return toTsTicks(last + (last - before), clock.timescale);
}

/** A little more than the packets will need: a TS packet of headers and stuffing each, and a part of the rest. */
function likelyBytes(packets: readonly TsMuxerInput[]): number {
  let payloadBytes = 0;
  for (const { payload } of packets) payloadBytes += payload.byteLength;
  return Math.ceil(payloadBytes * 1.03) + (packets.length + 4 * TABLES_PER_SEGMENT) * TS_PACKET_BYTES;
}

/** So that the tables come `TABLES_PER_SEGMENT` times at most. Units: milliseconds. */
function tableInterval(packets: readonly TsMuxerInput[]): number {
  let first = Infinity;
  let last = -Infinity;
  for (const { track, dts, pts } of packets) {
    first = Math.min(first, toTsTicks(dts, track.timescale));
    last = Math.max(last, toTsTicks(Math.max(dts, pts), track.timescale));
  }
  return Math.ceil(((last - first + 1) * 1000) / TS_TIMESCALE / TABLES_PER_SEGMENT) + 1;
}
