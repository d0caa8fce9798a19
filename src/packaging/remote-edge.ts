import { totalBytes } from "../base/bytes.ts";
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
  /** Has the home tell every move while somebody uses the edge, at least one; resolves when it has told the first one. */
  follow(): Promise<void>;
  /** Somebody asked for the edge. */
  onUse(): void;
};

/** An edge that nobody follows is looked at this often at most, whatever is asked for. */
const LOOK_US = 500_000;

/** Names are milliseconds. */
const US_PER_NAME = 1000;

type KnownPart = {
  readonly segment: string;
  body: MediaBody | Promise<MediaBody | null> | null;
  bytes: number;
};

/**
 * The live edge of a window in another thread, for those in this thread who follow it. Each part is fetched once for
 * each selection of tracks, however many ask for it.
 *
 * Bounded: `MAX_PARTS`, `MAX_PART_BYTES`, and what left the timeline for longer than the timeline is.
 */
export class RemoteEdge implements EdgeSource {
  static readonly MAX_PARTS = 512;
  static readonly MAX_PART_BYTES = 64 * 1024 * 1024;

  readonly #options: RemoteEdgeOptions;
  readonly #held: EdgeWaiters;
  #edge: LiveEdge | null = null;
  #following: Promise<void> | null = null;
  /** Oldest first. */
  readonly #parts = new Map<string, KnownPart>();
  #partBytes = 0;
  #lookedUs = -Infinity;

  constructor(options: RemoteEdgeOptions) {
    this.#options = options;
    this.#held = new EdgeWaiters(options.clock);
  }

  now(): LiveEdge | null {
    if (this.#edge !== null) this.#options.onUse();
    return this.#edge;
  }

  /** Requests that are held until a part is there. */
  get heldRequests(): number {
    return this.#held.size;
  }

  /** Bytes of the parts that are kept here. */
  get partBytes(): number {
    return this.#partBytes;
  }

  follow(): Promise<void> | null {
    if (this.#edge !== null) return null;
    this.#options.onUse();
    return this.#ask();
  }

  look(): Promise<void> | null {
    if (this.#edge !== null) return null;
    const nowUs = this.#options.clock.nowUs();
    if (this.#following === null && nowUs - this.#lookedUs < LOOK_US) return null;
    this.#lookedUs = nowUs;
    return this.#ask();
  }

  #ask(): Promise<void> {
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
    if (known !== undefined) return known.body;
    const entry: KnownPart = { segment, body: null, bytes: 0 };
    this.#parts.set(key, entry);
    entry.body = this.#fetch(key, entry, index, selection);
    this.#dropOverBounds();
    return entry.body;
  }

  /** The home has told a move; an open segment that the timeline already has is of a move before. */
  update(timeline: Timeline, { partTargetUs, open }: Pick<LiveEdge, "partTargetUs" | "open">): void {
    const isOpen = open !== null && open.sequence > timeline.segments.at(-1)!.sequence;
    const before = this.#edge?.timeline;
    this.#edge = { timeline, partTargetUs, open: isOpen ? open : null };
    if (before !== timeline) this.#dropOld(timeline);
    if (this.#held.size > 0) this.#held.wake(this.#edge);
  }

  /** The home tells no more. */
  stop(): void {
    this.#edge = null;
    this.#parts.clear();
    this.#partBytes = 0;
    this.#held.close();
  }

  /** Segments stay for one length of the timeline when they have left it, as they do at home. */
  #dropOld({ segments }: Timeline): void {
    const [oldest, newest] = [segments[0]!, segments.at(-1)!];
    const lengthUs = newest.startUs + newest.durationUs - oldest.startUs;
    const limit = Number(oldest.name) - lengthUs / US_PER_NAME;
    for (const [key, { segment }] of this.#parts) if (Number(segment) < limit) this.#drop(key);
  }

  #dropOverBounds(): void {
    for (const key of this.#parts.keys()) {
      const isTooMuch = this.#partBytes > RemoteEdge.MAX_PART_BYTES && this.#parts.size > 1;
      if (this.#parts.size <= RemoteEdge.MAX_PARTS && !isTooMuch) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#partBytes -= this.#parts.get(key)?.bytes ?? 0;
    this.#parts.delete(key);
  }

  async #fetch(
    key: string,
    entry: KnownPart,
    index: number,
    selection: TrackSelection,
  ): Promise<MediaBody | null> {
    let body: MediaBody | null = null;
    try {
      body = await this.#options.fetchPart(entry.segment, index, selection);
    } finally {
      if (this.#parts.get(key) === entry) this.#keep(key, entry, body);
    }
    return body;
  }

  #keep(key: string, entry: KnownPart, body: MediaBody | null): void {
    if (body === null) {
      this.#drop(key);
      return;
    }
    entry.body = body;
    entry.bytes = totalBytes(body);
    this.#partBytes += entry.bytes;
    this.#dropOverBounds();
  }
}
