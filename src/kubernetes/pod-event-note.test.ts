import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_NOTE_BYTES, noteOf, withCount } from "./pod-event-note.ts";

const problem = (line: number, message: string) => ({ file: "a.conf", line, column: 2, message });

test("a note has every problem there is room for, each with its place", () => {
  assert.equal(
    noteOf([problem(1, "no"), problem(0, "unreadable")]),
    "The new configuration is not taken; the one before stays in force.\na.conf:1:2: no\na.conf: unreadable",
  );
  assert.equal(noteOf([]), "The new configuration is not taken; the one before stays in force.");
});

test("a note says how many problems there was no room for", () => {
  const note = noteOf(Array.from({ length: 200 }, (_, index) => problem(index + 1, "y".repeat(80))));
  const lines = note.split("\n");
  assert.equal(lines.at(-1), `... and ${200 - (lines.length - 2)} more`);
  assert.ok(lines.length > 8, note);
});

test("a note is never longer than the API server takes, whatever the problems are", () => {
  for (const letter of ["a", "\u00e4", "\u4e2d", "\u{1f600}"]) {
    for (let length = 0; length < 1200; length += 7) {
      for (const problems of [
        [problem(1, letter.repeat(length))],
        [problem(1, "x"), problem(2, letter.repeat(length))],
      ]) {
        const note = withCount(noteOf(problems), 1_000_000_000);
        assert.ok(Buffer.byteLength(note) <= MAX_NOTE_BYTES, `${length} of ${letter}`);
        assert.ok(!note.includes("\uFFFD"), `${length} of ${letter} are cut within a character`);
      }
    }
  }
  assert.match(noteOf([problem(1, "z".repeat(2000))]), /z\.\.\.$/);
});
