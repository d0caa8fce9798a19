/** Days in the life of a recording on which clocks do what clocks do: nothing here waits, the test moves the time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { silentLogger } from "../../base/log.ts";
import { Unwrapper } from "../../base/time.ts";
import type { StreamName } from "../../media/ids.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import type { SegmentEntry, Timeline } from "../../packaging/presentation.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import type { Publisher } from "../../stream/directory.ts";
import type { LiveStream } from "../../stream/live-stream.ts";
import { LocalDirectory } from "../../stream/local-directory.ts";
import { SendPace } from "../../stream/send-pace.ts";
import { Archives } from "../archives.ts";
import { HOUR_US, hourOf, indexFile } from "../format/hour.ts";
import { HourIndex } from "../format/hour-index.ts";
import type { ClockStep } from "../format/hour-index.ts";
import { Schedule } from "../keep/schedule.ts";
import type { WriteAccess } from "../writer/write-access.ts";
import { StreamRecorder } from "../writer/stream-recorder.ts";

const NAME = "cam" as StreamName;
const FOLDER = `/archive/${NAME}`;
const SEGMENT_S = 10;
/** One picture a second, so that a day is soon over. */
const VIDEO = videoTrack({ timescale: 1000, frameRate: 1 });
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

const OURS = {
  access: (): WriteAccess => ({
    mayWrite: () => true,
    whenHeld: () => Promise.resolve(),
    failed: () => {},
    release: () => Promise.resolve(),
  }),
  stop: () => Promise.resolve(),
};

/** Lets all that waits for files in memory go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A server that records one stream, on files that outlive it. */
class Station {
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly archives: Archives;
  readonly #writer: ReturnType<Archives["writer"]>;
  readonly #directory: LocalDirectory;
  #stream: LiveStream | null = null;
  #publisher: Publisher | null = null;
  #pictures = 0;
  /** Before all that is recorded. */
  readonly #fromS = Date.UTC(2026, 0, 1) / 1000;

  private constructor(wallUs: number, files: MemoryFiles) {
    this.clock = new FakeClock(wallUs);
    this.files = files;
    const { clock } = this;
    this.archives = new Archives({ clock, log: silentLogger, files, roots: OURS });
    this.#writer = this.archives.writer({ root: "/archive", stream: NAME, fsync: "none" }, silentLogger);
    const recorder = new StreamRecorder(this.#writer, clock);
    this.#directory = new LocalDirectory({
      clock,
      log: silentLogger,
      rulesOf: (name) => ({
        name,
        disabled: false,
        acceptsPublisher: true,
        secondPublisher: "refuse",
        sourceTimeoutMs: 60_000,
        prepushMs: 0,
        allowsProtocol: () => true,
      }),
      pace: new SendPace((run) => void clock.schedule(0, run)),
      maxStreams: 1,
      equip: (stream) => {
        this.#stream = stream;
        stream.attach(
          new LiveWindow({ segmentDurationUs: SEGMENT_S * 1e6, segmentCount: 4, clock, recorder }),
        );
      },
      onClosed: () => {},
    });
  }

  /** `wallMs`: what its clock says when it starts. */
  static async start(wallMs: number, files = new MemoryFiles()): Promise<Station> {
    const station = new Station(wallMs * 1000, files);
    station.#publish();
    const endUs = await station.#writer.prepare();
    if (endUs !== null) station.#stream!.goOnFrom(endUs);
    return station;
  }

  #publish(): void {
    const request = { name: NAME, protocol: "test", remoteAddress: "127.0.0.1", onRevoked: () => {} };
    this.#publisher = this.#directory.publish(request);
    this.#publisher.setTracks([VIDEO]);
    this.#pictures = 0;
  }

  /** The publisher leaves, and another one comes in its place after a while. */
  publishAgain(awayS: number): void {
    this.#publisher!.close("test");
    this.clock.advance(awayS * 1000);
    this.#publish();
  }

  /** Plays on; `sourceMs`: what the source's clock says, given how long it has played; `look` is called after each segment. */
  async play(
    seconds: number,
    options: { readonly sourceMs?: (playedMs: number) => number; readonly look?: () => Promise<void> } = {},
  ): Promise<void> {
    const { sourceMs = (playedMs) => playedMs, look } = options;
    for (let second = 0; second < seconds; second++) {
      const dts = sourceMs(this.#pictures * 1000);
      const isSync = this.#pictures % SEGMENT_S === 0;
      this.#pictures++;
      const payload = Uint8Array.of(0, 0, 0, 1, isSync ? 0x65 : 0x41);
      this.#publisher!.write({ track: VIDEO, dts, pts: dts, durationTicks: 1000, isSync, payload });
      this.clock.advance(1000);
      if (this.#pictures % SEGMENT_S !== 1) continue;
      await settle();
      await look?.();
    }
  }

  async stop(): Promise<void> {
    this.#publisher!.close("test");
    await settle();
    await this.#writer.close();
    await this.archives.stop();
    // What was looked at a moment ago is not looked at again.
    this.clock.advance(1000);
  }

  async span(span: TimeSpan): Promise<Timeline> {
    const presentation = await this.archives.span(FOLDER, {
      ...{ span, name: NAME, nowUs: this.clock.wallUs() },
      ...{ segmentDurationUs: SEGMENT_S * 1e6, segmentCount: 4 },
    });
    return presentation.timeline();
  }

  /** All that is recorded. */
  async all(): Promise<readonly SegmentEntry[]> {
    return (await this.span({ kind: "archive", fromS: this.#fromS, durationS: null })).segments;
  }

  hours(): string[] {
    return [...this.files.contents.keys()]
      .filter((path) => path.endsWith(".idx"))
      .map((path) => path.slice(FOLDER.length + 1, -".idx".length))
      .toSorted();
  }

  steps(): ClockStep[] {
    return this.hours().flatMap((hour) =>
      HourIndex.parse(this.files.contents.get(`${FOLDER}/${hour}.idx`)!).clockSteps(),
    );
  }
}

/** Checks that segments follow each other: no name twice, no number left out. Returns: where the timeline breaks. */
function checkOrder(segments: readonly SegmentEntry[]): SegmentEntry[] {
  for (const [i, segment] of segments.entries()) {
    const before = segments[i - 1];
    if (before === undefined) continue;
    const what = `segment ${segment.name} behind ${before.name}`;
    assert.equal(segment.sequence, before.sequence + 1, what);
    assert.ok(segment.startUs >= before.startUs + before.durationUs - 1000, what);
    assert.ok(Number(segment.name) > Number(before.name), what);
    const gapUs = segment.startUs - before.startUs - before.durationUs;
    assert.ok(gapUs < 1000 || segment.discontinuity, `${what}: a gap without a break`);
  }
  return segments.slice(1).filter(({ discontinuity }) => discontinuity);
}

function totalS(segments: readonly SegmentEntry[]): number {
  return segments.reduce((sum, { durationUs }) => sum + durationUs, 0) / 1e6;
}

/** What the playlist of a window must not do while clocks are set: end before the newest segment, or go back. */
function windowWatch(station: Station, span: TimeSpan): () => Promise<void> {
  let before: Timeline | null = null;
  return async () => {
    const timeline = await station.span(span);
    const [all, last] = [await station.all(), timeline.segments.at(-1)!];
    const behind = all.at(-1)!.sequence - last.sequence;
    assert.ok(
      behind <= (span.kind === "timeshift_rel" ? span.agoS / SEGMENT_S + 1 : 0),
      `${behind} behind`,
    );
    if (before !== null) {
      assert.ok(timeline.segments[0]!.sequence >= before.segments[0]!.sequence, "the window goes back");
      assert.ok(last.sequence >= before.segments.at(-1)!.sequence, "the window ends earlier than before");
      assert.ok(timeline.discontinuitySequence >= before.discontinuitySequence);
    }
    before = timeline;
  };
}

describe("a source's clock", () => {
  test("that begins anew at midnight breaks the timeline there, and nothing else", async () => {
    const noonMs = Date.UTC(2026, 4, 5, 12);
    const station = await Station.start(noonMs);
    const sourceMs = (playedMs: number): number => (DAY_S * 500 + playedMs) % (DAY_S * 1000);
    await station.play(DAY_S + SEGMENT_S, { sourceMs });
    await station.stop();
    const segments = await station.all();
    const breaks = checkOrder(segments);
    assert.deepEqual(
      breaks.map(({ startUs }) => new Date(startUs / 1000).toISOString()),
      ["2026-05-06T00:00:00.000Z"],
    );
    assert.equal(totalS(segments), DAY_S + SEGMENT_S);
    const hours = Array.from({ length: 25 }, (_, i) => indexFile(hourOf(noonMs * 1000) + i).slice(0, -4));
    assert.deepEqual(station.hours(), hours);
  });

  for (const [wire, bits, unitsPerMs] of [
    ["RTMP, 32 bits of milliseconds", 32, 1],
    ["a transport stream, 33 bits of 90 kHz", 33, 90],
    ["an old encoder, 24 bits of milliseconds", 24, 1],
  ] as const) {
    test(`that wraps around does not show: ${wire}`, async () => {
      const startMs = Date.UTC(2026, 4, 5, 23, 30);
      const station = await Station.start(startMs);
      const unwrapper = new Unwrapper(bits);
      // The wrap is half an hour away.
      const firstUnits = 2 ** bits - 1800 * 1000 * unitsPerMs;
      const sourceMs = (playedMs: number): number =>
        unwrapper.unwrap((firstUnits + playedMs * unitsPerMs) % 2 ** bits) / unitsPerMs;
      await station.play(HOUR_S, { sourceMs });
      await station.stop();
      const segments = await station.all();
      assert.deepEqual(checkOrder(segments), []);
      assert.equal(totalS(segments), HOUR_S);
      assert.deepEqual(station.hours(), ["2026/05/05/23", "2026/05/06/00"]);
    });
  }
});

describe("summer time", () => {
  for (const [zone, changeMs] of [
    ["Europe/Berlin", Date.UTC(2026, 2, 29, 1)],
    ["Europe/Berlin", Date.UTC(2026, 9, 25, 1)],
    ["America/New_York", Date.UTC(2026, 2, 8, 7)],
    ["America/New_York", Date.UTC(2026, 10, 1, 6)],
  ] as const) {
    test(`plays no part where clocks change: ${zone}, ${new Date(changeMs).toISOString()}`, async (t) => {
      const zoneBefore = process.env["TZ"];
      t.after(() => {
        if (zoneBefore === undefined) delete process.env["TZ"];
        else process.env["TZ"] = zoneBefore;
      });
      process.env["TZ"] = zone;
      const offset = (ms: number): number => new Date(ms).getTimezoneOffset();
      assert.equal(Math.abs(offset(changeMs) - offset(changeMs - 1)), 60, "this process is in that zone");
      const station = await Station.start(changeMs - 1800_000);
      await station.play(HOUR_S);
      await station.stop();
      const segments = await station.all();
      assert.deepEqual(checkOrder(segments), []);
      assert.equal(totalS(segments), HOUR_S);
      const first = hourOf(changeMs * 1000) - 1;
      assert.deepEqual(
        station.hours(),
        [first, first + 1].map((hour) => indexFile(hour).slice(0, -4)),
      );
      const span = { kind: "archive", fromS: changeMs / 1000, durationS: 60 } as const;
      const asked = (await station.span(span)).segments;
      assert.deepEqual([asked[0]!.startUs, asked.length], [changeMs * 1000, 6]);
    });
  }

  test("does not move a schedule", (t) => {
    const zoneBefore = process.env["TZ"];
    t.after(() => {
      if (zoneBefore === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zoneBefore;
    });
    process.env["TZ"] = "Europe/Berlin";
    // From eight to nine, on the day before the change and on the day of it.
    const schedule = new Schedule([{ fromMinute: 480, toMinute: 540 }]);
    for (const day of [28, 29]) {
      const at = (hour: number, minute: number): boolean =>
        schedule.isRecordingAt(Date.UTC(2026, 2, day, hour, minute));
      assert.deepEqual([at(7, 59), at(8, 0), at(8, 59), at(9, 0)], [false, true, true, false]);
    }
  });
});

describe("a wall clock that is set while a stream is recorded", () => {
  const startMs = Date.UTC(2026, 4, 5, 9, 30);
  const spans: readonly TimeSpan[] = [
    { kind: "rewind", agoS: 300 },
    { kind: "timeshift_rel", agoS: 60 },
    { kind: "archive", fromS: startMs / 1000, durationS: null },
  ];

  for (const [name, stepS] of [
    ["an hour back", -HOUR_S],
    ["a day on", DAY_S],
    ["three seconds back", -3],
    ["three seconds on", 3],
  ] as const) {
    test(`${name}: the media clock goes on, all windows go on, and the index says so`, async () => {
      const station = await Station.start(startMs);
      const watches = spans.map((span) => windowWatch(station, span));
      const look = async (): Promise<void> => {
        if ((await station.all().catch(() => [])).length < 7) return;
        for (const watch of watches) await watch();
      };
      await station.play(1200, { look });
      station.clock.stepWall(stepS * 1000);
      await station.play(2400, { look });
      const hasGrown = await station.all();
      assert.ok(totalS(hasGrown) >= 3600 - 3 * SEGMENT_S, "what is new is seen at once");
      await station.stop();
      const segments = await station.all();
      assert.deepEqual(checkOrder(segments), []);
      assert.equal(totalS(segments), HOUR_S);
      assert.deepEqual(station.hours(), ["2026/05/05/09", "2026/05/05/10"]);
      const steps = station.steps();
      assert.equal(steps.length, 1);
      const { mediaUs, utcUs } = steps[0]!;
      assert.ok(Math.abs((utcUs - mediaUs) / 1e6 - stepS) <= SEGMENT_S + 1, `${(utcUs - mediaUs) / 1e6} s`);
    });
  }

  test("back, before a restart: the next process goes on behind the end, under new names", async () => {
    const first = await Station.start(startMs);
    await first.play(1800);
    await first.stop();
    // It starts with a clock that is an hour and a half behind.
    const second = await Station.start(startMs - HOUR_S * 1000, first.files);
    await second.play(600);
    const { segments } = await second.span({ kind: "rewind", agoS: 300 });
    assert.equal(segments.at(-1)!.sequence, (await second.all()).at(-1)!.sequence);
    assert.ok(segments.length >= 29 && segments.length <= 31, `${segments.length} segments of 300 s`);
    await second.stop();
    const breaks = checkOrder(await second.all());
    assert.deepEqual(
      breaks.map(({ startUs }) => startUs / 1000 - startMs),
      [1800_000],
    );
    assert.equal(totalS(await second.all()), 2400);
    assert.deepEqual(second.hours(), ["2026/05/05/09", "2026/05/05/10"]);
  });

  test("on, and a publisher that comes back: it begins where the clock is now", async () => {
    const station = await Station.start(startMs);
    await station.play(600);
    station.clock.stepWall(DAY_S * 1000);
    station.publishAgain(10);
    await station.play(600);
    await station.stop();
    const breaks = checkOrder(await station.all());
    assert.deepEqual(
      breaks.map(({ startUs }) => startUs / 1000 - startMs),
      [(600 + DAY_S + 10) * 1000],
    );
  });

  test("the window begins where it is now when the stream has been off air for a while", async () => {
    const station = await Station.start(startMs);
    await station.play(600);
    await station.stop();
    const span = { kind: "rewind", agoS: 300 } as const;
    assert.ok((await station.span(span)).segments.length >= 29);
    station.clock.advance(200_000);
    const { length } = (await station.span(span)).segments;
    assert.ok(length >= 9 && length <= 11, `${length} segments`);
    station.clock.advance(200_000);
    await assert.rejects(station.span(span), { code: "DVR_NOTHING_RECORDED" });
    // A range that ended with what was recorded is complete.
    const { mutability } = await station.span({ kind: "archive", fromS: startMs / 1000, durationS: 600 });
    assert.equal(mutability, "static");
  });
});

test("a range that is to come is not there yet; one that has begun grows to its end and says that it ends", async () => {
  const startMs = Date.UTC(2026, 4, 5, 9, 50);
  const startS = startMs / 1000;
  const station = await Station.start(startMs);
  await station.play(301);
  const coming = station.span({ kind: "archive", fromS: startS + 3600, durationS: 60 });
  await assert.rejects(coming, { httpStatus: 404, message: /before it up to 2026-05-05T09:55:00.000Z/ });
  const span = { kind: "archive", fromS: startS + 240, durationS: 120 } as const;
  const grown: number[] = [];
  let complete: Timeline | null = null;
  const look = async (): Promise<void> => {
    const { mutability, segments } = await station.span(span);
    assert.deepEqual(checkOrder(segments), []);
    if (mutability === "event") assert.equal(complete, null, "what is complete stays so");
    else complete ??= await station.span(span);
    if (complete !== null) assert.equal(segments.length, 12);
    grown.push(segments.length);
  };
  await station.play(200, { look });
  await station.stop();
  assert.deepEqual(
    [...new Set(grown)],
    grown.filter((length, i) => length !== grown[i - 1]),
    "it only grows",
  );
  assert.equal(grown.at(-1), 12);
  assert.ok(complete !== null);
});

test("who asks for all since 1970 makes those folders be listed that are there", async () => {
  const startMs = Date.UTC(2026, 4, 5, 23, 50);
  const station = await Station.start(startMs);
  await station.play(1200);
  await station.stop();
  const before = station.files.looks.length;
  const { segments } = await station.span({ kind: "archive", fromS: 0, durationS: null });
  assert.equal(totalS(segments), 1200);
  const lists = station.files.looks.slice(before).filter((look) => look.startsWith("list "));
  assert.ok(lists.length <= 12, `${lists.length} listings`);
});

test("an hour that begins is seen at once by who plays the hour before", async () => {
  const startMs = Date.UTC(2026, 4, 5, 9, 50);
  const station = await Station.start(startMs);
  await station.play(599);
  for (let i = 0; i < 4; i++) await station.all();
  await station.play(22);
  const newest = (await station.all()).at(-1)!;
  assert.ok(
    newest.startUs >= (startMs + 600_000) * 1000,
    `the newest begins at ${newest.startUs / HOUR_US}`,
  );
  await station.stop();
});
