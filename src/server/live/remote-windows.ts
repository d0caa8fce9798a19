import { totalBytes } from "../../base/bytes.ts";
import { Channel } from "../../base/channel.ts";
import type { MessageWire } from "../../base/channel.ts";
import type { Clock } from "../../base/clock.ts";
import type { StreamName } from "../../media/ids.ts";
import type { MediaBody, TrackSelection } from "../../packaging/presentation.ts";
import { RemoteWindow } from "../../packaging/remote-window.ts";
import type { EdgeSnapshot, WindowSnapshot } from "../../packaging/window-snapshot.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { ThreadIndex } from "../../stream/homes.ts";
import { SharedMemoryDebt } from "../garbage.ts";
import { NOTHING_TOLD } from "./live-windows.ts";
import type { ToldEdge } from "./live-windows.ts";

/** What one media thread asks another about the live windows of its streams. */
export type WindowCalls = {
  /**
   * The window, once it has changed since that version, or after `FOLLOW_MS`; `null` when it is not here any more. Version
   * 0 waits until it is ready, and rejects with STREAM_STARTING or STREAM_NOT_ON_AIR. `windowId`: of the window whose
   * version that is.
   */
  window: {
    argument: { readonly name: StreamName; readonly version: number; readonly windowId: number };
    answer: WindowSnapshot | null;
  };
  segment: {
    argument: {
      readonly name: StreamName;
      readonly segment: string;
      readonly selection: TrackSelection;
    };
    answer: MediaBody | null;
  };
  /** The edge, once it has moved since it was told, or after `FOLLOW_MS`; `null` when there is none. */
  edge: {
    argument: { readonly name: StreamName; readonly told: ToldEdge };
    answer: EdgeSnapshot | null;
  };
  part: {
    argument: {
      readonly name: StreamName;
      readonly segment: string;
      readonly index: number;
      readonly selection: TrackSelection;
    };
    answer: MediaBody | null;
  };
};

/** What the windows of this thread answer to others. */
export type WindowHost = {
  window(name: StreamName, version: number, windowId: number): Promise<WindowSnapshot | null>;
  segment(name: StreamName, segment: string, selection: TrackSelection): MediaBody | null;
  edge(name: StreamName, told: ToldEdge): Promise<EdgeSnapshot | null>;
  part(name: StreamName, segment: string, index: number, selection: TrackSelection): MediaBody | null;
};

/** What remote windows need. */
export type RemoteWindowsOptions = {
  readonly clock: Clock;
  readonly host: WindowHost;
  homeOf(name: StreamName): Promise<ThreadIndex | null>;
};

/** A window that nobody has asked for so long is followed no more. */
const UNUSED_US = 30_000_000;

type WindowChannel = Channel<WindowCalls, WindowCalls>;

/**
 * The edge of a window that nobody has asked for so long is followed no more, unless somebody waits for it; the window
 * itself may be.
 */
const UNUSED_EDGE_US = 15_000_000;

type Followed = { readonly window: RemoteWindow; readonly ready: Promise<void>; usedUs: number };

/**
 * The live windows of streams whose home is another thread. The first request for one makes this thread follow it: the
 * home tells every change, until nobody has asked for half a minute. Bounded by the streams that are asked for.
 */
export class RemoteWindows {
  readonly #options: RemoteWindowsOptions;
  readonly #channels = new Map<ThreadIndex, WindowChannel>();
  readonly #followed = new Map<StreamName, Followed>();
  readonly #debt = new SharedMemoryDebt();
  readonly #asked = new Map<StreamName, Promise<Followed>>();

  constructor(options: RemoteWindowsOptions) {
    this.#options = options;
  }

  /** Windows that are followed. */
  get size(): number {
    return this.#followed.size;
  }

  /** Requests that are held here until a part or a segment is there. */
  get heldRequests(): number {
    return this.#sum(({ heldRequests }) => heldRequests);
  }

  /** Bytes of the parts that are kept here. */
  get partBytes(): number {
    return this.#sum(({ edge }) => edge?.partBytes ?? 0);
  }

  /** Bytes that were made here of other threads' segments and are kept. */
  get derivedBytes(): number {
    return this.#sum(({ derivedBytes }) => derivedBytes);
  }

  #sum(figure: (window: RemoteWindow) => number): number {
    let sum = 0;
    for (const { window } of this.#followed.values()) sum += figure(window);
    return sum;
  }

  /** A sibling thread has come, with the wire to it; `null`: it is gone. */
  siblingChanged(index: ThreadIndex, wire: MessageWire | null): void {
    this.#channels.get(index)?.close();
    this.#channels.delete(index);
    if (wire === null) return;
    const { host } = this.#options;
    const channel: WindowChannel = new Channel(wire, {
      window: ({ name, version, windowId }) => host.window(name, version, windowId),
      segment: ({ name, segment, selection }) => host.segment(name, segment, selection),
      edge: ({ name, told }) => host.edge(name, told),
      part: (asked) => host.part(asked.name, asked.segment, asked.index, asked.selection),
    });
    this.#channels.set(index, channel);
  }

  /** The window of a stream, if this thread follows it already and it is ready. */
  find(name: StreamName): RemoteWindow | null {
    const followed = this.#followed.get(name);
    if (followed === undefined || !followed.window.isReady) return null;
    followed.usedUs = this.#options.clock.nowUs();
    return followed.window;
  }

  /** The window of a stream once it is ready. Rejects with STREAM_STARTING, STREAM_NOT_ON_AIR. */
  async ready(name: StreamName): Promise<RemoteWindow> {
    const followed = this.#followed.get(name) ?? (await this.#followOnce(name));
    followed.usedUs = this.#options.clock.nowUs();
    await followed.ready;
    return followed.window;
  }

  /** Follows nothing any more. */
  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    for (const { window } of this.#followed.values()) window.stop();
    this.#followed.clear();
  }

  /** All who ask for one name at a time share one question. */
  #followOnce(name: StreamName): Promise<Followed> {
    const asked = this.#asked.get(name);
    if (asked !== undefined) return asked;
    const asking = this.#follow(name).finally(() => this.#asked.delete(name));
    this.#asked.set(name, asking);
    return asking;
  }

  async #follow(name: StreamName): Promise<Followed> {
    const home = await this.#options.homeOf(name);
    const known = this.#followed.get(name);
    if (known !== undefined) return known;
    const channel = home === null ? undefined : this.#channels.get(home);
    if (channel === undefined) throw notOnAir(name);
    const window = this.#makeWindow(name, channel);
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const followed: Followed = { window, ready, usedUs: this.#options.clock.nowUs() };
    this.#followed.set(name, followed);
    ready.catch(() => {});
    this.#update(name, followed, channel, resolve).catch((caught: unknown) => {
      this.#forget(name, followed);
      reject(caught instanceof Error ? caught : notOnAir(name));
    });
    return followed;
  }

  #makeWindow(name: StreamName, channel: WindowChannel): RemoteWindow {
    const { clock } = this.#options;
    const counted = (body: MediaBody | null): MediaBody | null => {
      if (body !== null) this.#debt.add(totalBytes(body));
      return body;
    };
    let edgeUsedUs = -Infinity;
    const window: RemoteWindow = new RemoteWindow(
      async (segment, selection) => counted(await channel.ask("segment", { name, segment, selection })),
      {
        clock,
        fetchPart: async (segment, index, selection) =>
          counted(await channel.ask("part", { name, segment, index, selection })),
        onUse: () => void (edgeUsedUs = clock.nowUs()),
        follow: () => {
          const isUsed = (): boolean =>
            clock.nowUs() - edgeUsedUs < UNUSED_EDGE_US || window.edge!.heldRequests > 0;
          return this.#followEdge(name, channel, window, isUsed);
        },
      },
    );
    return window;
  }

  /** Resolves when the home has told its edge once; takes its moves while somebody uses it. */
  #followEdge(
    name: StreamName,
    channel: WindowChannel,
    window: RemoteWindow,
    isUsed: () => boolean,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const follow = async (): Promise<void> => {
      let told = NOTHING_TOLD;
      do {
        const snapshot = await channel.ask("edge", { name, told });
        if (snapshot === null) return;
        const { windowId, version } = snapshot;
        told = { windowId, version, windowVersion: snapshot.window?.version ?? told.windowVersion };
        window.updateEdge(snapshot);
        resolve();
      } while (isUsed());
    };
    // The thread that told is gone: the window itself hears of it and says so.
    follow()
      .catch(() => {})
      .finally(() => {
        window.edge?.stop();
        resolve();
      });
    return promise;
  }

  /** Takes one change after the other while somebody uses the window. */
  async #update(
    name: StreamName,
    followed: Followed,
    channel: WindowChannel,
    onReady: () => void,
  ): Promise<void> {
    const { window } = followed;
    for (;;) {
      const { windowId, snapshotVersion: version } = window;
      const snapshot = await channel.ask("window", { name, version, windowId });
      if (snapshot === null) throw notOnAir(name);
      window.update(snapshot);
      onReady();
      const isUsed = this.#options.clock.nowUs() - followed.usedUs < UNUSED_US;
      if (!isUsed || this.#followed.get(name) !== followed) return this.#forget(name, followed);
    }
  }

  #forget(name: StreamName, followed: Followed): void {
    followed.window.stop();
    if (this.#followed.get(name) === followed) this.#followed.delete(name);
  }
}

function notOnAir(name: StreamName): Error {
  return streamErrors.error("STREAM_NOT_ON_AIR", { name, reason: "nobody publishes it now" });
}
