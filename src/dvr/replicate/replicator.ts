import type { Clock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import type { StreamName } from "../../media/ids.ts";
import type { ArchiveFiles } from "../archive-files.ts";
import type { DeletedSpan } from "../format/deleted-spans.ts";
import { HOUR_US, hourOf, hourPath } from "../format/hour.ts";
import { readDeletedFile } from "../format/read-deleted.ts";
import type { KeepFiles } from "../keep/keep-files.ts";
import { backOffMs, pause } from "../objects/back-off.ts";
import type { HourCache } from "../reader/hour-cache.ts";
import type { WriteAccess } from "../writer/write-access.ts";
import { HourCopy, bytesOf, offeredSegments } from "./hour-copy.ts";
import type { OfferedSegment } from "./hour-copy.ts";
import { hourSpan, readLocalHour } from "./local-hour.ts";
import { chooseMissing, longestUndeleted, withoutDeleted } from "./missing.ts";
import { Pace } from "./pace.ts";
import { Peer } from "./peer.ts";
import type { PeerAddress, PeerTransport } from "./peer.ts";
import type { OfferedHour } from "./peer-listing.ts";
import { hasRoom } from "./room.ts";
import type { RecordingBounds } from "./room.ts";
import { HttpPeerStorage } from "./storages/http-peer-storage.ts";

/** A stream whose recording is completed from a peer. */
export type ReplicationTarget = RecordingBounds & {
  readonly stream: StreamName;
  /** What the peer calls it. */
  readonly remote: StreamName;
  readonly root: string;
  readonly bytesPerSecond: number;
  /** How old a recording gets; absent: any age. */
  readonly depthMs?: number | undefined;
};

/** What completing recordings needs. */
export type ReplicatorOptions = {
  readonly files: ArchiveFiles;
  readonly keepFiles: KeepFiles;
  /** Our hours, as those who play them share them. */
  readonly hours: Pick<HourCache, "hour">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who may write; `stream` is a folder below the root. */
  access(root: string, stream: string, onLost: () => void): WriteAccess;
  /** Of the streams that a peer offers, those that are completed from it, as the configuration in force has it. */
  targetsOf(peer: PeerAddress, offered: readonly StreamName[]): readonly ReplicationTarget[];
  /** Something came to a stream's archive. */
  onCompleted?(root: string, stream: string): void;
  /** Where peers may be; absent: everywhere. */
  readonly hosts?: OutsideHosts | undefined;
  /** How a peer is asked; over HTTP unless given. */
  connect?(peer: PeerAddress): PeerTransport;
  readonly random?: () => number;
};

/** The folder of a stream by which its fills are claimed: who copies need not be who records. */
const CLAIM_FOLDER = ".fill";

/** From the end of one round to the beginning of the next. Units: milliseconds. */
const ROUND_MS = 5000;
/** All hours are compared in one of so many rounds, in the others the newest two. */
const FULL_EVERY = 60;
/** Streams that are copied from one peer at a time. */
const AT_A_TIME = 4;
/** A stream's turn: then the others have theirs. Units: milliseconds. */
const TURN_MS = 60_000;
/** Behind our last segment only that is copied which is older: what is newer our own recorder may write yet. */
const TRAILING_US = 60_000_000;
/** Smaller gaps are not looked into. Units: microseconds. */
const MIN_GAP_US = 500_000;
/** What a peer writes no more, so long after its end. Units: microseconds. */
const SETTLED_US = 600_000_000;
/** Pauses after a peer failed. */
const PAUSES = { firstMs: 1000, longestMs: 30_000 };
/** Who holds the fills of a stream for longer is left alone until the next round. Units: milliseconds. */
const CLAIM_MS = 5000;
/** Hours of which it is known how far they were compared, and segments that are damaged at a peer. */
const MAX_KNOWN = 50_000;

/** What is wrong with an hour, or with its copy at the peer. */
const OF_ONE_HOUR: ReadonlySet<string> = new Set([
  "DVR_BAD_INDEX",
  "DVR_INDEX_VERSION",
  "DVR_BAD_MEDIA",
  "DVR_TOO_MANY_TRACK_SETS",
  "DVR_PEER_BAD_REPLY",
  "DVR_PEER_BAD_MEDIA",
  "DVR_PEER_CHECKSUM",
  "DVR_PEER_REFUSED",
]);

/** How far an hour was compared. */
type Compared = {
  readonly indexBytes: number;
  readonly fillBytes: number;
  readonly toUs: number;
  /** Nothing of what the peer had then is left to be compared. */
  readonly isAll: boolean;
};

/** Why a turn ended: there is nothing to copy any more for now, or the others have theirs. */
type TurnEnd = "done" | "more";

/** What came of an hour: nothing is to be copied for now, not all was, or what would be copied has no room. */
type HourEnd = "done" | "not all" | "no room";

/** Completes recordings from peers: in rounds, the newest hours first. */
export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #peers = new Map<string, AbortController>();
  /** Also of peers that were taken away and have not ended yet. */
  readonly #running = new Set<Promise<void>>();
  readonly #compared = new Map<string, Compared>();
  /** Up to when nothing is missing of a stream that a peer could have. Units: microseconds. */
  readonly #whole = new Map<string, number>();
  readonly #paces = new Map<string, Pace>();
  readonly #damaged = new Map<string, true>();
  /** Streams of which it was said that they cannot be completed. */
  readonly #told = new Map<string, true>();

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  /** From now on these peers are asked, and no others. */
  setPeers(peers: readonly PeerAddress[]): void {
    const wanted = new Map(peers.map((peer) => [`${peer.origin} ${peer.key}`, peer]));
    for (const [key, stop] of this.#peers) {
      if (wanted.has(key)) continue;
      this.#peers.delete(key);
      stop.abort();
    }
    for (const [key, peer] of wanted) {
      if (this.#peers.has(key)) continue;
      const stop = new AbortController();
      this.#peers.set(key, stop);
      const running = this.#run(peer, stop.signal).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  /** Copies nothing any more; resolves when all files are closed. */
  async stop(): Promise<void> {
    this.setPeers([]);
    await Promise.all(this.#running);
  }

  async #run(address: PeerAddress, signal: AbortSignal): Promise<void> {
    const { clock, log, hosts, random = Math.random } = this.#options;
    const transport = this.#options.connect?.(address) ?? new HttpPeerStorage(address.origin, clock, hosts);
    const peer = new Peer({ address, transport, clock, signal });
    let failures = 0;
    // Rounds until all hours are compared again: at once at first, and behind what went wrong.
    let untilFull = 0;
    while (!signal.aborted) {
      let waitMs = ROUND_MS;
      try {
        const end = await this.#round(peer, address, untilFull === 0, signal);
        if (end === "more") waitMs = 0;
        else untilFull = untilFull === 0 ? FULL_EVERY : untilFull - 1;
        if (failures > 0) log.info("a peer's recordings can be copied again", { peer: address.origin });
        failures = 0;
      } catch (caught) {
        if (signal.aborted) break;
        if (failures === 0)
          log.warn("recordings cannot be copied from a peer for now", failureOf(address, caught));
        waitMs = backOffMs(++failures, PAUSES, random());
        untilFull = 0;
      }
      await pause(clock, waitMs, signal);
    }
    transport.close();
  }

  async #round(peer: Peer, address: PeerAddress, isFull: boolean, signal: AbortSignal): Promise<TurnEnd> {
    const targets = [...this.#options.targetsOf(address, await peer.streams())];
    let end: TurnEnd = "done";
    const work = async (): Promise<void> => {
      for (let target = targets.pop(); target !== undefined; target = targets.pop()) {
        if (signal.aborted) return;
        if ((await this.#turn(peer, target, isFull, signal)) === "more") end = "more";
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return end;
  }

  /** One stream's turn. Rejects where the peer fails for all; what is wrong with one stream alone is said once. */
  async #turn(
    peer: Peer,
    target: ReplicationTarget,
    isFull: boolean,
    signal: AbortSignal,
  ): Promise<TurnEnd> {
    const { log } = this.#options;
    const { stream } = target;
    const key = `${peer.name} ${stream}`;
    try {
      const end = await this.#complete(peer, target, isFull, signal);
      if (this.#told.delete(key)) log.info("a recording is completed again", { stream, peer: peer.name });
      return end;
    } catch (caught) {
      if (signal.aborted || asMediaError(caught)?.code === "DVR_PEER_UNREACHABLE") throw caught;
      if (!this.#told.has(key)) {
        this.#note(this.#told, key, true);
        log.warn("a recording cannot be completed for now", { stream, ...failureOf(peer.name, caught) });
      }
      return "done";
    }
  }

  async #complete(
    peer: Peer,
    target: ReplicationTarget,
    isFull: boolean,
    signal: AbortSignal,
  ): Promise<TurnEnd> {
    const { clock } = this.#options;
    const nowUs = clock.wallUs();
    const endUs = clock.nowUs() + TURN_MS * 1000;
    const newest = hourOf(nowUs);
    const oldest = target.depthMs === undefined ? 0 : Math.ceil((nowUs - target.depthMs * 1000) / HOUR_US);
    const from = Math.max(oldest, isFull ? 0 : newest - 1);
    if (!isFull && !(await this.#mayLack(peer, target, from))) return "done";
    const offered = await peer.hours(target.remote, Math.max(0, from), newest);
    let failure: unknown = null;
    for (const hour of offered.toReversed()) {
      if (signal.aborted) return "done";
      if (clock.nowUs() > endUs) return "more";
      try {
        if ((await this.#hour(peer, target, hour, signal)) === "no room") break;
      } catch (caught) {
        // What is wrong with one hour leaves the others as they are.
        if (!OF_ONE_HOUR.has(asMediaError(caught)?.code ?? "")) throw caught;
        failure ??= caught;
      }
    }
    if (failure !== null) throw failure;
    return "done";
  }

  /**
   * Whether something that was not compared yet is missing here since an hour: what is found to be whole is not looked at
   * again. Rejects as reading our hours does.
   */
  async #mayLack({ name }: Peer, { root, stream }: ReplicationTarget, from: number): Promise<boolean> {
    const { hours, clock } = this.#options;
    const nowUs = clock.wallUs();
    const key = `${name} ${stream}`;
    const folder = `${root}/${stream}`;
    let atUs = Math.max(from * HOUR_US, this.#whole.get(key) ?? 0);
    for (let hour = hourOf(atUs); hour <= hourOf(nowUs); hour++) {
      atUs = Math.max(atUs, this.#compared.get(`${key} ${hour}`)?.toUs ?? 0);
      const index = (await hours.hour(folder, hour))?.index;
      if (index === undefined) continue;
      for (let place = Math.max(0, index.placeAt(atUs)); place < index.segmentCount; place++) {
        const { startUs, durationUs } = index.segment(place);
        if (await this.#isMissing(folder, atUs, startUs)) return true;
        atUs = Math.max(atUs, startUs + durationUs);
      }
    }
    this.#note(this.#whole, key, atUs);
    return await this.#isMissing(folder, atUs, nowUs - TRAILING_US);
  }

  /** Whether a peer may have what is not recorded here from a time on and before another one: not what is deleted. */
  async #isMissing(folder: string, fromUs: number, toUs: number): Promise<boolean> {
    if (toUs - fromUs < MIN_GAP_US) return false;
    const deleted: DeletedSpan[] = [];
    for (let hour = hourOf(fromUs); hour <= hourOf(toUs); hour++)
      deleted.push(...(await readDeletedFile(this.#options.files, folder, hour)).spans);
    return longestUndeleted(fromUs, toUs, deleted) >= MIN_GAP_US;
  }

  async #hour(
    peer: Peer,
    target: ReplicationTarget,
    offered: OfferedHour,
    signal: AbortSignal,
  ): Promise<HourEnd> {
    const { files, clock } = this.#options;
    const { hour, indexBytes, fillBytes } = offered;
    const key = `${peer.name} ${target.stream} ${hour}`;
    const known = this.#compared.get(key);
    const isKnown = known?.indexBytes === indexBytes && known.fillBytes === fillBytes;
    const { startUs, endUs } = hourSpan(hour);
    const nowUs = clock.wallUs();
    const isOver = endUs + SETTLED_US < nowUs;
    if (isKnown && known.isAll) return "done";
    const { timeline, ownEndUs, deleted } = await readLocalHour(
      files,
      `${target.root}/${target.stream}`,
      hour,
    );
    const toUs = Math.max(ownEndUs, nowUs - TRAILING_US);
    const fromUs = known?.fillBytes === fillBytes ? known.toUs : startUs;
    const compared = (to: number, isAll: boolean): void =>
      this.#note(this.#compared, key, { indexBytes, fillBytes, toUs: to, isAll });
    if (!timeline.hasGap(fromUs, Math.min(endUs, toUs), { minUs: MIN_GAP_US, deleted })) {
      if (isOver) compared(endUs, true);
      return "done";
    }
    const segments = await offeredSegments(peer, target.remote, offered);
    const offeredToUs = segments.reduce((to, one) => Math.max(to, one.startUs + one.durationUs), startUs);
    const wanted = withoutDeleted(this.#undamaged(key, segments), deleted);
    const missing = chooseMissing(timeline, wanted, { fromUs: startUs, toUs }).sort(
      (a, b) => a.startUs - b.startUs,
    );
    const end =
      missing.length === 0 ? "done" : await this.#copy(peer, target, { hour, key, missing }, signal);
    if (end === "done") compared(isOver ? endUs : Math.min(offeredToUs, toUs), offeredToUs <= toUs);
    return end;
  }

  async #copy(
    peer: Peer,
    target: ReplicationTarget,
    {
      hour,
      key,
      missing,
    }: { readonly hour: number; readonly key: string; readonly missing: readonly OfferedSegment[] },
    signal: AbortSignal,
  ): Promise<HourEnd> {
    const { files, keepFiles, clock, log } = this.#options;
    const { stream, root, remote, bytesPerSecond } = target;
    const wantedBytes = missing.reduce((sum, segment) => sum + bytesOf(segment), 0);
    if (!(await hasRoom({ files, keepFiles }, target, target, wantedBytes))) return "no room";
    const access = this.#options.access(root, `${stream}/${CLAIM_FOLDER}`, () => {});
    try {
      if (!(await isHeld(access, clock))) return "not all";
      const copy = new HourCopy({
        ...{ peer, remote, bytesPerSecond, clock, signal },
        place: { files, keepFiles, folder: `${root}/${stream}`, hour },
        pace: this.#paceOf(`${peer.name} ${stream}`, bytesPerSecond),
        mayWrite: () => access.mayWrite(),
      });
      const { segments, bytes, damaged, isAll } = await copy.run(missing);
      if (segments > 0) this.#options.onCompleted?.(root, stream);
      for (const name of damaged) this.#note(this.#damaged, `${key} ${name}`, true);
      const facts = { stream, peer: peer.name, hour: hourPath(hour), segments, bytes };
      log.info("a recording was completed from a peer", { ...facts, damaged: damaged.length });
      return isAll ? "done" : "not all";
    } catch (caught) {
      const code = asMediaError(caught)?.code ?? "DVR_DISK_FAILED";
      if (code === "DVR_DISK_FAILED") access.failed(caught);
      throw caught;
    } finally {
      await access.release();
    }
  }

  /** One for a stream, over all of its hours. */
  #paceOf(key: string, bytesPerSecond: number): Pace {
    const known = this.#paces.get(key);
    const pace =
      known?.bytesPerSecond === bytesPerSecond ? known : new Pace(this.#options.clock, bytesPerSecond);
    this.#note(this.#paces, key, pace);
    return pace;
  }

  #undamaged(key: string, segments: readonly OfferedSegment[]): OfferedSegment[] {
    return segments.filter(({ name }) => !this.#damaged.has(`${key} ${name}`));
  }

  #note<Value>(notes: Map<string, Value>, key: string, value: Value): void {
    notes.delete(key);
    notes.set(key, value);
    dropOldest(notes, MAX_KNOWN);
  }
}

async function isHeld(access: WriteAccess, clock: Clock): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = clock.schedule(CLAIM_MS, resolve);
  await Promise.race([access.whenHeld(), late]);
  timer.cancel();
  return access.mayWrite();
}

function failureOf(
  peer: PeerAddress | string,
  caught: unknown,
): { readonly peer: string; readonly error: string } {
  return { peer: typeof peer === "string" ? peer : peer.origin, error: messageOf(caught) };
}
