/**
 * Kills servers that record, at random moments, again and again, and looks whether all that viewers had been shown is still
 * there.
 *
 * Each server has a volume and streams of its own. A round: its publishers come, viewers load every segment that a live or
 * archive playlist lists, the server is killed, its indexes are judged, it starts again, and each segment is compared.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../src/base/errors.ts";
import { Random } from "../fuzz/random.ts";
import { eventually } from "../support/eventually.ts";
import type { TestEnd } from "../support/program.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { judgeArchive } from "./archive-judge.ts";
import { ArchiveViewer, bytesDigest } from "./archive-viewer.ts";
import type { ShownSegment } from "./archive-viewer.ts";
import { Ballast } from "./ballast.ts";
import { FilmPump } from "./film-pump.ts";
import { loadFilm } from "./film.ts";
import { mediaDigest, segmentMedia } from "./fragment-media.ts";
import type { SegmentMedia } from "./fragment-media.ts";
import { probeJoined } from "./probe-joined.ts";
import { RtmpPeer } from "./rtmp-peer.ts";
import { APP, streamOf } from "./world.ts";

/** How much is killed. */
export type KillPlan = {
  /** Of all servers together. */
  readonly kills: number;
  /** Of each server. */
  readonly streams: number;
  /** That are killed at the same time, independently; 1 unless given. */
  readonly servers?: number;
  readonly seed: number;
  /** The volumes are filled to the last byte, again and again; root only. */
  readonly isFull?: boolean;
  onProgress?(line: string): void;
};

/** What was seen. */
export type KillReport = {
  kills: number;
  /**
   * Segments that a playlist had listed when the server was killed, on full volumes one of the archive, and how often one was
   * compared: behind its kill, and at the end.
   */
  shown: number;
  compared: number;
  /** Segments of the live playlist of which the last sound was not written yet: all else of them is there. */
  cutShort: number;
  /** Segments of the live playlist that nobody had loaded, and whose last GOP was on its way to the disk. */
  cutUnseen: number;
  /** Kills behind which a volume was full. */
  fullKills: number;
  /** What is wrong, one line each. */
  readonly wrong: string[];
  /** From where each stream's archive ends to the kill. Units: milliseconds. */
  readonly lossesMs: number[];
};

const LOOK_MS = 150;
/** A server starts in less than one, but not on a machine that is busy with others. Units: milliseconds. */
const READY_MS = 90_000;
/** How long a round lasts, from when all streams are on air. Units: milliseconds. */
const ROUND_MS = { least: 1500, most: 6000 };
const PICTURE_BYTES = 4000;
/** A volume that fills up. */
const VOLUME_BYTES = 32 * 1024 * 1024;
/** For each stream: so much is written in two seconds. Units: bytes. */
const FREE_BYTES = 200 * 1024;
const MAX_WRONG = 100;

/** Runs a plan to its end. */
export async function killRecorders(t: TestEnd, plan: KillPlan): Promise<KillReport> {
  const report: KillReport = {
    ...{ kills: 0, shown: 0, compared: 0, cutShort: 0, cutUnseen: 0, fullKills: 0 },
    ...{ wrong: [], lossesMs: [] },
  };
  const pump = new FilmPump(await loadFilm(PICTURE_BYTES));
  t.after(() => pump.close());
  const servers = plan.servers ?? 1;
  let left = plan.kills;
  const run = async (number: number): Promise<void> => {
    const target = await Target.start(t, plan, { number, pump, report });
    while (left-- > 0 && report.wrong.length < MAX_WRONG) await target.round();
    await target.finish();
  };
  await Promise.all(Array.from({ length: servers }, (_, number) => run(number)));
  return report;
}

type TargetParts = { readonly number: number; readonly pump: FilmPump; readonly report: KillReport };

/** One server, its volume and its streams. */
class Target {
  readonly #t: TestEnd;
  readonly #plan: KillPlan;
  readonly #parts: TargetParts;
  readonly #root: string;
  readonly #ballast: Ballast | null;
  readonly #random: Random;
  readonly #weir: Weir;
  readonly #viewers: ArchiveViewer[];
  readonly #startS = Math.floor(Date.now() / 1000) - 5;
  #rounds = 0;

  private constructor(
    t: TestEnd,
    plan: KillPlan,
    parts: TargetParts,
    place: { readonly root: string; readonly ballast: Ballast | null; readonly weir: Weir },
  ) {
    this.#t = t;
    this.#plan = plan;
    this.#parts = parts;
    this.#root = place.root;
    this.#ballast = place.ballast;
    this.#weir = place.weir;
    this.#random = new Random(plan.seed + parts.number);
    this.#viewers = Array.from(
      { length: plan.streams },
      (_, slot) => new ArchiveViewer(place.weir.url(`/${APP}/${streamOf(slot)}/tracks-v1a1`)),
    );
  }

  static async start(t: TestEnd, plan: KillPlan, parts: TargetParts): Promise<Target> {
    const ballast =
      plan.isFull === true
        ? await Ballast.mount(t, { volumeBytes: VOLUME_BYTES, freeBytes: plan.streams * FREE_BYTES })
        : null;
    const folder = ballast?.folder ?? (await mkdtemp(join(tmpdir(), "weir-kills-")));
    if (ballast === null) t.after(() => rm(folder, { recursive: true, force: true }));
    const root = join(folder, "archive");
    await mkdir(root, { recursive: true });
    const config = `template ${APP} {
      prefix ${APP}; input publish:// source_timeout=30; segment_duration 2; dvr ${root} 1d;
    }`;
    return new Target(t, plan, parts, { root, ballast, weir: await startWeir(t, { config }) });
  }

  /** From the publishers' coming to the comparison behind the kill. */
  async round(): Promise<void> {
    const { report, number } = this.#parts;
    const fromS = Math.floor(Date.now() / 1000) - 3;
    const leave = await this.#publish();
    const lifeMs = ROUND_MS.least + this.#random.below(ROUND_MS.most - ROUND_MS.least);
    const over = new AbortController();
    const watching = this.#watch(fromS, over.signal);
    await sleep(lifeMs);
    if (this.#rounds % 2 === 1) await this.#untilMoreIsShown();
    const killedMs = Date.now();
    over.abort();
    await this.#weir.kill();
    leave();
    await watching;
    report.kills++;
    this.#rounds++;
    const isFull = (await this.#ballast?.isFull()) ?? false;
    if (isFull) report.fullKills++;
    if (!isFull || this.#random.below(2) === 0) await this.#ballast?.makeRoom();
    await this.#weir.start(this.#t, { readyTimeoutMs: READY_MS });
    await this.#judge(fromS, killedMs);
    const line = `server ${number}, kill ${this.#rounds}: ${report.compared} segments compared`;
    this.#plan.onProgress?.(`${line}, ${report.wrong.length} things wrong${isFull ? ", volume full" : ""}`);
  }

  /** All that was ever shown, and the files as a stranger reads them. */
  async finish(): Promise<void> {
    for (const [slot, viewer] of this.#viewers.entries()) {
      await this.#compareAll(viewer, [...viewer.shown.values()], await viewer.archived(this.#startS));
      this.#say(await probeJoined(viewer, this.#startS));
      this.#say(
        await judgeArchive(join(this.#root, APP, streamOf(slot)), {
          mayEndOpen: this.#ballast !== null,
          hasNoHoles: true,
        }),
      );
    }
    await this.#weir.stop();
  }

  async #publish(): Promise<() => void> {
    const { pump } = this.#parts;
    const stops: (() => void)[] = [];
    const start = async (slot: number): Promise<void> => {
      const options = { app: APP, stream: streamOf(slot), role: "publish" as const };
      const peer = await eventually(
        async () => {
          const next = new RtmpPeer({ port: this.#weir.ports.rtmp, ...options });
          await next.answered;
          if (!next.isStarted) throw new Error(`${options.stream} was not taken\n${this.#weir.describe()}`);
          return next;
        },
        { timeoutMs: READY_MS },
      );
      const stop = pump.play(peer);
      stops.push(() => {
        stop();
        void peer.wire.reset();
      });
    };
    await Promise.all(this.#viewers.map((_, slot) => start(slot)));
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Every other round lasts until a segment of it was shown, on machines that are slow too; volumes that are full show none. */
  async #untilMoreIsShown(): Promise<void> {
    if (this.#ballast !== null) return;
    const isNew = ({ bytesDigest: known, digest }: ShownSegment): boolean =>
      known === null && digest !== null;
    const look = (): void => {
      if (!this.#viewers.some((viewer) => [...viewer.shown.values()].some(isNew)))
        throw new Error("nothing is shown");
    };
    await eventually(look, { timeoutMs: READY_MS });
  }

  async #watch(fromS: number, isOver: AbortSignal): Promise<void> {
    const watch = async (viewer: ArchiveViewer): Promise<void> => {
      while (!isOver.aborted) {
        await viewer.look(fromS);
        await sleep(LOOK_MS);
      }
    };
    await Promise.all(this.#viewers.map(watch));
  }

  async #judge(fromS: number, killedMs: number): Promise<void> {
    const { report } = this.#parts;
    for (const [slot, viewer] of this.#viewers.entries()) {
      const listed = await this.#recovered(viewer, fromS);
      const isFull = this.#ballast !== null;
      const shown = [...viewer.shown.values()].filter(
        ({ bytesDigest: known, isArchived }) => known === null && (isArchived || !isFull),
      );
      report.shown += shown.length;
      await this.#compareAll(viewer, shown, listed);
      const [lastUri, lastS] = [...listed].at(-1) ?? [];
      if (lastUri !== undefined && this.#ballast === null)
        report.lossesMs.push(killedMs - startMsOf(lastUri) - lastS! * 1000);
      this.#say(
        await judgeArchive(join(this.#root, APP, streamOf(slot)), {
          mayEndOpen: this.#ballast !== null,
          hasNoHoles: true,
        }),
      );
    }
  }

  /** What is listed when the last segment was put in order, which goes on behind the start. */
  async #recovered(viewer: ArchiveViewer, fromS: number): Promise<Map<string, number>> {
    const folder = join(this.#root, APP, streamOf(this.#viewers.indexOf(viewer)));
    if (this.#ballast === null)
      await eventually(
        async () => {
          const wrong = await judgeArchive(folder).catch((caught: unknown) => [String(caught)]);
          if (wrong.length > 0) throw new Error(wrong.join("\n"));
        },
        { timeoutMs: READY_MS },
      ).catch((caught: unknown) => this.#say([messageOf(caught)]));
    return (await viewer.archived(fromS)) ?? new Map<string, number>();
  }

  async #compareAll(
    viewer: ArchiveViewer,
    shown: readonly ShownSegment[],
    listed: ReadonlyMap<string, number> | null,
  ): Promise<void> {
    for (const segment of shown) {
      const durationS = listed?.get(segment.uri);
      if (segment.isArchived || this.#ballast === null)
        this.#say(await this.#compare(viewer, segment, durationS));
    }
  }

  async #compare(
    viewer: ArchiveViewer,
    segment: ShownSegment,
    durationS: number | undefined,
  ): Promise<string[]> {
    const { report } = this.#parts;
    const name = `${segment.uri} of round ${this.#rounds}${segment.isArchived ? "" : ", shown live"}`;
    if (durationS === undefined) return [`${name} is not listed any more`];
    if (segment.isArchived && durationS !== segment.durationS)
      return [`${name} lasted ${segment.durationS} s and lasts ${durationS} s`];
    const reply = await viewer.load(segment.uri);
    if (reply?.status !== 200) return [`${name} cannot be loaded: ${reply?.status ?? "no answer"}`];
    const bytes = bytesDigest(reply.body);
    const media = segmentMedia(reply.body);
    report.compared++;
    if (segment.bytesDigest !== null && segment.bytesDigest !== bytes)
      return [`${name} has other bytes than before`];
    segment.bytesDigest = bytes;
    if (segment.digest === null && !segment.isArchived && durationS < segment.durationS - 0.5)
      report.cutUnseen++;
    const wasDigest = segment.digest ?? mediaDigest(media);
    // From now on it is the archive's, and changes no more.
    if (!segment.isArchived) segment.durationS = durationS;
    segment.digest = mediaDigest(media);
    if (wasDigest === segment.digest) return [];
    if (segment.isArchived || !isCutShort(segment.media, media))
      return [`${name} has other samples than before`];
    report.cutShort++;
    return [];
  }

  #say(wrong: readonly string[]): void {
    const { report } = this.#parts;
    for (const line of wrong) {
      report.wrong.push(line);
      this.#plan.onProgress?.(`wrong: ${line}`);
    }
  }
}

/** All pictures are there, and of the sound the beginning. */
function isCutShort(before: SegmentMedia | null, after: SegmentMedia): boolean {
  if (before === null) return false;
  for (const [track, samples] of before) {
    const left = after.get(track) ?? Buffer.alloc(0);
    const wanted = track < 100 ? samples.byteLength : left.byteLength;
    if (!left.equals(samples.subarray(0, wanted))) return false;
  }
  return true;
}

function startMsOf(uri: string): number {
  return Number(/seg-(\d+)/.exec(uri)?.[1]);
}
