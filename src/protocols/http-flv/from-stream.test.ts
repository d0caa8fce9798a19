import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { audioTrack, mediaPacket, trackSet, videoTrack } from "../../../test/support/media.ts";
import { needs } from "../../../test/support/tools.ts";
import { packetBytes } from "../../../test/support/wire-room.ts";
import { concatBytes } from "../../base/bytes.ts";
import { parseAudioTag } from "../../containers/flv/audio-tag.ts";
import { FlvFileReader } from "../../containers/flv/file-reader.ts";
import type { FlvTag } from "../../containers/flv/file-reader.ts";
import { FLV_TAG, buildFlvHeader } from "../../containers/flv/file-writer.ts";
import { parseVideoTag } from "../../containers/flv/video-tag.ts";
import { trackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import { flvFormat } from "./from-stream.ts";

const video = videoTrack();
const audio = audioTrack();

function read(bytes: Uint8Array): FlvTag[] {
  const reader = new FlvFileReader();
  reader.feed(concatBytes([buildFlvHeader(true, true), bytes]));
  const tags: FlvTag[] = [];
  for (let tag = reader.next(); tag !== null; tag = reader.next()) tags.push(tag);
  return tags;
}

function send(packet: MediaPacket, originUs = 0): FlvTag {
  const bytes = packetBytes(flvFormat.create(originUs), packet);
  assert.ok(bytes !== null);
  const [tag, ...others] = read(bytes);
  assert.deepEqual(others, []);
  return tag!;
}

test("the file header says which kinds of tracks there are", () => {
  const format = flvFormat.create(0);
  assert.equal(format.preamble!(trackSet())[4], 5);
  assert.equal(format.preamble!(trackSet([video]))[4], 1);
  assert.equal(format.preamble!(trackSet([audio]))[4], 4);
  const text = videoTrack({ id: trackId("text", 1), kind: "text", codec: "webvtt" });
  assert.equal(format.preamble!(trackSet([audio, text]))[4], 4);
});

test("the configuration is metadata and sequence headers, these at the time of the epoch", () => {
  const tags = read(flvFormat.create(0).tracks(trackSet(), 7_000_000));
  assert.deepEqual(
    tags.map(({ type, timestampMs }) => [type, timestampMs]),
    [
      [FLV_TAG.script, 0],
      [FLV_TAG.video, 7000],
      [FLV_TAG.audio, 7000],
    ],
  );
  assert.deepEqual(parseVideoTag(tags[1]!.body)[0]?.type, "config");
  assert.deepEqual(parseAudioTag(tags[2]!.body)[0]?.type, "config");
});

test("a packet is one tag with its time from the stream's beginning", () => {
  const packet = mediaPacket({ track: video, dts: 270_000, pts: 273_600 });
  const tag = send(packet, 1_000_000);
  assert.deepEqual([tag.type, tag.timestampMs], [FLV_TAG.video, 2000]);
  const [unit] = parseVideoTag(tag.body);
  assert.ok(unit?.type === "frame");
  assert.deepEqual([unit.ctsOffsetMs, unit.isKey], [40, true]);
  assert.deepEqual(unit.payload, packet.payload);
});

test("a packet from before the beginning has time zero", () => {
  assert.equal(send(mediaPacket({ track: video, dts: 88_000, pts: 88_000 }), 1_000_000).timestampMs, 0);
});

test("times beyond 24 and 32 bits are written", () => {
  for (const atMs of [0xffffff, 0x1000000, 2 ** 32 - 1, 2 ** 32 + 5]) {
    assert.equal(send(mediaPacket({ track: video, dts: atMs * 90 })).timestampMs, atMs % 2 ** 32);
  }
});

test("every codec goes out in a form that is read back", () => {
  for (const codec of ["h264", "h265", "av1"] as const) {
    const tag = send(mediaPacket({ track: videoTrack({ codec }) }));
    assert.equal(parseVideoTag(tag.body)[0]?.codec, codec);
  }
  for (const codec of ["aac", "mp3", "opus", "ac3", "eac3"] as const) {
    const tag = send(mediaPacket({ track: audioTrack({ codec }), payload: Uint8Array.of(1, 2) }));
    assert.equal(parseAudioTag(tag.body)[0]?.codec, codec);
  }
});

test("text, and tracks beyond the first of a kind, are not carried", () => {
  const format = flvFormat.create(0);
  const track = videoTrack({ id: trackId("video", 2) });
  assert.equal(packetBytes(format, mediaPacket({ track })), null);
  assert.equal(read(format.tracks(trackSet([video, track]), 0)).length, 2);
});

test("ffprobe finds tracks, metadata and times", { skip: needs("ffmpeg") }, () => {
  const format = flvFormat.create(0);
  const packets = [0, 1, 2].flatMap((index) => [
    mediaPacket({ track: video, dts: index * 3600, isSync: index === 0 }),
    mediaPacket({ track: audio, dts: index * 1920, payload: Uint8Array.of(0x21, 0x10) }),
  ]);
  const file = concatBytes([
    format.preamble!(trackSet()),
    format.tracks(trackSet(), 0),
    ...packets.map((packet) => packetBytes(format, packet)!),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "weir-flv-"));
  const path = join(folder, "a.flv");
  writeFileSync(path, file);
  const entries = "stream=codec_name:packet=codec_type,dts:format_tags=server";
  const args = ["-v", "quiet", "-show_entries", entries, "-of", "csv=p=0", path];
  const lines = execFileSync("ffprobe", args, { encoding: "utf8" }).trim().split("\n");
  rmSync(folder, { recursive: true });
  const times = ["audio,0", "audio,40", "audio,80", "video,0", "video,40", "video,80"];
  assert.deepEqual(lines.toSorted(), [...times, "Weir", "aac", "h264"].toSorted());
});
