import type { Logger } from "../base/log.ts";
import type { StreamName } from "../media/ids.ts";

/**
 * Says which tracks an output leaves out: one line for each stream and output, whichever threads its viewers are in, and
 * another one when it is something else. Bounded by the kinds of outputs that cannot carry everything.
 */
export class LeftOutLog {
  readonly #stream: StreamName;
  readonly #log: Logger;
  /** What each output was last said to leave out. */
  readonly #said = new Map<string, string>();

  constructor(stream: StreamName, log: Logger) {
    this.#stream = stream;
    this.#log = log;
  }

  /** An output leaves tracks out; `tracks`: in words, the empty text for none. */
  note(output: string, tracks: string): void {
    if ((this.#said.get(output) ?? "") === tracks) return;
    this.#said.set(output, tracks);
    if (tracks === "") return;
    this.#log.warn("an output leaves out tracks that it cannot carry", {
      stream: this.#stream,
      output,
      tracks,
    });
  }
}
