/** Streams whose publisher stays, with viewers who read all the time: what the crowd does must not reach them. */
import { watchFlv } from "./flv-viewer.ts";
import { GapMeter } from "./gap-meter.ts";
import { HlsViewer } from "./hls-viewer.ts";
import type { ViewerKind } from "./plan.ts";
import { rest, restUntil } from "./rest.ts";
import { RtmpPeer } from "./rtmp-peer.ts";
import { APP } from "./world.ts";
import type { World } from "./world.ts";

/** A connection that was lost although its owner wanted to stay. */
export type Loss = { readonly atMs: number; readonly who: string };

/** What became of one steady viewer. */
export type PinnedReport = {
  readonly who: string;
  readonly kind: ViewerKind;
  readonly arrivals: number;
  readonly longestGapMs: number;
  /** When that gap began. */
  readonly gapFromMs: number;
};

const RETRY_MS = 300;
const START_MS = 10_000;

/** One stream with its publisher and its viewers. Whoever is lost comes back, as encoders and players do. */
export class PinnedStream {
  readonly name: string;
  readonly losses: Loss[] = [];
  readonly #world: World;
  readonly #meters = new Map<ViewerKind, GapMeter>();
  /** Resolves when the publisher that is up now is lost; `null` while none is up. */
  #lost: Promise<void> | null = null;
  #arrived: () => void = () => {};
  /** Resolves when media can be expected for the first time. */
  readonly onAir: Promise<void>;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    this.onAir = new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  /** Publishes and watches until the soak ends. */
  async run(kinds: readonly ViewerKind[]): Promise<void> {
    await Promise.all([this.#publish(), ...kinds.map((kind) => this.#watch(kind))]);
  }

  report(nowMs: number): PinnedReport[] {
    return [...this.#meters].map(([kind, meter]) => {
      const { lengthMs, fromMs } = meter.longest(nowMs);
      const who = `${kind} viewer of ${this.name}`;
      return { who, kind, arrivals: meter.arrivals, longestGapMs: lengthMs, gapFromMs: fromMs };
    });
  }

  async #publish(): Promise<void> {
    const { ports, pump, signal } = this.#world;
    while (!signal.aborted) {
      const peer = new RtmpPeer({ port: ports.rtmp, app: APP, stream: this.name, role: "publish" });
      await restUntil(peer.answered, START_MS, signal);
      if (peer.isStarted) {
        const stop = pump.play(peer);
        await this.#stayUp(peer);
        stop();
      }
      await (signal.aborted ? peer.leave() : peer.wire.reset());
      await rest(RETRY_MS, signal);
    }
  }

  async #stayUp(peer: RtmpPeer): Promise<void> {
    const { signal } = this.#world;
    this.#lost = peer.wire.closed;
    this.#arrived();
    const isLost = await restUntil(peer.wire.closed, Infinity, signal);
    this.#lost = null;
    const nowMs = performance.now();
    if (isLost) this.#lose("publisher", nowMs);
    for (const meter of this.#meters.values()) meter.end(nowMs);
  }

  #lose(who: string, atMs: number): void {
    this.losses.push({ atMs, who: `${who} of ${this.name}` });
    this.#world.census.count(`steady ${who}s lost`);
  }

  async #watch(kind: ViewerKind): Promise<void> {
    const { signal } = this.#world;
    const meter = new GapMeter();
    this.#meters.set(kind, meter);
    await restUntil(this.onAir, Infinity, signal);
    while (!signal.aborted) {
      // A copy: the publisher that was up when the viewer came is the one whose end is not the viewer's loss.
      const lost = this.#lost;
      if (lost !== null) await this.#watchWhile(lost, kind, meter);
      await rest(RETRY_MS, signal);
    }
  }

  async #watchWhile(lost: Promise<void>, kind: ViewerKind, meter: GapMeter): Promise<void> {
    const { signal } = this.#world;
    let hadMedia = false;
    const onMedia = (): void => {
      hadMedia = true;
      if (this.#lost === lost) meter.arrived(performance.now());
    };
    // The first segments of a stream take their time; HLS is owed from its first segment on.
    if (kind !== "hls") meter.begin(performance.now());
    const viewing = this.#connect(kind, onMedia);
    await restUntil(Promise.race([viewing.closed, lost]), Infinity, signal);
    const isOwnLoss = hadMedia && !signal.aborted && this.#lost === lost;
    if (isOwnLoss) this.#lose(`${kind} viewer`, performance.now());
    if (isOwnLoss || signal.aborted) meter.end(performance.now());
    await viewing.leave();
  }

  #connect(
    kind: ViewerKind,
    onMedia: () => void,
  ): { readonly closed: Promise<void>; leave(): Promise<void> } {
    const { ports } = this.#world;
    const path = `/${APP}/${this.name}`;
    if (kind === "hls") {
      const viewer = new HlsViewer(ports.http, path, onMedia, { lookMs: 500, retryMs: RETRY_MS });
      return { closed: viewer.ended, leave: () => viewer.leave() };
    }
    if (kind === "flv") {
      const wire = watchFlv(ports.http, `${path}.flv`, onMedia);
      return { closed: wire.closed, leave: () => wire.reset() };
    }
    const options = { port: ports.rtmp, app: APP, stream: this.name, role: "play" as const, onMedia };
    const peer = new RtmpPeer(options);
    return { closed: peer.wire.closed, leave: () => peer.leave() };
  }
}
