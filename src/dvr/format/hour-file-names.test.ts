import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { deletedFile, parseDeletedFile } from "./deleted-spans.ts";
import { FIRST_FILL_FILE, fillIndexFile, storedMediaFile } from "./fill.ts";
import { indexFile } from "./hour.ts";
import { compareHourFiles, isHourIndex, isHourMedia, mayHourFileChange } from "./hour-file-names.ts";
import { parseHourFileName } from "./hour-file-names.ts";

const HOUR = 496_640;
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

describe("the name of an hour's file", () => {
  const rows: readonly (readonly [path: string, kind: string, number: number])[] = [
    [deletedFile(HOUR), "deleted", 0],
    [storedMediaFile(HOUR, 0), "media", 0],
    [storedMediaFile(HOUR, 255), "media", 255],
    [indexFile(HOUR), "index", 0],
    [storedMediaFile(HOUR, FIRST_FILL_FILE), "fill-media", 0],
    [storedMediaFile(HOUR, FIRST_FILL_FILE + 255), "fill-media", 255],
    [fillIndexFile(HOUR), "fills", 0],
  ];
  for (const [path, kind, number] of rows)
    test(`is ${nameOf(path)}`, () => {
      const parsed = parseHourFileName(nameOf(path));
      assert.deepEqual(parsed, { hourOfDay: "08", kind, number });
      assert.equal(isHourIndex(parsed), kind === "index" || kind === "fills");
      assert.equal(isHourMedia(parsed), kind.endsWith("media"));
      assert.equal(mayHourFileChange(parsed), kind !== "media" && kind !== "index");
      for (let cut = 0; cut < nameOf(path).length; cut++) {
        const text = nameOf(path).slice(0, cut);
        // What is left of the name of such media is the name of its index.
        if (text !== "08.fill") assert.equal(parseHourFileName(text), null, `cut at ${cut}`);
      }
    });

  test("is none of these", () => {
    const none = ["24.idx", "8.idx", "08.copied", "08.dropped", "08.fill.new", "08.del.mp4", "08.0.mp4"];
    const more = [
      "08.256.mp4",
      "08.fill.256.mp4",
      "08.fill.0.mp4",
      "08..mp4",
      "../08.mp4",
      "08.mp4/",
      ".fills",
    ];
    for (const name of [...none, ...more, "08.fill.fill.mp4", "08.mp4\n", "\u0660\u0668.idx"])
      assert.equal(parseHourFileName(name), null, name);
  });

  test("is one, or none, for any text, and the path of what is deleted too", () => {
    const parts = fc.constantFrom(
      "0",
      "8",
      "23",
      ".",
      "fill",
      "del",
      "mp4",
      "idx",
      "/",
      "\n",
      "2026/08/28/",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((all) => all.join("")),
        ),
        (text) => {
          const parsed = parseHourFileName(text);
          assert.ok(parsed === null || (parsed.number < 256 && text.startsWith(`${parsed.hourOfDay}.`)));
          const hour = parseDeletedFile(text);
          assert.ok(hour === null || deletedFile(hour) === text);
        },
      ),
    );
    assert.equal(parseDeletedFile(deletedFile(HOUR)), HOUR);
  });

  test("says in what order files are copied: media before the index that promises it, what is deleted before all", () => {
    const names = rows.map(([path]) => nameOf(path));
    const sorted = names
      .toReversed()
      .toSorted((a, b) => compareHourFiles(parseHourFileName(a)!, parseHourFileName(b)!));
    assert.deepEqual(sorted, names);
  });
});
