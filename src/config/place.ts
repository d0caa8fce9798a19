/**
 * One text of the config, by the name it is shown under.
 *
 * `file` is what messages print; it need not exist on any disk.
 */
export type SourceFile = { readonly file: string; readonly text: string };

/**
 * Where something stands in the config.
 *
 * Units: `line` and `column` count from 1; `column` and `length` count characters (Unicode code points), so a
 * tab is one. `line` 0 means the file as a whole.
 */
export type Place = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
};

/**
 * Makes the place that means "this file, no line of it".
 */
export function wholeFile(file: string): Place {
  return { file, line: 0, column: 0, length: 0 };
}

/**
 * A text with an index of its lines, which turns offsets into places in O(log n).
 *
 * A byte order mark at the start is dropped: offsets, columns and `text` begin after it.
 * Units: offsets are UTF-16 code units of `text`.
 */
export class SourceText {
  readonly file: string;
  readonly text: string;
  readonly #lineStarts: number[];
  /** Offsets of the second halves of surrogate pairs: each makes one character of two code units. */
  readonly #secondHalves: number[];

  constructor(source: SourceFile) {
    this.file = source.file;
    this.text = source.text.startsWith("\uFEFF") ? source.text.slice(1) : source.text;
    this.#lineStarts = lineStartsOf(this.text);
    this.#secondHalves = secondHalvesOf(this.text);
  }

  /** How many lines there are; an empty text has one. */
  get lineCount(): number {
    return this.#lineStarts.length;
  }

  /** The text of line `line` (from 1) without its line end; empty outside the text. */
  line(line: number): string {
    const start = this.#lineStarts[line - 1];
    if (start === undefined) return "";
    const next = this.#lineStarts[line] ?? this.text.length + 1;
    const end = next - 1;
    return this.text.slice(start, end > start && this.text[end - 1] === "\r" ? end - 1 : end);
  }

  /** The place of the characters from `start` up to `end`, at least one long, cut at the end of its line. */
  place(start: number, end: number): Place {
    const line = countUpTo(this.#lineStarts, start);
    const lineStart = this.#lineStarts[line - 1] ?? 0;
    const lineEnd = lineStart + this.line(line).length;
    const stop = Math.max(start, Math.min(end, lineEnd));
    return {
      file: this.file,
      line,
      column: this.#characters(lineStart, start) + 1,
      length: Math.max(1, this.#characters(start, stop)),
    };
  }

  #characters(start: number, end: number): number {
    const halves = countUpTo(this.#secondHalves, end - 1) - countUpTo(this.#secondHalves, start - 1);
    return end - start - halves;
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function secondHalvesOf(text: string): number[] {
  const offsets: number[] = [];
  for (const match of text.matchAll(/[\u{10000}-\u{10FFFF}]/gu)) offsets.push(match.index + 1);
  return offsets;
}

/** How many of the ascending `numbers` are at most `limit`. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
