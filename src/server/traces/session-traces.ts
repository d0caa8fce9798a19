import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { TracesPlan } from "../../config/plan.ts";
import type { SetUp, TraceService } from "./set-up.ts";
import type { TraceExport } from "./trace-export.ts";

/** Who sends traces out. */
export type OpenExport = (plan: TracesPlan, service: TraceService) => Promise<TraceExport>;

/**
 * Traces of how sessions are set up, where the configuration names somebody who collects them: nothing is loaded, and
 * nothing kept, where it does not. Never holds up a session.
 */
export class SessionTraces {
  readonly #open: OpenExport;
  readonly #service: TraceService;
  readonly #log: Logger;
  #plan: TracesPlan | null = null;
  #export: Promise<TraceExport | null> | null = null;

  constructor(options: { open?: OpenExport; service: TraceService; log: Logger }) {
    this.#open = options.open ?? openExport;
    this.#service = options.service;
    this.#log = options.log;
  }

  /** Sends to another collector from now on, or to none. */
  configure(plan: TracesPlan | undefined): void {
    const next = plan ?? null;
    if (next?.url === this.#plan?.url && next?.share === this.#plan?.share) return;
    const before = this.#export;
    this.#plan = next;
    this.#export = next === null ? null : this.#opened(next);
    void this.#close(before);
  }

  /** A session is set up, or was refused. */
  note(setUp: SetUp): void {
    void this.#export?.then((open) => open?.note(setUp));
  }

  /** Sends what waits; resolves after some seconds at most. */
  async stop(): Promise<void> {
    const before = this.#export;
    this.#plan = null;
    this.#export = null;
    await this.#close(before);
  }

  async #opened(plan: TracesPlan): Promise<TraceExport | null> {
    try {
      return await this.#open(plan, this.#service);
    } catch (caught) {
      this.#log.error("traces cannot be sent", { reason: messageOf(caught) });
      return null;
    }
  }

  async #close(before: Promise<TraceExport | null> | null): Promise<void> {
    try {
      await (await before)?.close();
    } catch (caught) {
      this.#log.warn("the last traces were not taken", { reason: messageOf(caught) });
    }
  }
}

async function openExport(plan: TracesPlan, service: TraceService): Promise<TraceExport> {
  const { TraceExport: Export } = await import("./trace-export.ts");
  return new Export(plan, service);
}
