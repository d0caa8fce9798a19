import { rescale, ticksToUs } from "../../base/time.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { FrameFlags } from "./tag-writer.ts";

/** When a packet is to be told to a player, and how. */
export type FrameTimes = { readonly timestampMs: number; readonly flags: FrameFlags };

/**
 * The times of a packet as tags and messages have them: milliseconds since the stream's beginning, at `originUs` of its
 * media clock.
 *
 * The other track may begin a little before the stream's beginning: it begins at zero, since below zero would look like
 * 49 days.
 */
export function frameTimes(packet: MediaPacket, originUs: number): FrameTimes {
  const { timescale } = packet.track;
  const dtsMs = exactMs(ticksToUs(packet.dts, timescale), originUs);
  const ptsMs = exactMs(ticksToUs(packet.pts, timescale), originUs);
  return { timestampMs: Math.max(0, dtsMs), flags: { isKey: packet.isSync, ctsOffsetMs: ptsMs - dtsMs } };
}

/** The time of a configuration in the same count. */
export function configurationMs(atUs: number, originUs: number): number {
  return Math.max(0, exactMs(atUs, originUs));
}

/** Rounded to the nearest, so that times which came as milliseconds leave as the same ones. */
function exactMs(us: number, originUs: number): number {
  return rescale(us - originUs + 500, 1_000_000, 1000);
}
