import type { Clock, Timer } from "../../base/clock.ts";
import { volumesState } from "./files.ts";

/** How often the links are looked at. */
const LOOK_MS = 400;

/**
 * Notices that a volume with parts of the configuration was written anew.
 *
 * It looks at nothing but the link `..data`, which ConfigMap and Secret volumes have: files that a person edits are read
 * when he asks for it, since nobody else knows when he has finished.
 * Spec: Kubernetes documentation, "ConfigMaps", "Mounted ConfigMaps are updated automatically".
 */
export class ConfigWatch {
  readonly #path: string;
  readonly #clock: Clock;
  #seen = "";
  #timer: Timer | null = null;
  #isStopped = false;

  /** `path`: of the configuration, a file or a directory. */
  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** The configuration was read when its volumes were in this state (`ConfigFiles.volumes`): only another one is news. */
  remember(volumes: string): void {
    this.#seen = volumes;
  }

  /**
   * From now on calls `changed` when the volumes are in another state than remembered, and again until what they are in is
   * remembered; while it runs, nothing is looked at.
   */
  start(changed: () => Promise<void>): void {
    if (this.#isStopped) return;
    this.#timer = this.#clock.schedule(LOOK_MS, () => void this.#check(changed));
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #check(changed: () => Promise<void>): Promise<void> {
    const now = await volumesState(this.#path);
    if (!this.#isStopped && now !== this.#seen) await changed();
    this.start(changed);
  }
}
