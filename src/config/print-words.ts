import { shownWord } from "./secret-words.ts";

/** Words that can stand without quotes. */
const BARE = /^[A-Za-z0-9_./:@%+,*?&=~^|()[\]$!-]+$/;

/**
 * Writes a value as one word, in quotes where it needs them.
 */
export function word(text: string): string {
  return BARE.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/**
 * Writes `key=value` as one word.
 */
export function pair(key: string, value: string): string {
  return `${key}=${word(value)}`;
}

/**
 * Writes a block of the top level.
 */
export function block(keyword: string, name: string, lines: readonly string[]): string {
  return [`${keyword} ${word(name)} {`, ...lines.map((line) => `  ${line}`), "}"].join("\n");
}

/**
 * Writes a directive with one value; nothing without it.
 */
export function textLine(name: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`${name} ${word(text)};`];
}

/**
 * Writes a directive with a list; nothing where it is empty.
 */
export function listLine(name: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`${name} ${texts.map(word).join(" ")};`];
}

/**
 * Writes a directive whose value is a secret, or a comment in its place.
 */
export function secretLine(name: string, text: string | undefined, show: boolean): string[] {
  if (text === undefined) return [];
  return [show ? `${name} ${word(text)};` : `# ${name} (it is not shown)`];
}

/**
 * A URL as it may be printed: without what is secret in it, unless secrets are shown.
 */
export function shownUrl(url: string, show: boolean): string {
  return show ? url : shownWord(url);
}
