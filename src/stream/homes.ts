import type { StreamName } from "../media/ids.ts";

/** Number of a media thread. */
export type ThreadIndex = number;

/** Who knows which thread is the home of which stream; one for all threads, so that two never take the same name. */
export type HomeRegistry = {
  /** Makes the asking thread the home, unless there is one. Resolves with the home. */
  claim(name: StreamName): Promise<ThreadIndex>;
  /** The asking thread is the home no more. */
  release(name: StreamName): void;
  /** The home as it is now, and from now on every change through `ThreadDirectory.homeChanged`. */
  watch(name: StreamName): Promise<ThreadIndex | null>;
  /** Ends `watch`. */
  unwatch(name: StreamName): void;
};
