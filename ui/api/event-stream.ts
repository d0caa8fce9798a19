/** Server-sent events, read as they come. Spec: WHATWG HTML section 9.2.6 (interpreting an event stream). */

/** Characters of one line; the server sends far less. */
const MAX_LINE_CHARS = 1024 * 1024;

/**
 * The data of each event of a reply, as soon as it is whole. Whoever leaves the loop ends the reply. Throws a RangeError for a
 * line that has no end, and what reading throws.
 */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const reader = body.getReader();
  const lines = new LineReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      // What has no empty line behind it is no event.
      if (done) return;
      yield* lines.feed(value);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Collects lines into events. */
class LineReader {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #data: string[] = [];

  /** Gives the data of those events that these bytes complete. */
  *feed(bytes: Uint8Array): Generator<string, void> {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    let begin = 0;
    // A CR at the very end may be the first half of CR LF.
    for (const { index, 0: end } of this.#rest.matchAll(/\r\n|\n|\r(?!$)/g)) {
      const line = this.#rest.slice(begin, index);
      begin = index + end.length;
      const event = this.#take(line);
      if (event !== null) yield event;
    }
    this.#rest = this.#rest.slice(begin);
    if (this.#rest.length > MAX_LINE_CHARS) throw new RangeError("a line of the events has no end");
  }

  #take(line: string): string | null {
    if (line === "") {
      const event = this.#data.length === 0 ? null : this.#data.join("\n");
      this.#data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1);
    if (field === "data") this.#data.push(value.startsWith(" ") ? value.slice(1) : value);
    return null;
  }
}
