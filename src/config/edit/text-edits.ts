/** Changes of a text that leave all of it but the changed pieces as it is. */

/** A piece of a text with what comes in its place. Units: offsets, UTF-16 code units. */
export type TextEdit = { readonly start: number; readonly end: number; readonly text: string };

/** Makes changes that do not overlap; of several at one place, the first comes first. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end, text: piece } of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    pieces.push(text.slice(at, start), piece);
    at = Math.max(at, end);
  }
  return [...pieces, text.slice(at)].join("");
}

/** The line end of a text. */
export function lineEndOf(text: string): "\n" | "\r\n" {
  const at = text.indexOf("\n");
  return at > 0 && text[at - 1] === "\r" ? "\r\n" : "\n";
}

/** What stands in front of an offset on its line, where that is nothing but blanks; `undefined` elsewhere. */
export function indentAt(text: string, at: number): string | undefined {
  const before = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^[ \t]*$/.test(before) ? before : undefined;
}

/**
 * Takes a statement away. One that has its lines to itself goes with them and with the comment behind it; where blank
 * lines stood on both sides, one of those goes too.
 */
export function removal(text: string, start: number, end: number): TextEdit {
  const stop = end + (/^[ \t]*;/.exec(text.slice(end, end + 200))?.[0].length ?? 0);
  const indent = indentAt(text, start);
  const rest = /^[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/.exec(restOfLine(text, stop));
  if (indent === undefined || rest === null) {
    // Others stand on the line: what is left of it keeps one blank between them.
    const blanks = indent === undefined ? 0 : /^[ \t]*/.exec(restOfLine(text, stop))![0].length;
    const before = indent === undefined && /[ \t]/.test(text[start - 1] ?? "") ? 1 : 0;
    return { start: start - before, end: stop + blanks, text: "" };
  }
  const from = start - indent.length;
  const to = stop + rest[0].length;
  const before = /(?:^|\n)([ \t]*\r?\n)$/.exec(text.slice(Math.max(0, from - 200), from));
  const isBlankBehind = to >= text.length || /^[ \t]*\r?\n/.test(text.slice(to, to + 200));
  const blank = before === null || !isBlankBehind ? 0 : before[1]!.length;
  return { start: from - blank, end: to, text: "" };
}

/**
 * Puts statements behind the place `at`, where another one ends or a block begins: on lines of their own where only a
 * comment follows there, else on the same line. `indent`: of their lines.
 */
export function insertion(
  text: string,
  at: number,
  statements: readonly string[],
  indent: string,
): TextEdit {
  const rest = /^[ \t]*(?:#[^\n]*)?\r?\n/.exec(restOfLine(text, at));
  const newline = lineEndOf(text);
  if (rest === null) {
    const blank = /^\s|^$/.test(text.slice(at, at + 1)) ? "" : " ";
    return { start: at, end: at, text: ` ${statements.join(" ").replaceAll(/\n\s*/g, " ")}${blank}` };
  }
  const place = at + rest[0].length;
  const lines = statements.map((one) => `${indent}${withLineEnds(one, newline)}${newline}`);
  return { start: place, end: place, text: lines.join("") };
}

/** The text with a statement behind everything else, a blank line between them. */
export function appended(text: string, statement: string): string {
  const newline = lineEndOf(text);
  const isClosed = text === "" || text.endsWith("\n");
  const blank = text.trim() === "" || /\n[ \t]*\r?\n$/.test(text) ? "" : newline;
  return `${text}${isClosed ? "" : newline}${blank}${withLineEnds(statement, newline)}${newline}`;
}

/** A statement of several lines with the line ends of the text that it goes into. */
export function withLineEnds(statement: string, newline: string): string {
  return newline === "\n" ? statement : statement.replaceAll("\n", newline);
}

function restOfLine(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(at, end === -1 ? text.length : end + 1);
}
