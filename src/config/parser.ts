import { finish } from "../base/steps.ts";
import type { Steps } from "../base/steps.ts";
import { tokenSteps } from "./lexer.ts";
import type { Token } from "./lexer.ts";
import type { SourceText } from "./place.ts";
import type { ProblemList } from "./problem.ts";

/**
 * What stands between `{` and `}`. `closed` is false where the file ended first.
 */
export type Block = {
  readonly open: Token;
  readonly statements: readonly Statement[];
  readonly closed: boolean;
};

/**
 * One statement: its words, of which the first is the directive's name, and its block if it has one.
 *
 * Units: `end` is an offset in the text, behind the `;` or `}` where they are there.
 */
export type Statement = {
  readonly source: SourceText;
  readonly words: readonly [Token, ...Token[]];
  readonly end: number;
  readonly block?: Block;
};

/** Deepest nesting of blocks; the language needs three. It bounds the recursion of everything that follows. */
export const MAX_DEPTH = 16;

/**
 * Reads the statements of one file. A statement ends in `;` or in a block; a `;` after a block, or alone, is
 * allowed. A file stands by itself: a block cannot be opened in one file and closed in another.
 *
 * Never throws: what is wrong goes to `problems`, and reading goes on at the next `;`, `{` or `}`.
 * Spec: the dialect of docs/config.md, "How it is written".
 */
export function parseStatements(source: SourceText, problems: ProblemList): Statement[] {
  return finish(statementSteps(source, problems));
}

/** The same in steps. */
export function* statementSteps(source: SourceText, problems: ProblemList): Steps<Statement[]> {
  const tokens = yield* tokenSteps(source, problems);
  return yield* new Parser(source, tokens, problems).steps();
}

/** Statements of the top level that are one step. */
const STATEMENTS_A_STEP = 64;

class Parser {
  readonly #source: SourceText;
  readonly #problems: ProblemList;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(source: SourceText, tokens: readonly Token[], problems: ProblemList) {
    this.#source = source;
    this.#problems = problems;
    this.#tokens = tokens;
  }

  *steps(): Steps<Statement[]> {
    const statements: Statement[] = [];
    for (let read = 1; this.#at < this.#tokens.length; read++) {
      if (this.#kind() === "close") {
        this.#strayBrace('this "}" closes nothing');
        this.#at += 1;
      } else {
        this.#readOne(statements, 0);
      }
      if (read % STATEMENTS_A_STEP === 0) yield;
    }
    return statements;
  }

  /** Reads statements up to the `}` that ends their block, or to the end of the file. */
  #readInto(statements: Statement[], depth: number): void {
    while (this.#at < this.#tokens.length && this.#kind() !== "close") this.#readOne(statements, depth);
  }

  /** Reads what begins here and is no `}`. */
  #readOne(statements: Statement[], depth: number): void {
    const kind = this.#kind();
    if (kind === "end") {
      this.#at += 1;
    } else if (kind === "open") {
      this.#strayBrace('no directive stands before this "{"');
      this.#block(depth);
    } else {
      statements.push(this.#statement(depth));
    }
  }

  #statement(depth: number): Statement {
    const words: [Token, ...Token[]] = [this.#tokens[this.#at]!];
    this.#at += 1;
    for (; this.#kind() === "word"; this.#at++) words.push(this.#tokens[this.#at]!);
    const kind = this.#kind();
    const block = kind === "open" ? this.#block(depth) : undefined;
    if (kind === "end") this.#at += 1;
    else if (block === undefined) missingSemicolon(this.#source, words, this.#problems);
    const { end } = this.#tokens[this.#at - 1]!;
    return { source: this.#source, words, end, ...(block === undefined ? {} : { block }) };
  }

  /** Reads from `{` to its `}`. */
  #block(depth: number): Block {
    const open = this.#tokens[this.#at]!;
    if (depth >= MAX_DEPTH) return this.#tooDeep(open);
    this.#at += 1;
    const statements: Statement[] = [];
    this.#readInto(statements, depth + 1);
    const closed = this.#kind() === "close";
    if (closed) this.#at += 1;
    else this.#unclosedBlock(open);
    return { open, statements, closed };
  }

  /** Passes over a block that is not read, counting braces. */
  #tooDeep(open: Token): Block {
    const message = `blocks stand more than ${MAX_DEPTH} deep`;
    this.#problems.error("CONFIG_TOO_DEEP", this.#source.place(open.start, open.end), message);
    let depth = 0;
    do {
      const kind = this.#kind();
      if (kind === "open") depth += 1;
      if (kind === "close") depth -= 1;
      this.#at += 1;
    } while (depth > 0 && this.#at < this.#tokens.length);
    return { open, statements: [], closed: true };
  }

  #kind(): Token["kind"] | undefined {
    return this.#tokens[this.#at]?.kind;
  }

  #strayBrace(message: string): void {
    const token = this.#tokens[this.#at]!;
    this.#problems.error("CONFIG_STRAY_BRACE", this.#source.place(token.start, token.end), message);
  }

  #unclosedBlock(open: Token): void {
    const place = this.#source.place(open.start, open.end);
    this.#problems.error(
      "CONFIG_UNCLOSED_BLOCK",
      place,
      "this block is not closed before the end of the file",
      {
        hint: 'a "}" is missing',
      },
    );
  }
}

/**
 * Reports a missing `;` right after the last of `words`.
 */
export function missingSemicolon(source: SourceText, words: readonly Token[], problems: ProblemList): void {
  const last = words.at(-1)!;
  const place = source.place(last.end, last.end + 1);
  const message = `missing ";" at the end of this statement`;
  problems.error("CONFIG_MISSING_SEMICOLON", place, message, { hint: 'put ";" here' });
}
