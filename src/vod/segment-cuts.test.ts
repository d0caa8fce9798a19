import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SampleTableBuilder } from "../containers/mp4/sample-table-builder.ts";
import { NO_EDIT } from "../containers/mp4/edit-list.ts";
import type { Edit } from "../containers/mp4/edit-list.ts";
import { audioTrack, videoTrack } from "../../test/support/media.ts";
import { trackId } from "../media/ids.ts";
import { indexTracks } from "./indexed-track.ts";
import type { IndexedTrack, ServedTrack } from "./indexed-track.ts";
import { cutSegments } from "./segment-cuts.ts";

type Samples = {
  count: number;
  durationTicks?: number;
  isSync?: (sample: number) => boolean;
  cts?: (sample: number) => number;
  sizeBytes?: number;
  edit?: Partial<Edit>;
};

/** Pictures of 40 ms on a clock of 25 kHz, sound frames of 20 ms on one of 48 kHz. */
function video(samples: Samples, ordinal = 1): ServedTrack {
  const track = videoTrack({ id: trackId("video", ordinal), timescale: 25_000 });
  return served(track, { durationTicks: 1000, ...samples });
}

function audio(samples: Samples): ServedTrack {
  return served(audioTrack(), { durationTicks: 960, ...samples });
}

function served(track: ServedTrack["track"], samples: Samples): ServedTrack {
  const { kind, timescale, codec, config, language } = track;
  const builder = new SampleTableBuilder({ fileBytes: 2 ** 40, timescale, notice: () => {} });
  for (let i = 0; i < samples.count; i++) {
    builder.add(
      samples.durationTicks!,
      samples.sizeBytes ?? 100,
      samples.cts?.(i) ?? 0,
      samples.isSync?.(i) ?? true,
    );
  }
  const sampleEntry = { entry: "test", codec, config, inBandSets: false };
  const edit = { ...NO_EDIT, ...samples.edit };
  const movieTrack = { number: 1, kind, sampleEntry, timescale, language, edit, samples: builder.finish() };
  return { movieTrack, track };
}

function cut(tracks: readonly ServedTrack[], targetMs: number) {
  const indexed = indexTracks(tracks, 1000);
  const cuts = cutSegments(indexed, indexed[0]!, targetMs * 1000);
  return {
    indexed,
    startsMs: [...cuts.boundsUs].map((us) => Math.round(us / 1000)),
    samples: cuts.samples.map((firsts) => [...firsts]),
    independent: [...cuts.independent],
    atKeyFrame: [...cuts.atKeyFrame],
  };
}

const every = (count: number) => (sample: number) => sample % count === 0;

/** Sound alone, and a picture track whose first decode time is `dts`, as a `tfdt` box says it. */
function withLateVideo(dts: number): readonly ServedTrack[] {
  const track = videoTrack({ timescale: 25_000 });
  const builder = new SampleTableBuilder({ fileBytes: 2 ** 40, timescale: 25_000, notice: () => {} });
  builder.moveToTime(dts);
  for (let i = 0; i < 250; i++) builder.add(1000, 100, 0, true);
  const made = served(track, { count: 1, durationTicks: 1000 });
  return [
    { ...made, movieTrack: { ...made.movieTrack, samples: builder.finish() } },
    audio({ count: 500 }),
  ];
}

describe("cutSegments", () => {
  test("refuses an empty edit of 136 years, which took all memory", () => {
    const late = video({ count: 250, edit: { delayMovieTicks: 0xffff_ffff } });
    for (const movieTimescale of [1, 1000]) {
      assert.throws(() => indexTracks([late, audio({ count: 500 })], movieTimescale), {
        code: "MP4_LIMIT",
        httpStatus: 422,
        message: /distance in seconds of track v1 .* of 4294\d+ is more than the limit of 172800/,
      });
    }
  });

  test("refuses a first fragment of one track that is far behind the other, which took all memory", () => {
    for (const dts of [2 ** 46, 25_000 * 172_801]) {
      assert.throws(() => indexTracks(withLateVideo(dts), 1000), { code: "MP4_LIMIT", httpStatus: 422 });
    }
    assert.equal(indexTracks(withLateVideo(25_000 * 172_000), 1000).length, 2);
  });

  test("refuses times that cannot be counted exactly", () => {
    const late = video({ count: 250, edit: { delayMovieTicks: 2 ** 52 } });
    assert.throws(() => indexTracks([late], 1), { code: "MP4_LIMIT", message: /a time in ticks/ });
  });

  test("refuses ten seconds of media that are to be cut into 38 000 segments, which were served", () => {
    const first = [video({ count: 1, cts: () => 25_000 * 80_000 }), audio({ count: 320 })];
    const last = [video({ count: 250 }), audio({ count: 2, durationTicks: 48_000 * 80_000 })];
    for (const tracks of [first, last]) {
      assert.throws(() => cut(tracks, 4000), {
        code: "MP4_LIMIT",
        httpStatus: 422,
        message: /a number of segments of \d{5} is more than the limit of \d{3}$/,
      });
    }
  });

  test("cuts no more segments of one track alone than it has samples, and some", () => {
    const slides = (count: number) => [video({ count: 1 }), audio({ count, durationTicks: 48_000 * 10 })];
    assert.equal(cut(slides(10), 1000).independent.length, 100);
    assert.throws(() => cut(slides(13), 1000), { code: "MP4_LIMIT" });
  });

  test("cuts two days into segments of a second", () => {
    const days = [video({ count: 172_800, durationTicks: 25_000 })];
    assert.equal(cut(days, 1000).independent.length, 172_800);
    const dense = [video({ count: 1_000_000, durationTicks: 4300 })];
    assert.throws(() => cut(dense, 100), { code: "MP4_LIMIT", message: /limit of 200000/ });
  });

  test("cuts at the first key frame after the wanted duration", () => {
    const { startsMs, samples, independent } = cut(
      [video({ count: 250, isSync: every(30) }), audio({ count: 500 })],
      2000,
    );
    assert.deepEqual(startsMs, [0, 2400, 4800, 7200, 9600, 10_000]);
    assert.deepEqual(samples, [
      [0, 60, 120, 180, 240, 250],
      [0, 120, 240, 360, 480, 500],
    ]);
    assert.deepEqual(independent, [1, 1, 1, 1, 1]);
  });

  test("takes a key frame that is a little early, so that no segment gets twice as long", () => {
    const { startsMs } = cut([video({ count: 200, isSync: every(49) })], 2000);
    assert.deepEqual(startsMs, [0, 1960, 3920, 5880, 7840, 8000]);
  });

  test("cuts sound alone by time", () => {
    const { startsMs, samples } = cut([audio({ count: 250 })], 1500);
    assert.deepEqual(startsMs, [0, 1360, 2720, 4080, 5000]);
    assert.deepEqual(samples, [[0, 68, 136, 204, 250]]);
  });

  test("puts a sound frame into the segment in which it starts", () => {
    const { samples } = cut(
      [video({ count: 100, isSync: every(25) }), audio({ count: 188, durationTicks: 1024 })],
      1000,
    );
    assert.deepEqual(samples[1], [0, 47, 94, 141, 188]);
  });

  test("goes on by time where sound is longer than video", () => {
    const { startsMs, samples } = cut(
      [video({ count: 50, isSync: every(25) }), audio({ count: 300 })],
      1000,
    );
    assert.deepEqual(startsMs, [0, 1000, 2000, 3000, 4000, 5000, 6000]);
    assert.deepEqual(samples[0], [0, 25, 50, 50, 50, 50, 50]);
    assert.deepEqual(samples[1], [0, 50, 100, 150, 200, 250, 300]);
  });

  test("begins by time where video comes later than sound", () => {
    const late = { delayMovieTicks: 3000 };
    const { startsMs, samples } = cut(
      [video({ count: 50, isSync: every(25), edit: late }), audio({ count: 250 })],
      1000,
    );
    assert.deepEqual(startsMs, [0, 1000, 2000, 3000, 4000, 5000]);
    assert.deepEqual(samples[0], [0, 0, 0, 0, 25, 50]);
    assert.deepEqual(samples[1], [0, 50, 100, 150, 200, 250]);
  });

  test("cuts a file with one key frame by time, and says that those segments stand on others", () => {
    const { startsMs, independent } = cut([video({ count: 2000, isSync: (sample) => sample === 0 })], 4000);
    assert.deepEqual(startsMs, [0, 30_000, 60_000, 80_000]);
    assert.deepEqual(independent, [1, 0, 0]);
  });

  test("cuts what has very many bytes, but not into slices without length", () => {
    const { startsMs } = cut(
      [video({ count: 100, sizeBytes: 2 ** 20, isSync: (sample) => sample === 0 })],
      10_000,
    );
    assert.deepEqual(startsMs, [0, 1920, 3840, 4000]);
    const fat = cut(
      [video({ count: 100, sizeBytes: 40 * 2 ** 20, isSync: (sample) => sample === 0 })],
      10_000,
    );
    assert.deepEqual(fat.startsMs.slice(0, 3), [0, 520, 1040]);
  });

  test("cuts a second video track at its own key frames", () => {
    const second = video({ count: 100, isSync: every(20) }, 2);
    const { samples } = cut([video({ count: 100, isSync: every(25) }), second], 1000);
    assert.deepEqual(samples[1], [0, 40, 60, 80, 100]);
  });

  test("begins segments with B-frames at the time of their key frames", () => {
    const cts = (sample: number) => (sample % 3 === 0 ? 2000 : sample % 3 === 1 ? 3000 : 0);
    const { startsMs, indexed } = cut(
      [video({ count: 75, isSync: every(24), cts }), audio({ count: 150 })],
      900,
    );
    assert.deepEqual(startsMs.slice(0, 3), [0, 1040, 2000]);
    assert.equal(indexed[0]!.dtsAt(0), 0);
  });

  test("takes a single picture for a segment of some length", () => {
    const { startsMs, samples } = cut([video({ count: 1, durationTicks: 0 })], 1000);
    assert.deepEqual([startsMs, samples], [[0, 40], [[0, 1]]]);
  });

  test("finds the key frame of another quality that is decoded longer before it plays than the first one", () => {
    // Open GOPs: key frames play at 0, 2, 4, 6 s in both, and are decoded up to 120 ms earlier than the first one.
    const offsets = [2000, 5000, 3000, 5000];
    const open = (ordinal: number, order: readonly number[]) => {
      const keys = order.map((ticks, gop) => gop * 50 - (ticks - order[0]!) / 1000);
      const gopAt = (sample: number) => keys.indexOf(sample);
      const cts = (sample: number) => (gopAt(sample) < 0 ? 1000 : order[gopAt(sample)]!);
      return video({ count: 200, cts, isSync: (sample) => gopAt(sample) >= 0 }, ordinal);
    };
    for (const [a, b] of [
      [offsets, [2000, 2000, 2000, 2000]],
      [[2000, 2000, 2000, 2000], offsets],
    ] as const) {
      const { startsMs, samples, atKeyFrame } = cut([open(1, a), open(2, b)], 2000);
      assert.deepEqual(startsMs.slice(0, 4), [40, 2040, 4040, 6040]);
      assert.deepEqual(atKeyFrame, [1, 1, 1, 1]);
      const starts = (order: readonly number[]) =>
        order.map((ticks, gop) => gop * 50 - (ticks - 2000) / 1000);
      assert.deepEqual(samples, [
        [...starts(a), 200],
        [...starts(b), 200],
      ]);
    }
  });

  test("goes on at the key frames of the video that plays longer, and by time behind all video", () => {
    const { startsMs, samples, atKeyFrame } = cut(
      [
        video({ count: 250, isSync: every(50) }),
        audio({ count: 1100 }),
        video({ count: 150, isSync: every(50) }, 2),
        video({ count: 500, isSync: every(75) }, 3),
      ],
      2000,
    );
    // The first ends at 10 s; the third has key frames at 12, 15 and 18 s, and ends at 20; the sound ends at 22.
    assert.deepEqual(startsMs, [0, 2000, 4000, 6000, 8000, 12_000, 15_000, 18_000, 20_000, 22_000]);
    assert.deepEqual(atKeyFrame, [1, 1, 1, 1, 1, 1, 1, 1, 0]);
    assert.deepEqual(samples[0], [0, 50, 100, 150, 200, 250, 250, 250, 250, 250]);
    assert.deepEqual(samples[3], [0, 75, 150, 150, 225, 300, 375, 450, 500, 500]);
  });

  test("cuts by time what is empty between two videos, and refuses too much of it", () => {
    const late = (seconds: number) => [
      video({ count: 250, isSync: every(50) }),
      video({ count: 100, isSync: every(50), edit: { delayMovieTicks: seconds * 1000 } }, 2),
    ];
    const { startsMs, samples } = cut(late(17), 2000);
    assert.deepEqual(startsMs, [0, 2000, 4000, 6000, 8000, 10_000, 12_000, 14_000, 17_000, 19_000, 21_000]);
    assert.deepEqual(samples[1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 100]);
    assert.throws(() => cut(late(100_000), 2000), { code: "MP4_LIMIT" });
  });
});

describe("indexTracks", () => {
  const times = ({ track, ...rest }: IndexedTrack, sample = rest.first): number => sample / track.timescale;
  const startMs = (track: IndexedTrack) =>
    Math.round((track.ptsAt(track.first) * 1000) / track.track.timescale);

  test("keeps the distance between tracks that edit lists give them", () => {
    const cts = () => 2000;
    const [v, a] = indexTracks(
      [
        video({ count: 50, cts, edit: { mediaTime: 2000 } }),
        audio({ count: 100, edit: { mediaTime: 960 } }),
      ],
      1000,
    );
    assert.equal(startMs(v!) - startMs(a!), 20, "the priming frame plays before the first picture");
    assert.equal(times(v!, 0), 0);
  });

  test("moves nothing before 0 and keeps every dts at or before its pts", () => {
    const cts = (sample: number) => (sample % 2 === 0 ? 1000 : -500);
    const [v] = indexTracks(
      [video({ count: 50, cts, isSync: every(50), edit: { mediaTime: 1000 } })],
      1000,
    );
    const run = v!.table(0, 50);
    assert.equal(run.baseDts, 0);
    assert.ok(run.ctsOffsets.every((offset) => offset >= 0));
    assert.equal(v!.ptsAt(0), 1500);
  });

  test("begins at the last key frame before the edit, and keeps a little sound before it", () => {
    const [v, a] = indexTracks(
      [
        video({ count: 100, isSync: every(25), edit: { mediaTime: 30_000 } }),
        audio({ count: 200, edit: { mediaTime: 57_600 } }),
      ],
      1000,
    );
    assert.equal(v!.first, 25);
    assert.equal(a!.first, 50);
    assert.equal(startMs(v!), 0);
    assert.equal(startMs(a!), 0);
  });

  test("says what samples last, without holes and with a guess for a last one of no length", () => {
    const [v] = indexTracks([video({ count: 50 })], 1000);
    assert.deepEqual([v!.durationUs(0, 50), v!.durationUs(10, 11), v!.durationUs(7, 7)], [2e6, 40_000, 0]);
    const builder = new SampleTableBuilder({ fileBytes: 2 ** 40, timescale: 25_000, notice: () => {} });
    for (const dts of [0, 1000, 100_000, 101_000]) {
      builder.moveToTime(dts);
      builder.add(dts === 101_000 ? 0 : 1000, 100, 0, true);
    }
    const made = video({ count: 1 });
    const movieTrack = { ...made.movieTrack, samples: builder.finish() };
    const [holed] = indexTracks([{ ...made, movieTrack }], 1000);
    assert.equal(holed!.durationUs(0, 4), 160_000);
    assert.equal(holed!.durationUs(1, 3), 80_000);
  });

  test("ends a little after the edit", () => {
    const [v] = indexTracks([video({ count: 100, edit: { durationMovieTicks: 2000 } })], 1000);
    assert.equal(v!.end, 55);
  });

  test("brings coarse clocks up to one that is fine enough to place tracks", () => {
    const { movieTrack } = video({ count: 10, durationTicks: 1 });
    const coarse = {
      movieTrack: { ...movieTrack, timescale: 25 },
      track: videoTrack({ timescale: 10_000 }),
    };
    const [v, a] = indexTracks([coarse, audio({ count: 10, edit: { mediaTime: 480 } })], 1000);
    assert.equal(v!.ptsAt(1) - v!.ptsAt(0), 400);
    assert.equal(v!.ptsAt(0), 100);
    assert.equal(a!.ptsAt(0), 0);
    assert.deepEqual([...v!.table(0, 2).durations], [400, 400]);
  });

  test("finds samples by time", () => {
    const [a] = indexTracks([audio({ count: 100, durationTicks: 1024 })], 1000);
    for (const sample of [0, 1, 50, 99]) {
      const us = Math.floor((a!.dtsAt(sample) * 1e6) / 48_000);
      assert.equal(a!.sampleAtOrAfter(us + 1), sample + 1);
      assert.equal(a!.sampleAtOrAfter(us), us * 48_000 === a!.dtsAt(sample) * 1e6 ? sample : sample);
    }
    assert.equal(a!.sampleAtOrAfter(1e9), 100);
  });
});
