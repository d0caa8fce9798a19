import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { TlsPlan } from "../../config/plan.ts";
import { filesState, readKeyPair } from "./key-pair.ts";
import type { KeyPair } from "./key-pair.ts";

/** How often the files are looked at: three calls of `stat`. */
const LOOK_MS = 3000;

/** Who wants to know of new files. */
export type CertificateFilesOptions = {
  readonly plan: TlsPlan;
  readonly clock: Clock;
  /** The files have another pair than before, and it is good. */
  onPair(pair: KeyPair): void;
  /** The files have changed, and what they have now is of no use; the pair before stays good. */
  onProblem?(problem: string): void;
};

/**
 * Reads the files of one TLS plan, and again whenever they change. Files that change while they are read are read once
 * more with the next look: a certificate whose key comes a moment later is a problem for a few seconds.
 */
export class CertificateFiles {
  readonly #options: CertificateFilesOptions;
  #seen: string | null = null;
  #timer: Timer | null = null;
  #isStopped = false;
  /** One look at a time. */
  #looking: Promise<void> | null = null;
  #problem: string | null = null;

  constructor(options: CertificateFilesOptions) {
    this.#options = options;
  }

  /** What is wrong with the files as they are; `null`: nothing. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Looks at once, and from then on every few seconds. Resolves after the first look; never rejects. */
  async start(): Promise<void> {
    await this.look();
    this.#schedule();
  }

  /** Looks at once. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => {
      void this.look().then(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    const { plan } = this.#options;
    const state = await filesState(plan);
    if (state === this.#seen) return;
    let pair: KeyPair | null = null;
    this.#problem = null;
    try {
      pair = await readKeyPair(plan);
    } catch (caught) {
      this.#problem = messageOf(caught);
    }
    if (this.#isStopped) return;
    this.#seen = state;
    if (pair !== null) this.#options.onPair(pair);
    else this.#options.onProblem?.(this.#problem ?? "");
  }
}
