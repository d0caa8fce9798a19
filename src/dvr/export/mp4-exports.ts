/** MP4 files of ranges that were asked for lately: players and downloads ask for one of them piece by piece. */
import type { Clock } from "../../base/clock.ts";
import { ByteLru } from "../../base/byte-lru.ts";
import type { Mp4Export } from "./mp4-export.ts";

/** What is kept by one thread: of two days of one stream. Units: bytes, files. */
const LIMITS = { bytes: 16 * 1024 * 1024, items: 64 };
/** What a file takes besides its chunks. */
const FILE_BYTES = 8192;
/** How long a file is the same for all who ask: a range that is over, and one that may grow. Units: microseconds. */
const FRESH_US = { over: 30_000_000, growing: 1_000_000 };

/** A range as it is asked for. */
export type ExportAddress = {
  /** The stream's folder. */
  readonly folder: string;
  /** The range and the tracks: as much as tells its file from others of the folder. */
  readonly range: string;
  /** Nothing comes to it any more. */
  readonly isOver: boolean;
};

type Planned = Pick<Mp4Export, "file" | "version" | "memoryBytes">;
type Kept = { readonly planned: Planned; readonly untilUs: number };

/** Plans each file once for all who ask for parts of it. */
export class Mp4Exports {
  readonly #clock: Clock;
  readonly #kept = new ByteLru<Kept>(LIMITS);
  readonly #planning = new Map<string, Promise<Planned>>();
  /** How often something was forgotten: what was planned before that is not kept. */
  #forgotten = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes of the plans that are kept. */
  get bytes(): number {
    return this.#kept.bytes;
  }

  /** The file, as it was planned lately or as `plan` makes it. Rejects as `plan`. */
  async of(address: ExportAddress, plan: () => Promise<Planned>): Promise<Planned> {
    const key = `${address.folder} ${address.range}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#clock.nowUs() < kept.untilUs) return kept.planned;
    const planning = this.#planning.get(key) ?? this.#begin(key, address, plan);
    return await planning;
  }

  /** What is recorded in a folder has changed in another way than by growing. */
  forget(folder: string): void {
    this.#forgotten++;
    const isOfFolder = (key: string): boolean => key.startsWith(`${folder} `);
    this.#kept.deleteWhere(isOfFolder);
    for (const key of this.#planning.keys()) if (isOfFolder(key)) this.#planning.delete(key);
  }

  #begin(key: string, { isOver }: ExportAddress, plan: () => Promise<Planned>): Promise<Planned> {
    const forgotten = this.#forgotten;
    const make = async (): Promise<Planned> => {
      try {
        const planned = await plan();
        const untilUs = this.#clock.nowUs() + (isOver ? FRESH_US.over : FRESH_US.growing);
        if (forgotten === this.#forgotten)
          this.#kept.set(key, { planned, untilUs }, planned.memoryBytes + FILE_BYTES);
        return planned;
      } finally {
        if (this.#planning.get(key) === planning) this.#planning.delete(key);
      }
    };
    const planning = make();
    this.#planning.set(key, planning);
    return planning;
  }
}
