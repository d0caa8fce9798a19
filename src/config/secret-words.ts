/** Which parts of a single word are secrets, whatever directive it stands behind. Each function is linear in its word. */

/** From `start` up to `end`; offsets in a text. */
export type Span = readonly [start: number, end: number];

/** Options whose names do not tell that their values are secrets. */
const SECRET_OPTIONS: readonly string[] = ["headers", "streamid"];

/** How the URL of a bucket begins, in quotes or not: what is secret in it is found. */
export const BUCKET_URL = /^"?s3s?:\/\//i;

/** Options whose names only seem to tell of a secret. */
const OPEN_OPTIONS: readonly string[] = ["session_keys"];

/** Words that names of secrets are made of. */
const TELLING = /key|secret|token|pass|pwd|auth|sign|cred|licen[cs]e/i;

/** A name with something behind it that is no name: `edit_auth=root`, `FLUSSONIC_EDIT_AUTH=root:password`. */
const NAME_AND_MORE = /^([^=:]*)(?:=|:(?!\/\/))(?=.)/s;

/** Whether a name, or a comment, has a word in it that tells of a secret. */
export function tellsOfSecret(text: string): boolean {
  return TELLING.test(text);
}

/** The name that a word begins with, without what follows a `=` or `:` in it. */
export function baseName(word: string): string {
  return NAME_AND_MORE.exec(word)?.[1] ?? word.replace(/[:=]$/, "");
}

/** A name as a message may show it: what follows a `=` or `:` in it, and secrets in a URL, are left out. */
export function shownName(name: string): string {
  return withoutSecrets(name, secretsInName(name));
}

/** A word as a message may show it: values of options that tell of secrets, and secrets in a URL, are left out. */
export function shownWord(word: string): string {
  return withoutSecrets(word, secretsInWord(word));
}

function withoutSecrets(text: string, spans: readonly Span[]): string {
  let shown = "";
  let at = 0;
  for (const [start, end] of spans) {
    if (end <= at) continue;
    shown += `${text.slice(at, Math.max(at, start))}***`;
    at = end;
  }
  return shown + text.slice(at);
}

/** Offsets in a name. */
export function secretsInName(name: string): Span[] {
  const more = NAME_AND_MORE.exec(name);
  return more === null ? secretsInUrl(name) : [[more[0].length, name.length]];
}

/** Offsets in a word, in the order of their starts. */
export function secretsInWord(word: string): Span[] {
  const inUrl = secretsInUrl(word);
  const value = startOfSecretValue(word);
  if (value === -1) return inUrl;
  return [...inUrl.filter(([start]) => start < value), [value, word.length]];
}

/** Behind the first `NAME=` whose name tells of a secret; -1 when there is none. */
function startOfSecretValue(word: string): number {
  let nameFrom = 0;
  for (let at = word.indexOf("="); at !== -1; at = word.indexOf("=", at + 1)) {
    // Only what can be part of the name: the path in front of "?token=" tells nothing.
    let from = at;
    while (from > nameFrom && /[\w-]/.test(word[from - 1]!)) from -= 1;
    const name = word.slice(from, at);
    const tells = TELLING.test(name) && !OPEN_OPTIONS.includes(name);
    if (tells || (from === 0 && isSecretOption(name, word, at + 1))) return at + 1;
    nameFrom = at + 1;
  }
  return -1;
}

/** What should be the URL of a bucket and is none may be its key. */
function isSecretOption(name: string, word: string, valueAt: number): boolean {
  if (name === "copy") return !BUCKET_URL.test(word.slice(valueAt, valueAt + 8));
  return SECRET_OPTIONS.includes(name);
}

/** `scheme://USER:PASSWORD@host/path?QUERY`, `securetoken://KEY`, `signed://KEY`, and `USER:PASSWORD@host`; offsets in the word. */
function secretsInUrl(word: string): Span[] {
  const key = /(?:securetoken|signed):\/\//i.exec(word);
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
