import type { Late } from "../../base/late/late.ts";
import type { RecordedGroup } from "../../dvr/writer/recorded-group.ts";
import type { GroupWriter } from "../../dvr/writer/stream-recorder.ts";

/** What a writer of a stream's archive is asked for. */
export type LoadedWriter = GroupWriter & {
  prepare(): Promise<number | null>;
  close(): Promise<void>;
};

/** Groups that wait for code to be loaded: four minutes of them at the fastest. More are not written. */
const MAX_WAITING = 1000;

/** A writer that is there when the archive's code is loaded; groups wait for it in order. */
export class LateWriter<Loaded> implements GroupWriter {
  readonly #archives: Late<Loaded>;
  readonly #make: (archives: Loaded) => LoadedWriter;
  readonly #starting = new Set<Promise<void>>();
  #writer: LoadedWriter | null = null;
  #isClosed = false;

  constructor(archives: Late<Loaded>, make: (archives: Loaded) => LoadedWriter) {
    this.#archives = archives;
    this.#make = make;
  }

  write(group: RecordedGroup): void {
    if (this.#writer !== null) return this.#writer.write(group);
    if (this.#isClosed || this.#starting.size >= MAX_WAITING) return group.release();
    const starting = this.#writeLate(group);
    this.#starting.add(starting);
    void starting.then(() => this.#starting.delete(starting));
  }

  /** See `ArchiveWriter.prepare`. `null` also when it is closed by now. */
  async prepare(): Promise<number | null> {
    return await this.#archives((archives) => this.#loaded(archives)?.prepare() ?? Promise.resolve(null));
  }

  /** What came is written, and nothing more; a writer that is not there yet is never made unless something waits for it. */
  async close(): Promise<void> {
    await Promise.all(this.#starting);
    this.#isClosed = true;
    await this.#writer?.close();
  }

  /** Never rejects. */
  async #writeLate(group: RecordedGroup): Promise<void> {
    try {
      await this.#archives((archives) => {
        const writer = this.#loaded(archives);
        if (writer === null) group.release();
        else writer.write(group);
      });
    } catch {
      group.release();
    }
  }

  #loaded(archives: Loaded): LoadedWriter | null {
    if (this.#isClosed) return null;
    return (this.#writer ??= this.#make(archives));
  }
}
