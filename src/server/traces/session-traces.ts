import type { SessionClaim } from "../../auth/claim.ts";
import type { SetUpTrace } from "../../auth/sessions/set-up-trace.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ResolvedConfig, TracesPlan } from "../../config/plan.ts";
import type { ResolveName } from "../access/name-cache.ts";
import { HostGuard } from "../outside-hosts.ts";
import type { OpenExport, TraceSender, TraceService } from "./set-up.ts";
import { TracedSetUp } from "./traced-set-up.ts";
import type { SetUpWatcher } from "./traced-set-up.ts";

/** So long the last traces may take when another collector takes the next ones, or the server stops. */
const CLOSE_LIMIT_MS = 2000;

/** Set-ups that wait for their first media; when there are more, the oldest is told of without it. */
const MAX_WAITING = 4096;

/** What traces of sessions need. */
export type SessionTracesOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly service: TraceService;
  readonly open?: OpenExport;
  /** How names of collectors are looked up; the machine's own way unless given. */
  readonly resolve?: ResolveName;
  /** From 0 on and below 1; other numbers in tests. */
  readonly random?: () => number;
};

/**
 * Traces of how sessions are set up, where the configuration names somebody who collects them: nothing is loaded, and
 * nothing kept, where it does not. Never holds up a session.
 */
export class SessionTraces {
  readonly #options: SessionTracesOptions;
  readonly #hosts: HostGuard;
  #allowedHosts: readonly string[] = [];
  #plan: TracesPlan | null = null;
  #export: Promise<TraceSender | null> | null = null;
  readonly #waiting = new Set<TracedSetUp>();

  constructor(options: SessionTracesOptions) {
    this.#options = options;
    this.#hosts = new HostGuard({ ...options, allowed: () => this.#allowedHosts });
  }

  /** Sends to another collector from now on, or to none. */
  configure({ traces, allowedHosts }: Pick<ResolvedConfig, "traces" | "allowedHosts">): void {
    this.#allowedHosts = allowedHosts;
    const next = traces === undefined ? null : this.#allowed(traces);
    if (next?.url === this.#plan?.url && next?.share === this.#plan?.share) return;
    this.#giveUp(0);
    const before = this.#export;
    this.#plan = next;
    this.#export = next === null ? null : this.#opened(next);
    void this.#close(before);
  }

  /** Begins to follow a claim; `null` where nobody collects traces, or this one is not of the share that is traced. */
  readonly begin = (claim: SessionClaim): SetUpTrace | null => {
    const { clock, random = Math.random } = this.#options;
    if (this.#plan === null || random() >= this.#plan.share) return null;
    return new TracedSetUp(clock, claim, this.#watcher);
  };

  /** Sends what waits; resolves after `CLOSE_LIMIT_MS` at most. */
  async stop(): Promise<void> {
    this.#giveUp(0);
    const before = this.#export;
    this.#plan = null;
    this.#export = null;
    await this.#close(before);
  }

  #allowed(plan: TracesPlan): TracesPlan | null {
    const reason = this.#hosts.refusal(URL.parse(plan.url)?.hostname ?? "");
    if (reason === undefined) return plan;
    this.#options.log.error("traces cannot be sent", { reason });
    return null;
  }

  readonly #watcher: SetUpWatcher = {
    waits: (setUp) => {
      this.#waiting.add(setUp);
      this.#giveUp(MAX_WAITING);
    },
    over: (setUp, how) => {
      this.#waiting.delete(setUp);
      void this.#export?.then((open) => open?.note(how));
    },
  };

  /** Those above so many are told of without their first media, the oldest first. */
  #giveUp(most: number): void {
    for (const setUp of this.#waiting) {
      if (this.#waiting.size <= most) return;
      setUp.giveUp();
    }
  }

  async #opened(plan: TracesPlan): Promise<TraceSender | null> {
    const { open = openExport, service, log } = this.#options;
    try {
      return await open(plan, service, this.#hosts);
    } catch (caught) {
      log.error("traces cannot be sent", { reason: messageOf(caught) });
      return null;
    }
  }

  async #close(before: Promise<TraceSender | null> | null): Promise<void> {
    if (before === null) return;
    const { clock, log } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = clock.schedule(CLOSE_LIMIT_MS, () => {
      log.warn("the last traces were not taken in time");
      late.resolve();
    });
    try {
      await Promise.race([before.then((open) => open?.close()), late.promise]);
    } catch (caught) {
      log.warn("the last traces were not taken", { reason: messageOf(caught) });
    }
    timer.cancel();
  }
}

const openExport: OpenExport = async (plan, service, hosts) => {
  const { TraceExport } = await import("./trace-export.ts");
  return new TraceExport(plan, service, hosts);
};
