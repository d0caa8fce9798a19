import type { Clock } from "../base/clock.ts";
import { EdgeWaiters, HOLD_TARGETS, endAtOnce } from "./edge-waiters.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { EdgeSource, Hold, LiveEdge, MediaBody, Timeline, TrackSelection } from "./presentation.ts";

/** Asks the thread that has the window for a part; `null`: it has none of that name. */
export type FetchPart = (
  segment: string,
  index: number,
  selection: TrackSelection,
) => Promise<MediaBody | null>;

/** What the edge of another thread's window needs. */
export type RemoteEdgeOptions = {
  readonly clock: Clock;
  readonly fetchPart: FetchPart;
  /** Has the home tell every move from now on; resolves when it has told the first one. */
  follow(): Promise<void>;
  /** Somebody asked for the edge. */
  onUse(): void;
};

/** Bodies of parts that are kept: those of three target durations in a few selections. */
const MAX_PARTS = 512;

/**
 * The live edge of a window in another thread, for those in this thread who follow it. Each part is fetched once for
 * each selection of tracks, however many ask for it.
 */
export class RemoteEdge implements EdgeSource {
  readonly #options: RemoteEdgeOptions;
  readonly #held: EdgeWaiters;
  #edge: LiveEdge | null = null;
  #following: Promise<void> | null = null;
  readonly #parts = new Map<string, MediaBody | Promise<MediaBody | null>>();

  constructor(options: RemoteEdgeOptions) {
    this.#options = options;
    this.#held = new EdgeWaiters(options.clock);
  }

  now(): LiveEdge | null {
    if (this.#edge !== null) this.#options.onUse();
    return this.#edge;
  }

  follow(): Promise<void> | null {
    if (this.#edge !== null) return null;
    return (this.#following ??= this.#options.follow().finally(() => (this.#following = null)));
  }

  hold(hold: Hold): { cancel(): void } | null {
    if (this.#edge === null) return endAtOnce(hold);
    const { targetDurationUs } = this.#edge.timeline;
    return this.#held.hold(hold, (targetDurationUs / 1000) * HOLD_TARGETS);
  }

  part(
    segment: string,
    index: number,
    selection: TrackSelection,
  ): Promise<MediaBody | null> | MediaBody | null {
    const key = `${segment}-${index}/${formatTrackSelection(selection)}`;
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const coming = this.#fetch(key, segment, index, selection);
    this.#parts.set(key, coming);
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= MAX_PARTS) break;
      this.#parts.delete(oldest);
    }
    return coming;
  }

  /** The home has told a move; an open segment that the timeline already has is of a move before. */
  update(timeline: Timeline, { partTargetUs, open }: Pick<LiveEdge, "partTargetUs" | "open">): void {
    const isOpen = open !== null && open.sequence > timeline.segments.at(-1)!.sequence;
    this.#edge = { timeline, partTargetUs, open: isOpen ? open : null };
    if (this.#held.size > 0) this.#held.wake(this.#edge);
  }

  /** The home tells no more. */
  stop(): void {
    this.#edge = null;
    this.#held.close();
  }

  async #fetch(
    key: string,
    segment: string,
    index: number,
    selection: TrackSelection,
  ): Promise<MediaBody | null> {
    let body: MediaBody | null = null;
    try {
      body = await this.#options.fetchPart(segment, index, selection);
    } finally {
      if (body === null) this.#parts.delete(key);
      else if (this.#parts.has(key)) this.#parts.set(key, body);
    }
    return body;
  }
}
