import { readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import { MAIN_FILE } from "./config-files.ts";

/** How often the links are looked at. */
const LOOK_MS = 400;

/** The link that Kubernetes swaps when what a volume shows has changed: all files of the volume change at once. */
const SWAPPED_LINK = "..data";

/**
 * Notices that a volume with parts of the configuration was written anew.
 *
 * It looks at nothing but the link `..data`, which ConfigMap and Secret volumes have: files that a person edits are read
 * when he asks for it, since nobody else knows when he has finished.
 * Spec: Kubernetes documentation, "ConfigMaps", "Mounted ConfigMaps are updated automatically".
 */
export class ConfigWatch {
  readonly #directories: readonly string[];
  readonly #clock: Clock;
  #seen: string | null = null;
  #timer: Timer | null = null;
  #isStopped = false;

  /** `path`: of the configuration, a file or a directory. */
  constructor(path: string, clock: Clock) {
    this.#directories = [path, dirname(path), `${path}.d`, join(path, `${MAIN_FILE}.d`)];
    this.#clock = clock;
  }

  /** Remembers what is there; to be called before the files are read. */
  async remember(): Promise<void> {
    this.#seen = await this.#look();
  }

  /** From now on calls `changed` after each change since `remember`; while it runs, nothing is looked at. */
  start(changed: () => Promise<void>): void {
    this.#timer = this.#clock.schedule(LOOK_MS, () => void this.#check(changed));
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #check(changed: () => Promise<void>): Promise<void> {
    const now = await this.#look();
    if (this.#isStopped) return;
    if (now !== this.#seen) {
      this.#seen = now;
      await changed();
    }
    if (!this.#isStopped) this.start(changed);
  }

  /** Where the links point to; empty for those that are not there. */
  async #look(): Promise<string> {
    const links = this.#directories.map((directory) =>
      readlink(join(directory, SWAPPED_LINK)).catch(() => ""),
    );
    return (await Promise.all(links)).join("\n");
  }
}
