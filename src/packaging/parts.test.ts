import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { followed } from "../../test/support/followed-window.ts";
import { audioTrack } from "../../test/support/media.ts";
import { LiveSource, SOURCE_START_US } from "../../test/support/live-source.ts";
import type { SourceStretch } from "../../test/support/live-source.ts";
import { concatBytes, readFourCc, readU32 } from "../base/bytes.ts";
import { SlabAllocator } from "../base/slab-allocator.ts";
import type { TrackId } from "../media/ids.ts";
import type { PacketSink } from "../media/packet.ts";
import { LiveWindow } from "./live-window.ts";
import { partRuleOf } from "./part-rule.ts";
import type { LiveEdge, MediaBody, PartEntry, SegmentEntry, TrackSelection } from "./presentation.ts";

const BOTH = ["v1", "a1"] as TrackId[];

function windowOf(changes: Partial<ConstructorParameters<typeof LiveWindow>[0]> = {}): LiveWindow {
  return new LiveWindow({
    segmentDurationUs: 2_000_000,
    segmentCount: 4,
    chunkDurationUs: 200_000,
    clock: new FakeClock(),
    ...changes,
  });
}

/** What is in the `mdat` of a fragment. */
function mediaOf(body: MediaBody | null): Buffer {
  const bytes = concatBytes(body ?? []);
  for (let at = 0; at < bytes.byteLength; at += readU32(bytes, at))
    if (readFourCc(bytes, at + 4) === "mdat") return Buffer.from(bytes.subarray(at + 8));
  assert.fail("no mdat");
}

function partsOf(
  window: LiveWindow,
  segment: SegmentEntry,
  selection: TrackSelection,
): (MediaBody | null)[] {
  return segment.parts!.map(
    (_, index) => window.edge!.part(segment.name, index, selection) as MediaBody | null,
  );
}

function samplesOf(part: PartEntry, id: string): number {
  return part.tracks.find((track) => track.id === id)?.samples ?? 0;
}

const rules = [
  { name: "25 pictures a second", chunkUs: 200_000, frameUs: 40_000, want: [200_000, 208_000] },
  {
    name: "30000/1001, measured in milliseconds",
    chunkUs: 200_000,
    frameUs: 33_366,
    want: [200_200, 209_000],
  },
  { name: "24 pictures a second", chunkUs: 200_000, frameUs: 41_667, want: [208_333, 217_000] },
  { name: "sound", chunkUs: 200_000, frameUs: 21_333.3, want: [192_000, 200_000] },
  { name: "a picture a second", chunkUs: 200_000, frameUs: 1_000_000, want: [1_000_000, 1_040_000] },
  { name: "nothing to measure", chunkUs: 500_000, frameUs: 0, want: [500_000, 520_000] },
];
for (const { name, chunkUs, frameUs, want } of rules) {
  test(`parts of ${name} are whole frames`, () => {
    const { stepUs, slackUs, targetUs } = partRuleOf(chunkUs, frameUs);
    assert.deepEqual([stepUs, targetUs], want);
    assert.ok(stepUs + 2 * slackUs <= targetUs && stepUs - 2 * slackUs >= targetUs * 0.85);
  });
}

describe("the live edge", () => {
  test("is not there before the window is ready, or where no parts are asked for", () => {
    const window = windowOf();
    new LiveSource(window).play({ seconds: 2.5 });
    assert.equal(window.edge!.now(), null);
    const { chunkDurationUs: _, ...plain } = {
      segmentDurationUs: 1e6,
      segmentCount: 3,
      chunkDurationUs: 1,
    };
    assert.equal(new LiveWindow(plain).edge, undefined);
  });

  test("moves with every part, and not in between", () => {
    const window = windowOf();
    const source = new LiveSource(window);
    source.play({ seconds: 6 });
    const seen = new Set<LiveEdge>();
    const timelines = new Set<unknown>();
    source.play({ seconds: 4 }, () => {
      const edge = window.edge!.now()!;
      seen.add(edge);
      timelines.add(edge.timeline);
    });
    // The first picture completes what came before; a segment's last part comes when its sound is there.
    assert.ok(seen.size >= 20 && seen.size <= 23, `${seen.size} edges for 20 parts`);
    assert.equal(timelines.size, 3);
    const { open } = window.edge!.now()!;
    assert.deepEqual(
      open!.parts.map(({ durationUs }) => durationUs),
      Array.from({ length: 9 }, () => 200_000),
    );
    assert.deepEqual(
      open!.parts.map((part) => samplesOf(part, "v1")),
      Array.from({ length: 9 }, () => 5),
    );
  });

  test("names the same parts whoever listens since when", () => {
    const windows = [windowOf(), windowOf()];
    new LiveSource(windows[0]!).play({ seconds: 20.9 });
    const late = new LiveSource(windows[1]!);
    late.skip(6);
    late.play({ seconds: 14.9 });
    const shapes = windows.map((window) => {
      const { open, timeline, partTargetUs } = window.edge!.now()!;
      const parts = timeline.segments.slice(-3).map(({ name, parts: own }) => [name, own]);
      return { partTargetUs, parts, open: [open!.name, open!.parts] };
    });
    assert.deepEqual(shapes[0], shapes[1]);
    assert.equal(shapes[0]!.open[0], String((SOURCE_START_US + 20e6) / 1000));
  });

  test("says which parts a decoder may start with", () => {
    const window = windowOf();
    new LiveSource(followed(window)).play({ seconds: 9, gopFrames: 25 });
    const segment = window.timeline().segments.at(-1)!;
    const syncs = segment.parts!.map(({ tracks }) => tracks.find(({ id }) => id === "v1")!.hasSync);
    assert.deepEqual(syncs, [true, false, false, false, false, true, false, false, false, false]);
  });

  test("is closed while the publisher is away, and opens under the next segment's name", () => {
    const window = windowOf();
    const source = new LiveSource(followed(window));
    source.play({ seconds: 7 });
    window.onPause();
    assert.equal(window.edge!.now()!.open, null);
    // Five of pictures; the sound ends a little later.
    assert.equal(window.edge!.now()!.timeline.segments.at(-1)!.parts!.length, 6);
    source.skip(3);
    source.play({ seconds: 0.5, begins: "track-change" });
    const { open } = window.edge!.now()!;
    assert.deepEqual([open!.discontinuity, open!.parts.length], [true, 2]);
  });
});

describe("parts that somebody asks for in the middle of a segment", () => {
  const sources: Readonly<Record<string, readonly SourceStretch[]>> = {
    "in order": [{ seconds: 9 }],
    "out of order, rounded": [{ seconds: 9, reorderFrames: 2, isRounded: true }],
    "of a variable frame rate": [{ seconds: 9, drops: (frame) => frame % 7 === 3 || frame % 11 > 7 }],
    "with sound that is late": [{ seconds: 9, audioLagUs: 700_000 }],
    "with sound that stops": [{ seconds: 5 }, { seconds: 4, hasAudio: false }],
    "with pictures that stop": [
      { seconds: 5.5 },
      { seconds: 3, hasVideo: false },
      { seconds: 1.5, begins: "break" },
    ],
    "with pictures that stop, and come back": [
      { seconds: 5.5 },
      { seconds: 1.4, hasVideo: false },
      { seconds: 2, gopFrames: 10 },
    ],
    "of sound alone": [{ seconds: 9, hasVideo: false }],
  };
  for (const [what, stretches] of Object.entries(sources)) {
    test(`are those that who followed it from its start was told: ${what}`, () => {
      const told: (LiveEdge | null)[] = [];
      const always = windowOf();
      const source = new LiveSource(followed(always));
      for (const stretch of stretches) source.play(stretch, () => void told.push(always.edge!.now()));
      for (let asksAt = 300; asksAt < told.length; asksAt += 7) {
        const window = windowOf();
        let count = 0;
        const late = new LiveSource(window);
        for (const stretch of stretches)
          late.play(stretch, () => {
            if (count++ !== asksAt) return;
            const edge = window.edge!.now();
            assert.deepEqual(edge?.open, told[asksAt]?.open, `asked behind packet ${asksAt}`);
            assert.equal(edge?.partTargetUs, told[asksAt]?.partTargetUs);
          });
        const shape = ({ name, durationUs }: SegmentEntry): unknown => [name, durationUs];
        assert.deepEqual(window.timeline().segments.map(shape), always.timeline().segments.map(shape));
      }
    });
  }

  test("also when it is complete by then, with the same bytes", () => {
    for (const [what, stretches] of Object.entries(sources)) {
      const [always, late] = [windowOf(), windowOf()];
      const [first, second] = [new LiveSource(followed(always)), new LiveSource(late)];
      for (const stretch of stretches) {
        first.play(stretch);
        second.play(stretch);
      }
      const pairs = late.timeline().segments.map((segment, i) => [segment, always.timeline().segments[i]!]);
      for (const [segment, known] of pairs as [SegmentEntry, SegmentEntry][]) {
        assert.deepEqual(segment.parts, known.parts, what);
        // What a part's last frame lasts was not known while it grew, where sound has a hole behind it.
        if (segment.parts === undefined || what === "with sound that is late") continue;
        const bytes = [late, always].map((window) =>
          partsOf(window, segment, BOTH).map(
            (body) => body && Buffer.from(concatBytes(body)).toString("hex"),
          ),
        );
        assert.deepEqual(bytes[0], bytes[1], `${what}, ${segment.name}`);
      }
    }
  });
});

describe("the bytes of parts", () => {
  for (const selection of [BOTH, ["v1"], ["a1"]] as TrackId[][]) {
    test(`of ${selection.join(" and ")} are the segment's, cut`, () => {
      const window = windowOf();
      new LiveSource(followed(window)).play({ seconds: 12.5, reorderFrames: 2 });
      for (const segment of window.timeline().segments) {
        const whole = mediaOf(window.segment(segment.name, selection));
        const parts = partsOf(window, segment, selection);
        if (selection.length === 1) assert.deepEqual(Buffer.concat(parts.map(mediaOf)), whole);
        assert.equal(
          parts.reduce((sum, part) => sum + mediaOf(part).byteLength, 0),
          whole.byteLength,
        );
      }
    });
  }

  test("are the same while the segment grows and when it is finished, kept or made anew", () => {
    const [early, late] = [windowOf(), windowOf()];
    const taken = new Map<string, MediaBody>();
    for (const window of [early, late]) {
      const source = new LiveSource(followed(window));
      source.play({ seconds: 6 });
      source.play({ seconds: 3 }, () => {
        if (window !== early) return;
        const { open } = window.edge!.now()!;
        const index = open!.parts.length - 1;
        const body = window.edge!.part(open!.name, index, BOTH) as MediaBody | null;
        if (body !== null) taken.set(`${open!.name}-${index}`, body);
      });
    }
    assert.ok(taken.size >= 13);
    for (const [key, body] of taken) {
      const [name, index] = key.split("-");
      assert.equal(early.edge!.part(name!, Number(index), BOTH), body, "the same object for all who ask");
      const again = late.edge!.part(name!, Number(index), BOTH) as MediaBody;
      assert.deepEqual(concatBytes(again), concatBytes(body), key);
    }
  });

  test("are copied once: a segment is sent from the blocks of its parts, a part from the block of its segment", () => {
    const window = windowOf();
    new LiveSource(followed(window)).play({ seconds: 8 });
    const [, first, second] = window.timeline().segments;
    const parts = partsOf(window, first!, BOTH);
    const whole = window.segment(first!.name, BOTH) as MediaBody;
    for (const part of parts) for (const block of part!.slice(1)) assert.ok(whole.includes(block));
    const blocks = (window.segment(second!.name, BOTH) as MediaBody).slice(1);
    for (const part of partsOf(window, second!, BOTH))
      assert.ok(part!.slice(1).every((block) => blocks.some(({ buffer }) => buffer === block.buffer)));
  });

  test("lie in shared memory for other threads, and are the same", () => {
    const window = windowOf();
    new LiveSource(followed(window)).play({ seconds: 8.5 });
    const { open, timeline } = window.edge!.now()!;
    for (const { name } of [open!, timeline.segments.at(-1)!]) {
      const plain = concatBytes(window.edge!.part(name, 1, BOTH) as MediaBody);
      const shared = window.sharedPart(name, 1, BOTH)!;
      assert.ok(shared.slice(1).every(({ buffer }) => buffer instanceof SharedArrayBuffer));
      assert.deepEqual(concatBytes(shared), plain);
      assert.deepEqual(window.sharedPart(name, 99, BOTH), null);
    }
    const { name } = timeline.segments.at(-1)!;
    const whole = window.sharedSegment(name, BOTH)!;
    assert.ok(whole.slice(1).every(({ buffer }) => buffer instanceof SharedArrayBuffer));
  });

  test("are not there for what is not complete, never was, or has none of the tracks", () => {
    const window = windowOf();
    new LiveSource(window).play({ seconds: 8.5, hasAudio: true });
    const { open } = window.edge!.now()!;
    assert.equal(window.edge!.part(open!.name, open!.parts.length, BOTH), null);
    assert.equal(window.edge!.part("1", 0, BOTH), null);
    assert.equal(window.edge!.part(open!.name, 0, ["a7"] as TrackId[]), null);
  });

  test("release the memory of packets, however much of it was asked for", () => {
    const allocator = new SlabAllocator();
    const window = windowOf({ segmentCount: 3 });
    let held = 0;
    const source = new LiveSource(slabbed(window, allocator, (change) => (held += change)));
    source.play({ seconds: 8 });
    for (let n = 0; n < 20; n++) {
      source.play({ seconds: 0.5 });
      const { open } = window.edge!.now()!;
      for (let index = 0; index < open!.parts.length; index += (n % 3) + 1)
        void window.edge!.part(open!.name, index, BOTH);
      if (n % 7 === 6) window.segment(window.timeline().segments.at(-1)!.name, BOTH);
    }
    window.onEnd();
    const all = window.timeline().segments;
    for (const { name } of all) window.segment(name, BOTH);
    // What is listed was asked for; three more segments are kept for late players, and may hold theirs.
    const kept = 3 * (2 * 25 + 94);
    assert.ok(held <= kept, `${held} holds for at most ${kept} packets that nobody asked for`);
  });
});

/** Puts payloads into slabs whose holds are counted. */
function slabbed(sink: PacketSink, allocator: SlabAllocator, onHold: (change: number) => void): PacketSink {
  return {
    releasesSlabs: true,
    onTracks: (tracks) => sink.onTracks(tracks),
    onPause: () => sink.onPause(),
    onEnd: (reason) => sink.onEnd(reason),
    onPacket: (packet) => {
      const payload = allocator.allocate(packet.payload.byteLength);
      payload.set(packet.payload);
      const slab = allocator.lastSlab!;
      const counting = {
        memory: slab.memory,
        retain: () => onHold(1),
        release: () => onHold(-1),
        abandon: () => {},
      };
      sink.onPacket({ ...packet, payload, slab: counting as unknown as typeof slab });
    },
  };
}

test("who follows parts is not kept waiting by a patient publisher", () => {
  const window = windowOf();
  const source = new LiveSource(window);
  source.play({ seconds: 7 });
  assert.equal(window.patienceMs(), 250);
  window.edge!.now();
  assert.equal(window.patienceMs(), 25);
  source.play({ seconds: 10 });
  assert.equal(window.patienceMs(), Infinity, "nobody asks for anything");
  window.timeline();
  assert.equal(window.patienceMs(), 250);
});

describe("a reference track that is ahead by more than a part", () => {
  const stretches: SourceStretch[] = [
    { seconds: 30, frameRate: 5, gopFrames: 10, reorderFrames: 2 },
    { seconds: 30, frameRate: 5, gopFrames: 10, reorderFrames: 4 },
    {
      seconds: 30,
      frameRate: 10,
      gopFrames: 20,
      reorderFrames: 2,
      drops: (frame) => frame % 7 === 3 || frame % 11 > 7,
    },
  ];
  for (const [index, stretch] of stretches.entries()) {
    test(`leaves no part without sound where the sound has no hole, ${index}`, () => {
      const window = windowOf();
      new LiveSource(followed(window)).play(stretch);
      const segments = window.timeline().segments.filter(({ parts }) => parts !== undefined);
      assert.equal(segments.length, 4);
      for (const segment of segments) {
        const sums = (id: string): number =>
          segment.parts!.reduce((sum, part) => sum + samplesOf(part, id), 0);
        for (const id of BOTH) assert.equal(sums(id), segment.trackSamples(id), `${segment.name} ${id}`);
        for (const [part, entry] of segment.parts!.entries())
          assert.ok(samplesOf(entry, "a1") > 0, `part ${part} of ${segment.name} has no sound`);
      }
    });
  }

  for (const codec of ["ac3", "aac"] as const) {
    const what = codec === "aac" ? "silence takes its place" : "there is no silence of it";
    test(`waits for sound that has stopped, but a second at most: ${codec}, ${what}`, () => {
      const window = windowOf();
      const source = new LiveSource(window, { audio: audioTrack({ codec }) });
      source.play({ seconds: 10.5 });
      const parts = (): readonly PartEntry[] => window.edge!.now()!.open!.parts;
      assert.equal(parts().length, 2);
      // The sound ends within the third part.
      source.play({ seconds: 0.9, hasAudio: false });
      assert.equal(parts().length, 3);
      source.play({ seconds: 0.5, hasAudio: false });
      assert.equal(parts().length, 9);
      const silent = parts().slice(3);
      assert.ok(silent.every((part) => samplesOf(part, "a1") > 0 === (codec === "aac")));
    });
  }
});
