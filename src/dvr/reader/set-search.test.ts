import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { TrackSet } from "../../media/track.ts";
import type { ArchivedSegment } from "./archived-segment.ts";
import { SetSearch, SetsBefore } from "./set-search.ts";
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

describe("the sets before a time", () => {
  const HOUR_US = 3_600_000_000;

  function archive(recorded: Readonly<Record<number, readonly TrackSet[]>>) {
    const clock = new FakeClock();
    const asked: string[] = [];
    const before = new SetsBefore({
      clock,
      async *hours(from, to) {
        await Promise.resolve();
        for (const hour of Object.keys(recorded).map(Number)) if (hour >= from && hour < to) yield hour;
      },
      sets: (hour, untilUs) => {
        asked.push(`${hour}${untilUs === Infinity ? "" : ` until ${untilUs - hour * HOUR_US}`}`);
        return Promise.resolve(recorded[hour] ?? []);
      },
    });
    return { before, clock, asked };
  }

  test("are those of a day, and of its own hour up to it, the newest last", async () => {
    const { before, asked } = archive({
      75: [first],
      76: [second, third],
      80: [third, second],
      100: [first],
    });
    assert.deepEqual(await before.at(100 * HOUR_US + 7), [third, second, first]);
    assert.deepEqual(asked, ["76", "80", "100 until 7"]);
  });

  test("are looked for again after a while, or when they are forgotten, but for its own hour", async () => {
    const { before, clock, asked } = archive({ 99: [first] });
    const look = async (): Promise<number> => {
      await before.at(100 * HOUR_US);
      return asked.splice(0).filter((hour) => hour === "99").length;
    };
    assert.deepEqual([await look(), await look()], [1, 0]);
    clock.advance(301_000);
    assert.deepEqual([await look(), await look()], [1, 0]);
    before.forget();
    assert.deepEqual([await look(), await look()], [1, 0]);
    for (let hour = 200; hour < 264; hour++) await before.at(hour * HOUR_US);
    asked.splice(0);
    assert.equal(await look(), 1, "more than 64 hours are not remembered");
  });
});
