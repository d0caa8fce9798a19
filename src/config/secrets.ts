import { DIRECTIVES, scopesOf } from "./directives.ts";
import { readTokens } from "./lexer.ts";
import { ProblemList } from "./problem.ts";
import { INPUT_OPTIONS } from "./schema-input.ts";
import { nearestName } from "./suggest.ts";
import type { Token } from "./lexer.ts";
import type { SourceText } from "./place.ts";

/** From `start` up to `end`; offsets in a text. */
type Span = readonly [start: number, end: number];

/** How many words after a directive's name may be shown; all directives that are not here show all. */
const SHOWN_WORDS: ReadonlyMap<string, number> = new Map([
  // In blocks that are passed over; no directive of a spec.
  ["passphrase", 0],
  ...DIRECTIVES.flatMap((spec) => {
    const secretAt =
      spec.arguments === "unchecked" ? -1 : spec.arguments.findIndex((one) => one.secret === true);
    const shown = spec.secret === true ? 0 : secretAt;
    return shown === -1
      ? []
      : [spec.name, ...(spec.aliases ?? [])].map((name): [string, number] => [name, shown]);
  }),
]);

const SECRET_OPTIONS: readonly string[] = [
  ...INPUT_OPTIONS.filter((option) => option.secret === true).map((option) => option.name),
  "password",
  "key",
];

/**
 * The text with every character of a secret replaced by `*`, so that places stay true and lines can be shown.
 *
 * Secrets: arguments that their spec calls so, credentials inside URLs, options such as `passphrase=`. A
 * directive is told by its name at the start of a statement or of a line, whatever block it stands in.
 */
export function hideSecrets(source: SourceText): string {
  let text = "";
  let at = 0;
  for (const [start, end] of secretSpans(source)) {
    text += source.text.slice(at, start) + source.text.slice(start, end).replaceAll(/[^\s]/gu, "*");
    at = end;
  }
  return text + source.text.slice(at);
}

/** In order, not overlapping. */
function secretSpans(source: SourceText): Span[] {
  const spans: Span[] = [];
  let left = Number.POSITIVE_INFINITY;
  let atStart = true;
  for (const token of readTokens(source, new ProblemList())) {
    if (token.kind !== "word") {
      left = Number.POSITIVE_INFINITY;
      atStart = true;
      continue;
    }
    const isName = atStart || (token.firstOnLine && scopesOf(token.text).length > 0);
    atStart = false;
    if (isName) {
      left = shownWords(token.text);
    } else if (left > 0) {
      left -= 1;
      spans.push(...secretParts(source.text.slice(token.start, token.end), token));
    } else {
      spans.push([token.start, token.end]);
    }
  }
  return spans;
}

/** A mistyped `pasword` is treated as what it was most likely meant to be. */
function shownWords(name: string): number {
  const meant = scopesOf(name).length > 0 ? name : nearestName(name, SHOWN_WORDS.keys());
  return SHOWN_WORDS.get(meant ?? name) ?? Number.POSITIVE_INFINITY;
}

/** Secrets inside one word: `scheme://USER:PASSWORD@host`, `securetoken://KEY`, `passphrase=SECRET`. */
function secretParts(written: string, token: Token): Span[] {
  const option = /^([A-Za-z_]+)=/.exec(written);
  if (option !== null && SECRET_OPTIONS.includes(option[1]!)) {
    return [[token.start + option[0].length, token.end]];
  }
  const key = /securetoken:\/\//.exec(written);
  if (key !== null) return [[token.start + key.index + key[0].length, token.end]];
  const scheme = written.indexOf("://");
  const host = written.lastIndexOf("@");
  return scheme === -1 || host <= scheme + 2 ? [] : [[token.start + scheme + 3, token.start + host]];
}
