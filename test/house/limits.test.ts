import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constantOf, figureOf, rowsOf, unclaimed, wrongDefaults } from "./limits.ts";
import { FIGURES, SENTENCES } from "./limits-figures.ts";
import type { Figure } from "./limits.ts";
import { readProjectFile } from "./tree.ts";

describe("docs/limits.md", () => {
  const rows = rowsOf(readProjectFile("docs/limits.md"));

  test("has the figures that the code has", () => {
    const wrong = Object.entries(FIGURES).flatMap(([what, figures]) => {
      const row = rows.find((one) => one.what === what);
      if (row === undefined) return [`there is no row: ${what}`];
      return figures.flatMap((figure) => wrongFigure(`${what}: ${row.bound}`, figure));
    });
    assert.deepEqual(wrong, []);
  });

  test("has no figure that nobody looks at", () => {
    const loose = rows.filter((row) => /\d/.test(unclaimed(row, FIGURES[row.what] ?? [])));
    assert.deepEqual(
      loose.map((row) => `${row.what}: ${unclaimed(row, FIGURES[row.what] ?? [])}`),
      [],
    );
  });

  test("names directives that there are, with their defaults", () => {
    assert.deepEqual(
      rows.flatMap((row) => wrongDefaults(row)),
      [],
    );
  });
});

for (const [path, sentences] of Object.entries(SENTENCES)) {
  test(`${path} has the figures that the code has`, () => {
    const page = readProjectFile(path).replace(/\s+/g, " ");
    const wrong = sentences.flatMap(([part, figures]) => {
      if (!page.includes(part.replace(/\s+/g, " "))) return [`it does not say: ${part}`];
      return figures.flatMap((figure) => wrongFigure(part, figure));
    });
    assert.deepEqual(wrong, []);
  });
}

/** What is wrong with a figure of a sentence or a row. */
function wrongFigure(where: string, [text, constant]: Figure): string[] {
  const [file, name] = constant.split(" ") as [string, string];
  const value = constantOf(readProjectFile(file), name);
  if (!where.includes(text)) return [`${where}: it does not say ${text}`];
  return figureOf(text) === value ? [] : [`${where}: ${text}, but ${constant} is ${value}`];
}

test("a constant is read as its name says what it counts", () => {
  const source =
    "const WAIT_MS = 1_500;\nconst L = { sizeBytes: 64 * 1024, mostUs: 2_000_000 };\nconst N: T = 2 ** 5;";
  const names = ["WAIT_MS", "L.sizeBytes", "L.mostUs", "N"];
  assert.deepEqual(
    names.map((name) => constantOf(source, name)),
    [1.5, 65_536, 2, 32],
  );
  assert.throws(() => constantOf(source, "OTHER"), /no OTHER/);
});
