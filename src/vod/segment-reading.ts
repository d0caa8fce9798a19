import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { BoundedWork } from "./bounded-work.ts";
import type { ByteLru } from "./byte-lru.ts";

/** One track of one segment, or of another stretch of a file: its sample table and its payload. */
export type SegmentBlock = { readonly table: FragmentTrack; readonly payload: Uint8Array };

/** What those who read files share: bounds on what is read at a time and on what is kept. */
export type SegmentReading = {
  /** Blocks that were read lately. */
  readonly blocks: ByteLru<SegmentBlock>;
  readonly work: BoundedWork;
};
