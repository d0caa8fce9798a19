/** From packets to files and back: what was live is what is recorded. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { MemoryFiles } from "../../test/support/archive-files.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { LiveSource, SOURCE_START_US } from "../../test/support/live-source.ts";
import { videoTrack } from "../../test/support/media.ts";
import type { SourceStretch } from "../../test/support/live-source.ts";
import { concatBytes, readFourCc, readU32 } from "../base/bytes.ts";
import { silentLogger } from "../base/log.ts";
import { ticksToUs } from "../base/time.ts";
import type { TrackId } from "../media/ids.ts";
import type { PacketSink } from "../media/packet.ts";
import { makeTrackSet } from "../media/track.ts";
import { LiveWindow } from "../packaging/live-window.ts";
import type { MediaBody, Presentation, SegmentEntry } from "../packaging/presentation.ts";
import type { TimeSpan } from "../packaging/time-span.ts";
import { Archives, spanFreshUs } from "./archives.ts";
import { hourOf } from "./format/hour.ts";
import { HourWriter } from "./writer/hour-writer.ts";
import { StreamRecorder } from "./writer/stream-recorder.ts";
import type { WriteAccess } from "./writer/write-access.ts";

const BOTH = ["v1", "a1"] as TrackId[];
const START_S = SOURCE_START_US / 1e6;
const root = mkdtempSync(join(tmpdir(), "weir-archive-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Media of each track in a segment's body, whatever fragments it is in. */
function mediaBytes(body: MediaBody): number {
  const bytes = concatBytes(body);
  let media = 0;
  for (let at = 0; at < bytes.byteLength; at += readU32(bytes, at))
    if (readFourCc(bytes, at + 4) === "mdat") media += readU32(bytes, at) - 8;
  return media;
}

/** A sink whose clock is that of its packets. */
function inTime(sink: PacketSink, clock: FakeClock): PacketSink {
  return {
    onTracks: (tracks) => sink.onTracks(tracks),
    onPause: () => sink.onPause(),
    onEnd: (reason) => sink.onEnd(reason),
    onPacket: (packet) => {
      const behindUs = ticksToUs(packet.dts, packet.track.timescale) - clock.wallUs();
      if (behindUs > 0) clock.advance(behindUs / 1000);
      sink.onPacket(packet);
    },
  };
}

/** Nobody else writes. */
const OURS = {
  access: (): WriteAccess => ({
    mayWrite: () => true,
    whenHeld: () => Promise.resolve(),
    failed: () => {},
    release: () => Promise.resolve(),
  }),
  stop: () => Promise.resolve(),
};

/** A server that records one stream, and can be killed. */
class Recording {
  readonly clock: FakeClock;
  readonly archives: Archives;
  readonly window: LiveWindow;
  readonly source: LiveSource;
  readonly folder: string;
  readonly #writer: ReturnType<Archives["writer"]>;

  constructor(folder: string, atUs = SOURCE_START_US) {
    this.folder = join(root, folder);
    this.clock = new FakeClock(atUs);
    this.archives = new Archives({ clock: this.clock, log: silentLogger, roots: OURS });
    this.#writer = this.archives.writer({ root, stream: folder, fsync: "interval" }, silentLogger);
    const recorder = new StreamRecorder(this.#writer, this.clock);
    const { clock } = this;
    this.window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 100, clock, recorder });
    this.source = new LiveSource(inTime(this.window, clock));
    this.source.skip((atUs - SOURCE_START_US) / 1e6);
  }

  /** One that may be written. */
  static async open(folder: string, atUs?: number): Promise<Recording> {
    const recording = new Recording(folder, atUs);
    await recording.#writer.prepare();
    return recording;
  }

  play(stretch: SourceStretch): void {
    this.source.play(stretch);
  }

  async written(): Promise<void> {
    await this.#writer.close();
    await this.archives.stop();
  }

  async span(span: TimeSpan): Promise<Presentation> {
    return await this.archives.span(this.folder, {
      span,
      name: "cam",
      nowUs: this.clock.wallUs(),
      segmentDurationUs: 2e6,
      segmentCount: 3,
    });
  }
}

const facts = ({ name, startUs, durationUs, discontinuity, isIndependent }: SegmentEntry): unknown => ({
  ...{ name, startUs, durationUs, discontinuity, isIndependent },
});

describe("a recording", () => {
  test("has the segments that were live, under their names", async () => {
    const recording = await Recording.open("plain");
    recording.play({ seconds: 20.5 });
    const live = recording.window.timeline().segments;
    const bodies = new Map<string, MediaBody>();
    for (const { name } of live) bodies.set(name, recording.window.segment(name, BOTH) as MediaBody);
    recording.window.onEnd();
    await recording.written();
    const { segments, mutability, discontinuitySequence } = (
      await recording.span({ kind: "archive", fromS: START_S, durationS: null })
    ).timeline();
    assert.deepEqual(segments.slice(0, live.length).map(facts), [
      { ...(facts(live[0]!) as object), discontinuity: true },
      ...live.slice(1).map(facts),
    ]);
    assert.deepEqual([mutability, discontinuitySequence], ["event", 0]);
    for (const [i, { sequence }] of segments.entries()) assert.equal(sequence, segments[0]!.sequence + i);
    for (const segment of segments.slice(0, live.length)) {
      const same = live.find(({ name }) => name === segment.name)!;
      for (const id of BOTH) {
        assert.equal(segment.trackSamples(id), same.trackSamples(id));
        assert.equal(segment.trackBytes(id), same.trackBytes(id));
      }
      const stored = await recording.archives.media(recording.folder, {
        kind: "segment",
        selection: BOTH,
        name: segment.name,
      });
      const body = (await stored!.segment(segment.name, BOTH))!;
      assert.equal(mediaBytes(body), mediaBytes(bodies.get(segment.name)!));
    }
  });

  test("goes on in the same hour when the process comes back, behind a break", async () => {
    const first = await Recording.open("again");
    first.play({ seconds: 7 });
    first.window.onEnd();
    await first.written();
    const second = await Recording.open("again", SOURCE_START_US + 20e6);
    second.play({ seconds: 7 });
    second.window.onEnd();
    await second.written();
    const { segments } = (
      await second.span({ kind: "archive", fromS: START_S, durationS: 3000 })
    ).timeline();
    assert.deepEqual(
      segments.map(({ startUs }) => (startUs - SOURCE_START_US) / 1e6),
      [0, 2, 4, 6, 20, 22, 24, 26],
    );
    assert.deepEqual(
      segments.flatMap(({ discontinuity }, i) => (discontinuity ? [i] : [])),
      [0, 4],
    );
    for (const [i, { sequence }] of segments.entries()) assert.equal(sequence, segments[0]!.sequence + i);
    assert.deepEqual(readdirSync(join(first.folder, "2026/01/01")).toSorted(), ["00.idx", "00.mp4"]);
  });

  test("begins a file anew with each hour, and another one where the tracks change", async () => {
    const recording = await Recording.open("hours", SOURCE_START_US + 3_590e6);
    recording.play({ seconds: 15 });
    recording.play({ seconds: 6, begins: "track-change", hasVideo: false });
    recording.window.onEnd();
    await recording.written();
    assert.deepEqual(readdirSync(join(recording.folder, "2026/01/01")).toSorted(), [
      "00.idx",
      "00.mp4",
      "01.1.mp4",
      "01.idx",
      "01.mp4",
    ]);
    const { segments } = (
      await recording.span({ kind: "archive", fromS: START_S + 3590, durationS: 100 })
    ).timeline();
    const totalUs = segments.reduce((sum, { durationUs }) => sum + durationUs, 0);
    assert.ok(Math.abs(totalUs - 21e6) < 25_000, `${totalUs} us`);
    const counts = segments.map(({ tracks }) => tracks.tracks.length);
    assert.deepEqual([counts[0], counts.at(-1), counts.toSorted((a, b) => b - a)], [2, 1, counts]);
  });

  test("says what is recorded nearest to where nothing is", async () => {
    const recording = await Recording.open("nearest");
    recording.play({ seconds: 4 });
    recording.window.onEnd();
    await recording.written();
    await assert.rejects(recording.span({ kind: "archive", fromS: START_S - 100, durationS: 10 }), {
      code: "DVR_NOTHING_RECORDED",
      httpStatus: 404,
      message: /nothing before it.*from 2026-01-01T00:00:00.000Z on/,
    });
    await assert.rejects(recording.span({ kind: "archive", fromS: START_S + 100, durationS: 10 }), {
      message: /before it up to 2026-01-01T00:00:04.01.Z.*nothing after it/,
    });
  });
});

describe("an archive that is not as it was written", () => {
  const recorded = async (folder: string): Promise<Recording> => {
    const recording = await Recording.open(folder);
    recording.play({ seconds: 6 });
    recording.window.onEnd();
    await recording.written();
    return recording;
  };
  const from = (recording: Recording): Promise<Presentation> =>
    recording.span({ kind: "archive", fromS: START_S, durationS: null });

  test("says so where its media file is gone; nothing is recorded there for those who come then", async () => {
    const recording = await recorded("gone");
    const playing = await from(recording);
    rmSync(join(recording.folder, "2026/01/01/00.mp4"));
    const { name } = playing.timeline().segments[0]!;
    await assert.rejects(async () => await playing.segment(name, BOTH), { code: "DVR_BAD_MEDIA" });
    recording.clock.advance(60_000);
    const other = new Archives({ clock: recording.clock, log: silentLogger, roots: OURS });
    const request = {
      name: "cam",
      nowUs: recording.clock.wallUs(),
      segmentDurationUs: 2e6,
      segmentCount: 3,
    };
    const span = { kind: "archive", fromS: START_S, durationS: null } as const;
    await assert.rejects(other.span(recording.folder, { span, ...request }), {
      code: "DVR_NOTHING_RECORDED",
      message: /nothing before it, nothing after it/,
    });
  });

  test("says so where its media file is another one, or ends too early", async () => {
    for (const [folder, bytes] of [
      ["other", Buffer.from("nothing that begins as a media file does")],
      ["early", null],
    ] as const) {
      const recording = await recorded(folder);
      const playing = await from(recording);
      const path = join(recording.folder, "2026/01/01/00.mp4");
      writeFileSync(path, bytes ?? readFileSync(path).subarray(0, 5000));
      const { name } = playing.timeline().segments.at(-1)!;
      await assert.rejects(async () => await playing.segment(name, BOTH), { code: "DVR_BAD_MEDIA" });
    }
  });

  test("has no segments but its own, and no tracks but those that were recorded", async () => {
    const recording = await recorded("own");
    for (const name of ["1767225600001", "0", "99999999999999999", "1767229200000"]) {
      const file = { kind: "segment", selection: BOTH, name } as const;
      assert.equal(await recording.archives.media(recording.folder, file), null);
    }
    const file = { kind: "init", selection: BOTH, name: "0123456789ab" } as const;
    assert.equal(await recording.archives.media(recording.folder, file), null);
    const playing = await from(recording);
    const { name, tracks } = playing.timeline().segments[0]!;
    assert.equal(await playing.segment(name, ["v7"] as TrackId[]), null);
    const init = { kind: "init", selection: BOTH, name: playing.initName(tracks, BOTH) } as const;
    const found = await recording.archives.media(recording.folder, init);
    assert.ok(found!.initSegment(init.name, BOTH) !== null);
  });
});

test("a range of more segments than a playlist may have is refused", async () => {
  const recording = await Recording.open("long");
  recording.play({ seconds: 9 });
  recording.window.onEnd();
  await recording.written();
  const archives = new Archives({ clock: recording.clock, log: silentLogger, roots: OURS, maxSegments: 3 });
  const request = { name: "cam", nowUs: recording.clock.wallUs(), segmentDurationUs: 2e6, segmentCount: 3 };
  const span = { kind: "archive", fromS: START_S, durationS: 100 } as const;
  await assert.rejects(archives.span(recording.folder, { span, ...request }), {
    code: "DVR_SPAN_TOO_LONG",
    httpStatus: 422,
  });
});

test("more configurations in an hour than it has files for are an error that says so", async () => {
  const files = new MemoryFiles();
  const { writer } = await HourWriter.open(files, "/archive/cam", hourOf(SOURCE_START_US));
  for (let n = 1; n <= 256; n++) {
    const tracks = makeTrackSet(n, [videoTrack({ language: languageOf(n) })]);
    assert.equal(await writer.mediaFor(tracks), n - 1);
    assert.equal(await writer.mediaFor(tracks), n - 1);
  }
  const another = makeTrackSet(999, [videoTrack({ language: languageOf(999) })]);
  await assert.rejects(writer.mediaFor(another), { code: "DVR_TOO_MANY_TRACK_SETS" });
  await writer.close();
});

/** A language for each number: `aaa`, `aab`, ... */
function languageOf(n: number): string {
  const letter = (place: number): string => String.fromCharCode(97 + (Math.floor(n / place) % 26));
  return `${letter(676)}${letter(26)}${letter(1)}`;
}

test("a span is read again in time for its players, a long one less often", () => {
  const freshUs = (count: number, mutability: "event" | "live" | "static"): number =>
    spanFreshUs({ mutability, segments: Array.from<SegmentEntry>({ length: count }) });
  assert.deepEqual([freshUs(1, "event"), freshUs(1800, "live")], [200_000, 200_000]);
  assert.equal(freshUs(43_200, "event"), 432_000);
  assert.equal(freshUs(302_400, "event"), 3_000_000);
  assert.deepEqual([freshUs(1, "static"), freshUs(302_400, "static")], [30_000_000, 30_000_000]);
});
