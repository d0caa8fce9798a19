import { finish } from "../base/steps.ts";
import type { Steps } from "../base/steps.ts";
import type { SourceText } from "./place.ts";
import type { ProblemList } from "./problem.ts";

/**
 * The four things a config text is made of: a word, `{`, `}` and `;`.
 */
export type TokenKind = "word" | "open" | "close" | "end";

/**
 * One token.
 *
 * Units: `start` and `end` are offsets in the text. `text` is the value of a word: quotes taken off, escapes
 * undone. `quotedFrom` is where in `text` the quoted part begins (0 for `"a b"`, 4 for `key="a b"`), -1 without.
 * `damaged`: a problem was reported inside, so the value is not what was meant.
 */
export type Token = {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly quotedFrom: number;
  readonly firstOnLine: boolean;
  readonly damaged: boolean;
};

/** Longest word, in UTF-16 code units: URLs are the longest, and servers refuse them past some 8 KB. */
export const MAX_WORD_LENGTH = 4096;

/** Most tokens of one file: one million is a config of some 200 000 lines and about 100 MB of memory. */
export const MAX_TOKENS = 1_000_000;

/** What to do about characters that editors and other systems leave behind, by their numbers. */
const HINTS: Readonly<Record<string, string>> = {
  "000D": "end lines with LF, or CR and LF",
  FEFF: "a byte order mark in the middle of a file: delete it",
};

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const PUNCTUATION: ReadonlyMap<number, TokenKind> = new Map([
  [SEMICOLON, "end"],
  [OPEN, "open"],
  [CLOSE, "close"],
]);

/**
 * Cuts a config text into tokens; comments (`#` at the start of a word, up to the end of its line) are left out.
 *
 * Never throws: what is wrong goes to `problems` and the rest of the text is still read.
 * Spec: the dialect of docs/config.md, "How it is written".
 */
export function readTokens(source: SourceText, problems: ProblemList): Token[] {
  return finish(tokenSteps(source, problems));
}

/** The same in steps. */
export function tokenSteps(source: SourceText, problems: ProblemList): Steps<Token[]> {
  return new Lexer(source, problems).steps();
}

/** Tokens, comments and spaces of one step: some 0.3 ms. */
const SIGNS_A_STEP = 2048;

class Lexer {
  readonly #source: SourceText;
  readonly #text: string;
  readonly #problems: ProblemList;
  readonly #tokens: Token[] = [];
  #at = 0;
  #firstOnLine = true;
  #toldOfBadCharacter = false;
  #owesQuote = false;
  #knownLineEnd = -1;

  constructor(source: SourceText, problems: ProblemList) {
    this.#source = source;
    this.#text = source.text;
    this.#problems = problems;
  }

  *steps(): Steps<Token[]> {
    for (let read = 1; this.#at < this.#text.length; read++) {
      if (this.#tokens.length >= MAX_TOKENS) {
        this.#fileTooLong();
        break;
      }
      this.#next();
      if (read % SIGNS_A_STEP === 0) yield;
    }
    return this.#tokens;
  }

  #next(): void {
    const code = this.#text.charCodeAt(this.#at);
    const kind = PUNCTUATION.get(code);
    if (kind !== undefined) {
      this.#add(kind, this.#at, this.#at + 1);
      this.#at += 1;
    } else if (code === HASH) {
      this.#skipComment();
    } else if (code === LINE_FEED) {
      this.#firstOnLine = true;
      this.#at += 1;
    } else if (isBlank(this.#text, this.#at)) {
      this.#at += 1;
    } else if (isUnwelcome(this.#text, this.#at)) {
      this.#badCharacter(this.#at);
      this.#at += 1;
    } else if (code === QUOTE) {
      this.#quotedWord(this.#at, "");
    } else {
      this.#bareWord();
    }
  }

  #skipComment(): void {
    const lineEnd = this.#lineEnd();
    for (let at = this.#at; at < lineEnd; at++) if (isControl(this.#text, at)) this.#badCharacter(at);
    this.#at = lineEnd;
  }

  #bareWord(): void {
    const start = this.#at;
    const text = this.#text;
    while (this.#at < text.length && !endsWord(text, this.#at)) this.#at += 1;
    const written = text.slice(start, this.#at);
    const curly = /[\u201C-\u201F]/.exec(written);
    if (curly !== null) this.#typographicQuote(start + curly.index);
    if (text.charCodeAt(this.#at) !== QUOTE) {
      this.#addWord(start, written, -1, curly !== null);
    } else if (text.charCodeAt(this.#at - 1) === EQUALS) {
      this.#quotedWord(start, written);
    } else {
      this.#misplacedQuote(this.#at);
      this.#addWord(start, written, -1, true);
    }
  }

  /** Reads from the opening quote at `#at`; `before` is the `key=` that stands in front of it. */
  #quotedWord(start: number, before: string): void {
    const opening = this.#at;
    const lineEnd = this.#lineEnd();
    let value = "";
    let at = opening + 1;
    let from = at;
    let damaged = false;
    for (; at < lineEnd; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) break;
      if (isControl(this.#text, at)) {
        this.#badCharacter(at);
        damaged = true;
      }
      const escaped = this.#text.charCodeAt(at + 1);
      if (code !== BACKSLASH || at + 1 >= lineEnd || (escaped !== QUOTE && escaped !== BACKSLASH)) continue;
      value += this.#text.slice(from, at);
      from = at + 1;
      at += 1;
    }
    if (at >= lineEnd) return this.#unclosedQuote(start, opening, lineEnd);
    value += this.#text.slice(from, at);
    this.#at = at + 1;
    const touches = this.#at < this.#text.length && !endsWord(this.#text, this.#at);
    if (touches || this.#text.charCodeAt(this.#at) === QUOTE) {
      this.#misplacedQuote(at);
      damaged = true;
    }
    this.#owesQuote = false;
    this.#addWord(start, before + value, before.length, damaged);
  }

  /** The rest of a line after an unclosed quote is one word, but `;`, `{` and `}` at its end still count. */
  #unclosedQuote(start: number, opening: number, lineEnd: number): void {
    const place = this.#source.place(opening, opening + 1);
    const message = "this quote is not closed on its line";
    const hint = 'the closing " is missing';
    if (!this.#owesQuote) this.#problems.error("CONFIG_UNCLOSED_QUOTE", place, message, { hint });
    this.#owesQuote = !this.#owesQuote;
    let end = lineEnd;
    while (end > opening + 1 && /[\s;{}]/.test(this.#text[end - 1]!)) end -= 1;
    this.#at = end;
    this.#addWord(start, this.#text.slice(opening + 1, end), 0, true);
  }

  /** Passes over what touches a quote; a quoted part in it counts as one, with its spaces and signs. */
  #skipTouching(): void {
    while (this.#at < this.#text.length) {
      if (this.#text.charCodeAt(this.#at) === QUOTE) {
        const closing = this.#text.indexOf('"', this.#at + 1);
        const isClosed = closing !== -1 && closing < this.#lineEnd() && !this.#owesQuote;
        this.#at = isClosed ? closing + 1 : this.#at + 1;
      } else if (endsWord(this.#text, this.#at)) {
        return;
      } else {
        this.#at += 1;
      }
    }
  }

  #addWord(start: number, text: string, quotedFrom: number, damaged: boolean): void {
    if (text.length > MAX_WORD_LENGTH) {
      const message = `this word has ${text.length} characters; the longest allowed has ${MAX_WORD_LENGTH}`;
      this.#problems.error("CONFIG_WORD_TOO_LONG", this.#source.place(start, start + 1), message);
      this.#add("word", start, this.#at, {
        text: text.slice(0, MAX_WORD_LENGTH),
        quotedFrom: -1,
        damaged: true,
      });
      return;
    }
    this.#add("word", start, this.#at, { text, quotedFrom, damaged });
  }

  #add(
    kind: TokenKind,
    start: number,
    end: number,
    word: { text: string; quotedFrom: number; damaged: boolean } = {
      text: "",
      quotedFrom: -1,
      damaged: false,
    },
  ): void {
    const { text, quotedFrom, damaged } = word;
    this.#tokens.push({ kind, text, start, end, quotedFrom, firstOnLine: this.#firstOnLine, damaged });
    this.#firstOnLine = false;
  }

  /** The offset of the line feed (or of the CR before it) that ends the line of `#at`. */
  #lineEnd(): number {
    if (this.#knownLineEnd < this.#at) {
      const found = this.#text.indexOf("\n", this.#at);
      this.#knownLineEnd = found === -1 ? this.#text.length : found;
    }
    const end = this.#knownLineEnd;
    return end > this.#at && this.#text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
  }

  /** Told once per file: a binary file would fill the page with it. */
  #badCharacter(at: number): void {
    if (this.#toldOfBadCharacter) return;
    this.#toldOfBadCharacter = true;
    const code = this.#text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
    const isSpace = !isControl(this.#text, at);
    const message = `character U+${code} is not allowed here`;
    const hint = HINTS[code] ?? (isSpace ? "type an ordinary space" : "is this file UTF-8 text?");
    this.#problems.error("CONFIG_BAD_CHARACTER", this.#source.place(at, at + 1), message, { hint });
  }

  #typographicQuote(at: number): void {
    const place = this.#source.place(at, at + 1);
    this.#problems.error("CONFIG_BAD_CHARACTER", place, "this is a typographic quote", {
      hint: 'type the straight one: "',
    });
  }

  /** After an unclosed quote, the next odd one is most likely its closing one, a line too late. */
  #misplacedQuote(at: number): void {
    const place = this.#source.place(at, at + 1);
    const hint = 'quote the whole value: "..." or key="..."';
    if (!this.#owesQuote) {
      this.#problems.error("CONFIG_MISPLACED_QUOTE", place, "a quote stands in the middle of a word", {
        hint,
      });
    }
    this.#skipTouching();
    this.#owesQuote = false;
  }

  #fileTooLong(): void {
    const place = this.#source.place(this.#at, this.#at + 1);
    const message = `the file has more than ${MAX_TOKENS} words and signs; the rest was not read`;
    this.#problems.error("CONFIG_FILE_TOO_LONG", place, message);
  }
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code === SPACE || code === TAB || code === LINE_FEED) return true;
  return code === CARRIAGE_RETURN && text.charCodeAt(at + 1) === LINE_FEED;
}

/** C0 and C1 controls, DEL, and the signs that turn the direction of text and so hide what it says. */
function isControl(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code >= 0x20 && code < 0x7f) return false;
  if (code < 0x20) return !isBlank(text, at);
  if (code < 0xa0) return true;
  return (
    (code >= 0x200e && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  );
}

/** Spaces other than space and tab: they come with text copied from web pages and cannot be seen. */
function isOddSpace(code: number): boolean {
  if (code < 0xa0) return false;
  if (code === 0xa0 || code === 0x1680 || code === 0x202f || code === 0x205f) return true;
  return (
    (code >= 0x2000 && code <= 0x200d) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

function isUnwelcome(text: string, at: number): boolean {
  return isControl(text, at) || isOddSpace(text.charCodeAt(at));
}

function endsWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code === QUOTE || code === SEMICOLON || code === OPEN || code === CLOSE) return true;
  return isBlank(text, at) || isUnwelcome(text, at);
}
