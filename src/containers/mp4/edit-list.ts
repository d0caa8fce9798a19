import { readI32, readI64, readU32, readU64 } from "../../base/bytes.ts";
import { boxError, readCount, versionOf } from "./box-reader.ts";
import type { Box } from "./box-reader.ts";

/** What an edit list says of when a track plays, as far as players follow it. */
export type Edit = {
  /** The track begins this much later than the presentation; ticks of the movie. */
  readonly delayMovieTicks: number;
  /** The time in the track at which it begins; ticks of the track. */
  readonly mediaTime: number;
  /** How much of the track plays; ticks of the movie; 0: all of it. */
  readonly durationMovieTicks: number;
  /** Edits that are passed over: those after the first that plays something. */
  readonly ignored: number;
};

/** The edit of a track without an edit list. */
export const NO_EDIT: Edit = { delayMovieTicks: 0, mediaTime: 0, durationMovieTicks: 0, ignored: 0 };

/**
 * Reads an `elst` box: leading empty edits are a delay, the first other one is applied, the rest is counted.
 *
 * Throws: MP4_BAD_BOX. Spec: ISO/IEC 14496-12 section 8.6.6.
 */
export function readEditList(elst: Box): Edit {
  const isLong = versionOf(elst) === 1;
  const entryBytes = isLong ? 20 : 12;
  const count = readCount(elst, 4, entryBytes);
  const { bytes } = elst;
  let delayMovieTicks = 0;
  for (let i = 0; i < count; i++) {
    const at = elst.start + 8 + i * entryBytes;
    const durationMovieTicks = isLong ? readU64(bytes, at) : readU32(bytes, at);
    const mediaTime = isLong ? readI64(bytes, at + 8) : readI32(bytes, at + 4);
    if (!Number.isSafeInteger(durationMovieTicks + delayMovieTicks) || !Number.isSafeInteger(mediaTime)) {
      throw boxError(elst, `its entry ${i + 1} is beyond any recording`);
    }
    if (mediaTime === -1) {
      delayMovieTicks += durationMovieTicks;
      continue;
    }
    if (mediaTime < 0) throw boxError(elst, `its entry ${i + 1} begins at ${mediaTime}`);
    return { delayMovieTicks, mediaTime, durationMovieTicks, ignored: count - i - 1 };
  }
  return { ...NO_EDIT, delayMovieTicks };
}
