/** Viewers that come and go, half of whom stop reading. */
import { watchFlv } from "./flv-viewer.ts";
import { HlsViewer } from "./hls-viewer.ts";
import type { ViewerLife } from "./plan.ts";
import { rest, restUntil } from "./rest.ts";
import { RtmpPeer } from "./rtmp-peer.ts";
import { APP, streamOf } from "./world.ts";
import type { World } from "./world.ts";

/** A viewer under way, whatever its protocol. */
type Viewing = {
  /** Resolves when the server, or the viewer itself, has ended it. */
  readonly closed: Promise<void>;
  hasMedia(): boolean;
  pause(): void;
  resume(): void;
  leave(life: ViewerLife): Promise<void>;
};

/** A viewer who never reads again is thrown out by the server, or goes after this time. */
const FOR_GOOD_MS = 40_000;

/** Lives one life after the other until the soak ends. `hasFlv`: the server speaks HTTP-FLV; else those take RTMP. */
export async function runViewer(lives: Iterable<ViewerLife>, world: World, hasFlv: boolean): Promise<void> {
  for (const life of lives) {
    await rest(life.pauseMs, world.signal);
    if (world.signal.aborted) return;
    const kind = life.kind === "flv" && !hasFlv ? "rtmp" : life.kind;
    await watchOnce({ ...life, kind }, world);
  }
}

async function watchOnce(life: ViewerLife, world: World): Promise<void> {
  const { census, signal } = world;
  const leaveCensus = census.enter("viewers");
  const viewing = begin(life, world);
  census.count(`${life.kind} viewers came`);
  const isOver =
    life.stall === null
      ? await restUntil(viewing.closed, life.lifeMs, signal)
      : await watchAndStall(viewing, life, world);
  if (viewing.hasMedia()) census.count(`${life.kind} viewers got media`);
  if (isOver) census.count(`${life.kind} viewers were closed`);
  await viewing.leave(life);
  leaveCensus();
}

async function watchAndStall(viewing: Viewing, life: ViewerLife, world: World): Promise<boolean> {
  const { census, signal } = world;
  const { afterMs, lastsMs } = life.stall!;
  if (await restUntil(viewing.closed, afterMs, signal)) return true;
  viewing.pause();
  const leaveCensus = census.enter("stalled");
  census.count(lastsMs === null ? "stalls for good" : "stalls");
  const isThrownOut = await restUntil(viewing.closed, lastsMs ?? FOR_GOOD_MS, signal);
  leaveCensus();
  if (isThrownOut) census.count("stalled viewers were closed");
  if (isThrownOut || lastsMs === null) return isThrownOut;
  viewing.resume();
  return restUntil(viewing.closed, Math.max(0, life.lifeMs - afterMs - lastsMs), signal);
}

function begin(life: ViewerLife, world: World): Viewing {
  const stream = streamOf(life.stream);
  if (life.kind === "hls") return viewHls(stream, world);
  return life.kind === "flv" ? viewFlv(stream, world) : viewRtmp(stream, world);
}

function viewRtmp(stream: string, { ports }: World): Viewing {
  const peer = new RtmpPeer({ port: ports.rtmp, app: APP, stream, role: "play" });
  const { wire } = peer;
  return {
    closed: wire.closed,
    hasMedia: () => peer.isStarted,
    pause: () => wire.socket.pause(),
    resume: () => wire.socket.resume(),
    leave: ({ leaving }) => (leaving === "polite" ? peer.leave() : wire.reset()),
  };
}

function viewFlv(stream: string, { ports }: World): Viewing {
  let hasMedia = false;
  const wire = watchFlv(ports.http, `/${APP}/${stream}.flv`, () => {
    hasMedia = true;
  });
  return {
    closed: wire.closed,
    hasMedia: () => hasMedia,
    pause: () => wire.socket.pause(),
    resume: () => wire.socket.resume(),
    leave: ({ leaving }) => (leaving === "polite" ? wire.end() : wire.reset()),
  };
}

function viewHls(stream: string, { ports }: World): Viewing {
  let segments = 0;
  const viewer = new HlsViewer(ports.http, `/${APP}/${stream}`, () => {
    segments++;
  });
  return {
    closed: viewer.ended,
    hasMedia: () => segments > 0,
    pause: () => viewer.pause(),
    resume: () => viewer.resume(),
    leave: () => viewer.leave(),
  };
}
