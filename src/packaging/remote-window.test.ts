import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { mediaPacket, videoTrack } from "../../test/support/media.ts";
import { concatBytes } from "../base/bytes.ts";
import { makeTrackSet } from "../media/track.ts";
import { LiveWindow } from "./live-window.ts";
import type { MediaBody } from "./presentation.ts";
import { RemoteWindow } from "./remote-window.ts";

const video = videoTrack();
const SELECTION = [video.id];
const START_TICKS = (1_767_225_600_000_000 / 1e6) * 90_000;

describe("the window of a stream that lives in another thread", () => {
  let home: LiveWindow;
  let remote: RemoteWindow;
  let fetched: string[];

  beforeEach(() => {
    home = new LiveWindow({ segmentDurationUs: 1e6, segmentCount: 3 });
    home.onTracks(makeTrackSet(1, [video]));
    fetched = [];
    remote = new RemoteWindow((name, selection) => {
      fetched.push(name);
      return Promise.resolve(structuredClone(home.sharedSegment(name, selection)));
    });
  });

  /** Whole GOPs of one second at 25 frames a second. */
  const feed = (from: number, to: number): void => {
    for (let frame = from * 25; frame < to * 25; frame++) {
      const dts = START_TICKS + frame * 3600;
      const startsGop = frame % 25 === 0;
      const payload = new Uint8Array(10).fill(frame);
      home.onPacket(
        mediaPacket({ track: video, dts, pts: dts, isSync: startsGop, startsGop, epoch: 1, payload }),
      );
    }
  };
  const update = (): void => remote.update(structuredClone(home.snapshot()!));
  const bytesOf = (body: MediaBody | null): Uint8Array => concatBytes(body ?? []);

  test("has nothing before the home's has", () => {
    feed(0, 1);
    assert.deepEqual([home.snapshot(), remote.isReady], [null, false]);
    assert.throws(() => remote.timeline(), RangeError);
  });

  test("tells of the earlier segments that the home tells of, and has them", async () => {
    feed(0, 12);
    update();
    const names = ({ earlier = [] }: ReturnType<LiveWindow["timeline"]>): string[] =>
      earlier.map(({ name }) => name);
    assert.deepEqual(names(remote.timeline()), names(home.timeline()));
    assert.equal(names(remote.timeline()).length, 2);
    for (const { name, tracks } of remote.timeline().earlier!) {
      assert.deepEqual(
        bytesOf(await remote.segment(name, SELECTION)),
        bytesOf(home.segment(name, SELECTION) as MediaBody),
      );
      assert.equal(tracks, remote.timeline().tracks, "one set of tracks is one object");
    }
  });

  test("lists what the home lists, under the same names, with the same figures", () => {
    feed(0, 5);
    update();
    const facts = (window: LiveWindow | RemoteWindow): unknown => {
      const timeline = window.timeline();
      const segments = timeline.segments.map((segment) => [
        segment.name,
        segment.sequence,
        segment.durationUs,
        segment.isIndependent,
        segment.trackBytes(video.id),
        segment.trackSamples(video.id),
        segment.trackUs(video.id),
        window.initName(segment.tracks, SELECTION),
      ]);
      return [timeline.mutability, timeline.targetDurationUs, timeline.discontinuitySequence, segments];
    };
    assert.deepEqual(facts(remote), facts(home));
    const name = home.initName(home.timeline().tracks, SELECTION);
    assert.deepEqual(
      bytesOf(remote.initSegment(name, SELECTION)),
      bytesOf(home.initSegment(name, SELECTION)),
    );
  });

  test("keeps one object for a track set through all its updates", () => {
    feed(0, 4);
    update();
    const first = remote.timeline().tracks;
    feed(4, 6);
    update();
    assert.equal(remote.timeline().tracks, first);
    assert.ok(remote.timeline().segments.every(({ tracks }) => tracks === first));
  });

  test("takes the next window of the stream for what it is, though it counts from the start, and none from before", () => {
    feed(0, 9);
    const before = structuredClone(home.snapshot()!);
    update();
    home = new LiveWindow({ segmentDurationUs: 1e6, segmentCount: 3, after: home.end });
    home.onTracks(makeTrackSet(1, [videoTrack({ width: 128 })]));
    feed(20, 23);
    assert.ok(home.snapshot()!.version < before.version);
    update();
    const names = (): string[] => remote.timeline().segments.map(({ name }) => name);
    const wanted = home.timeline().segments.map(({ name }) => name);
    assert.deepEqual(names(), wanted);
    assert.equal(remote.timeline().tracks.reference.width, 128);
    remote.update(before);
    remote.updateEdge({
      windowId: before.windowId,
      version: 99,
      partTargetUs: 1,
      open: null,
      window: before,
    });
    assert.deepEqual(names(), wanted);
    assert.deepEqual([remote.windowId, remote.snapshotVersion], [home.id, home.snapshot()!.version]);
  });

  test("fetches a segment once for all who ask, also at the same time", async () => {
    feed(0, 4);
    update();
    const { name } = remote.timeline().segments[0]!;
    const bodies = await Promise.all([remote.segment(name, SELECTION), remote.segment(name, SELECTION)]);
    assert.equal(bodies[0], bodies[1]);
    assert.equal(await remote.segment(name, SELECTION), bodies[0]);
    assert.deepEqual(fetched, [name]);
    assert.deepEqual(bytesOf(bodies[0]), bytesOf(home.segment(name, SELECTION)));
    assert.ok(bodies[0]![1]!.buffer instanceof SharedArrayBuffer);
  });

  test("keeps what it fetched while the segment slides out of the list, and forgets it after that", async () => {
    feed(0, 4);
    update();
    const { name } = remote.timeline().segments[0]!;
    await remote.segment(name, SELECTION);
    feed(4, 7);
    update();
    assert.ok(remote.timeline().segments.every((segment) => segment.name !== name));
    await remote.segment(name, SELECTION);
    assert.deepEqual(fetched, [name]);
    feed(7, 10);
    update();
    assert.equal(await remote.segment(name, SELECTION), null);
    assert.deepEqual(fetched, [name, name]);
  });

  test("asks again for a segment whose fetching failed", async () => {
    let fails = true;
    remote = new RemoteWindow((name, selection) =>
      fails ? Promise.reject(new Error("gone")) : Promise.resolve(home.segment(name, selection)),
    );
    feed(0, 4);
    update();
    const { name } = remote.timeline().segments[0]!;
    await assert.rejects(async () => remote.segment(name, SELECTION), /gone/);
    fails = false;
    assert.ok((await remote.segment(name, SELECTION)) !== null);
  });

  test("is told of changes when they come: readiness, each new segment, the end", async () => {
    let told = 0;
    const wait = async (version: number): Promise<void> => {
      await home.whenChanged(version);
      told++;
    };
    const ready = wait(0);
    feed(0, 2);
    assert.equal(told, 0);
    feed(2, 3);
    await ready;
    const version = home.snapshot()!.version;
    const next = wait(version);
    feed(3, 4);
    await next;
    const last = wait(home.snapshot()!.version);
    home.onEnd();
    await last;
    assert.deepEqual([told, home.hasEnded], [3, true]);
  });
});
