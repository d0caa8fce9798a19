import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { DiskStates } from "../keep/disk-state.ts";
import type { DiskChange } from "../keep/disk-state.ts";
import type { KeepFiles } from "../keep/keep-files.ts";
import { WriterLeases } from "../keep/writer-lease.ts";
import type { WriterLease } from "../keep/writer-lease.ts";
import type { WriterIdentity } from "../keep/writer-records.ts";
import { isProcessGone } from "../keep/writer-watch.ts";

/** Whether one stream's archive may be written, from when on it was asked for until `release`. */
export type WriteAccess = {
  /** Asked before each write: whether the stream is ours, and its volume takes recordings. */
  mayWrite(): boolean;
  /** Resolves when the stream is ours, for the first time or again, or `release` was called. */
  whenHeld(): Promise<void>;
  /** An operation on the stream's files failed. */
  failed(caught: unknown): void;
  /** To be called when its files are closed. Never rejects. */
  release(): Promise<void>;
};

/** What deciding who writes needs. */
export type RecordingRootsOptions = {
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: WriterIdentity;
  isAlive(pid: number, birth: string): boolean;
  onDiskChange?(change: DiskChange): void;
};

/** The roots below which a thread records: one heart and one state of the disk for each, whatever the number of streams. */
export class RecordingRoots {
  readonly #options: RecordingRootsOptions;
  readonly #disks: DiskStates;
  readonly #leases = new Map<string, WriterLeases>();
  /** Streams that somebody has, and when they are given back: as many as are recorded. */
  readonly #given = new Map<string, Promise<void>>();
  #isStopped = false;
  #hasToldLimit = false;

  constructor(options: RecordingRootsOptions) {
    const { files, clock, log } = options;
    this.#options = options;
    this.#disks = new DiskStates({
      files,
      clock,
      logger: log,
      onChange: (change) => options.onDiskChange?.(change),
    });
  }

  /**
   * Asks for a stream's archive; `onLost` is called when it is somebody else's from that moment on. Who asks while another one
   * of this thread has it gets it behind him, when he has given it back.
   * Throws: DVR_LEASE_LIMIT, DVR_ROOT_LIMIT.
   */
  access(root: string, stream: string, onLost: () => void): WriteAccess {
    let held = Promise.withResolvers<void>();
    const onLeaseLost = (): void => {
      if (!isReleased) held = Promise.withResolvers();
      onLost();
    };
    const given = Promise.withResolvers<void>();
    const key = `${root}/${stream}`;
    const before = this.#given.get(key);
    let lease: WriterLease | null = null;
    let isReleased = false;
    const claim = (): void => {
      if (isReleased || this.#isStopped) return;
      lease = this.#leasesOf(root).claim(stream, {
        onHeld: () => held.resolve(),
        onLost: onLeaseLost,
      });
    };
    if (before === undefined) claim();
    else void before.then(claim).catch((caught: unknown) => this.#notClaimed(root, stream, caught));
    this.#given.set(key, given.promise);
    void this.#forget(key, given.promise);
    return {
      mayWrite: () => lease?.mayWrite() === true && this.#disks.mayWrite(root),
      whenHeld: () => held.promise,
      failed: (caught) => this.#report(root, caught),
      release: async () => {
        isReleased = true;
        held.resolve();
        const releasing = lease?.release();
        given.resolve(before);
        await releasing;
        await this.#leaveIfUnused(root);
      },
    };
  }

  /** A root that nothing is recorded into any more is left in peace: its volume may be taken away. */
  async #leaveIfUnused(root: string): Promise<void> {
    const leases = this.#leases.get(root);
    if (leases === undefined || leases.size > 0) return;
    this.#leases.delete(root);
    await leases.stop();
  }

  #report(root: string, caught: unknown): void {
    try {
      this.#disks.report(root, caught);
    } catch (limit) {
      if (this.#hasToldLimit) return;
      this.#hasToldLimit = true;
      this.#options.log.error("the state of a volume is not known", { root, error: messageOf(limit) });
    }
  }

  async #forget(key: string, given: Promise<void>): Promise<void> {
    await given;
    if (this.#given.get(key) === given) this.#given.delete(key);
  }

  #notClaimed(root: string, stream: string, caught: unknown): void {
    this.#options.log.error("a stream is not recorded", { root, stream, error: messageOf(caught) });
  }

  /** Gives all back. To be called when every stream's access is released. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#disks.stop();
    await Promise.all([...this.#leases.values()].map((leases) => leases.stop()));
    this.#leases.clear();
  }

  #leasesOf(root: string): WriterLeases {
    const known = this.#leases.get(root);
    if (known !== undefined) return known;
    const { files, clock, log, identity } = this.#options;
    const leases = new WriterLeases({
      root,
      files,
      clock,
      identity,
      logger: log,
      isGone: (other) => isProcessGone(other, identity, (...process) => this.#options.isAlive(...process)),
      onFailure: (caught) => this.#report(root, caught),
    });
    this.#leases.set(root, leases);
    return leases;
  }
}
