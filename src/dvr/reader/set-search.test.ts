import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { TrackSet } from "../../media/track.ts";
import type { ArchivedSegment } from "./archived-segment.ts";
import { SetSearch } from "./set-search.ts";
import type { FoundSet } from "./set-search.ts";

const SETS = [[videoTrack()], [audioTrack()], [videoTrack(), audioTrack()]].map((tracks) =>
  makeTrackSet(1, tracks),
);
const [first, second, third] = SETS as [TrackSet, TrackSet, TrackSet];
const segment = (name: string): ArchivedSegment => ({ name }) as ArchivedSegment;

function walk(hours: readonly (readonly FoundSet[])[]) {
  const walked: number[] = [];
  async function* steps(): AsyncGenerator<readonly FoundSet[]> {
    for (const [i, hour] of hours.entries()) {
      await Promise.resolve();
      walked.push(i);
      yield hour;
    }
  }
  return { walked, steps: steps() };
}

test("goes as far as it has to, once for all who ask, and knows what it was told", async () => {
  const { walked, steps } = walk([
    [[second, segment("b")]],
    [],
    [
      [second, segment("older")],
      [third, segment("c")],
    ],
    [],
  ]);
  const search = new SetSearch([[first, segment("a")]], steps);
  const find = async (wanted: TrackSet): Promise<string | undefined> =>
    (await search.find((tracks) => tracks === wanted))?.name;
  assert.equal(await find(first), "a");
  assert.deepEqual(walked, []);
  assert.deepEqual(await Promise.all([find(second), find(second), find(first)]), ["b", "b", "a"]);
  assert.deepEqual(walked, [0]);
  assert.equal(await find(third), "c");
  assert.deepEqual(walked, [0, 1, 2]);
  assert.equal(await find(second), "b", "the newest");
  assert.ok(!search.isBusy);
  assert.equal(await search.find(() => false), null);
  assert.equal(await search.find(() => false), null);
  assert.deepEqual(walked, [0, 1, 2, 3]);
});

test("rejects with what the walk rejects with", async () => {
  async function* broken(): AsyncGenerator<readonly FoundSet[]> {
    yield [[first, segment("a")]];
    await Promise.reject(new Error("the disk is gone"));
  }
  const search = new SetSearch([], broken());
  assert.equal((await search.find((tracks) => tracks === first))?.name, "a");
  await assert.rejects(
    search.find(() => false),
    /the disk is gone/,
  );
});
