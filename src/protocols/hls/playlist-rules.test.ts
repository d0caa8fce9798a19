import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import type { SourceStretch } from "../../../test/support/live-source.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { PlaylistWatch } from "../../../test/support/playlist-rules.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { readSegmentSamples } from "../../containers/mp4/segment-samples.ts";
import { trackId } from "../../media/ids.ts";
import type { TrackId } from "../../media/ids.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import type { LiveEdge, SegmentEntry, Timeline } from "../../packaging/presentation.ts";
import { renderLowLatencyPlaylist } from "./ll-playlist.ts";
import { renderMediaPlaylist } from "./media-playlist.ts";
import { tsReply } from "./ts-reply.ts";

const SELECTIONS = [["v1", "a1"], ["v1"], ["a1"], ["v2"], ["v2", "a1"]] as TrackId[][];

/** Another quality of the picture. */
const OTHER = videoTrack({ id: trackId("video", 2) });

/** Watches every version of every playlist of a window while stretches are played into it. */
class Broadcast {
  readonly window: LiveWindow;
  readonly source: LiveSource;
  readonly watches = new Map<string, PlaylistWatch>();
  /** By name of the segment and track. */
  readonly #keyFrames = new Map<string, boolean>();
  #edge: LiveEdge | null = null;
  #timeline: Timeline | null = null;

  constructor(segmentCount = 4, audioRate = 48_000, hasOther = false) {
    this.window = new LiveWindow({
      segmentDurationUs: 2_000_000,
      segmentCount,
      chunkDurationUs: 200_000,
      clock: new FakeClock(),
    });
    this.source = new LiveSource(this.window, {
      audio: audioTrack({ sampleRate: audioRate, timescale: audioRate }),
      other: hasOther ? OTHER : null,
    });
  }

  play(...stretches: readonly SourceStretch[]): this {
    for (const stretch of stretches) this.source.play(stretch, () => this.look());
    return this;
  }

  look(): void {
    const edge = this.window.edge!.now();
    if (edge === null || edge === this.#edge) return;
    this.#edge = edge;
    const isNews = edge.timeline !== this.#timeline;
    this.#timeline = edge.timeline;
    for (const selection of SELECTIONS) this.#check(edge, selection, isNews);
    if (isNews) this.#watch("video.m3u8").take(this.#single());
  }

  #single(): string {
    const request = { query: new URLSearchParams(), remoteAddress: "192.0.2.1" } as HttpRequest;
    const reply = tsReply({ kind: "ts-single" }, this.window, { request, carriedQuery: "" }) as HttpReply;
    assert.equal(reply.status, 200);
    return new TextDecoder().decode(reply.body[0]);
  }

  #check(edge: LiveEdge, selection: readonly TrackId[], isNews: boolean): void {
    const presentation = this.window;
    const { timeline } = edge;
    const whole = renderLowLatencyPlaylist({ presentation, edge, selection, query: "", skips: false });
    if (whole === null) return;
    const watch = this.#watch(`ll ${selection.join("")}`);
    const { isIndependent } = watch.take(whole);
    const truth = timeline.segments.every((segment) => this.#beginsWithKeyFrame(segment, selection));
    assert.ok(
      truth || !isIndependent,
      `4.4.2.1: not all segments of ${selection.join("")} are independent`,
    );
    watch.takeDelta(renderLowLatencyPlaylist({ presentation, edge, selection, query: "", skips: true })!);
    const plain = renderMediaPlaylist({ presentation, timeline, selection, query: "" });
    if (isNews) this.#watch(`plain ${selection.join("")}`).take(plain!);
  }

  /** As the bytes of the segment say. */
  #beginsWithKeyFrame({ name, tracks }: SegmentEntry, selection: readonly TrackId[]): boolean {
    return tracks.tracks.every((track) => {
      if (track.kind !== "video" || !selection.includes(track.id)) return true;
      const key = `${name} ${track.id}`;
      const body = this.#keyFrames.has(key) ? null : this.window.segment(name, [track.id]);
      if (body !== null) this.#keyFrames.set(key, readSegmentSamples(body, [track])[0]!.isSync);
      return this.#keyFrames.get(key) ?? true;
    });
  }

  #watch(name: string): PlaylistWatch {
    const known = this.watches.get(name) ?? new PlaylistWatch();
    this.watches.set(name, known);
    return known;
  }
}

const steady: SourceStretch = { seconds: 12 };

/** What publishers do. Each begins with a stretch that is as it should be. */
const cases: { name: string; stretches: SourceStretch[]; audioRate?: number; hasOther?: boolean }[] = [
  { name: "25 pictures a second, key frames every two", stretches: [{ seconds: 60 }] },
  { name: "key frames every second", stretches: [{ seconds: 30, gopFrames: 25 }] },
  ...[23.976, 24, 29.97, 30, 50, 59.94, 60, 12.5, 7].map((frameRate) => ({
    name: `${frameRate} pictures a second in whole milliseconds`,
    stretches: [{ seconds: 30, frameRate, gopFrames: Math.round(frameRate * 2), isRounded: true }],
  })),
  { name: "one picture a second", stretches: [{ seconds: 40, frameRate: 1, gopFrames: 2 }] },
  { name: "key frames every ten seconds", stretches: [{ seconds: 80, gopFrames: 250 }] },
  { name: "no key frame any more", stretches: [steady, { seconds: 40, gopFrames: 100_000 }] },
  {
    name: "one cut within a GOP, and key frames again for good",
    stretches: [steady, { seconds: 6, gopFrames: 100_000 }, { seconds: 30 }],
  },
  { name: "two qualities with the same key frames", stretches: [{ seconds: 30 }], hasOther: true },
  {
    name: "two qualities with the same key frames, reordered",
    stretches: [{ seconds: 30, reorderFrames: 2 }],
    hasOther: true,
  },
  {
    name: "two qualities whose key frames are not together",
    stretches: [{ seconds: 60, gopFrames: 25, otherGopFrames: 60 }],
    hasOther: true,
  },
  { name: "pictures that are reordered", stretches: [{ seconds: 30, reorderFrames: 2 }] },
  {
    name: "a variable frame rate",
    stretches: [steady, { seconds: 40, drops: (frame) => frame % 7 === 3 || frame % 11 > 7 }],
  },
  { name: "sound alone", stretches: [{ seconds: 30, hasVideo: false }] },
  { name: "sound alone, 44.1 kHz", stretches: [{ seconds: 30, hasVideo: false }], audioRate: 44_100 },
  { name: "pictures alone", stretches: [{ seconds: 30, hasAudio: false }] },
  { name: "a picture that freezes", stretches: [steady, { seconds: 15, hasVideo: false }, steady] },
  { name: "sound that falls silent", stretches: [steady, { seconds: 15, hasAudio: false }, steady] },
  { name: "late sound", stretches: [{ seconds: 30, audioLagUs: 700_000 }] },
  {
    name: "a publisher that is killed and back",
    stretches: [steady, { ...steady, begins: "break" }, steady],
  },
  {
    name: "a publisher that comes back without sound",
    stretches: [steady, { ...steady, begins: "break", hasAudio: false }, { ...steady, begins: "break" }],
  },
  { name: "a change of tracks", stretches: [steady, { ...steady, begins: "track-change" }] },
  {
    name: "breaks after tenths of a second",
    stretches: [
      steady,
      ...[1.3, 0.1, 0.7, 2.9, 0.04].map((seconds) => ({ seconds, begins: "break" as const })),
      steady,
    ],
  },
  {
    name: "another frame rate in the middle",
    stretches: [steady, { seconds: 20, frameRate: 24, gopFrames: 48 }, { seconds: 20, frameRate: 60 }],
  },
];

for (const { name, stretches, audioRate, hasOther } of cases) {
  test(`playlists keep the rules with ${name}`, () => {
    const { watches } = new Broadcast(4, audioRate, hasOther).play(...stretches);
    const most = Math.max(...[...watches.values()].map(({ changes }) => changes));
    assert.ok(most > 20, `only ${most} versions were seen`);
  });
}

test("playlists keep the rules when nothing comes for a while on the same timeline", () => {
  const broadcast = new Broadcast().play(steady);
  broadcast.source.skip(0.7);
  broadcast.play(steady);
  broadcast.source.skip(4);
  broadcast.play(steady);
});

test("a window that is long enough is skipped in delta updates", () => {
  const { watches, window } = new Broadcast(12).play({ seconds: 60 });
  const edge = window.edge!.now()!;
  const [selection] = SELECTIONS;
  const request = { presentation: window, edge, selection: selection!, query: "" };
  const delta = renderLowLatencyPlaylist({ ...request, skips: true })!;
  assert.match(delta, /#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n/);
  assert.doesNotMatch(delta, /#EXT-X-MAP/);
  assert.ok(delta.length < renderLowLatencyPlaylist({ ...request, skips: false })!.length);
  assert.ok(watches.get("ll v1a1")!.changes > 200);
});

test("whatever a source does, playlists keep the rules", () => {
  const stretch: fc.Arbitrary<SourceStretch> = fc.record({
    seconds: fc.integer({ min: 1, max: 90 }).map((tenths) => tenths / 10),
    hasVideo: fc.boolean(),
    hasAudio: fc.boolean(),
    frameRate: fc.constantFrom(1, 12.5, 23.976, 25, 29.97, 60),
    gopFrames: fc.constantFrom(5, 20, 47, 300),
    otherGopFrames: fc.constantFrom(undefined, undefined, 35),
    isRounded: fc.boolean(),
    audioLagUs: fc.constantFrom(0, 0, 30_000, 1_500_000),
    reorderFrames: fc.constantFrom(0, 2),
    drops: fc.constantFrom(
      (frame: number) => frame % 5 === 1,
      () => false,
    ),
    begins: fc.constantFrom<SourceStretch["begins"][]>(undefined, undefined, "break", "track-change"),
  }) as fc.Arbitrary<SourceStretch>;
  fc.assert(
    fc.property(fc.array(stretch, { minLength: 1, maxLength: 6 }), fc.boolean(), (stretches, hasOther) => {
      new Broadcast(7, 48_000, hasOther).play({ seconds: 5 }, ...stretches);
    }),
    { seed: 31, numRuns: 40 },
  );
});

const promises = (window: LiveWindow, id: TrackId): boolean => {
  const selection = [id];
  const timeline = window.timeline();
  const text = renderMediaPlaylist({ presentation: window, timeline, selection, query: "" });
  return text!.includes("#EXT-X-INDEPENDENT-SEGMENTS");
};

test("only the quality whose key frames are elsewhere loses the promise of independence", () => {
  const apart = new Broadcast(4, 48_000, true).play({ seconds: 30, gopFrames: 25, otherGopFrames: 60 });
  const ids = ["v1", "v2", "a1"] as TrackId[];
  assert.deepEqual(
    ids.map((id) => promises(apart.window, id)),
    [true, false, true],
  );
  assert.deepEqual(apart.window.timeline().randomAccess, { dependent: ["v2"], unaligned: ["v2"] });
  for (const reorderFrames of [0, 2]) {
    const together = new Broadcast(4, 48_000, true).play({ seconds: 30, reorderFrames });
    assert.deepEqual(together.window.timeline().randomAccess, { dependent: [], unaligned: [] });
  }
});

test("a promise that was taken back is not made again when the segment has gone", () => {
  const { window } = new Broadcast(4).play(steady, { seconds: 6, gopFrames: 100_000 }, { seconds: 60 });
  assert.ok(window.timeline().segments.every(({ isIndependent }) => isIndependent));
  assert.deepEqual([promises(window, "v1" as TrackId), promises(window, "a1" as TrackId)], [false, true]);
});
