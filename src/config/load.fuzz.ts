import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { directiveNames, SCOPES } from "./directives.ts";
import { formatProblems } from "./format.ts";
import { loadConfig } from "./load.ts";
import { SourceText } from "./place.ts";
import { printConfig } from "./print.ts";
import type { Place } from "./place.ts";

const VECTORS = new URL("../../test/vectors/config/", import.meta.url);

/** Every config of the test vectors, good and bad. */
export const corpus: readonly string[] = ["article", "good", "bad"].flatMap((folder) => {
  const url = new URL(`${folder}/`, VECTORS);
  const names = readdirSync(url).filter((name) => name.endsWith(".conf"));
  return names.map((name) => readFileSync(new URL(name, url), "utf8"));
});

/**
 * Loads a text and asserts what is true of every text: it never throws, problems stand inside the text, a config is
 * refused exactly when there is an error, and one that is accepted prints and reads back as itself.
 */
export function checkText(text: string): void {
  const file = "t";
  const { config, problems, sources } = loadConfig([{ file, text }]);
  const source = new SourceText({ file, text });
  for (const problem of problems) {
    checkPlace(source, problem);
    for (const related of problem.related ?? []) checkPlace(source, related);
  }
  assert.equal(
    config === undefined,
    problems.some((one) => one.severity === "error"),
  );
  const rendered = formatProblems(problems, sources);
  assert.equal(rendered === "", problems.length === 0);
  if (config === undefined) return;
  const printed = printConfig(config, { secrets: "show" });
  const again = loadConfig([{ file, text: printed }]).config;
  assert.ok(again !== undefined);
  assert.equal(printConfig(again, { secrets: "show" }), printed);
}

/**
 * Asserts that a place stands inside the text, or right behind a line of it.
 */
export function checkPlace(source: SourceText, place: Place): void {
  if (place.line === 0) return;
  assert.ok(place.line <= source.lineCount);
  const characters = Array.from(source.line(place.line)).length;
  assert.ok(place.column >= 1 && place.column <= characters + 1, `column ${place.column} of ${characters}`);
  assert.ok(place.length >= 1 && place.column + place.length <= characters + 2);
}

/** The whole way from a text to a plan and back, for the long fuzz loop. */
export const fuzz = {
  name: "config",
  seeds: corpus,
  dictionary: [
    ...SCOPES.flatMap((scope) => [...directiveNames(scope)]),
    "publish://",
    "@disk1",
    "/storage",
    "7d",
    "95%",
    "s3://k:s@h/buc",
    "0800-1800",
    "https",
    "rtmps",
    "auth://portal",
    "jwt://login",
    "securetoken://k",
    "signed://k",
    "allow token",
    "10.10/16",
    "event=play_*,source_*",
    "2027-01-01T00:00:00Z",
    "$scrypt$ln=14$a",
    '"',
    "{",
    "}",
    ";",
    "\\",
    "#",
  ],
  run: checkText,
};
