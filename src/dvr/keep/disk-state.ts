import assert from "node:assert/strict";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { keepErrors } from "./errors.ts";
import { systemCodeOf } from "./keep-files.ts";
import type { KeepFiles } from "./keep-files.ts";

/** How a root's volume takes recordings. */
export type DiskCondition = "ok" | "full" | "failing";

/** A root's volume changed its condition. */
export type DiskChange = {
  readonly root: string;
  readonly from: DiskCondition;
  readonly to: DiskCondition;
  /** What is wrong; `null` when it is well again. */
  readonly error: MediaError | null;
  /** Wall clock. Units: milliseconds since 1970. */
  readonly atMs: number;
  /** How long the condition before had lasted, by the monotonic clock. Units: milliseconds. */
  readonly lastedMs: number;
};

/** What the states of volumes need. */
export type DiskStatesOptions = {
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  onChange(change: DiskChange): void;
  /** Most roots; 1000 unless given. */
  readonly limit?: number;
};

/** A volume that is full, and one that fails, by the system's words. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);
const FAILING: ReadonlySet<string> = new Set([
  ...["EIO", "EROFS", "ESTALE", "ETIMEDOUT", "ENXIO", "ENODEV", "ENOTCONN", "EHOSTDOWN", "EREMOTEIO"],
]);

/** What may be one stream's trouble, its folder taken away or not for us, or that of the whole root: a probe tells. */
const DOUBTFUL: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM"]);

/** Legal changes. `full` to `failing` and back: the probe found another trouble than the one before. */
const LEGAL: Readonly<Record<DiskCondition, readonly DiskCondition[]>> = {
  ok: ["full", "failing"],
  full: ["ok", "failing"],
  failing: ["ok", "full"],
};

/** Between probes of a volume that is not well. Units: milliseconds. */
const PROBE_MS = 5000;

/** A volume that soon fails again after each recovery is probed less and less often, up to this. Units: milliseconds. */
const MAX_PROBE_MS = 60_000;

/** A recovery that lasted so long was one. Units: milliseconds. */
const STEADY_MS = 60_000;

/**
 * Size of a probe. A volume with room for less is still full: recordings would fill it at once. Units: bytes.
 */
const PROBE_BYTES = 1024 * 1024;

const PROBE_FILE = ".probe";

const MAX_ROOTS = 1000;

type Root = {
  condition: DiskCondition;
  /** Monotonic; `-Infinity` before the first change. */
  sinceUs: number;
  probeMs: number;
  timer: Timer | null;
  isProbing: boolean;
  /** Monotonic; when the last probe began. */
  probedUs: number;
  error: MediaError | null;
};

/**
 * Which roots can be recorded into. A writer whose write failed reports it; from then on no stream writes there, until a
 * probe, a small file that is written and removed, succeeds. Each change is told and logged once, whatever the number of
 * streams that found it.
 */
export class DiskStates {
  readonly #options: DiskStatesOptions;
  readonly #roots = new Map<string, Root>();
  #isStopped = false;

  constructor(options: DiskStatesOptions) {
    this.#options = options;
  }

  /** Whether a stream may write into the root now. */
  mayWrite(root: string): boolean {
    return this.conditionOf(root) === "ok";
  }

  /** How the root's volume takes recordings; `ok` where nothing was reported. */
  conditionOf(root: string): DiskCondition {
    return this.#roots.get(root)?.condition ?? "ok";
  }

  /** What is wrong with the root's volume; `null` when nothing is. */
  errorOf(root: string): MediaError | null {
    return this.#roots.get(root)?.error ?? null;
  }

  /**
   * An operation below the root failed. Returns: the condition that follows; `ok` when it was no failure of the volume,
   * as when the process has too many files open, or when a probe has to tell first. Throws: DVR_ROOT_LIMIT.
   */
  report(root: string, caught: unknown): DiskCondition {
    const code = systemCodeOf(caught);
    const to = conditionBy(code);
    const isDoubtful = DOUBTFUL.has(code);
    // A volume that is not well has many victims; what is wrong with it, its probes find out.
    if (this.#isStopped || !this.mayWrite(root) || (to === null && !isDoubtful))
      return this.conditionOf(root);
    const state = this.#roots.get(root) ?? this.#add(root);
    if (isDoubtful) this.#ask(root, state);
    else if (to !== null) this.#fail(root, state, { to, caught });
    return state.condition;
  }

  /** Probes no more. */
  stop(): void {
    this.#isStopped = true;
    for (const state of this.#roots.values()) state.timer?.cancel();
  }

  #add(root: string): Root {
    const { limit = MAX_ROOTS } = this.#options;
    if (this.#roots.size >= limit) throw keepErrors.error("DVR_ROOT_LIMIT", { root, limit });
    const state: Root = {
      condition: "ok",
      sinceUs: -Infinity,
      probeMs: PROBE_MS,
      timer: null,
      isProbing: false,
      probedUs: -Infinity,
      error: null,
    };
    this.#roots.set(root, state);
    return state;
  }

  /** Probes a volume that was well until now, not more often than one that is not. */
  #ask(root: string, state: Root): void {
    if (this.#options.clock.nowUs() - state.probedUs >= PROBE_MS * 1000) void this.#probe(root, state);
  }

  #fail(root: string, state: Root, trouble: Trouble): void {
    if (state.condition === "ok") {
      const wasSteady = this.#lastedMs(state) >= STEADY_MS;
      state.probeMs = wasSteady ? PROBE_MS : Math.min(MAX_PROBE_MS, state.probeMs * 2);
    }
    const { to, caught } = trouble;
    const code = to === "full" ? "DVR_VOLUME_FULL" : "DVR_VOLUME_FAILING";
    this.#moveTo(root, state, to, keepErrors.error(code, { root, reason: messageOf(caught) }, caught));
    state.timer?.cancel();
    state.timer = this.#options.clock.schedule(state.probeMs, () => void this.#probe(root, state));
  }

  /** Never rejects. While one hangs, the condition stays and no other one is begun. */
  async #probe(root: string, state: Root): Promise<void> {
    if (state.isProbing) return;
    state.isProbing = true;
    state.probedUs = this.#options.clock.nowUs();
    const trouble = await this.#tryToWrite(root, state.condition);
    state.isProbing = false;
    if (this.#isStopped) return;
    if (trouble === null) this.#moveTo(root, state, "ok", null);
    else this.#fail(root, state, trouble);
  }

  /** `before`: what a failure that is none of the volume's leaves as it is. */
  async #tryToWrite(root: string, before: DiskCondition): Promise<Trouble | null> {
    const { files } = this.#options;
    const path = `${root}/${PROBE_FILE}`;
    try {
      await files.write(path, new Uint8Array(PROBE_BYTES));
      await files.remove(path);
      return null;
    } catch (caught) {
      await files.remove(path).catch(() => false);
      const code = systemCodeOf(caught);
      const to = conditionBy(code) ?? (DOUBTFUL.has(code) ? "failing" : before);
      return to === "ok" ? null : { to, caught };
    }
  }

  #moveTo(root: string, state: Root, to: DiskCondition, error: MediaError | null): void {
    if (to === "ok") state.timer?.cancel();
    const from = state.condition;
    if (from === to) return;
    assert.ok(LEGAL[from].includes(to), `${from} to ${to}`);
    const { clock, logger } = this.#options;
    const lastedMs = Number.isFinite(state.sinceUs) ? this.#lastedMs(state) : 0;
    state.condition = to;
    state.error = error;
    state.sinceUs = clock.nowUs();
    const fields = { root, from, to, lastedMs };
    if (error === null) logger.info("a volume takes recordings again", fields);
    else
      logger.error("recordings into a volume stop", { ...fields, code: error.code, reason: error.message });
    this.#options.onChange({ ...fields, error, atMs: Math.floor(clock.wallUs() / 1000) });
  }

  #lastedMs(state: Root): number {
    return (this.#options.clock.nowUs() - state.sinceUs) / 1000;
  }
}

/** What a write or a probe met. */
type Trouble = { readonly to: "full" | "failing"; readonly caught: unknown };

function conditionBy(code: string): "full" | "failing" | null {
  if (FULL.has(code)) return "full";
  return FAILING.has(code) ? "failing" : null;
}
