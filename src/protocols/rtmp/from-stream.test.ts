import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, mediaPacket, trackSet, videoTrack } from "../../../test/support/media.ts";
import { packetBytes } from "../../../test/support/wire-room.ts";
import { concatBytes } from "../../base/bytes.ts";
import { parseAudioTag } from "../../containers/flv/audio-tag.ts";
import { parseVideoTag } from "../../containers/flv/video-tag.ts";
import { trackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { TrackSet } from "../../media/track.ts";
import { SENT_CHUNK_BYTES, rtmpFormat } from "./from-stream.ts";
import { amfField } from "./wire/amf-value.ts";
import { ChunkReader } from "./wire/chunk-reader.ts";
import type { RtmpMessage } from "./wire/chunk-reader.ts";
import { MESSAGE, buildControlNumber, readData } from "./wire/messages.ts";
import { buildMessage } from "./wire/chunk-writer.ts";

const video = videoTrack();
const audio = audioTrack();
/** A media clock as the core has it: microseconds since 1970. */
const ORIGIN_US = 1_790_000_000_123_456;

function read(bytes: Uint8Array): RtmpMessage[] {
  const reader = new ChunkReader();
  const header = { chunkStreamId: 2, timestampMs: 0, typeId: 1, messageStreamId: 0 };
  reader.feed(concatBytes([buildMessage(header, buildControlNumber(SENT_CHUNK_BYTES), 128), bytes]));
  const messages: RtmpMessage[] = [];
  for (let message = reader.next(); message !== null; message = reader.next()) messages.push(message);
  return messages.slice(1);
}

function send(packet: MediaPacket, originUs = 0): RtmpMessage {
  const bytes = packetBytes(rtmpFormat.create(originUs), packet);
  assert.ok(bytes !== null);
  const [message] = read(bytes);
  return message!;
}

function headers(tracks: TrackSet): RtmpMessage[] {
  return read(rtmpFormat.create(0).tracks(tracks, 7_000_000));
}

test("the configuration is metadata and sequence headers, these at the time of the epoch", () => {
  const messages = headers(trackSet());
  assert.deepEqual(
    messages.map((message) => message.typeId),
    [MESSAGE.dataAmf0, MESSAGE.video, MESSAGE.audio],
  );
  assert.deepEqual(
    messages.map((message) => message.timestampMs),
    [0, 7000, 7000],
  );
  assert.ok(messages.every((message) => message.messageStreamId === 1));
  const [name, facts] = readData(messages[0]!);
  assert.equal(name, "onMetaData");
  const fields = [
    "videocodecid",
    "width",
    "height",
    "framerate",
    "audiocodecid",
    "audiosamplerate",
    "stereo",
  ];
  assert.deepEqual(
    fields.map((field) => amfField(facts, field)),
    [7, 64, 64, 25, 10, 48_000, true],
  );
  const [videoConfig] = parseVideoTag(messages[1]!.body);
  assert.deepEqual(videoConfig, { type: "config", codec: "h264", trackIndex: 0, config: video.config });
  const [audioConfig] = parseAudioTag(messages[2]!.body);
  assert.deepEqual(audioConfig, { type: "config", codec: "aac", trackIndex: 0, config: audio.config });
});

test("codecs without a sequence header have metadata only", () => {
  const messages = headers(trackSet([audioTrack({ codec: "mp3" })]));
  assert.deepEqual(
    messages.map((message) => message.typeId),
    [MESSAGE.dataAmf0],
  );
});

test("a packet is one message with its tag header and payload", () => {
  const packet = mediaPacket({ track: video, dts: 90_000, pts: 93_600 });
  const message = send(packet);
  assert.deepEqual(
    [message.typeId, message.timestampMs, message.messageStreamId],
    [MESSAGE.video, 1000, 1],
  );
  const [unit] = parseVideoTag(message.body);
  assert.ok(unit?.type === "frame");
  assert.deepEqual([unit.ctsOffsetMs, unit.isKey], [40, true]);
  assert.deepEqual(unit.payload, packet.payload);
});

test("a packet longer than a chunk is chunked once, bytes unchanged", () => {
  const payload = new Uint8Array(200_000).map((_, index) => (index * 17) & 0xff);
  const message = send(mediaPacket({ track: video, payload }));
  assert.ok(Buffer.from(message.body.subarray(5)).equals(payload));
});

test("every codec goes out in a form that is read back", () => {
  for (const codec of ["h264", "h265", "av1"] as const) {
    const message = send(mediaPacket({ track: videoTrack({ codec }) }));
    assert.equal(parseVideoTag(message.body)[0]?.codec, codec);
  }
  for (const codec of ["aac", "mp3", "opus", "ac3", "eac3"] as const) {
    const message = send(mediaPacket({ track: audioTrack({ codec }), payload: Uint8Array.of(1, 2) }));
    assert.equal(parseAudioTag(message.body)[0]?.codec, codec);
  }
});

test("text, and tracks beyond the first of a kind, are not carried", () => {
  const format = rtmpFormat.create(0);
  const text = videoTrack({ id: trackId("text", 1), kind: "text", codec: "webvtt" });
  for (const track of [
    text,
    videoTrack({ id: trackId("video", 2) }),
    audioTrack({ id: trackId("audio", 2) }),
  ]) {
    assert.equal(packetBytes(format, mediaPacket({ track })), null);
  }
  const messages = headers(trackSet([video, videoTrack({ id: trackId("video", 2) })]));
  assert.equal(messages.length, 2);
});

test("timestamps count from the stream's beginning", () => {
  const dts = Math.round((ORIGIN_US / 1_000_000 + 2) * 90_000);
  assert.equal(send(mediaPacket({ track: video, dts, pts: dts }), ORIGIN_US).timestampMs, 2000);
});

test("a packet from before the beginning has time zero, not the end of the clock", () => {
  const dts = 90_000 - 2000;
  const message = send(mediaPacket({ track: video, dts, pts: dts + 3600 }), 1_000_000);
  const [unit] = parseVideoTag(message.body);
  assert.equal(message.timestampMs, 0);
  assert.equal(unit?.type === "frame" && unit.ctsOffsetMs, 40);
});

test("timestamps are right at the extended mark and at the wrap of 32 bits", () => {
  for (const atMs of [0xfffffe, 0xffffff, 0x1000000, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5]) {
    const packet = mediaPacket({
      track: video,
      dts: atMs * 90,
      pts: atMs * 90,
      payload: new Uint8Array(130_000),
    });
    assert.equal(send(packet).timestampMs, atMs % 2 ** 32);
  }
});

test("times that came as rounded milliseconds of audio leave as the same ones", () => {
  for (let index = 0; index < 2000; index++) {
    const dts = index * 1024;
    const message = send(mediaPacket({ track: audio, dts, pts: dts, payload: Uint8Array.of(1) }));
    assert.equal(message.timestampMs, Math.round(dts / 48));
  }
});
