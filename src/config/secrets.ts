import { DIRECTIVES, scopesOf } from "./directives.ts";
import { MAX_TOKENS, readTokens } from "./lexer.ts";
import { ProblemList } from "./problem.ts";
import { VARIABLE_PREFIXES, VARIABLES } from "./schema-environment.ts";
import { baseName, BUCKET_URL, secretsInName, secretsInWord, tellsOfSecret } from "./secret-words.ts";
import { nearestName } from "./suggest.ts";
import type { Token } from "./lexer.ts";
import type { SourceText } from "./place.ts";
import type { Span } from "./secret-words.ts";

/** A directive with secret arguments: how many words it has behind its name, and how many of those may be shown. */
type SecretForm = { readonly words: number; readonly shown: number };

/** Nothing behind the name may be shown, however many words there are. */
const ALL_SECRET: SecretForm = { words: -1, shown: 0 };

const SECRET_DIRECTIVES: ReadonlyMap<string, SecretForm> = new Map([
  // Their first word tells; see `formOfStatement`.
  ["allow", ALL_SECRET],
  ["deny", ALL_SECRET],
  ...DIRECTIVES.flatMap((spec) => {
    const form = secretFormOf(spec);
    return form === null
      ? []
      : [spec.name, ...(spec.aliases ?? [])].map((name): [string, SecretForm] => [name, form]);
  }),
]);

/** How the words behind some directives begin; whoever writes the secret itself in their place writes none. */
const SHOWN_FORMS: ReadonlyMap<string, RegExp> = new Map([
  ["edit_auth_file", /^"?\//],
  ["view_auth_file", /^"?\//],
  ["certificate", /^"?\//],
  ["certificate_key", /^"?\//],
  ["certificate_ca", /^"?\//],
  ["key_file", /^"?\//],
  ["copy", BUCKET_URL],
]);

/** What `allow` and `deny` of an `auth_backend` may show: all but tokens. */
const OPEN_RULES = /^"?(ip|country|ua|default)"?$/;

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
    isSecretBlock &&= !isToldByName(baseName(name.text));
    const form = isSecretBlock ? ALL_SECRET : formOfStatement(words, tokens[index]);
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
  const name = baseName(text);
  return firstOnLine && (isToldByName(name) || SHOWN_FORMS.has(name) || formOf(text) !== null);
}

/** What stands in the block of `dvr` alone tells nothing elsewhere: `root` is what most administrators are called. */
function isToldByName(name: string): boolean {
  return scopesOf(name).some((scope) => scope !== "dvr");
}

function* spansOfStatement(
  text: string,
  [name, ...words]: readonly Token[],
  form: SecretForm | null,
): Generator<Span> {
  const written = text.slice(name!.start, name!.end);
  const inName = isOpenVariable(written) ? [] : secretsInName(written);
  for (const [start, end] of inName) yield [name!.start + start, name!.start + end];
  // A name with more behind it has taken the place of what may be shown.
  const isWhole = form?.words === words.length && inName.length === 0;
  const shown = form === null ? words.length : isWhole ? form.shown : 0;
  const shownForm = SHOWN_FORMS.get(baseName(name!.text));
  for (const [index, { start, end }] of words.entries()) {
    const word = text.slice(start, end);
    // A login ends at a ":" or "="; what follows is a password.
    const loginEnd = form === null ? -1 : word.search(/[:=]/);
    if (index >= shown || shownForm?.test(word) === false) yield [start, end];
    else if (loginEnd !== -1) yield [start + loginEnd + 1, end];
    else for (const [from, to] of secretsInWord(word)) yield [start + from, start + to];
  }
}

/** `next`: the sign behind the words. A name of an API token that has no block is the token itself, most likely. */
function formOfStatement(words: readonly Token[], next: Token | undefined): SecretForm | null {
  const name = words[0]!.text;
  if (name === "api_token" && next?.kind !== "open") return ALL_SECRET;
  const form = formOf(name);
  return name === "allow" || name === "deny" ? ruleFormOf(words, form) : form;
}

/** Of rules that begin with `token` what follows is secret; of those that begin with no kind all may be. */
function ruleFormOf([, kind, ...values]: readonly Token[], form: SecretForm | null): SecretForm | null {
  if (kind === undefined) return form;
  if (OPEN_RULES.test(kind.text)) return null;
  return kind.text === "token" ? { words: values.length + 1, shown: 1 } : form;
}

/** A mistyped `pasword` is treated as what it was most likely meant to be; a name that tells of a secret as one. */
function formOf(name: string): SecretForm | null {
  const base = baseName(name);
  if (scopesOf(base).length > 0 || SECRET_DIRECTIVES.has(base)) return SECRET_DIRECTIVES.get(base) ?? null;
  const meant = nearestName(base, SECRET_DIRECTIVES.keys());
  if (meant !== undefined) return SECRET_DIRECTIVES.get(meant)!;
  return tellsOfSecret(base) ? ALL_SECRET : null;
}

/** `NAME=VALUE` of the environment, where the value may be shown. */
function isOpenVariable(written: string): boolean {
  const name = baseName(written);
  const spec = VARIABLES.find((one) => VARIABLE_PREFIXES.some((prefix) => prefix + one.name === name));
  return spec?.open?.test(written.slice(name.length + 1)) === true;
}

function secretFormOf(spec: (typeof DIRECTIVES)[number]): SecretForm | null {
  if (spec.secret === true) return ALL_SECRET;
  if (spec.arguments === "unchecked") return null;
  const shown = spec.arguments.findIndex((one) => one.secret === true);
  return shown === -1 ? null : { words: spec.arguments.length, shown };
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
      const tells = tellsOfSecret(comment) || comment.includes("://");
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
