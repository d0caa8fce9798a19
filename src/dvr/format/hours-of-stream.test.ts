import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { indexFile, mediaFile } from "./hour.ts";
import { hoursOfStream } from "./hours-of-stream.ts";

const FOLDER = "/archive/cam";

async function hoursOf(files: MemoryFiles): Promise<number[]> {
  const hours: number[] = [];
  for await (const hour of hoursOfStream(files, FOLDER)) hours.push(hour);
  return hours;
}

const filesAt = (...paths: readonly string[]): MemoryFiles =>
  new MemoryFiles(Object.fromEntries(paths.map((path) => [`${FOLDER}/${path}`, new Uint8Array(1)])));

describe("the hours of a stream", () => {
  test("come the newest first, over days, months and years", async () => {
    const hours = [0, 5, 490_151, 490_152, 490_895, 490_896, 498_728, 70_389_527];
    const shuffled = [...hours.slice(3), ...hours.slice(0, 3)];
    assert.deepEqual(await hoursOf(filesAt(...shuffled.map(indexFile))), hours.toReversed());
  });

  test("are those with an index, and no strangers", async () => {
    const strangers = [
      ".writer",
      "episodes.jsonl",
      "2026/11/23/09.mp4",
      "2026/11/23/24.idx",
      "2026/11/31/00.idx",
      "2026/13/01/00.idx",
      "2026/11/23/8.idx",
      "2026/11/23/08.idx.bad",
      "202/11/23/08.idx",
      "1969/11/23/08.idx",
      // Another stream, whose name goes on where this one's ends.
      "2026/11/23/2026/11/24/08.idx",
    ];
    const files = filesAt(...strangers, indexFile(498_728), mediaFile(498_728, 0));
    assert.deepEqual(await hoursOf(files), [498_728]);
  });

  test("are none where nothing was recorded", async () => {
    assert.deepEqual(await hoursOf(new MemoryFiles()), []);
  });

  test("cost no more listings than the first ones need", async () => {
    const files = filesAt(...Array.from({ length: 2000 }, (_, i) => indexFile(480_000 + i * 7)));
    for await (const hour of hoursOfStream(files, FOLDER)) {
      assert.equal(hour, 480_000 + 1999 * 7);
      break;
    }
    assert.equal(files.looks.length, 4);
  });
});
