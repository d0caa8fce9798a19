import { DIRECTIVES, scopesOf } from "./directives.ts";
import { MAX_TOKENS, readTokens } from "./lexer.ts";
import { ProblemList } from "./problem.ts";
import { VARIABLE_PREFIXES, VARIABLES } from "./schema-environment.ts";
import { INPUT_OPTIONS } from "./schema-input.ts";
import { nearestName } from "./suggest.ts";
import type { Token } from "./lexer.ts";
import type { SourceText } from "./place.ts";

/** From `start` up to `end`; offsets in a text. */
type Span = readonly [start: number, end: number];

/** A directive with secret arguments: how many words it has behind its name, and how many of those may be shown. */
type SecretForm = { readonly words: number; readonly shown: number };

/** Nothing behind the name may be shown, however many words there are. */
const ALL_SECRET: SecretForm = { words: -1, shown: 0 };

const SECRET_DIRECTIVES: ReadonlyMap<string, SecretForm> = new Map([
  // In blocks that are passed over; no directive of a spec.
  ["passphrase", ALL_SECRET],
  ...DIRECTIVES.flatMap((spec) => {
    const form = secretFormOf(spec);
    return form === null
      ? []
      : [spec.name, ...(spec.aliases ?? [])].map((name): [string, SecretForm] => [name, form]);
  }),
]);

/** Directives with a path in them; whoever writes the secret itself in its place writes none. */
const PATH_DIRECTIVES: ReadonlySet<string> = new Set(["edit_auth_file", "view_auth_file"]);

const SECRET_OPTIONS: readonly string[] = INPUT_OPTIONS.filter((option) => option.secret === true).map(
  (option) => option.name,
);

/** Words that names of secrets are made of. */
const TELLING = /key|secret|token|pass|pwd|auth|sign|cred|licen[cs]e/i;

/** `NAME=` somewhere in a word, where such a name says that a secret follows. */
const TELLING_OPTION = new RegExp(`[\\w-]*(?:${TELLING.source})[\\w-]*=`, "i");

/** A name with something behind it that is no name: `edit_auth=root`, `FLUSSONIC_EDIT_AUTH=root:password`. */
const NAME_AND_MORE = /^([^=:]*)(?:=|:(?!\/\/))(?=.)/s;

/**
 * The text with every character of a secret replaced by `*`, so that places stay true and lines can be shown.
 *
 * Secrets: arguments that their spec calls so, whatever is where they should be; credentials and queries of URLs;
 * options such as `passphrase=`; comments beside any of these. A directive is told by its name at the start of a
 * statement or of a line, whatever block it stands in; rather too much is hidden than too little.
 */
export function hideSecrets(source: SourceText): string {
  let text = "";
  let at = 0;
  for (const [start, end] of secretSpans(source)) {
    if (end <= at) continue;
    const from = Math.max(at, start);
    text += source.text.slice(at, from) + source.text.slice(from, end).replaceAll(/[^\s]/gu, "*");
    at = end;
  }
  return text + source.text.slice(at);
}

/** A name as a message may show it: what follows a `=` or `:` in it, and secrets in a URL, are left out. */
export function shownName(name: string): string {
  let shown = "";
  let at = 0;
  for (const [start, end] of secretsInName(name)) {
    shown += `${name.slice(at, start)}***`;
    at = end;
  }
  return shown + name.slice(at);
}

/** In the order of their starts. */
function secretSpans(source: SourceText): Span[] {
  const tokens = readTokens(source, new ProblemList());
  const { spans, regions } = spansOfStatements(source.text, tokens);
  const comments = spansOfGaps(source.text, tokens, { spans, regions });
  return [...spans, ...comments].toSorted((a, b) => a[0] - b[0]);
}

/** What is found in statements. `regions`: from the names of directives with secrets to whatever stands behind them. */
type Found = { readonly spans: Span[]; readonly regions: Span[] };

function spansOfStatements(text: string, tokens: readonly Token[]): Found {
  const spans: Span[] = [];
  const regions: Span[] = [];
  let isSecretBlock = false;
  let index = 0;
  while (index < tokens.length) {
    const name = tokens[index]!;
    if (name.kind !== "word") {
      if (name.kind === "close") isSecretBlock = false;
      index += 1;
      continue;
    }
    const words = statementAt(tokens, index);
    index += words.length;
    const next = tokens[index];
    // Within a block that is not closed a directive is told by its name again.
    isSecretBlock &&= scopesOf(baseOf(name.text)).length === 0;
    const form = isSecretBlock ? ALL_SECRET : formOf(name.text);
    for (const span of spansOfStatement(text, words, form)) spans.push(span);
    if (form === null) continue;
    regions.push([name.start, next?.start ?? text.length]);
    if (next?.kind === "open") isSecretBlock = true;
  }
  return { spans, regions };
}

/** The words from `from` up to a sign, or to a line that begins with a directive's name. */
function statementAt(tokens: readonly Token[], from: number): Token[] {
  let to = from + 1;
  while (tokens[to]?.kind === "word" && !beginsStatement(tokens[to]!)) to += 1;
  return tokens.slice(from, to);
}

function beginsStatement({ firstOnLine, text }: Token): boolean {
  return firstOnLine && (scopesOf(baseOf(text)).length > 0 || formOf(text) !== null);
}

function* spansOfStatement(
  text: string,
  [name, ...words]: readonly Token[],
  form: SecretForm | null,
): Generator<Span> {
  const inName = secretsInName(text.slice(name!.start, name!.end));
  for (const [start, end] of inName) yield [name!.start + start, name!.start + end];
  // A name with more behind it has taken the place of what may be shown.
  const isWhole = form?.words === words.length && inName.length === 0;
  const shown = form === null ? words.length : isWhole ? form.shown : 0;
  const isPath = PATH_DIRECTIVES.has(baseOf(name!.text));
  for (const [index, { start, end }] of words.entries()) {
    const word = text.slice(start, end);
    if (index >= shown || (isPath && !/^"?\//.test(word))) yield [start, end];
    else for (const [from, to] of secretsInWord(word, form !== null)) yield [start + from, start + to];
  }
}

/** A mistyped `pasword` is treated as what it was most likely meant to be; a name that tells of a secret as one. */
function formOf(name: string): SecretForm | null {
  const base = baseOf(name);
  if (scopesOf(base).length > 0 || SECRET_DIRECTIVES.has(base)) return SECRET_DIRECTIVES.get(base) ?? null;
  const meant = nearestName(base, SECRET_DIRECTIVES.keys());
  if (meant !== undefined) return SECRET_DIRECTIVES.get(meant)!;
  return TELLING.test(base) ? ALL_SECRET : null;
}

function baseOf(name: string): string {
  return NAME_AND_MORE.exec(name)?.[1] ?? name.replace(/[:=]$/, "");
}

function secretFormOf(spec: (typeof DIRECTIVES)[number]): SecretForm | null {
  if (spec.secret === true) return ALL_SECRET;
  if (spec.arguments === "unchecked") return null;
  const shown = spec.arguments.findIndex((one) => one.secret === true);
  return shown === -1 ? null : { words: spec.arguments.length, shown };
}

/** Offsets in the name. */
function secretsInName(name: string): Span[] {
  const more = NAME_AND_MORE.exec(name);
  if (more === null) return secretsInUrl(name);
  const variable = VARIABLES.find((one) =>
    VARIABLE_PREFIXES.some((prefix) => prefix + one.name === more[1]),
  );
  return variable?.open?.test(name.slice(more[0].length)) === true ? [] : [[more[0].length, name.length]];
}

/** Offsets in the word. `isLogin`: a login is expected, which ends at a `:` or `=`. */
function secretsInWord(word: string, isLogin: boolean): Span[] {
  const option = /^([A-Za-z_]+)=/.exec(word);
  const telling = TELLING_OPTION.exec(word);
  const colon = isLogin ? word.search(/[:=]/) : -1;
  const starts = [
    ...(option !== null && SECRET_OPTIONS.includes(option[1]!) ? [option[0].length] : []),
    ...(telling === null ? [] : [telling.index + telling[0].length]),
    ...(colon === -1 ? [] : [colon + 1]),
  ];
  return starts.length > 0
    ? [[Math.min(...starts), word.length], ...secretsInUrl(word)]
    : secretsInUrl(word);
}

/** `scheme://USER:PASSWORD@host/path?QUERY`, `securetoken://KEY`, and `USER:PASSWORD@host`; offsets in the word. */
function secretsInUrl(word: string): Span[] {
  const key = /securetoken:\/\//.exec(word);
  if (key !== null) return [[key.index + key[0].length, word.length]];
  const scheme = word.indexOf("://");
  const from = scheme === -1 ? 0 : scheme + 3;
  const query = word.indexOf("?", from);
  const host = word.lastIndexOf("@");
  const hasLogin = host > from && (scheme !== -1 || word.slice(0, host).includes(":"));
  // What stands behind an "@" of a query is one more part of it.
  if (hasLogin && query !== -1 && query < host) return [[from, word.length]];
  // A password whose "@" and host are missing stands where a port should.
  const port = scheme === -1 || hasLogin ? null : /^[^/?:[]*:(?=\d*[^\d/?])/.exec(word.slice(from));
  return [
    ...(hasLogin ? [[from, host] as const] : []),
    ...(port === null ? [] : [[from + port[0].length, word.length] as const]),
    ...(query === -1 || scheme === -1 ? [] : [[query + 1, word.length] as const]),
  ];
}

/** Comments that tell of secrets or stand beside one; and what was not read since there are too many tokens. */
function spansOfGaps(text: string, tokens: readonly Token[], { spans, regions }: Found): Span[] {
  const found: Span[] = [];
  const isBeside = besideTest(text, spans);
  const isInRegion = insideTest(regions);
  let at = 0;
  for (const token of [...tokens, null]) {
    const end = token?.start ?? text.length;
    if (token === null && tokens.length >= MAX_TOKENS) found.push([at, end]);
    for (const [start, stop] of commentsIn(text, at, end)) {
      const comment = text.slice(start, stop);
      const tells = TELLING.test(comment) || comment.includes("://");
      if (isBeside(start) || isInRegion(start) || tells) found.push([start + 1, stop]);
    }
    at = token?.end ?? end;
  }
  return found;
}

function* commentsIn(text: string, from: number, to: number): Generator<Span> {
  let at = from;
  const gap = text.slice(from, to);
  if (!gap.includes("#")) return;
  for (const line of gap.split("\n")) {
    const hash = line.indexOf("#");
    if (hash !== -1) yield [at + hash, at + line.length];
    at += line.length + 1;
  }
}

/** Whether a span stands on the line in front of a place; the places are asked in their order. */
function besideTest(text: string, spans: readonly Span[]): (place: number) => boolean {
  let next = 0;
  return (place) => {
    while (next < spans.length && spans[next]![0] < place) next += 1;
    return next > 0 && !text.slice(spans[next - 1]![0], place).includes("\n");
  };
}

/** Whether a place is within one of the spans; the places are asked in their order. */
function insideTest(spans: readonly Span[]): (place: number) => boolean {
  let next = 0;
  return (place) => {
    while (next < spans.length && spans[next]![1] <= place) next += 1;
    return next < spans.length && spans[next]![0] <= place;
  };
}
