import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { audioTrack, livePackets, mediaPacket, sourcePacket, trackSet, videoTrack } from "./media.ts";

describe("the media builders", () => {
  test("make tracks, packets and sets that fit together and can be changed", () => {
    assert.equal(trackSet().reference.id, "v1");
    assert.equal(trackSet([audioTrack()], 7).epoch, 7);
    assert.equal(videoTrack({ width: 1920 }).width, 1920);
    assert.equal(mediaPacket({ dts: 90_000, isSync: false }).pts, 90_000);
    assert.equal(mediaPacket({ dts: 90_000, isSync: false }).startsGop, false);
    assert.deepEqual(Object.keys(sourcePacket()), [
      "track",
      "dts",
      "pts",
      "durationTicks",
      "isSync",
      "payload",
    ]);
  });

  test("make a steady source with GOPs, in decode order", () => {
    const packets = livePackets({ durationMs: 2000, gopPictures: 10 });
    const pictures = packets.filter(({ track }) => track.kind === "video");
    assert.equal(pictures.length, 50);
    assert.equal(pictures.filter(({ isSync }) => isSync).length, 5);
    assert.equal(packets.length - pictures.length, Math.ceil((2 * 48_000) / 1024));
    const seconds = packets.map(({ dts, track }) => dts / track.timescale);
    assert.deepEqual(
      seconds,
      seconds.toSorted((a, b) => a - b),
    );
    assert.equal(livePackets({ durationMs: 1000, video: null, payloadBytes: 8 })[0]?.payload.byteLength, 8);
  });
});
