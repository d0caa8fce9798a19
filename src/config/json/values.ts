import { shownWord } from "../secret-words.ts";
import { parseValue, showDuration, showLongDuration, showSize } from "../values.ts";
import { isInMilliseconds } from "./shape.ts";
import type { ValueType } from "../values.ts";
import type { Json } from "./shape.ts";

/** What stands for a secret, or for a part of a text that is one. */
export const MASK = "***";

/** What a value is: its type, the name of its property, and whether nobody may see it. */
export type ValueSpec = {
  readonly type: ValueType;
  readonly name: string;
  readonly secret?: true | undefined;
};

/** What is shown of secrets: nothing, or all. */
export type SecretsShown = "hide" | "show";

const DAY_MS = 86_400_000;

/**
 * The value of a word: durations in seconds (of segments in milliseconds), sizes in bytes, bitrates in bit/s.
 * A word that is not of its type is given as it stands.
 */
export function wordToJson({ type, name, secret }: ValueSpec, text: string, secrets: SecretsShown): Json {
  const hides = secrets === "hide";
  if (hides && secret === true) return type.kind === "bucket-url" ? shownWord(text) : MASK;
  const parsed = parseValue(type, text);
  if (!("value" in parsed)) return hides ? shownWord(text) : text;
  const { value } = parsed;
  if (value.kind === "boolean") return value.boolean;
  if (value.kind === "number")
    return type.kind === "duration" ? units(type, name, value.number) : value.number;
  const known = type.kind === "choice" && value.kind === "text" ? value.text : text;
  return hides ? shownWord(known) : known;
}

function units(type: Extract<ValueType, { kind: "duration" }>, name: string, ms: number): number {
  return type.bareUnit === "ms" || isInMilliseconds(name) ? ms : ms / 1000;
}

/** The word for a value as `wordToJson` gives it; a string may also be what would stand in a file. */
export function jsonToWord(
  { type, name }: Pick<ValueSpec, "type" | "name">,
  value: string | number | boolean,
): string {
  if (typeof value !== "number") return String(value);
  if (type.kind === "duration") {
    if (type.bareUnit === "ms") return String(value);
    const ms = isInMilliseconds(name) ? value : Math.round(value * 1000);
    return type.maxMs > DAY_MS ? showLongDuration(ms) : showDuration(ms);
  }
  if (type.kind === "size" && Number.isInteger(value)) return showSize(value);
  return type.kind === "percent" ? `${value}%` : String(value);
}
