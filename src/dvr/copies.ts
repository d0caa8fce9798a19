import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { OutsideHosts } from "../base/outside-hosts.ts";
import type { KeepFiles } from "./keep/keep-files.ts";
import type { WriterIdentity } from "./keep/writer-records.ts";
import { claimCopies } from "./objects/copy-lease.ts";
import type { CopyLease } from "./objects/copy-lease.ts";
import type { CopyRules } from "./objects/copy-rules.ts";
import { CopyStores } from "./objects/copy-stores.ts";
import { RootCopies } from "./objects/root-copies.ts";
import type { UploaderStats } from "./objects/uploader.ts";

/** What copying finished hours to object storage needs. */
export type CopiesOptions = {
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: WriterIdentity;
  isAlive(pid: number, birth: string): boolean;
  readonly rules: CopyRules;
  /** Where buckets may be; absent: everywhere. */
  readonly hosts?: OutsideHosts | undefined;
  /** Those of this process unless given. Ownership: closed here. */
  readonly stores?: CopyStores;
};

/** How copying is doing, over all places; what is counted is counted since copying to a place began. */
export type CopyFigures = {
  /** Hours that wait to be copied, or are being copied; of a long backlog, a part. */
  readonly waitingHours: number;
  readonly hours: number;
  readonly bytes: number;
  readonly failures: number;
};

type Copying = { readonly copies: RootCopies; readonly lease: CopyLease };

/** Copies what is recorded below the roots of a configuration. For one thread of a process; others, and other pods, wait. */
export class Copies {
  readonly #options: CopiesOptions;
  readonly #stores: CopyStores;
  readonly #roots = new Map<string, Copying>();
  readonly #ending = new Set<Promise<void>>();
  #isStopped = false;

  constructor(options: CopiesOptions) {
    this.#options = options;
    const { clock, hosts } = options;
    this.#stores = options.stores ?? new CopyStores({ clock, hosts });
  }

  /** A configuration is in force: what is below its roots is looked at now, and what is below others is not copied. */
  configure(): void {
    if (this.#isStopped) return;
    const roots = this.#options.rules.roots();
    for (const [root, copying] of this.#roots) {
      if (roots.has(root)) copying.copies.start();
      else {
        this.#roots.delete(root);
        this.#end(copying);
      }
    }
    for (const root of roots) if (!this.#roots.has(root)) this.#roots.set(root, this.#begin(root));
  }

  /** Hours of a stream were deleted, something of them was, or something came to them: the next look finds it. */
  changed(root: string, stream: string): void {
    this.#roots.get(root)?.copies.changed(stream);
  }

  /** All of it together. */
  figures(): CopyFigures {
    const all = [...this.stats().values()].flatMap((places) => [...places.values()]);
    const sum = (of: (stats: UploaderStats) => number): number =>
      all.reduce((so, stats) => so + of(stats), 0);
    return {
      waitingHours: sum(({ waiting, running }) => waiting + running),
      hours: sum(({ copiedHours }) => copiedHours),
      bytes: sum(({ sentBytes }) => sentBytes),
      failures: sum(({ failures }) => failures),
    };
  }

  /** What each place of each root is doing, by root. */
  stats(): ReadonlyMap<string, ReadonlyMap<string, UploaderStats>> {
    return new Map([...this.#roots].map(([root, { copies }]) => [root, copies.stats()]));
  }

  /** Copies nothing any more: uploads under way end, then the stores. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const copying of this.#roots.values()) this.#end(copying);
    this.#roots.clear();
    // A host that does not answer holds nobody up.
    const closed = this.#options.clock.schedule(STOP_MS, () => this.#stores.close());
    await Promise.all(this.#ending);
    closed.cancel();
    this.#stores.close();
  }

  #begin(root: string): Copying {
    const { files, clock, log, identity, rules } = this.#options;
    let lease: CopyLease | null = null;
    const copies: RootCopies = new RootCopies({
      ...{ root, files, clock, log, rules, stores: this.#stores },
      isOurs: () => lease?.isOurs() ?? false,
    });
    const isAlive = (pid: number, birth: string): boolean => this.#options.isAlive(pid, birth);
    lease = claimCopies({ root, files, clock, log, identity, isAlive }, () => copies.start());
    return { copies, lease };
  }

  #end({ copies, lease }: Copying): void {
    const ending = (async () => {
      await copies.stop();
      await lease.release();
    })();
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }
}

/** How long uploads have to give up what they have begun at their host. Units: milliseconds. */
const STOP_MS = 1500;
