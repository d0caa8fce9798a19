import type { Clock } from "../../base/clock.ts";
import { dropOldest } from "../../base/oldest.ts";
import { WRITERS_FOLDER } from "./heartbeat.ts";
import type { KeepFiles } from "./keep-files.ts";
import { isWriter, MAX_LEASE_MS, readLifeRecord, RECORD_BYTES } from "./writer-records.ts";
import type { WriterIdentity } from "./writer-records.ts";

/** What others are watched with. */
export type WriterWatchOptions = {
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Whether the process with this identity is known to be gone, without waiting: see `isProcessGone`. */
  isGone(identity: WriterIdentity): boolean;
};

/** How a file looked, and since when at the latest it has looked so. */
type Sight = { readonly text: string; readonly sinceUs: number };

/** Other writers and unreadable claims that are remembered; one more, and the oldest is watched from the start again. */
export const MAX_WATCHED = 1000;

/**
 * Tells living writers from dead ones by what they do, not by what their clocks say: a writer is dead when its sign of
 * life has not changed for the lease's time by our own monotonic clock.
 */
export class WriterWatch {
  readonly #options: WriterWatchOptions;
  readonly #sights = new Map<string, Sight>();
  /** Ids that this process had and gave up, with files that may still lie there. */
  readonly #givenUp = new Map<string, true>();

  constructor(options: WriterWatchOptions) {
    this.#options = options;
  }

  /** This process does not write as `writer` any more; nobody has to wait until that shows. */
  giveUp(writer: string): void {
    this.#givenUp.set(writer, true);
    dropOldest(this.#givenUp, MAX_WATCHED);
  }

  /** Whether the writer is dead for certain. Throws: the system's error. */
  async isDead(writer: string): Promise<boolean> {
    if (this.#givenUp.has(writer) || !isWriter(writer)) return true;
    const { files, clock, leaseMs } = this.#options;
    const startUs = clock.nowUs();
    const bytes = await files.read(this.#pathOf(writer), RECORD_BYTES);
    // It is made before any claim of the writer is, and removed when the writer is gone or was found dead.
    if (bytes === null) return true;
    const record = readLifeRecord(bytes);
    if (record !== null && this.#options.isGone(record.identity)) return true;
    return this.hasStoodStill(writer, bytes, { startUs, leaseMs: record?.leaseMs ?? leaseMs });
  }

  /**
   * Whether something that was read now, by a reading that began at `startUs`, has been the same in all readings over the
   * lease's time. It was first seen when a reading was through, and is still so when one begins: that is never too long.
   */
  hasStoodStill(key: string, bytes: Uint8Array, reading: { startUs: number; leaseMs: number }): boolean {
    const { clock } = this.#options;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const sight = this.#sights.get(key);
    if (sight?.text !== text) {
      this.#sights.delete(key);
      this.#sights.set(key, { text, sinceUs: clock.nowUs() });
      dropOldest(this.#sights, MAX_WATCHED);
      return false;
    }
    const waitMs = Math.min(Math.max(reading.leaseMs, this.#options.leaseMs), MAX_LEASE_MS);
    return reading.startUs - sight.sinceUs >= waitMs * 1000;
  }

  /** Takes away a dead writer's sign of life: if it lives after all, its next renewal finds that it may write no more. */
  async bury(writer: string): Promise<void> {
    if (!isWriter(writer)) return;
    await this.#options.files.remove(this.#pathOf(writer));
    this.#sights.delete(writer);
    this.#givenUp.delete(writer);
  }

  /** Buries what lies in ROOT/.writers and is dead; `own` is not looked at. Throws: the system's error. */
  async sweep(own: string | null): Promise<void> {
    const { root, files } = this.#options;
    const entries = await files.list(`${root}/${WRITERS_FOLDER}`, MAX_WATCHED);
    for (const { name, isFolder } of entries ?? []) {
      if (isFolder || name === own || !isWriter(name)) continue;
      if (await this.isDead(name)) await this.bury(name);
    }
  }

  #pathOf(writer: string): string {
    return `${this.#options.root}/${WRITERS_FOLDER}/${writer}`;
  }
}

/**
 * Whether a process is gone, as far as this one can know without waiting.
 *
 * In the same space of process ids of one machine that has not started anew since, it is known for certain. Elsewhere, the
 * same pod is enough: its container is started anew only when the one before has ended. The same name is not: a pod that was
 * deleted by force, or whose node is lost, may still write when its successor begins. `isAlive` asks the machine.
 */
export function isProcessGone(
  other: WriterIdentity,
  own: WriterIdentity,
  isAlive: (pid: number, birth: string) => boolean,
): boolean {
  if (other.machine !== "" && other.machine === own.machine) return !isAlive(other.pid, other.birth);
  // Where the machine is not known, another thread of this very process looks like this.
  const mayBeOwn = other.machine === own.machine && other.pid === own.pid && other.birth === own.birth;
  return other.pod !== "" && other.pod === own.pod && !mayBeOwn;
}
