import { COMMON_RATES } from "./bandwidth.ts";

/**
 * How segments are cut into parts. Boundaries lie on a grid of `stepUs` from the segment's start, so that each part is
 * as long as the others whatever the frame rate does; a boundary moves to the frame that begins within `slackUs` of it,
 * so that with a steady frame rate parts last exactly as long as their frames. Units: microseconds.
 */
export type PartRule = {
  readonly stepUs: number;
  readonly slackUs: number;
  /** PART-TARGET: no part is longer, and none but the last of a segment is shorter than 85 % of it. */
  readonly targetUs: number;
};

/** How far a frame may be from the grid: RTMP rounds times to milliseconds. */
const SLACK = 0.02;

/** A frame rate is taken for a common one within this. */
const SAME_RATE = 0.005;

/**
 * The rule for parts of about `chunkUs`, in whole frames of the reference track: `frameUs` each, as measured; 0 where
 * nothing could be measured.
 *
 * The longest part is a step and two slacks long, the shortest a step less two slacks: 92 % of the longest, so that
 * every boundary within the slack keeps both limits.
 * Spec: RFC 8216bis sections 4.4.3.7 and 4.4.4.9.
 */
export function partRuleOf(chunkUs: number, frameUs: number): PartRule {
  const frames = Math.max(1, Math.round(chunkUs / (frameUs || chunkUs)));
  const stepUs = frameUs === 0 ? chunkUs : Math.round(frames * commonFrameUs(frameUs));
  const slackUs = Math.floor(stepUs * SLACK);
  return { stepUs, slackUs, targetUs: Math.ceil((stepUs + 2 * slackUs) / 1000) * 1000 };
}

/** What a measured frame lasts at the nearest common rate, if that is within half a percent of it. */
function commonFrameUs(frameUs: number): number {
  const frames = COMMON_RATES.map((rate) => 1_000_000 / rate);
  const distance = (us: number): number => Math.abs(us - frameUs);
  const nearest = frames.reduce((best, us) => (distance(us) < distance(best) ? us : best));
  return distance(nearest) < nearest * SAME_RATE ? nearest : frameUs;
}
