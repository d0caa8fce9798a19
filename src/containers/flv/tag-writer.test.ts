import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import type { Track } from "../../media/track.ts";
import { parseAudioTag } from "./audio-tag.ts";
import { buildConfigBody, buildFrameBody, canCarry, metadataCodecId } from "./tag-writer.ts";
import { parseVideoTag } from "./video-tag.ts";

const hex = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString("hex");
const payload = Uint8Array.of(0xaa, 0xbb);
const config = Uint8Array.of(1, 2);
const key = { isKey: true, ctsOffsetMs: 0 };

const tracks: { track: Track; config: string | null; frame: string; id: number }[] = [
  { track: videoTrack({ config }), config: "17000000000102", frame: "1701000000aabb", id: 7 },
  {
    track: videoTrack({ codec: "h265", config }),
    config: "90687663310102",
    frame: "9368766331aabb",
    id: 0x68766331,
  },
  {
    track: videoTrack({ codec: "av1", config }),
    config: "90617630310102",
    frame: "9161763031aabb",
    id: 0x61763031,
  },
  { track: audioTrack({ config }), config: "af000102", frame: "af01aabb", id: 10 },
  {
    track: audioTrack({ codec: "opus", config }),
    config: "904f7075730102",
    frame: "914f707573aabb",
    id: 0x4f707573,
  },
  { track: audioTrack({ codec: "ac3", config }), config: null, frame: "9161632d33aabb", id: 0x61632d33 },
  { track: audioTrack({ codec: "eac3", config }), config: null, frame: "9165632d33aabb", id: 0x65632d33 },
  { track: audioTrack({ codec: "mp3", sampleRate: 44_100 }), config: null, frame: "2faabb", id: 2 },
  {
    track: audioTrack({ codec: "mp3", sampleRate: 22_050, channels: 1 }),
    config: null,
    frame: "2aaabb",
    id: 2,
  },
  {
    track: audioTrack({ codec: "mp3", sampleRate: 11_025, channels: 1 }),
    config: null,
    frame: "26aabb",
    id: 2,
  },
  {
    track: audioTrack({ codec: "mp3", sampleRate: 8000, channels: 1 }),
    config: null,
    frame: "e2aabb",
    id: 2,
  },
];

for (const { track, config: expectedConfig, frame, id } of tracks) {
  const parse = track.kind === "video" ? parseVideoTag : parseAudioTag;

  test(`${track.codec} at ${track.sampleRate} Hz is written in its form and read back`, () => {
    assert.equal(hex(buildConfigBody(track)), expectedConfig);
    const body = buildFrameBody(track, key, payload);
    assert.equal(hex(body), frame);
    const [unit] = parse(body);
    assert.ok(unit?.type === "frame");
    assert.deepEqual([unit.codec, hex(unit.payload), unit.isKey], [track.codec, "aabb", true]);
    assert.equal(metadataCodecId(track), id);
  });
}

test("composition times are written, negative ones too", () => {
  for (const codec of ["h264", "h265"] as const) {
    for (const ctsOffsetMs of [40, -40]) {
      const [unit] = parseVideoTag(
        buildFrameBody(videoTrack({ codec }), { isKey: false, ctsOffsetMs }, payload),
      );
      assert.ok(unit?.type === "frame");
      assert.deepEqual([unit.ctsOffsetMs, unit.isKey, hex(unit.payload)], [ctsOffsetMs, false, "aabb"]);
    }
  }
});

test("text tracks have no form in FLV", () => {
  assert.equal(canCarry(videoTrack({ codec: "webvtt", kind: "text" })), false);
  assert.equal(canCarry(audioTrack()), true);
});
