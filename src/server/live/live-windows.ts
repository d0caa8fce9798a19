import { totalBytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import type { MediaError } from "../../base/errors.ts";
import type { StreamName } from "../../media/ids.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import type { LiveWindowOptions, WindowEnd } from "../../packaging/live-window.ts";
import type { MediaBody, TrackSelection } from "../../packaging/presentation.ts";
import type { EdgeSnapshot, WindowSnapshot } from "../../packaging/window-snapshot.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { LiveStream } from "../../stream/live-stream.ts";
import { SharedMemoryDebt } from "../garbage.ts";

/** How long the first request for a stream that has just come on air waits for its playlist. */
const MAX_WAIT_MS = 12_000;

/** How long another thread that follows a window waits for its next change before it asks again. */
const FOLLOW_MS = 20_000;

/** For so long other threads may fetch the last parts of a stream that has ended. */
const ENDED_MS = 5000;

/** A thread that stops stays for so long where others may still fetch from it: a crossing takes a few milliseconds. */
const LAST_FETCH_MS = 1000;

/** What another thread was told of an edge, and of the window with it. */
export type ToldEdge = {
  readonly windowId: number;
  readonly windowVersion: number;
  readonly version: number;
};

/** Before the first answer. */
export const NOTHING_TOLD: ToldEdge = { windowId: 0, windowVersion: 0, version: -1 };

/** The live window of every stream that is packaged. */
export class LiveWindows {
  readonly #clock: Clock;
  readonly #debt = new SharedMemoryDebt();
  readonly #windows = new Map<StreamName, LiveWindow>();
  /** Of streams that have ended while other threads followed the edge. Bounded by time, and by streams that are followed. */
  readonly #ended = new Map<StreamName, LiveWindow>();
  /** Other threads that wait for the next move of an edge. */
  readonly #edgeAsks = new WeakMap<LiveWindow, number>();
  /** Of streams that live: where windows ended that were dropped. */
  readonly #ends = new Map<StreamName, WindowEnd>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Packages a stream from now on; where its window was dropped before, behind a discontinuity. */
  open(stream: LiveStream, options: LiveWindowOptions): void {
    const { name } = stream.rules;
    const window = new LiveWindow({ ...options, after: this.#ends.get(name) });
    this.#windows.set(name, window);
    stream.attach(window);
  }

  /** Packages a stream that lives no more, until `open`; nothing happens where it has no window. */
  drop(stream: LiveStream): void {
    const { name } = stream.rules;
    const window = this.#windows.get(name);
    if (window === undefined) return;
    this.#windows.delete(name);
    stream.detach(window);
    window.onEnd();
    this.#ends.set(name, window.end);
  }

  /** Forgets the windows of a stream that ended. */
  close(name: StreamName): void {
    const window = this.#windows.get(name);
    this.#windows.delete(name);
    this.#ends.delete(name);
    if (window === undefined || (this.#edgeAsks.get(window) ?? 0) === 0) return;
    this.#ended.set(name, window);
    this.#clock.schedule(ENDED_MS, () => {
      if (this.#ended.get(name) === window) this.#ended.delete(name);
    });
  }

  /** Streams that have ended and whose last parts other threads may still fetch. */
  get endedSize(): number {
    return this.#ended.size;
  }

  /**
   * The window of a stream, at once when it is ready; a stream that is on air but young is waited for.
   * Throws or rejects with STREAM_STARTING, STREAM_NOT_ON_AIR.
   */
  ready(name: StreamName, isOnAir: () => boolean): Promise<LiveWindow> | LiveWindow {
    const window = this.#windows.get(name);
    if (window?.isReady === true) return window;
    if (window === undefined || !isOnAir()) throw notReady(name, isOnAir());
    return this.#within(MAX_WAIT_MS, window.whenReady()).then(() => {
      if (window.isReady) return window;
      throw notReady(name, true);
    });
  }

  /**
   * The window as data, once it has changed since that version, or after `FOLLOW_MS` as it is; `null` when the stream has
   * none any more. `windowId`: of the window whose version that is; another one is news by itself.
   */
  async changed(name: StreamName, version: number, windowId: number): Promise<WindowSnapshot | null> {
    const window = this.#windows.get(name);
    if (window === undefined) return null;
    await this.#within(FOLLOW_MS, window.whenChanged(window.id === windowId ? version : 0));
    return window.hasEnded ? null : window.snapshot();
  }

  /** A segment with its media in shared memory; `null` when there is none of that name. */
  sharedSegment(name: StreamName, segment: string, selection: TrackSelection): MediaBody | null {
    const body = this.#oneOf(name)?.sharedSegment(segment, selection) ?? null;
    if (body !== null) this.#debt.add(totalBytes(body));
    return body;
  }

  /**
   * The edge as data, once it has moved since that version, or after `FOLLOW_MS` as it is, the last time when the stream
   * has ended; `null` when it has none any more.
   */
  async edge(name: StreamName, told: ToldEdge): Promise<EdgeSnapshot | null> {
    const window = this.#windows.get(name);
    if (window === undefined) return null;
    this.#edgeAsks.set(window, (this.#edgeAsks.get(window) ?? 0) + 1);
    const { version, windowVersion } = told.windowId === window.id ? told : NOTHING_TOLD;
    await this.#within(FOLLOW_MS, window.whenEdgeMoved(version));
    this.#edgeAsks.set(window, this.#edgeAsks.get(window)! - 1);
    return window.edgeSnapshot(version, windowVersion);
  }

  /** A part with its media in shared memory; `null` when there is none of that name. */
  sharedPart(
    name: StreamName,
    segment: string,
    index: number,
    selection: TrackSelection,
  ): MediaBody | null {
    const body = this.#oneOf(name)?.sharedPart(segment, index, selection) ?? null;
    if (body !== null) this.#debt.add(totalBytes(body));
    return body;
  }

  /** Lets go of what was made of a stream's segments and can be made again. Returns: how many bytes that was. */
  forgetDerived(name: StreamName): number {
    return this.#windows.get(name)?.forgetDerived() ?? 0;
  }

  /** Bytes that the window of a stream holds. */
  bytesOf(name: StreamName): number {
    return this.#windows.get(name)?.bytes ?? 0;
  }

  /** Bytes that all windows hold, also those of streams that have ended a moment ago. */
  get bytes(): number {
    return this.#sum(({ bytes }) => bytes);
  }

  /** Requests that are held until a part or a segment is there. */
  get heldRequests(): number {
    return this.#sum(({ heldRequests }) => heldRequests);
  }

  #sum(figure: (window: LiveWindow) => number): number {
    let sum = 0;
    for (const window of this.#windows.values()) sum += figure(window);
    for (const window of this.#ended.values()) sum += figure(window);
    return sum;
  }

  /** Resolves when other threads have had a moment to fetch the last parts of streams that have ended; at once without any. */
  async lastFetched(): Promise<void> {
    if (this.#ended.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.schedule(LAST_FETCH_MS, resolve);
    await promise;
  }

  #oneOf(name: StreamName): LiveWindow | undefined {
    return this.#windows.get(name) ?? this.#ended.get(name);
  }

  async #within(limitMs: number, wait: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = this.#clock.schedule(limitMs, resolve);
    await Promise.race([wait, promise]);
    deadline.cancel();
  }
}

function notReady(name: StreamName, isOnAir: boolean): MediaError {
  return isOnAir
    ? streamErrors.error("STREAM_STARTING", { name })
    : streamErrors.error("STREAM_NOT_ON_AIR", { name, reason: "nobody publishes it now" });
}
