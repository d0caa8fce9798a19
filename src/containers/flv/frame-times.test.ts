import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, mediaPacket, videoTrack } from "../../../test/support/media.ts";
import { configurationMs, frameTimes } from "./frame-times.ts";

const track = videoTrack();

test("times count from the stream's beginning, the offset of presentation is signed", () => {
  const packet = mediaPacket({ track, dts: 270_000, pts: 266_400, isSync: false });
  const flags = { isKey: false, ctsOffsetMs: -40 };
  assert.deepEqual(frameTimes(packet, 1_000_000), { timestampMs: 2000, flags });
  assert.equal(configurationMs(3_000_000, 1_000_000), 2000);
});

test("what lies before the beginning has time zero and keeps its offset", () => {
  const packet = mediaPacket({ track, dts: 88_000, pts: 91_600 });
  assert.deepEqual(frameTimes(packet, 1_000_000), {
    timestampMs: 0,
    flags: { isKey: true, ctsOffsetMs: 40 },
  });
  assert.equal(configurationMs(900_000, 1_000_000), 0);
});

test("times that came as rounded milliseconds of audio leave as the same ones", () => {
  const audio = audioTrack();
  for (let index = 0; index < 2000; index++) {
    const packet = mediaPacket({ track: audio, dts: index * 1024 });
    assert.equal(frameTimes(packet, 0).timestampMs, Math.round((index * 1024) / 48));
  }
});
