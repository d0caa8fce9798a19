import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { RECORDED_US, listedRange } from "../../../test/support/memory-archive.ts";
import { MP4_LIMITS } from "../../containers/mp4/limits.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { EXPORT_LIMITS, RangePlan } from "./range-plan.ts";
import type { StoredChunk, StoredRange, StoredSegment } from "./stored-range.ts";

const SECOND_US = 1_000_000;
const VIDEO = videoTrack();
const AUDIO = audioTrack();
const NUMBERS: Readonly<Record<string, number>> = { v1: 1, v2: 2, a1: 101 };

/** A segment of a second that begins so many seconds after the first one; the tracks of which it has a chunk. */
type Row = {
  readonly s: number;
  readonly tracks?: readonly string[];
  readonly file?: string;
  readonly discontinuity?: boolean;
};

function segmentOf({
  s,
  tracks = ["v1", "a1"],
  file = "08.mp4",
  discontinuity = false,
}: Row): StoredSegment {
  const startUs = RECORDED_US + s * SECOND_US;
  const chunk = {
    mediaFileKey: file,
    offset: 5000 * s,
    size: 2000,
    headerBytes: 200,
    startUs,
    durationUs: SECOND_US,
    samples: 25,
  };
  const chunks = tracks.map((id): StoredChunk => ({ ...chunk, trackNumber: NUMBERS[id]! }));
  return { startUs, durationUs: SECOND_US, discontinuity, independent: true, chunks };
}

function rangeOf(
  rows: readonly Row[],
  files: Readonly<Record<string, readonly Track[]>> = {},
): StoredRange {
  return {
    segments: rows.map(segmentOf),
    mediaFiles: new Map(Object.entries({ "08.mp4": [VIDEO, AUDIO], ...files })),
    read: () => Promise.reject(new Error("nothing is read")),
  };
}

/** When each segment begins to play. Units: seconds. */
function times(plan: RangePlan): number[] {
  return Array.from({ length: plan.segments.count }, (_, i) => Math.round(plan.playsAt(i) / 1000) / 1000);
}

describe("a plan of a range", () => {
  test("has each chunk with its file, track and time", () => {
    const plan = new RangePlan(rangeOf([{ s: 0 }, { s: 1 }]));
    assert.deepEqual(
      plan.tracks.map(({ id, number }) => [id, number]),
      [
        ["v1", 1],
        ["a1", 101],
      ],
    );
    assert.equal(plan.chunks.count, 4);
    assert.deepEqual([plan.fileOf(3), plan.trackOf(3), plan.chunks.offset[3]], ["08.mp4", AUDIO, 5000]);
    assert.equal(plan.shiftOf(3), -RECORDED_US);
    assert.deepEqual(
      [plan.startUs, plan.endUs, plan.chunksEnd(0), plan.chunksEnd(1)],
      [0, 2 * SECOND_US, 2, 4],
    );
  });

  for (const [name, rows, expected] of [
    ["where the archive says so", [{ s: 0 }, { s: 1 }, { s: 2, discontinuity: true }], [0, 1, 2]],
    ["and gaps where it does not", [{ s: 0 }, { s: 5 }, { s: 6 }], [0, 1, 2]],
    ["and not where little is missing", [{ s: 0 }, { s: 2 }], [0, 2]],
    [
      "also in front of a segment that has nothing",
      [{ s: 0 }, { s: 9, discontinuity: true, tracks: [] }, { s: 10 }],
      [0, 1],
    ],
    ["and where the clock was set back", [{ s: 100 }, { s: 3 }, { s: 4 }], [0, 1, 2]],
  ] as const) {
    test(`finds breaks ${name}`, () => assert.deepEqual(times(new RangePlan(rangeOf(rows))), expected));
  }

  test("keeps the gaps for those who want them", () => {
    const rows = [{ s: 0 }, { s: 60, discontinuity: true }];
    assert.deepEqual(times(new RangePlan(rangeOf(rows), { gaps: "kept" })), [0, 60]);
  });

  test("begins with the first segment that has a wanted track, and has holes where it is not there", () => {
    const rows = [
      { s: 0, tracks: ["v1"] },
      { s: 1 },
      { s: 2, tracks: ["v1"] },
      { s: 3, tracks: ["v1"] },
      { s: 4 },
    ];
    const plan = new RangePlan(rangeOf(rows), { tracks: { ids: ["a1" as TrackId, "a9" as TrackId] } });
    assert.deepEqual(times(plan), [0, 3]);
    assert.deepEqual(
      plan.tracks.map(({ id }) => id),
      ["a1"],
    );
    assert.equal(plan.endUs, 4 * SECOND_US);
  });

  test("takes equal configurations of several files for one", () => {
    const again = { ...VIDEO, config: VIDEO.config.slice() };
    const wide = videoTrack({ width: 128 });
    const files = { "09.mp4": [again, AUDIO], "10.mp4": [wide, AUDIO], "11.mp4": [VIDEO, AUDIO] };
    const rows = ["08.mp4", "09.mp4", "10.mp4", "11.mp4"].map((file, s) => ({ s, file }));
    const plan = new RangePlan(rangeOf(rows, files));
    assert.deepEqual(
      plan.tracks[0]!.configs.map(({ track }) => track),
      [VIDEO, wide],
    );
    assert.equal(plan.tracks[0]!.configs[1]!.startUs, RECORDED_US + 2 * SECOND_US);
    assert.deepEqual(
      plan.epochs.map(({ firstSegment, tracks }) => [firstSegment, tracks[0]!.width]),
      [
        [0, 64],
        [2, 128],
        [3, 64],
      ],
    );
  });

  test("has a track of which a file has nothing yet as the same object later", () => {
    const files = { "09.mp4": [VIDEO, { ...AUDIO }] };
    const rows = [
      { s: 0, tracks: ["v1"] },
      { s: 1, file: "09.mp4" },
    ];
    const plan = new RangePlan(rangeOf(rows, files));
    assert.equal(plan.epochs.length, 1);
    assert.equal(plan.trackOf(2), plan.epochs[0]!.tracks[1]);
  });
});

describe("a plan is refused", () => {
  test("when there is nothing, or nothing that is wanted", () => {
    const empty = { code: "DVR_EXPORT_EMPTY" };
    assert.throws(() => new RangePlan(rangeOf([])), { ...empty, message: /no segment in it/ });
    const tracks = { ids: ["a2" as TrackId] };
    assert.throws(() => new RangePlan(rangeOf([{ s: 0 }]), { tracks }), { ...empty, message: /tracks a2/ });
    const accepts = (): boolean => false;
    assert.throws(() => new RangePlan(rangeOf([{ s: 0 }]), { tracks: { accepts } }), {
      ...empty,
      message: /carry none of its tracks/,
    });
  });

  test("when the index names a track that its file does not have", () => {
    assert.throws(() => new RangePlan(rangeOf([{ s: 0, tracks: ["v2"] }])), {
      code: "DVR_EXPORT_UNKNOWN_TRACK",
      message: /track 2 in "08\.mp4" at 2026-11-23T08:00:00\.000Z/,
    });
    assert.throws(() => new RangePlan(rangeOf([{ s: 0, file: "12.mp4" }])), {
      code: "DVR_EXPORT_UNKNOWN_TRACK",
    });
  });

  const [segment] = rangeOf([{ s: 0 }]).segments;
  const [good] = segment!.chunks;
  for (const [name, change, code] of [
    ["is too long", { size: EXPORT_LIMITS.chunkBytes + 1 }, "DVR_EXPORT_LIMIT"],
    ["has too long a header", { headerBytes: MP4_LIMITS.moofBytes + 1, size: 2 ** 24 }, "DVR_EXPORT_LIMIT"],
    ["has too many samples", { samples: EXPORT_LIMITS.samples + 1 }, "DVR_EXPORT_LIMIT"],
    ["is shorter than its header", { size: 199 }, "DVR_EXPORT_BAD_CHUNK"],
    ["has no header", { headerBytes: 0 }, "DVR_EXPORT_BAD_CHUNK"],
  ] as const) {
    test(`when a chunk ${name}`, () => {
      const range = { ...rangeOf([]), segments: [{ ...segment!, chunks: [{ ...good!, ...change }] }] };
      assert.throws(() => new RangePlan(range), { code });
    });
  }

  test("when it has more chunks than one export may cost", () => {
    const most = EXPORT_LIMITS.chunks;
    assert.throws(() => new RangePlan(listedRange({ tracks: [AUDIO], segments: most + 1 })), {
      code: "DVR_EXPORT_LIMIT",
      message: /a number of chunks of 1048577 is more than the limit of 1048576/,
    });
  });
});
