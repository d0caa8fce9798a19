import type { Statement } from "./parser.ts";
import type { StreamPlan } from "./plan.ts";

/**
 * What a reading leaves for the next one: what streams say, by their texts. It counts for as long as the rest, all that is not a
 * stream, is the same too: templates, archives and backends are named in streams.
 */
export type StreamTexts = { readonly rest: string; readonly plans: ReadonlyMap<string, StreamPlan> };

/**
 * Streams of one reading that need not be read, since their text is that of the reading before. They are known by their whole
 * text, without anything that was found fault with: a place in a problem is always of this reading.
 */
export class KnownStreams {
  readonly #before: StreamTexts | null;
  readonly #rest: string[] = [];
  readonly #texts = new Map<object, string>();
  #found = 0;
  #isFaulted = false;

  constructor(before: StreamTexts | null) {
    this.#before = before;
  }

  /** What was found may be used: all else is as it was. To be asked when all statements are read, and at the end. */
  get isValid(): boolean {
    if (this.#found === 0) return true;
    return !this.#isFaulted && this.#rest.join("\n") === this.#before?.rest;
  }

  /** Fault was found with streams by what they say, at places where they may have stood before. */
  faulted(): void {
    this.#isFaulted = true;
  }

  /** What a statement of the top level says; `undefined`: it has to be read. */
  find(statement: Statement): StreamPlan | undefined {
    const text = textOf(statement);
    if (!isStream(statement)) this.#rest.push(text);
    const plan = this.#before?.plans.get(text);
    if (plan !== undefined) this.#found++;
    return plan;
  }

  /** A statement was read or known, and nothing was found fault with. */
  read(statement: Statement, directive: object | undefined): void {
    if (directive === undefined || !isStream(statement)) return;
    const text = textOf(statement);
    // Who names countries is told of for as long as nobody knows them.
    if (!text.includes("countries")) this.#texts.set(directive, text);
  }

  /** What a directive says, where nothing was found fault with either. */
  made(directive: object, plan: StreamPlan): void {
    const text = this.#texts.get(directive);
    if (text !== undefined) this.#texts.set(plan, text);
  }

  /** For the next reading. `kept`: what is in force in the place of each of `streams`. */
  texts(streams: readonly StreamPlan[], kept: readonly StreamPlan[]): StreamTexts {
    const plans = new Map<string, StreamPlan>();
    if (this.#isFaulted) return { rest: "", plans };
    for (const [i, plan] of streams.entries()) {
      const text = this.#texts.get(plan);
      if (text !== undefined) plans.set(text, kept[i] ?? plan);
    }
    return { rest: this.#rest.join("\n"), plans };
  }
}

function isStream({ words, block }: Statement): boolean {
  return words[0].text === "stream" && block?.closed === true;
}

function textOf({ source, words, end }: Statement): string {
  return source.text.slice(words[0].start, end);
}
