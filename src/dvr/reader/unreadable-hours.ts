/** Hours that are damaged: gaps for those who play, and not the end of all that is recorded around them. */
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";

/** It is in the bytes, and the same for all who read them. What the disk reports may be over with the next try. */
const DAMAGE = /^(?:DVR_BAD_INDEX|DVR_INDEX_VERSION|DVR_BAD_MEDIA|MP4_.*|CODEC_.*)$/;

/** Files of one stream that are known to have been told of. */
const MAX_SAID = 1000;

/** Takes what cannot be read for what is not there, and says so once for each file. */
export class UnreadableHours {
  readonly #log: Pick<Logger, "warn"> | undefined;
  readonly #said = new Map<string, true>();

  /** `log`: nothing is said unless given. */
  constructor(log?: Pick<Logger, "warn">) {
    this.#log = log;
  }

  /** What comes of reading a file of the archive; `null` where it is damaged. Rejects with what else reading rejects with. */
  async orNull<T>(path: () => string, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read();
    } catch (caught) {
      if (!DAMAGE.test(asMediaError(caught)?.code ?? "")) throw caught;
      this.#say(path(), messageOf(caught));
      return null;
    }
  }

  #say(path: string, reason: string): void {
    const key = `${path} ${reason}`;
    if (this.#said.has(key)) return;
    this.#said.set(key, true);
    dropOldest(this.#said, MAX_SAID);
    this.#log?.warn("a part of the archive cannot be read: it is a gap for those who play", {
      path,
      reason,
    });
  }
}
