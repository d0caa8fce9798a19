import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import { DerivedBytes } from "./derived-bytes.ts";
import { SegmentWaiters, endAtOnce } from "./edge-waiters.ts";
import { InitSegments } from "./init-segments.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { MediaBody, PartEntry, Presentation, SegmentEntry } from "./presentation.ts";
import type { SegmentHold, Timeline, TrackSelection } from "./presentation.ts";
import { RemoteEdge } from "./remote-edge.ts";
import type { RemoteEdgeOptions } from "./remote-edge.ts";
import { KnownTrackSets } from "./window-snapshot.ts";
import type { EdgeSnapshot, SegmentFacts, WindowSnapshot } from "./window-snapshot.ts";

/** Asks the thread that has the window for a segment; `null`: it has none of that name. */
export type FetchSegment = (name: string, selection: TrackSelection) => Promise<MediaBody | null>;

/** Bodies kept for each segment: more selections than players ask for. */
const MAX_SELECTIONS = 16;

/**
 * The live window of a stream whose home is another thread, as a `Presentation`.
 *
 * It has the timeline as the home last told it, renders nothing itself, and fetches each segment once for each
 * selection of tracks, however many viewers ask for it; the bytes are the home's, in shared memory. Segments that left
 * the timeline stay for one length of it, as they do at home.
 */
export class RemoteWindow implements Presentation {
  readonly version = null;
  readonly isResident = true;
  readonly #fetch: FetchSegment;
  readonly #inits = new InitSegments();
  #sets = new KnownTrackSets();
  #segments = new Map<string, RemoteSegment>();
  #timeline: Timeline | null = null;
  #snapshotVersion = 0;
  #windowId = 0;
  /** Left out where nobody tells of it. */
  readonly edge?: RemoteEdge;
  /** `null` where nothing can be waited for. */
  readonly #held: SegmentWaiters | null;
  #ended = false;

  constructor(fetch: FetchSegment, edge: RemoteEdgeOptions | null = null) {
    this.#fetch = fetch;
    this.#held = edge === null ? null : new SegmentWaiters(edge.clock);
    if (edge !== null) this.edge = new RemoteEdge(edge);
  }

  /** Requests that are held until a part or a segment is there. */
  get heldRequests(): number {
    return (this.edge?.heldRequests ?? 0) + (this.#held?.size ?? 0);
  }

  holdSegment(hold: SegmentHold): { cancel(): void } | null {
    if (this.#timeline === null || this.#held === null || this.#ended) return endAtOnce(hold);
    return this.#held.hold(hold, this.#timeline);
  }

  /** Nobody tells of it any more. */
  stop(): void {
    this.#ended = true;
    this.#held?.close();
  }

  /** Of the newest snapshot; 0 before the first. */
  get snapshotVersion(): number {
    return this.#snapshotVersion;
  }

  /** Which window of the home it was of; 0 before the first. */
  get windowId(): number {
    return this.#windowId;
  }

  /** True once a timeline has come; `timeline` may be called only after that. */
  get isReady(): boolean {
    return this.#timeline !== null;
  }

  /** Takes what the home says the window has become. */
  update(snapshot: WindowSnapshot): void {
    if (snapshot.windowId < this.#windowId) return;
    if (snapshot.windowId > this.#windowId) this.#beginAnew(snapshot.windowId);
    // Who is told of the edge as well is told twice.
    if (snapshot.version <= this.#snapshotVersion) {
      for (const { name, parts } of snapshot.timeline.segments) this.#segments.get(name)?.learnParts(parts);
      return;
    }
    const { timeline, version } = this.#sets.unify(snapshot);
    const entryOf = (facts: SegmentFacts): RemoteSegment => {
      const segment = this.#segments.get(facts.name) ?? new RemoteSegment(facts, this.#fetch);
      segment.learnParts(facts.parts);
      return segment;
    };
    const [earlier, segments] = [timeline.earlier.map(entryOf), timeline.segments.map(entryOf)];
    this.#keep(earlier, segments);
    for (const { tracks } of [...earlier, ...segments]) this.#inits.add(tracks);
    const { earlier: _facts, ...plain } = timeline;
    this.#timeline = { ...plain, segments, ...(earlier.length === 0 ? {} : { earlier }) };
    this.#snapshotVersion = version;
    this.#held?.wake(this.#timeline);
  }

  /** Takes what the home says the edge has become. */
  updateEdge({ windowId, window, partTargetUs, open }: EdgeSnapshot): void {
    if (window !== null) this.update(window);
    if (this.#timeline === null || windowId !== this.#windowId) return;
    const known = open === null ? null : { ...open, tracks: this.#sets.known(open.tracks) };
    if (known !== null) this.#inits.add(known.tracks);
    this.edge?.update(this.#timeline, { partTargetUs, open: known });
  }

  timeline(): Timeline {
    if (this.#timeline === null) throw new RangeError("no timeline has come yet: check isReady first");
    return this.#timeline;
  }

  initName(tracks: TrackSet, selection: TrackSelection): string {
    return this.#inits.nameOf(tracks, selection);
  }

  initSegment(name: string, selection: TrackSelection): MediaBody | null {
    return this.#inits.find(name, selection);
  }

  segment(name: string, selection: TrackSelection): Promise<MediaBody | null> | MediaBody | null {
    // One that this thread does not list may be older, or newer, than what it was last told of.
    return this.#segments.get(name)?.body(selection) ?? this.#fetch(name, selection);
  }

  keepDerived(name: string, lengthBytes: number): boolean {
    return this.#segments.get(name)?.derived.take(lengthBytes) === true;
  }

  /** Bytes that were made here of its segments and are kept. */
  get derivedBytes(): number {
    let bytes = 0;
    for (const { derived } of this.#segments.values()) bytes += derived.bytes;
    return bytes;
  }

  unlistedTracks(name: string): TrackSet | null {
    return this.#segments.get(name)?.tracks ?? null;
  }

  /** The home has another window for the stream: it counts its changes, and may count its track sets, from the start. */
  #beginAnew(windowId: number): void {
    this.#windowId = windowId;
    this.#snapshotVersion = 0;
    this.#sets = new KnownTrackSets();
    this.#segments = new Map();
  }

  #keep(earlier: readonly RemoteSegment[], listed: readonly RemoteSegment[]): void {
    const kept = new Map(this.#segments);
    for (const segment of [...earlier, ...listed]) kept.set(segment.name, segment);
    for (const name of kept.keys()) {
      if (kept.size <= listed.length * 2) break;
      kept.delete(name);
    }
    this.#segments = kept;
  }
}

class RemoteSegment implements SegmentEntry {
  readonly sequence: number;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tracks: TrackSet;
  readonly discontinuity: boolean;
  readonly stretchStartUs: number;
  readonly isIndependent: boolean;
  readonly dependent?: readonly TrackId[];
  readonly utcUs: number | null;
  /** Known once somebody here follows the edge. */
  parts?: readonly PartEntry[];
  /** Of what is made here of its bodies. */
  readonly derived: DerivedBytes;
  readonly #figures: SegmentFacts["figures"];
  readonly #fetch: FetchSegment;
  readonly #bodies = new Map<string, MediaBody | Promise<MediaBody | null>>();

  constructor(facts: SegmentFacts, fetch: FetchSegment) {
    this.sequence = facts.sequence;
    this.name = facts.name;
    this.startUs = facts.startUs;
    this.durationUs = facts.durationUs;
    this.tracks = facts.tracks;
    this.discontinuity = facts.discontinuity;
    this.stretchStartUs = facts.stretchStartUs;
    this.isIndependent = facts.isIndependent;
    if (facts.dependent !== undefined) this.dependent = facts.dependent;
    this.utcUs = facts.utcUs;
    this.#figures = facts.figures;
    let ownBytes = 0;
    for (const { bytes } of facts.figures.values()) ownBytes += bytes;
    this.derived = new DerivedBytes(ownBytes);
    this.#fetch = fetch;
  }

  /** Its parts, if this is where they become known. */
  learnParts(parts: readonly PartEntry[] | undefined): void {
    if (parts !== undefined) this.parts ??= parts;
  }

  trackBytes(track: TrackId): number {
    return this.#figures.get(track)?.bytes ?? 0;
  }

  trackSamples(track: TrackId): number {
    return this.#figures.get(track)?.samples ?? 0;
  }

  trackUs(track: TrackId): number {
    return this.#figures.get(track)?.us ?? 0;
  }

  /** The bytes; all who ask while they are on their way wait for the same answer. */
  body(selection: TrackSelection): MediaBody | Promise<MediaBody | null> {
    const key = formatTrackSelection(selection);
    const known = this.#bodies.get(key);
    if (known !== undefined) return known;
    if (this.#bodies.size >= MAX_SELECTIONS) {
      this.#bodies.clear();
      this.derived.clear();
    }
    const coming = this.#fetchBody(key, selection);
    this.#bodies.set(key, coming);
    return coming;
  }

  async #fetchBody(key: string, selection: TrackSelection): Promise<MediaBody | null> {
    let body: MediaBody | null = null;
    try {
      body = await this.#fetch(this.name, selection);
    } finally {
      if (body === null) this.#bodies.delete(key);
      else this.#bodies.set(key, body);
    }
    return body;
  }
}
