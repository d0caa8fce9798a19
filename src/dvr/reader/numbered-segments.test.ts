/** Playlists that slide over what somebody has deleted, watched from reload to reload. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { parsePlaylistText } from "../../../test/support/media-playlist-text.ts";
import type { TextPlaylist } from "../../../test/support/media-playlist-text.ts";
import { PlaylistWatch } from "../../../test/support/playlist-rules.ts";
import type { TrackId } from "../../media/ids.ts";
import { measureBandwidth } from "../../packaging/bandwidth.ts";
import { liveVersion } from "../../packaging/playlist-replies.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import { periodsOf, timelineRuns } from "../../protocols/dash/periods.ts";
import { renderMediaPlaylist } from "../../protocols/hls/media-playlist.ts";
import { abstractManifest } from "../../protocols/json/manifest.ts";
import { BlockPool } from "../../vod/block-pool.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import { HOUR_US } from "../format/hour.ts";
import { hoursWithFills } from "../format/hours-of-stream.ts";
import { deleteRange, planDeletion } from "../keep/delete-range.ts";
import type { RangeDeletionParts } from "../keep/delete-range.ts";
import { diskKeepFiles } from "../keep/storages/disk-keep-files.ts";
import { diskFiles } from "../storages/disk-files.ts";
import { HourCache } from "./hour-cache.ts";
import { SpanPresentation } from "./span-presentation.ts";
import { StreamArchive } from "./stream-archive.ts";

const HOUR = 496_640;
const START_US = HOUR * HOUR_US;
const BOTH = ["v1", "a1"] as TrackId[];

/** A recording of segments of two seconds that goes on, and who plays it. */
class Recording {
  readonly clock = new FakeClock(START_US);
  readonly #folder: string;
  readonly #hours: HourCache;
  readonly #archive: StreamArchive;
  readonly #made: ArchiveHour[] = [];
  #ordinal = 7000;
  #breaks = 0;

  constructor(folder: string) {
    const { clock } = this;
    this.#folder = folder;
    this.#hours = new HourCache(diskFiles, clock);
    const work = new BoundedWork({ running: 4, waiting: 10 }, vodBusy);
    this.#archive = new StreamArchive(folder, {
      ...{ files: diskFiles, disk: diskFiles, hours: this.#hours, clock, work, farWork: work },
      ...{ pool: new BlockPool(0), maxSegments: 100_000 },
    });
  }

  static async make(t: TestContext): Promise<Recording> {
    const folder = await mkdtemp(join(tmpdir(), "weir-numbers-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return new Recording(folder);
  }

  /** Records one segment that starts then. Units: seconds since the first hour's beginning. */
  async record(atS: number, discontinuity = false): Promise<void> {
    const number = Math.floor(atS / 3600);
    this.#made[number] ??= new ArchiveHour(HOUR + number, {
      ...{ firstOrdinal: this.#ordinal, discontinuities: this.#breaks },
    });
    const hour = this.#made[number];
    hour.segment({ atUs: (atS - number * 3600) * 1e6, discontinuity });
    this.#ordinal++;
    if (discontinuity) this.#breaks++;
    for (const [path, bytes] of Object.entries(hour.files(this.#folder))) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
    const behindUs = START_US + (atS + 2) * 1e6 - this.clock.wallUs();
    if (behindUs > 0) this.clock.advance(behindUs / 1000);
  }

  /** As if so many segments were deleted with their hours. */
  skipNumbers(segments: number): void {
    this.#ordinal += segments;
  }

  async remove(fromS: number, toS: number): Promise<void> {
    const { clock } = this;
    const parts: RangeDeletionParts = {
      ...{ folder: this.#folder, files: diskKeepFiles, clock },
      hours: () => hoursWithFills(diskFiles, this.#folder),
      index: async (hour) => (await this.#hours.hour(this.#folder, hour))?.index ?? null,
    };
    const span = { fromUs: START_US + fromS * 1e6, toUs: START_US + toS * 1e6 };
    this.#hours.forget(this.#folder);
    await deleteRange(await planDeletion(span, parts), parts);
    this.#hours.forget(this.#folder);
    this.#archive.forget();
  }

  async open(span: TimeSpan): Promise<SpanPresentation> {
    // What was read is not taken for right any more.
    this.clock.advance(600);
    return await SpanPresentation.open(this.#archive, {
      ...{ span, name: "cam", nowUs: this.clock.wallUs(), segmentDurationUs: 2e6, segmentCount: 4 },
    });
  }

  async playlist(span: TimeSpan): Promise<string> {
    const presentation = await this.open(span);
    const timeline = presentation.timeline();
    return renderMediaPlaylist({ presentation, timeline, selection: BOTH, query: "" })!;
  }
}

/** Numbers, seconds of the first hour, `g` for a gap, `*` for a break. */
function told({ segments }: TextPlaylist): string {
  let atMs = 0;
  return segments
    .map(({ msn, dateMs, durationS, isGap, hasDiscontinuity }) => {
      const startMs = dateMs ?? atMs;
      atMs = startMs + durationS! * 1000;
      const atS = Math.round(startMs - START_US / 1000) / 1000;
      return `${hasDiscontinuity ? "*" : ""}${msn}:${atS}${isGap ? "g" : ""}`;
    })
    .join(" ");
}

const SPANS: readonly (readonly [name: string, span: TimeSpan])[] = [
  ["rewind", { kind: "rewind", agoS: 20 }],
  ["timeshift_rel", { kind: "timeshift_rel", agoS: 10 }],
  ["archive-now", { kind: "archive", fromS: HOUR * 3600 + 4, durationS: null }],
  ["archive", { kind: "archive", fromS: HOUR * 3600 + 4, durationS: 120 }],
];

describe("a playlist over what is deleted", () => {
  for (const [name, span] of SPANS) {
    test(`keeps its numbers from reload to reload: ${name}`, async (t) => {
      const recording = await Recording.make(t);
      // Breaks within what is deleted, at its beginning, and behind it.
      for (let at = 0; at < 60; at += 2) await recording.record(at, [0, 24, 40, 44, 50].includes(at));
      await recording.remove(24, 30);
      await recording.remove(38, 48);
      const watch = new PlaylistWatch();
      for (let at = 60; at < 120; at += 2) {
        await recording.record(at, at === 70);
        watch.take(await recording.playlist(span));
        if (at === 80) await recording.remove(120, 200);
      }
      assert.ok(watch.changes > 20 || name === "archive", String(watch.changes));
    });

    test(`leaves what is not deleted as it was: ${name}`, async (t) => {
      const recording = await Recording.make(t);
      for (let at = 0; at < 40; at += 2) await recording.record(at, at === 0 || at === 34);
      const before = parsePlaylistText(await recording.playlist(span));
      const version = liveVersion((await recording.open(span)).timeline());
      await recording.remove(24, 28);
      const after = parsePlaylistText(await recording.playlist(span));
      assert.notEqual(liveVersion((await recording.open(span)).timeline()), version, "another entity tag");
      const was = new Map(before.segments.map((segment) => [segment.msn, segment]));
      assert.deepEqual(
        after.segments.map(({ msn }) => msn),
        before.segments.filter(({ msn }) => msn >= after.mediaSequence).map(({ msn }) => msn),
      );
      for (const segment of after.segments)
        if (!segment.isGap) {
          const { uri, discontinuityNumber } = was.get(segment.msn)!;
          assert.deepEqual([segment.uri, segment.discontinuityNumber], [uri, discontinuityNumber]);
        }
    });
  }

  test("has as many entries as numbers are missing, over the time that is missing", async (t) => {
    const recording = await Recording.make(t);
    for (let at = 0; at < 20; at += 2) await recording.record(at, at === 0);
    await recording.remove(6, 12);
    const text = await recording.playlist({ kind: "rewind", agoS: 17 });
    assert.equal(
      told(parsePlaylistText(text)),
      "7002:4 7003:6g 7004:8g 7005:10g 7006:12 7007:14 7008:16 7009:18",
    );
    assert.match(text, /#EXT-X-MEDIA-SEQUENCE:7002\n/);
    // What is complete has no numbers to keep: a break is enough.
    recording.clock.advance(60_000);
    const whole = await recording.playlist({ kind: "archive", fromS: HOUR * 3600 + 4, durationS: 12 });
    assert.equal(told(parsePlaylistText(whole)).replaceAll(/:\S+/g, ""), "7002 *7003 7004");
  });

  test("breaks where hours are gone without a note, as they are between two that an episode keeps", async (t) => {
    const recording = await Recording.make(t);
    await recording.record(3596, true);
    await recording.record(3598);
    recording.skipNumbers(3600);
    for (const at of [10_800, 10_802, 10_804]) await recording.record(at);
    recording.clock.advance(60_000);
    const [first, behind] = [HOUR * 3600 + 3596, HOUR * 3600 + 10_800];
    const numbers = async (fromS: number, durationS: number | null): Promise<string> => {
      const text = await recording.playlist({ kind: "archive", fromS, durationS });
      return told(parsePlaylistText(text)).replaceAll(/:\S+/g, "");
    };
    const whole = await numbers(first, 7210);
    assert.equal(whole, "*7000 7001 *7002 7003 7004");
    // Whoever asks again is told the same; what begins there has nothing in front.
    assert.equal(await numbers(first, 7210), whole);
    assert.equal(await numbers(behind, 6), "10602 10603 10604");
    // What grows has its numbers, and no break that nobody counted.
    const growing = await numbers(first, null);
    assert.equal(growing.split(" ").length, 3605);
    assert.deepEqual(growing.match(/\*\d+/g), ["*7000"]);
    const segments = (await recording.open({ kind: "archive", fromS: first, durationS: 7210 })).timeline()
      .segments;
    assert.deepEqual(
      periodsOf(segments).map(({ segments: ofPeriod }) => ofPeriod.length),
      [2, 3],
    );
  });

  test("tells a whole hour that is gone, and how long nothing is known of it", async (t) => {
    const recording = await Recording.make(t);
    for (const at of [3594, 3596, 3598, 3600, 3602, 5000, 5002, 7200, 7202, 7204])
      await recording.record(at, at === 3594 || at === 5000 || at === 7200);
    recording.clock.advance(2 * HOUR_US * 1e-3);
    await recording.remove(3600, 7200);
    const from = HOUR * 3600 + 3594;
    const event = await recording.playlist({ kind: "archive", fromS: from, durationS: null });
    // Four numbers, and two breaks of which nobody knows where the first one was.
    assert.equal(
      told(parsePlaylistText(event)),
      "*7000:3594 7001:3596 7002:3598 7003:3600g 7004:3602g 7005:3604g *7006:7198g *7007:7200 7008:7202 7009:7204",
    );
    new PlaylistWatch().take(event);
  });

  test("is the same to who makes Periods of stretches: entries without media are passed over", async (t) => {
    const recording = await Recording.make(t);
    for (let at = 0; at < 40; at += 2) await recording.record(at, [0, 10, 20].includes(at));
    await recording.remove(8, 14);
    await recording.remove(24, 28);
    const bandwidths: number[] = [];
    const runsOf = async (span: TimeSpan): Promise<unknown> => {
      const timeline = (await recording.open(span)).timeline();
      const { segments, tracks } = timeline;
      bandwidths.push(measureBandwidth(timeline, BOTH).averageBps);
      return periodsOf(segments).map(({ id, beginMs, segments: ofPeriod }) => [
        ...[id, beginMs],
        tracks.tracks.map((track) => timelineRuns(ofPeriod, track)),
      ]);
    };
    const { periods } = abstractManifest(
      await recording.open({ kind: "archive", fromS: HOUR * 3600, durationS: null }),
      "",
    );
    const startsS = periods.map(({ segments }) => segments.map(({ start }) => start / 1000 - HOUR * 3600));
    assert.deepEqual(startsS, [
      [0, 2, 4, 6],
      [14, 16, 18],
      [20, 22],
      [28, 30, 32, 34, 36, 38],
    ]);
    const event = await runsOf({ kind: "archive", fromS: HOUR * 3600, durationS: null });
    recording.clock.advance(60_000);
    assert.deepEqual(event, await runsOf({ kind: "archive", fromS: HOUR * 3600, durationS: 40 }));
    assert.equal(bandwidths[0], bandwidths[1]);
  });

  test("begins behind more missing numbers than are told one by one", async (t) => {
    const recording = await Recording.make(t);
    await recording.record(0, true);
    recording.skipNumbers(100_001);
    await recording.record(3600, true);
    recording.skipNumbers(60_000);
    await recording.record(7200, true);
    recording.skipNumbers(60_000);
    await recording.record(10_800, true);
    await recording.record(10_802);
    const text = await recording.playlist({ kind: "archive", fromS: HOUR * 3600, durationS: null });
    assert.equal(told(parsePlaylistText(text)), "*227004:10800 227005:10802");
  });
});
