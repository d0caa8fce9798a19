import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { needs } from "../../../test/support/tools.ts";
import { concatBytes } from "../../base/bytes.ts";
import { FlvFileReader } from "./file-reader.ts";
import type { FlvTag } from "./file-reader.ts";
import { FLV_TAG, buildFlvHeader, buildFlvTag, flvTagBytes, writeFlvTag } from "./file-writer.ts";
import { buildConfigBody, buildFrameBody } from "./tag-writer.ts";

const body = (length: number): Uint8Array => new Uint8Array(length).map((_, index) => index & 0xff);

const tags: FlvTag[] = [
  { type: FLV_TAG.script, timestampMs: 0, body: body(3) },
  { type: FLV_TAG.video, timestampMs: 0xffffff, body: body(20) },
  { type: FLV_TAG.audio, timestampMs: 0x1000000, body: body(0) },
  { type: FLV_TAG.audio, timestampMs: 0xffffffff, body: body(1) },
];
const file = concatBytes([
  buildFlvHeader(true, true),
  ...tags.map((tag) => buildFlvTag(tag.type, tag.timestampMs, tag.body)),
]);

function readAll(reader: FlvFileReader, bytes: Uint8Array): FlvTag[] {
  const found: FlvTag[] = [];
  reader.feed(bytes);
  for (let tag = reader.next(); tag !== null; tag = reader.next()) found.push(tag);
  return found;
}

test("what is written is read back", () => {
  assert.deepEqual(readAll(new FlvFileReader(), file), tags);
});

test("the header says which kinds of tags follow", () => {
  assert.equal(buildFlvHeader(true, false)[4], 1);
  assert.equal(buildFlvHeader(false, true)[4], 4);
});

test("a longer file header is passed over", () => {
  const longer = concatBytes([
    Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0),
    file.subarray(13),
  ]);
  assert.deepEqual(readAll(new FlvFileReader(), longer), tags);
});

test("every cut, and single bytes, give the same tags", () => {
  for (let cut = 0; cut <= file.byteLength; cut++) {
    const reader = new FlvFileReader();
    const got = [...readAll(reader, file.subarray(0, cut)), ...readAll(reader, file.subarray(cut))];
    assert.deepEqual(got, tags, `cut at ${cut}`);
  }
  const reader = new FlvFileReader();
  assert.deepEqual(
    [...file].flatMap((byte) => readAll(reader, Uint8Array.of(byte))),
    tags,
  );
});

test("a tag body does not change with the buffer that it came in", () => {
  const buffer = Buffer.from(file);
  const [first] = readAll(new FlvFileReader(), buffer);
  buffer.fill(0);
  assert.deepEqual(first?.body, tags[0]!.body);
});

test("a tag leaves room for a header to be written in place", () => {
  const out = new Uint8Array(3 + flvTagBytes(3)).fill(0xee);
  writeFlvTag(out, 3, { type: FLV_TAG.video, timestampMs: 1 }, Uint8Array.of(9), 2);
  const tag = [9, 0, 0, 3, 0, 0, 1, 0, 0, 0, 0, 0xee, 0xee, 9, 0, 0, 0, 14];
  assert.deepEqual([...out], [0xee, 0xee, 0xee, ...tag]);
});

test("what is not FLV is refused", () => {
  for (const start of [
    "464c5702050000000900000000",
    "464c5601050000000800000000",
    "464c56010500ffffff00000000",
  ]) {
    const bytes = Uint8Array.from(Buffer.from(start, "hex"));
    assert.throws(() => readAll(new FlvFileReader(), bytes), { code: "FLV_FILE_SIGNATURE" });
  }
});

test("a tag over the limit is refused when its length is known", () => {
  assert.throws(() => readAll(new FlvFileReader(10), file.subarray(0, 45)), {
    code: "FLV_FILE_TAG_TOO_BIG",
  });
});

test("ffprobe finds the tracks and times of a file that we wrote", { skip: needs("ffmpeg") }, () => {
  const video = videoTrack();
  const audio = audioTrack();
  const frame = (isKey: boolean, ctsOffsetMs: number): Uint8Array =>
    buildFrameBody(video, { isKey, ctsOffsetMs }, Uint8Array.of(0, 0, 0, 1, isKey ? 0x65 : 0x41));
  const chunks = [
    buildFlvHeader(true, true),
    buildFlvTag(FLV_TAG.video, 0, buildConfigBody(video)!),
    buildFlvTag(FLV_TAG.audio, 0, buildConfigBody(audio)!),
    buildFlvTag(FLV_TAG.video, 0, frame(true, 80)),
    buildFlvTag(
      FLV_TAG.audio,
      5,
      buildFrameBody(audio, { isKey: true, ctsOffsetMs: 0 }, Uint8Array.of(0x21, 0x10)),
    ),
    buildFlvTag(FLV_TAG.video, 40, frame(false, -10)),
  ];
  const folder = mkdtempSync(join(tmpdir(), "weir-flv-"));
  const path = join(folder, "a.flv");
  writeFileSync(path, concatBytes(chunks));
  const args = ["-v", "quiet", "-show_entries", "packet=codec_type,pts,dts", "-of", "csv=p=0", path];
  const lines = execFileSync("ffprobe", args, { encoding: "utf8" }).trim().split("\n");
  rmSync(folder, { recursive: true });
  assert.deepEqual(lines.toSorted(), ["audio,5,5", "video,30,40", "video,80,0"]);
});
