import { SourceText } from "./place.ts";
import { hideSecrets } from "./secrets.ts";
import type { Place, SourceFile } from "./place.ts";
import type { Problem, RelatedPlace, Severity } from "./problem.ts";

/** The parts of the rendering that may be coloured. */
export type PaintRole = Severity | "message" | "gutter" | "related";

/** Puts colour on a piece of text; without one, the text is plain. */
export type Paint = (role: PaintRole, text: string) => string;

/** Widest piece of a line that is shown, in characters. */
const MAX_SHOWN = 120;

/** Characters shown before the place when a line is cut. */
const SHOWN_BEFORE = 40;

const CUT = "...";

/**
 * Renders problems for people: message, place, the line with a caret under it, the hint.
 *
 * `files` are the texts that the places refer to; a place whose file is not there is named without its line.
 * Secrets are shown as asterisks, control characters as "?".
 * Returns: the text, each problem followed by an empty line; empty when there are none.
 */
export function formatProblems(
  problems: readonly Problem[],
  files: readonly SourceFile[],
  paint: Paint = (_role, text) => text,
): string {
  const renderer = new Renderer(files, paint);
  return problems.map((one) => `${renderer.problem(one)}\n`).join("\n");
}

/**
 * Counts problems in words, as in "2 errors, 1 warning"; notes are left out; empty when nothing is left.
 */
export function countProblems(problems: readonly Problem[]): string {
  const counted = (["error", "warning"] as const).map((severity) => {
    const count = problems.filter((one) => one.severity === severity).length;
    return count === 0 ? "" : `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  return counted.filter((part) => part !== "").join(", ");
}

type Excerpt = { readonly place: Place; readonly label: string; readonly mark: "^" | "-" };

class Renderer {
  readonly #files: ReadonlyMap<string, SourceFile>;
  readonly #texts = new Map<string, SourceText>();
  readonly #paint: Paint;
  #lastLine: { file: string; line: number; characters: readonly string[] } = {
    file: "",
    line: 0,
    characters: [],
  };

  constructor(files: readonly SourceFile[], paint: Paint) {
    this.#files = new Map(files.map((source) => [source.file, source]));
    this.#paint = paint;
  }

  problem(problem: Problem): string {
    const related = problem.related ?? [];
    const width = String(Math.max(problem.line, ...related.map((place) => place.line))).length + 1;
    const head = `${this.#paint(problem.severity, problem.severity)}${this.#paint("message", `: ${safe(problem.message)}`)}`;
    const hint = safe(problem.hint ?? "");
    const lines = [head, ...this.#arrow("-->", problem, width)];
    if (this.#hasLine(problem)) {
      lines.push(...this.#excerpt({ place: problem, label: hint, mark: "^" }, problem.severity, width));
    } else if (hint !== "") {
      lines.push(`${" ".repeat(width + 1)}${this.#paint("gutter", "=")} ${hint}`);
    }
    for (const place of related) lines.push(...this.#related(place, width));
    return lines.join("\n");
  }

  #related(place: RelatedPlace, width: number): string[] {
    const arrow = this.#arrow(":::", place, width);
    const label = safe(place.message);
    if (!this.#hasLine(place)) return [`${arrow.join("")} ${label}`];
    return [...arrow, ...this.#excerpt({ place, label, mark: "-" }, "related", width)];
  }

  #arrow(arrow: string, place: Place, width: number): string[] {
    const position = place.line === 0 ? "" : `:${place.line}:${place.column}`;
    return [`${" ".repeat(width)}${this.#paint("gutter", arrow)} ${safe(place.file)}${position}`];
  }

  #excerpt({ place, label, mark }: Excerpt, role: PaintRole, width: number): string[] {
    const { shown, before } = cutLine(this.#characters(place), place);
    const room = Math.max(1, Array.from(shown).length - before);
    const marks = mark.repeat(Math.max(1, Math.min(place.length, room)));
    // Tabs stay tabs, so that the marks stand under their word whatever a terminal makes of them.
    const indent = Array.from(shown).slice(0, before).join("").replaceAll(/[^\t]/gu, " ").padEnd(before);
    const gutter = this.#paint("gutter", `${" ".repeat(width + 1)}|`);
    const number = this.#paint("gutter", `${String(place.line).padStart(width)} |`);
    const marked = this.#paint(role, label === "" ? marks : `${marks} ${label}`);
    return [gutter, `${number} ${shown}`.trimEnd(), `${gutter} ${indent}${marked}`];
  }

  /** The last line is kept: a file without line ends may have two hundred problems in one line of a megabyte. */
  #characters({ file, line }: Place): readonly string[] {
    if (this.#lastLine.file !== file || this.#lastLine.line !== line) {
      this.#lastLine = { file, line, characters: Array.from(safe(this.#text(file)?.line(line) ?? "")) };
    }
    return this.#lastLine.characters;
  }

  #hasLine(place: Place): boolean {
    return place.line > 0 && (this.#text(place.file)?.lineCount ?? 0) >= place.line;
  }

  #text(file: string): SourceText | undefined {
    const known = this.#texts.get(file);
    if (known !== undefined) return known;
    const source = this.#files.get(file);
    if (source === undefined) return undefined;
    const text = new SourceText({ file, text: hideSecrets(new SourceText(source)) });
    this.#texts.set(file, text);
    return text;
  }
}

/** The line, or the piece of it around a place; `before` counts the characters shown in front of the place. */
function cutLine(characters: readonly string[], place: Place): { shown: string; before: number } {
  const before = Math.min(place.column - 1, characters.length);
  if (characters.length <= MAX_SHOWN) return { shown: characters.join(""), before };
  const start = before <= MAX_SHOWN - SHOWN_BEFORE ? 0 : before - SHOWN_BEFORE;
  const piece = characters.slice(start, start + MAX_SHOWN);
  const head = start === 0 ? "" : CUT;
  const tail = start + MAX_SHOWN < characters.length ? CUT : "";
  return { shown: head + piece.join("") + tail, before: before - start + head.length };
}

/** What a terminal would obey, or what turns text around, is not printed. */
function safe(text: string): string {
  return text.replaceAll(/[\p{Cc}\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu, (found) =>
    found === "\t" ? found : "?",
  );
}
