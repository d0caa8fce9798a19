import { resolve } from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { DiskStorage } from "../../vod/storages/disk-storage.ts";

/** How often a storage that is not there is looked at again. */
const LOOK_MS = 1000;

/** A storage that has not answered by then hangs, as a network volume does whose server is away. */
const ANSWER_MS = 3000;

/** What the gate looks with. */
export type StorageGateOptions = {
  readonly clock: Clock;
  config(): ResolvedConfig;
  /** Why the directory of a storage cannot be read; `null` when it can. Left out: asks the file system. */
  problem?(path: string): Promise<string | null>;
};

/**
 * Holds a server back from its Service until its volumes are there: each `vod` needs one storage that can be read. It
 * opens once, for good: a volume that goes away later, or a path that an edit of a running server gets wrong, must not
 * take the live streams of all pods off the air. Those are warned of in the log.
 */
export class StorageGate {
  readonly #options: StorageGateOptions;
  #reason: string | null = "its storages have not been looked at yet";
  #timer: Timer | null = null;
  #isStopped = false;
  /** Storages whose answer is awaited: one that hangs is not asked again before it has answered. */
  readonly #asked = new Map<string, Promise<string | null>>();

  constructor(options: StorageGateOptions) {
    this.#options = options;
  }

  /** Which storage is waited for; `null` once the gate is open. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Looks, and goes on to look until all are there. Resolves after the first look; never rejects. */
  async start(): Promise<void> {
    this.#reason = await this.#look();
    if (this.#reason === null || this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => void this.start());
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<string | null> {
    const vods = this.#options.config().vods.filter(({ disabled }) => !disabled);
    const reasons = await Promise.all(vods.map(({ name, storages }) => this.#lookAt(name, storages)));
    return reasons.find((reason) => reason !== null) ?? null;
  }

  async #lookAt(vod: string, storages: readonly { readonly path: string }[]): Promise<string | null> {
    const problems = await Promise.all(storages.map(({ path }) => this.#problemOf(path)));
    if (problems.length === 0 || problems.includes(null)) return null;
    const words = storages.map(({ path }, index) => `${path}: ${problems[index]}`).join("; ");
    return `vod "${vod}" has no storage that can be read (${words})`;
  }

  async #problemOf(path: string): Promise<string | null> {
    let answer = this.#asked.get(path);
    if (answer === undefined) {
      answer = this.#ask(path).finally(() => this.#asked.delete(path));
      this.#asked.set(path, answer);
    }
    const { promise: late, resolve: giveUp } = Promise.withResolvers<string>();
    const deadline = this.#options.clock.schedule(ANSWER_MS, () => giveUp("it does not answer"));
    const problem = await Promise.race([answer, late]);
    deadline.cancel();
    return problem;
  }

  async #ask(path: string): Promise<string | null> {
    const options = this.#options;
    try {
      return await (options.problem?.(path) ?? new DiskStorage(resolve(path), options.clock).problem());
    } catch (caught) {
      return messageOf(caught);
    }
  }
}
