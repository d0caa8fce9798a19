import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FakePublisher } from "../../../test/support/fake-directory.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { concatBytes } from "../../base/bytes.ts";
import { silentLogger } from "../../base/log.ts";
import { buildConfigBody, buildFrameBody } from "../../containers/flv/tag-writer.ts";
import type { Track } from "../../media/track.ts";
import { MAX_TRACKS_PER_KIND, RtmpIngest, TRACK_WAIT } from "./to-stream.ts";
import { amfObject } from "./wire/amf-value.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { writeAmf0 } from "./wire/amf0.ts";
import { MESSAGE } from "./wire/messages.ts";

const video = videoTrack();
const audio = audioTrack();
const otherVideo = videoTrack({
  config: Uint8Array.from(video.config, (byte, index) => (index === 3 ? byte + 1 : byte)),
});
const IDR = Uint8Array.of(0, 0, 0, 2, 0x65, 0x88);
const INTER = Uint8Array.of(0, 0, 0, 2, 0x41, 0x9a);
const SOUND = Uint8Array.of(0x21, 0x10, 0x04);
/** MPEG-1 layer III, 128 kbit/s: 44.1 kHz stereo, and 48 kHz mono. */
const MP3_FRAME = Uint8Array.of(0xff, 0xfb, 0x90, 0x00, 0, 0, 0);
const MP3_MONO_48K = Uint8Array.of(0xff, 0xfb, 0x94, 0xc0, 0, 0, 0);

class Source {
  readonly publisher = new FakePublisher();
  readonly ingest = new RtmpIngest(this.publisher, silentLogger);

  send(typeId: number, timestampMs: number, body: Uint8Array): this {
    this.ingest.message(
      { typeId, timestampMs: timestampMs >>> 0, messageStreamId: 1, body, slab: null },
      0,
    );
    return this;
  }
  config(track: Track, atMs = 0): this {
    return this.send(track.kind === "video" ? MESSAGE.video : MESSAGE.audio, atMs, buildConfigBody(track)!);
  }
  picture(atMs: number, payload = IDR, ctsOffsetMs = 0): this {
    return this.send(MESSAGE.video, atMs, buildFrameBody(video, { isKey: true, ctsOffsetMs }, payload));
  }
  sound(atMs: number, track: Track = audio, payload = SOUND): this {
    return this.send(MESSAGE.audio, atMs, buildFrameBody(track, { isKey: true, ctsOffsetMs: 0 }, payload));
  }
  metadata(fields: Record<string, AmfValue>, ...front: string[]): this {
    return this.send(
      MESSAGE.dataAmf0,
      0,
      writeAmf0([...front, "onMetaData", amfObject(fields, "ecma-array")]),
    );
  }
  sets(): string[] {
    return this.publisher.trackSets.map((tracks) =>
      tracks.map((track) => `${track.id}:${track.codec}`).join(" "),
    );
  }
  times(id: string): number[] {
    return this.publisher.of(id).map((packet) => packet.dts);
  }
}

test("both sequence headers settle the tracks, and packets that waited follow in order", () => {
  const source = new Source().config(video).picture(0).picture(40, INTER);
  assert.deepEqual(source.sets(), []);
  source.config(audio).sound(0);
  assert.deepEqual(source.sets(), ["v1:h264 a1:aac"]);
  assert.deepEqual(
    source.publisher.packets.map((packet) => packet.track.id),
    ["v1", "v1", "a1"],
  );
  assert.deepEqual(
    source.publisher.packets.map((packet) => packet.isSync),
    [true, false, true],
  );
});

test("milliseconds become 90 kHz ticks, composition times are signed", () => {
  const source = new Source().config(audio).config(video).picture(1000, IDR, 80).picture(1040, INTER, 40);
  const [first, second] = source.publisher.of("v1");
  assert.deepEqual([first!.dts, first!.pts], [90_000, 97_200]);
  assert.deepEqual([second!.dts, second!.pts], [93_600, 97_200]);
});

test("audio stands on the exact sample grid", () => {
  const source = new Source().config(video).config(audio);
  for (let index = 0; index < 100; index++) source.sound(Math.round((index * 1024) / 48));
  assert.deepEqual(
    source.times("a1"),
    Array.from({ length: 100 }, (_, index) => index * 1024),
  );
  assert.ok(source.publisher.of("a1").every((packet) => packet.durationTicks === 1024));
});

test("metadata that names one kind ends the waiting for the other", () => {
  const cases = [
    { fields: { videocodecid: 7 }, packets: 1 },
    { fields: { videocodecid: "avc1" }, packets: 1 },
    { fields: { hasVideo: true, hasAudio: false }, packets: 1 },
    { fields: { videocodecid: 7, audiocodecid: 10 }, packets: 0 },
    { fields: { title: "x" }, packets: 0 },
  ];
  for (const { fields, packets } of cases) {
    const source = new Source().metadata(fields, "@setDataFrame").config(video).picture(0);
    assert.equal(source.publisher.packets.length, packets, JSON.stringify(fields));
  }
  const audioOnly = new Source().metadata({ audiocodecid: 10 }).config(audio).sound(0);
  assert.deepEqual(audioOnly.sets(), ["a1:aac"]);
});

test("a second of one kind alone is enough", () => {
  const source = new Source().config(video);
  for (let atMs = 0; atMs < TRACK_WAIT.mediaMs; atMs += 40) source.picture(atMs);
  assert.deepEqual(source.sets(), []);
  source.picture(TRACK_WAIT.mediaMs);
  assert.deepEqual(source.sets(), ["v1:h264"]);
  assert.equal(source.publisher.packets.length, 26);
});

test("packets that wait are bounded in number and in bytes", () => {
  const many = new Source().config(video);
  for (let i = 0; i < TRACK_WAIT.packets - 1; i++) many.picture(i);
  assert.equal(many.publisher.packets.length, 0);
  many.picture(TRACK_WAIT.packets);
  assert.equal(many.publisher.packets.length, TRACK_WAIT.packets);
  const nal = new Uint8Array(TRACK_WAIT.bytes);
  new DataView(nal.buffer).setUint32(0, nal.byteLength - 4);
  nal[4] = 0x65;
  const big = new Source().config(video).picture(0, nal);
  assert.equal(big.publisher.packets.length, 1);
});

test("a track that comes late makes a new set, in front of its first packet", () => {
  const source = new Source()
    .metadata({ videocodecid: 7 })
    .config(video)
    .picture(0)
    .config(audio)
    .picture(40, INTER);
  source.sound(50);
  assert.deepEqual(source.sets(), ["v1:h264", "v1:h264 a1:aac"]);
  assert.deepEqual(source.publisher.setsBefore, [1, 2, 2]);
});

test("the same sequence header again changes nothing, another one makes a new set", () => {
  const source = new Source()
    .config(audio)
    .config(video)
    .picture(0)
    .config(video)
    .config(audio)
    .picture(40);
  assert.equal(source.publisher.trackSets.length, 1);
  source.config(otherVideo).config(audio).picture(80);
  assert.equal(source.publisher.trackSets.length, 2);
  assert.deepEqual(source.publisher.packets.at(-1)?.track, source.publisher.trackSets[1]![0]);
});

test("a configuration that changes while packets wait comes after them", () => {
  const source = new Source().config(video).picture(0).config(otherVideo).picture(40);
  assert.equal(source.publisher.trackSets.length, 2);
  assert.deepEqual(source.publisher.setsBefore, [1, 2]);
  const [before, after] = source.publisher.packets;
  assert.equal(before!.track, source.publisher.trackSets[0]![0]);
  assert.equal(after!.track, source.publisher.trackSets[1]![0]);
});

test("MP3 needs no sequence header, and another sampling rate is another track", () => {
  const mp3 = audioTrack({ codec: "mp3" });
  const source = new Source()
    .metadata({ audiocodecid: 2 })
    .sound(0, mp3, MP3_FRAME)
    .sound(26, mp3, MP3_FRAME);
  assert.equal(source.publisher.trackSets[0]![0]!.sampleRate, 44_100);
  assert.deepEqual(source.times("a1"), [0, 1152]);
  source.sound(52, mp3, MP3_MONO_48K);
  assert.deepEqual(
    source.publisher.trackSets.map(([track]) => [track!.sampleRate, track!.channels]),
    [
      [44_100, 2],
      [48_000, 1],
    ],
  );
});

test("times go on over the wrap of 32 bits, for both kinds alike", () => {
  const wrap = 2 ** 32;
  const source = new Source().config(video).config(audio, wrap - 20);
  source
    .sound(wrap - 20)
    .picture(wrap - 20)
    .picture(wrap + 20)
    .sound(wrap + 1);
  const [first, second] = source.times("v1");
  assert.equal(second! - first!, 3600);
  const [early, late] = source.times("a1");
  assert.equal(late! - early!, 1024);
});

test("pictures of the same millisecond keep their order, and a jump back of a second stands", () => {
  const source = new Source()
    .config(audio)
    .config(video)
    .picture(5000)
    .picture(5000, INTER)
    .picture(4990, INTER);
  source.picture(10);
  assert.deepEqual(source.times("v1"), [450_000, 450_001, 450_002, 900]);
  assert.ok(source.publisher.packets.every((packet) => packet.pts >= packet.dts));
});

test("the bitstream says where a decoder may start, not the flag", () => {
  const source = new Source().config(audio).config(video).picture(0, INTER);
  assert.equal(source.publisher.packets[0]!.isSync, false);
});

test("length fields of two bytes are rewritten to four", () => {
  const config = video.config.slice();
  config[4]! &= 0xfd;
  const source = new Source().config(audio).config(videoTrack({ config }));
  source.picture(0, Uint8Array.of(0, 2, 0x65, 0x88, 0, 1, 0x06));
  assert.deepEqual([...source.publisher.packets[0]!.payload], [0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 1, 0x06]);
});

test("what cannot be read is counted and dropped, and the rest goes on", () => {
  const source = new Source().picture(0).config(audio).config(video);
  const bad: [number, Uint8Array][] = [
    [MESSAGE.video, Uint8Array.of(0x17)],
    [MESSAGE.video, Uint8Array.of(0x22, 1)],
    [MESSAGE.audio, Uint8Array.of(0xb2, 1)],
    [MESSAGE.audio, Uint8Array.of(0xaf, 0)],
    [MESSAGE.dataAmf0, Uint8Array.of(2, 255)],
    [MESSAGE.aggregate, Uint8Array.of(8, 0)],
    [
      MESSAGE.video,
      buildFrameBody(video, { isKey: true, ctsOffsetMs: 0 }, Uint8Array.of(0, 0, 0, 9, 0x65)),
    ],
  ];
  for (const [typeId, body] of bad) source.send(typeId, 0, body);
  source.picture(40);
  assert.deepEqual(source.ingest.stats(), { packets: 1, skipped: bad.length + 1 });
});

test("a broken configuration is worth the session", () => {
  const broken = concatBytes([Uint8Array.of(0x17, 0, 0, 0, 0), Uint8Array.of(9, 9)]);
  assert.throws(() => new Source().send(MESSAGE.video, 0, broken), { code: "CODEC_BAD_CONFIG" });
});

test("messages inside an aggregate count like their own", () => {
  const tag = (type: number, body: Uint8Array, atMs: number): Uint8Array =>
    concatBytes([
      Uint8Array.of(type, 0, 0, body.byteLength, 0, 0, atMs, 0, 0, 0, 0),
      body,
      new Uint8Array(4),
    ]);
  const frame = buildFrameBody(video, { isKey: true, ctsOffsetMs: 0 }, IDR);
  const source = new Source().config(audio).config(video);
  source.send(MESSAGE.aggregate, 1000, concatBytes([tag(9, frame, 10), tag(9, frame, 50)]));
  assert.deepEqual(source.times("v1"), [90_000, 93_600]);
});

test("tracks of a multitrack publisher are v1, v2 and so on, up to a bound", () => {
  const fourCc = Buffer.from("avc1");
  const multi = (packetType: number, index: number, rest: Uint8Array): Uint8Array =>
    concatBytes([Uint8Array.of(0x96, packetType), fourCc, Uint8Array.of(index), rest]);
  const source = new Source().config(audio);
  for (const index of [0, 1, MAX_TRACKS_PER_KIND]) {
    source.send(MESSAGE.video, 0, multi(0, index, video.config));
  }
  for (const index of [0, 1]) source.send(MESSAGE.video, 0, multi(3, index, IDR));
  assert.deepEqual(source.sets(), ["v1:h264 v2:h264 a1:aac"]);
  assert.deepEqual(
    source.publisher.packets.map((packet) => packet.track.id),
    ["v1", "v2"],
  );
  assert.equal(source.ingest.stats().skipped, 1);
});

test("a publisher that leaves early still delivers what waited", () => {
  const source = new Source().config(video).picture(0);
  source.ingest.close("gone");
  assert.equal(source.publisher.packets.length, 1);
  assert.deepEqual(source.publisher.closes, ["gone"]);
});

test("a publisher that sent nothing leaves no tracks", () => {
  const source = new Source();
  source.ingest.close("gone");
  assert.deepEqual(source.publisher.trackSets, []);
});

/** Configuration records and frames of codecs that only Enhanced RTMP carries, as other tools made them. */
const vector = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../../../test/vectors/codecs/${name}.bin`, import.meta.url)));
const enhanced = (first: number, fourCc: string, ...rest: readonly Uint8Array[]): Uint8Array =>
  concatBytes([Uint8Array.of(first), Buffer.from(fourCc), ...rest]);

test("H.265 by Enhanced RTMP becomes a track, with and without composition times", () => {
  const idr = Uint8Array.of(0, 0, 0, 3, 0x26, 0x01, 0xaf);
  const inter = Uint8Array.of(0, 0, 0, 3, 0x02, 0x01, 0xd0);
  const source = new Source()
    .config(audio)
    .send(MESSAGE.video, 0, enhanced(0x90, "hvc1", vector("hvcc-main-1080")));
  source.send(MESSAGE.video, 0, enhanced(0x93, "hvc1", idr));
  source.send(MESSAGE.video, 40, enhanced(0xa1, "hvc1", Uint8Array.of(0, 0, 40), inter));
  const [track] = source.publisher.trackSets[0]!;
  assert.deepEqual([track!.codec, track!.width, track!.height], ["h265", 1920, 1080]);
  const packets = source.publisher.of("v1");
  assert.deepEqual(
    packets.map(({ dts, pts, isSync }) => [dts, pts, isSync]),
    [
      [0, 0, true],
      [3600, 7200, false],
    ],
  );
  assert.deepEqual(packets[1]!.payload, inter);
});

test("AV1 by Enhanced RTMP becomes a track, with nanoseconds added to its times", () => {
  const source = new Source()
    .config(audio)
    .send(MESSAGE.video, 0, enhanced(0x90, "av01", vector("av1c-main-360")));
  const frame = Uint8Array.of(0x12, 0x00, 0x32, 0x01, 0x10);
  const nano = concatBytes([Uint8Array.of(0x97, 2, 0x07, 0xa1, 0x20, 0x01), Buffer.from("av01"), frame]);
  source.send(MESSAGE.video, 10, nano);
  const [packet] = source.publisher.of("v1");
  assert.deepEqual(
    [packet!.track.codec, packet!.track.width, packet!.dts, packet!.pts],
    ["av1", 640, 900, 945],
  );
  assert.deepEqual(
    [...packet!.payload],
    [0x32, 0x01, 0x10],
    "the temporal delimiter is no part of a sample",
  );
});

test("Opus by Enhanced RTMP becomes a track", () => {
  const source = new Source().metadata({ audiocodecid: 0x4f707573 });
  source.send(MESSAGE.audio, 0, enhanced(0x90, "Opus", vector("opushead-stereo")));
  source.send(MESSAGE.audio, 0, enhanced(0x91, "Opus", Uint8Array.of(0xfc, 1)));
  source.send(MESSAGE.audio, 20, enhanced(0x91, "Opus", Uint8Array.of(0xfc, 1)));
  assert.deepEqual(source.sets(), ["a1:opus"]);
  assert.deepEqual(source.times("a1"), [0, 960]);
});

test("AC-3 and E-AC-3 by Enhanced RTMP need no sequence header", () => {
  for (const [name, fourCc, codec] of [
    ["ac3-48000-stereo", "ac-3", "ac3"],
    ["eac3-48000-5.1", "ec-3", "eac3"],
  ] as const) {
    const source = new Source().metadata({ audiocodecid: 1 });
    const body = enhanced(0x91, fourCc, vector(name));
    source.send(MESSAGE.audio, 0, body).send(MESSAGE.audio, 32, body);
    assert.deepEqual(source.sets(), [`a1:${codec}`]);
    assert.deepEqual(source.times("a1"), [0, 1536]);
  }
});

test("frames of self-describing codecs that are cut anywhere are dropped or taken, and never end the session", () => {
  for (const [name, fourCc] of [
    ["ac3-48000-stereo", "ac-3"],
    ["eac3-48000-5.1", "ec-3"],
    ["mp3-mpeg1-44100-stereo", ".mp3"],
  ] as const) {
    for (let lengthBytes = 1; lengthBytes < 64; lengthBytes++) {
      const source = new Source().metadata({ audiocodecid: 1 });
      source.send(MESSAGE.audio, 0, enhanced(0x91, fourCc, vector(name).subarray(0, lengthBytes)));
      const { packets, skipped } = source.ingest.stats();
      assert.equal(packets + skipped, 1, `${name} cut at ${lengthBytes}`);
    }
  }
});
