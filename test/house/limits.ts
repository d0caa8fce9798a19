/** Where the code has the figures of docs/limits.md, and how they are compared. */
import { DIRECTIVES } from "../../src/config/directives.ts";

/** One figure of a row: as the page writes it, and the constant that has it, `FILE NAME`. */
export type Figure = readonly [text: string, constant: string];

/** A row of one of the page's tables. */
export type Row = { readonly what: string; readonly bound: string };

const KIB = 1024;
const UNITS: Readonly<Record<string, number>> = {
  KiB: KIB,
  MiB: KIB ** 2,
  GiB: KIB ** 3,
  ms: 0.001,
  s: 1,
  days: 86_400,
};

/** The rows of all tables of a page. */
export function rowsOf(page: string): Row[] {
  const lines = page.split("\n").filter((line) => line.startsWith("| ") && !/^\| (what|---) \|/.test(line));
  return lines.map((line) => {
    const [what = "", bound = ""] = line.slice(2).split(" | ");
    return { what, bound };
  });
}

/**
 * The value of a constant in a source text: of `NAME = VALUE`, or of a property `NAME: VALUE`.
 *
 * Units: bytes and seconds, whatever the source counts in; its name says it.
 */
export function constantOf(source: string, name: string): number {
  const [scope, key = scope] = name.split(".") as [string, string?];
  const text = key === scope ? source : source.slice(source.search(new RegExp(`\\b${scope}\\b[^=\\n]*= `)));
  const found = new RegExp(`\\b${key}\\b(?:: [A-Za-z<>]+)? ?[=:] ([0-9][^,;}\\n]*)`).exec(text);
  const value = valueOf(found?.[1] ?? "");
  if (Number.isNaN(value)) throw new Error(`no ${name}`);
  if (/(_MS|Ms|Millis|^ms)$/.test(key)) return value / 1000;
  return /(_US|Us)$/.test(key) ? value / 1e6 : value;
}

/** Of numbers with `*` and `**` between them; NaN: it is something else. */
function valueOf(expression: string): number {
  const factors = expression.trim().replaceAll("_", "").split(" * ");
  return factors.reduce((product, factor) => {
    const [base, power = 1] = factor.split(" ** ").map((text) => (/^\d+$/.test(text) ? Number(text) : NaN));
    return product * base! ** power;
  }, 1);
}

/** What a figure of the page says: `64 MiB`, `10 000`, `1.5 s`. Units: bytes, seconds. */
export function figureOf(text: string): number {
  const [, number = "", unit = ""] = /^([\d. ]*\d) ?([A-Za-z]*)$/.exec(text) ?? [];
  return Number(number.replaceAll(" ", "")) * (UNITS[unit] ?? 1);
}

/** What is left of a row's bound without its figures and its directives with their defaults; digits in it are nobody's. */
export function unclaimed({ bound }: Row, figures: readonly Figure[]): string {
  let rest = bound.replace(/`[a-z_]+`( \([^)]*\))?/g, "");
  for (const [text] of figures) rest = rest.replace(new RegExp(`(?<![\\d.])${text}(?![\\d.])`), "");
  return rest;
}

/** What is wrong with the directives that a row names: there is none of that name, or its default is another. */
export function wrongDefaults({ bound }: Row): string[] {
  return [...bound.matchAll(/`([a-z_]+)`(?: \(([^)]*)\))?/g)].flatMap(([, name, said]) => {
    const specs = DIRECTIVES.filter((spec) => spec.name === name);
    if (specs.length === 0) return [`${name} is no directive`];
    return specs.some((spec) => spec.default === said) ? [] : [`the default of ${name} is not ${said}`];
  });
}
