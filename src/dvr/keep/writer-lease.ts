/**
 * Who may write a stream's archive. Two processes that share a volume, by mistake or while one replaces the other, never
 * write one stream at a time.
 *
 * A process gives one sign of life in each root (`heartbeat.ts`), whatever the number of its streams, and claims each
 * stream once (`stream-claim.ts`). A claim counts as long as its writer lives (`writer-watch.ts`). All of it holds on NFS:
 * it rests on files that are made exclusively, and on reading what another process closed, not on locks.
 *
 * What it cannot do: take a write back that is already on its way to a disk that hangs. The writer stops some seconds
 * before others may begin, and what arrives later than that is found by recovery.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { keepErrors } from "./errors.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { HeartbeatLoss } from "./heartbeat.ts";
import type { KeepFiles } from "./keep-files.ts";
import { claimStream, releaseClaim } from "./stream-claim.ts";
import type { Claim, ClaimContext, ClaimOutcome } from "./stream-claim.ts";
import type { WriterIdentity } from "./writer-records.ts";
import { WriterWatch } from "./writer-watch.ts";

/** What others wait before they take a silent writer for dead. Units: milliseconds. */
const LEASE_MS = 15_000;

/** A writer trusts its last renewal for this part of that time: it has stopped when others begin. */
const VALID_PART = 0.8;

/** Signs of life in the time of one lease. */
const BEATS_PER_LEASE = 3;

/** Attempts to claim what others hold, or to give back what could not be, for each sign of life. */
const ATTEMPTS_PER_BEAT = 5;

/** Claims that are tried at a time. */
const ATTEMPTS_AT_A_TIME = 8;

/** Streams of one process in one root, unless an option says otherwise. */
const MAX_STREAMS = 20_000;

/** How often what dead writers left in ROOT/.writers is removed. Units: beats; an hour of them. */
const SWEEP_EVERY_BEATS = 720;

/** What a root's leases need. */
export type WriterLeasesOptions = {
  /** Absolute path of the root, without a slash at its end. */
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identity: WriterIdentity;
  /** Whether the process with this identity is gone for certain; see `isProcessGone`. */
  isGone(identity: WriterIdentity): boolean;
  /** An operation on the volume failed: for the state of the disk. */
  onFailure?(caught: unknown): void;
  /** 15 000 unless given. Units: milliseconds. */
  readonly leaseMs?: number;
  /** Most streams at a time. */
  readonly limit?: number;
  newWriter?(): string;
};

/** Who is told about a lease. */
export type LeaseOwner = {
  /** The stream may be written from now on, until `onLost`. */
  onHeld(): void;
  /**
   * The stream may not be written any more, from this moment on: close its files without writing to them. It is claimed
   * anew meanwhile; `onHeld` follows when that succeeds. What of the old recording is still under way must have ended
   * before the new one begins.
   */
  onLost(error: MediaError): void;
};

/** A claim of one stream, from `claim` to `release`. */
export type WriterLease = {
  readonly stream: string;
  /** Whether the stream may be written now: to be asked before each write, for no timer is as punctual. */
  mayWrite(): boolean;
  /**
   * Gives the stream back: others may have it at once. To be called when its files are closed. Resolves when that was
   * tried; never rejects, and goes on to try where it failed. Idempotent.
   */
  release(): Promise<void>;
};

type Lease = {
  readonly stream: string;
  readonly owner: LeaseOwner;
  /** Resolves when an earlier lease of the stream was given back; `null` when there was none. */
  readonly after: Promise<Claim | null> | null;
  /** With what is left of it when that failed. */
  readonly released: PromiseWithResolvers<Claim | null>;
  state: "claiming" | "held" | "releasing";
  /** The claim that holds, or what is left of one that failed. */
  claim: Claim | null;
  isBusy: boolean;
  /** What was last said of it in the log, so that it is said once. */
  told: string;
};

/** The leases of one process in one root. */
export class WriterLeases {
  readonly #options: WriterLeasesOptions;
  readonly #heartbeat: Heartbeat;
  readonly #watch: WriterWatch;
  readonly #context: ClaimContext;
  readonly #tickMs: number;
  readonly #leases = new Map<string, Lease>();
  /** Leases with something to be done on the volume, in their order. */
  readonly #waiting = new Set<Lease>();
  #working = 0;
  #timer: Timer | null = null;
  #ticks = 0;
  #beats = 0;
  #isStopped = false;
  /**
   * Somebody took this process for gone while it lived, as two containers of one pod would: from then on it waits for
   * every lease to run out, or the two would take streams from each other in turns.
   */
  #wasBuried = false;
  #toldFailure = "";

  constructor(options: WriterLeasesOptions) {
    const { root, files, clock, identity, leaseMs = LEASE_MS } = options;
    const validMs = leaseMs * VALID_PART;
    const isGone = (other: WriterIdentity): boolean => !this.#wasBuried && options.isGone(other);
    const newWriter = (): string => options.newWriter?.() ?? randomUUID();
    const onLost = (loss: HeartbeatLoss): void => this.#lose(loss);
    this.#options = options;
    this.#tickMs = leaseMs / BEATS_PER_LEASE / ATTEMPTS_PER_BEAT;
    this.#watch = new WriterWatch({ root, files, clock, leaseMs, isGone });
    this.#heartbeat = new Heartbeat({ root, files, clock, identity, newWriter, leaseMs, validMs, onLost });
    const writer = (): string | null => this.#heartbeat.writer;
    this.#context = {
      root,
      files,
      clock,
      watch: this.#watch,
      host: identity.host,
      leaseMs,
      validMs,
      writer,
    };
  }

  /** Streams that are claimed, held or being given back. */
  get size(): number {
    return this.#leases.size;
  }

  /**
   * Claims a stream until it is held, and keeps it. A stream that was released may be claimed again at once.
   * Throws: DVR_LEASE_LIMIT.
   */
  claim(stream: string, owner: LeaseOwner): WriterLease {
    const { root, limit = MAX_STREAMS } = this.#options;
    const earlier = this.#leases.get(stream);
    assert.ok(earlier === undefined || earlier.state === "releasing", `${stream} is claimed already`);
    assert.ok(!this.#isStopped, "leases are stopped");
    if (earlier === undefined && this.#leases.size >= limit)
      throw keepErrors.error("DVR_LEASE_LIMIT", { stream, limit, root });
    const lease: Lease = {
      stream,
      owner,
      after: earlier?.released.promise ?? null,
      released: Promise.withResolvers(),
      state: "claiming",
      claim: null,
      isBusy: false,
      told: "",
    };
    this.#leases.set(stream, lease);
    if (this.#timer === null) this.#tick();
    else if (this.#heartbeat.isValid()) this.#enqueue(lease);
    return {
      stream,
      mayWrite: () => this.#mayWrite(lease),
      release: async () => await this.#release(lease),
    };
  }

  /**
   * Gives everything back, with one operation. To be called when all files are closed. Never rejects, and does not
   * resolve while the volume hangs: others then wait until the leases have run out.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#waiting.clear();
    for (const lease of this.#leases.values()) {
      lease.state = "releasing";
      lease.released.resolve(null);
    }
    this.#leases.clear();
    try {
      await this.#heartbeat.end();
    } catch (caught) {
      this.#failed(caught);
    }
  }

  #mayWrite(lease: Lease): boolean {
    return lease.state === "held" && lease.claim !== null && this.#heartbeat.writer === lease.claim.writer;
  }

  async #release(lease: Lease): Promise<void> {
    if (lease.state !== "releasing") {
      lease.state = "releasing";
      if (lease.claim === null && lease.after === null && !lease.isBusy) this.#forget(lease);
      else if (!lease.isBusy) this.#enqueue(lease);
    }
    await lease.released.promise;
  }

  #forget(lease: Lease): void {
    this.#waiting.delete(lease);
    if (this.#leases.get(lease.stream) === lease) this.#leases.delete(lease.stream);
    lease.released.resolve(null);
  }

  #tick(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(this.#tickMs, () => this.#tick());
    if (this.#ticks++ % ATTEMPTS_PER_BEAT === 0) void this.#beat();
    else this.#attemptAll();
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    try {
      await this.#heartbeat.beat();
      if (this.#heartbeat.isValid()) this.#succeeded();
    } catch (caught) {
      this.#failed(caught);
    }
    if (!this.#heartbeat.isValid() || this.#isStopped) return;
    this.#attemptAll();
    if (this.#beats++ % SWEEP_EVERY_BEATS === 0) await this.#sweep();
  }

  #attemptAll(): void {
    if (!this.#heartbeat.isValid()) return;
    for (const lease of this.#leases.values()) if (lease.state !== "held") this.#enqueue(lease);
  }

  async #sweep(): Promise<void> {
    try {
      await this.#watch.sweep(this.#heartbeat.writer);
    } catch (caught) {
      // What is left over harms nobody; the next hour's sweep tries again.
      this.#options.logger.debug("old signs of life stay", {
        root: this.#options.root,
        reason: messageOf(caught),
      });
    }
  }

  #enqueue(lease: Lease): void {
    if (!lease.isBusy) this.#waiting.add(lease);
    this.#pump();
  }

  #pump(): void {
    while (this.#working < ATTEMPTS_AT_A_TIME) {
      const next = this.#waiting.values().next();
      if (next.done === true) return;
      this.#waiting.delete(next.value);
      void this.#work(next.value);
    }
  }

  /** One attempt to claim or to give back. Never rejects. */
  async #work(lease: Lease): Promise<void> {
    this.#working++;
    lease.isBusy = true;
    try {
      lease.claim ??= await lease.after;
      if (lease.state === "claiming") this.#settle(lease, await claimStream(lease.stream, this.#context));
      if (lease.state === "releasing") await this.#giveBack(lease);
    } catch (caught) {
      this.#failedOf(lease, caught);
    }
    lease.isBusy = false;
    this.#working--;
    if (lease.state === "releasing" && lease.claim === null) this.#forget(lease);
    else if (lease.state === "releasing") lease.released.resolve(lease.claim);
    this.#pump();
  }

  #settle(lease: Lease, outcome: ClaimOutcome): void {
    if (outcome.kind === "missed" || outcome.kind === "failed") {
      lease.claim = outcome.left ?? lease.claim;
      if (outcome.kind === "failed") this.#failedOf(lease, outcome.caught);
      return;
    }
    if (outcome.kind === "taken") {
      const { by } = outcome;
      const [writer, host] = by === null ? ["unknown", "unknown"] : [by.writer, by.host];
      this.#tell(lease, keepErrors.error("DVR_STREAM_TAKEN", { ...this.#where(lease), writer, host }));
      return;
    }
    if (this.#heartbeat.writer !== outcome.claim.writer) return;
    lease.claim = outcome.claim;
    if (lease.state !== "claiming") return;
    lease.state = "held";
    lease.told = "";
    lease.owner.onHeld();
  }

  async #giveBack(lease: Lease): Promise<void> {
    const { claim } = lease;
    if (claim !== null) await releaseClaim(lease.stream, claim, this.#context);
    lease.claim = null;
  }

  #lose(loss: HeartbeatLoss): void {
    const { root, logger } = this.#options;
    this.#watch.giveUp(loss.writer);
    this.#wasBuried ||= loss.isBuried;
    const error = keepErrors.error("DVR_LEASE_LOST", { root, reason: loss.reason });
    this.#toldFailure = error.message;
    const lost = [...this.#leases.values()].filter(({ claim }) => claim !== null);
    logger.warn("recordings stop", { root, code: error.code, reason: error.message, streams: lost.length });
    for (const lease of lost) {
      lease.claim = null;
      if (lease.state !== "held") continue;
      lease.state = "claiming";
      lease.owner.onLost(error);
    }
  }

  #succeeded(): void {
    const { root, logger } = this.#options;
    if (this.#toldFailure !== "") logger.info("leases can be written again: recordings go on", { root });
    this.#toldFailure = "";
  }

  /** The sign of life could not be given. Said once for each reason. */
  #failed(caught: unknown): void {
    const { root, logger } = this.#options;
    const error = keepErrors.error("DVR_LEASE_FAILED", { root, reason: messageOf(caught) }, caught);
    if (this.#toldFailure !== error.message)
      logger.warn("leases cannot be written", { root, code: error.code, reason: error.message });
    this.#toldFailure = error.message;
    this.#options.onFailure?.(caught);
  }

  /** An attempt failed; the next tick makes another. */
  #failedOf(lease: Lease, caught: unknown): void {
    this.#tell(
      lease,
      keepErrors.error("DVR_LEASE_FAILED", { ...this.#where(lease), reason: messageOf(caught) }, caught),
    );
    this.#options.onFailure?.(caught);
  }

  #tell(lease: Lease, error: MediaError): void {
    if (lease.told === error.message) return;
    lease.told = error.message;
    const fields = { ...this.#where(lease), code: error.code, reason: error.message };
    this.#options.logger.warn("a stream cannot be recorded for now", fields);
  }

  #where(lease: Lease): { readonly stream: string; readonly root: string } {
    return { stream: lease.stream, root: this.#options.root };
  }
}
