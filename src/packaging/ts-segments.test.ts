import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { audioTrack, livePackets, mediaPacket, videoTrack } from "../../test/support/media.ts";
import { concatBytes, totalBytes } from "../base/bytes.ts";
import type { HttpReply } from "../base/http-message.ts";
import { makeTrackSet } from "../media/track.ts";
import { DerivedBytes } from "./derived-bytes.ts";
import { LiveWindow } from "./live-window.ts";
import type { Presentation, TrackSelection } from "./presentation.ts";
import { RemoteWindow } from "./remote-window.ts";
import { tsSegmentReply } from "./ts-segments.ts";

const START_S = 1_767_225_600;
const video = videoTrack();
const audio = audioTrack();
const BOTH: TrackSelection = [video.id, audio.id];
const CHOICES: readonly TrackSelection[] = [BOTH, [video.id], [audio.id]];

let window: LiveWindow;

beforeEach(() => {
  window = new LiveWindow({ segmentDurationUs: 1e6, segmentCount: 3 });
  window.onTracks(makeTrackSet(1, [video, audio]));
  feed(0, 8);
});

/** Seconds of both tracks, a key frame in each. */
function feed(fromS: number, toS: number): void {
  for (const packet of livePackets({ durationMs: toS * 1000, payloadBytes: 5000 })) {
    const { dts, track } = packet;
    if (dts < fromS * track.timescale) continue;
    const moved = dts + START_S * track.timescale;
    const startsGop = packet.isSync && track.kind === "video";
    window.onPacket(
      mediaPacket({
        ...packet,
        track: track.kind === "video" ? video : audio,
        dts: moved,
        pts: moved,
        startsGop,
      }),
    );
  }
}

function replyOf(presentation: Presentation, name: string, selection: TrackSelection): HttpReply {
  const reply = tsSegmentReply({ name, selection }, presentation);
  assert.ok(!(reply instanceof Promise));
  assert.equal(reply.status, 200);
  return reply;
}

const nameAt = (index: number): string => window.timeline().segments.at(index)!.name;

test("a segment is made once for all who ask, and counts in the window as long as it is kept", () => {
  const ownBytes = window.bytes;
  const replies = CHOICES.map((selection) => replyOf(window, nameAt(-1), selection));
  const madeBytes = replies.reduce((sum, { body }) => sum + totalBytes(body), 0);
  assert.ok(madeBytes > 300_000, `${madeBytes}`);
  assert.equal(window.bytes, ownBytes + madeBytes);
  for (const [i, selection] of CHOICES.entries()) {
    assert.equal(replyOf(window, nameAt(-1), selection), replies[i]);
    assert.equal(replies[i]!.ownBytes, undefined);
  }
  assert.equal(window.bytes, ownBytes + madeBytes);
  feed(8, 14);
  assert.equal(window.bytes, ownBytes, "it went with its segment");
});

test("what is let go of counts no more, and is made again the same", () => {
  const ownBytes = window.bytes;
  const first = replyOf(window, nameAt(-1), BOTH);
  assert.equal(window.forgetDerived(), totalBytes(first.body));
  assert.deepEqual([window.bytes, window.forgetDerived()], [ownBytes, 0]);
  const second = replyOf(window, nameAt(-1), BOTH);
  assert.notEqual(second, first);
  assert.deepEqual(concatBytes(second.body), concatBytes(first.body));
});

test("shared memory for another thread takes the place of what was made, and the count follows", () => {
  const ownBytes = window.bytes;
  const name = nameAt(-1);
  replyOf(window, name, BOTH);
  window.sharedSegment(name, BOTH);
  assert.equal(window.bytes, ownBytes);
  const { body } = replyOf(window, name, BOTH);
  assert.equal(window.bytes, ownBytes + totalBytes(body));
});

test("where there is no room for it, a reply has its bytes for itself", () => {
  const full: Presentation = {
    timeline: () => window.timeline(),
    initName: () => "",
    initSegment: () => null,
    segment: (name, selection) => window.segment(name, selection),
    version: null,
    isResident: true,
    keepDerived: () => false,
  };
  const first = replyOf(full, nameAt(-1), BOTH);
  assert.equal(first.ownBytes, totalBytes(first.body));
  assert.notEqual(replyOf(full, nameAt(-1), BOTH), first);
  assert.equal(window.keepDerived("1", 1), false, "of a segment that is gone nothing is kept");
});

test("another thread counts what it makes, until the segment is gone", async () => {
  const remote = new RemoteWindow((name, selection) =>
    Promise.resolve(structuredClone(window.sharedSegment(name, selection))),
  );
  remote.update(structuredClone(window.snapshot()!));
  const ask = async (): Promise<HttpReply> => tsSegmentReply({ name: nameAt(-1), selection: BOTH }, remote);
  assert.equal(remote.derivedBytes, 0);
  const first = await ask();
  assert.equal(remote.derivedBytes, totalBytes(first.body));
  assert.equal(await ask(), first);
  feed(8, 16);
  remote.update(structuredClone(window.snapshot()!));
  feed(16, 24);
  remote.update(structuredClone(window.snapshot()!));
  feed(24, 32);
  remote.update(structuredClone(window.snapshot()!));
  assert.equal(remote.derivedBytes, 0);
});

test("beside a segment twice its bytes are kept, beside a short one 256 KiB", () => {
  for (const [segmentBytes, maxBytes] of [
    [0, 262_144],
    [100_000, 262_144],
    [1_000_000, 2_000_000],
  ] as const) {
    const derived = new DerivedBytes(segmentBytes);
    assert.equal(derived.take(maxBytes), true);
    assert.equal(derived.take(1), false);
    assert.equal(derived.bytes, maxBytes);
    derived.clear();
    assert.deepEqual([derived.bytes, derived.take(1)], [0, true]);
  }
});
