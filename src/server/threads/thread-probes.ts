import { whoAmI } from "../../api/monitoring.ts";
import type { ProbeTarget, WhoAmI } from "../../api/monitoring.ts";
import type { Clock } from "../../base/clock.ts";
import { DRAINING } from "../drain.ts";
import { VERSION } from "../version.ts";
import { BeatWatch, STUCK_MS } from "./beat-watch.ts";
import type { ThreadShares } from "./messages.ts";
import { controlBeat } from "./shares.ts";

/** A media thread that hangs is replaced at about `STUCK_MS`; liveness fails only where that does not come about. */
const NOT_REPLACED_MS = 15_000;

/** So long the control thread may be silent, or take to answer, before readiness fails without it. */
const SILENT_MS = 2000;

/** What the probes of one media thread are made of. */
export type ThreadProbesOptions = {
  /** The thread that answers them. */
  readonly index: number;
  readonly shares: ThreadShares;
  readonly clock: Clock;
  /** When the server started. Units: milliseconds since 1970. */
  readonly startedAtMs: number;
  /** What the control thread says of readiness; rejects when it does not answer in less than `SILENT_MS`. */
  askControl(): Promise<string | null>;
};

/**
 * The probes as a media thread answers them by itself: what it sees of the heart beats of all threads decides, so that
 * the answer comes, and is true, also while another thread hangs.
 */
export class ThreadProbes implements ProbeTarget {
  readonly #options: ThreadProbesOptions;
  readonly #watch: BeatWatch;

  constructor(options: ThreadProbesOptions) {
    this.#options = options;
    this.#watch = new BeatWatch(options.shares.beats);
  }

  /** Looks at the other threads; to be called with every beat of this one. */
  beat(): void {
    this.#watch.observe();
  }

  whoAmI(): WhoAmI {
    return whoAmI(VERSION, this.#options.startedAtMs, this.#options.clock);
  }

  stuckReason(): string | null {
    const { shares, index } = this.#options;
    const control = controlBeat(shares);
    const stuck: string[] = [];
    if (this.#watch.silentMs(control) > STUCK_MS) stuck.push(this.#silence("the control thread", control));
    for (let thread = 0; thread < control; thread++) {
      if (thread === index || this.#watch.silentMs(thread) <= NOT_REPLACED_MS) continue;
      stuck.push(this.#silence(`media thread ${thread}`, thread));
    }
    return stuck.length === 0 ? null : stuck.join("; ");
  }

  async notReadyReason(): Promise<string | null> {
    const { shares } = this.#options;
    if (Atomics.load(shares.draining, 0) !== 0) return DRAINING;
    const control = controlBeat(shares);
    if (this.#watch.silentMs(control) >= SILENT_MS) return this.#silence("the control thread", control);
    return this.#options.askControl().catch(() => "the control thread does not answer");
  }

  #silence(who: string, thread: number): string {
    return `${who} has not answered for ${Math.floor(this.#watch.silentMs(thread) / 1000)} s`;
  }
}
