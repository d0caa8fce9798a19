import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeClip, probePackets } from "../../../test/support/ffmpeg.ts";
import { audioTrack, mediaPacket, trackSet, videoTrack } from "../../../test/support/media.ts";
import { needs } from "../../../test/support/tools.ts";
import { packetBytes } from "../../../test/support/wire-room.ts";
import { concatBytes, readFourCc, readI32, readU32, readU64 } from "../../base/bytes.ts";
import { FlvFileReader } from "../../containers/flv/file-reader.ts";
import { parseVideoTag } from "../../containers/flv/video-tag.ts";
import { buildTrack } from "../../codecs/track.ts";
import { trackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import type { WireFormat } from "../../stream/wire-format.ts";
import { mseFormat } from "./from-stream.ts";
import { FIRST_TRACKS, parseMseSelection } from "./selection.ts";

const video = videoTrack();
const audio = audioTrack();
/** 2026-01-01T00:00:00Z: where the media clock of these tests begins. */
const ORIGIN_US = Date.UTC(2026, 0, 1) * 1000;
const ORIGIN_S = ORIGIN_US / 1_000_000;

function format(choice = ""): WireFormat {
  return mseFormat(parseMseSelection(choice)!).create(ORIGIN_US);
}

/** The payload of a frame that a server sends. */
function unframed(frame: Uint8Array): Uint8Array {
  const length = frame[1]!;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
}

function fragment(from: WireFormat, packet: MediaPacket): Uint8Array {
  const frame = packetBytes(from, packet);
  assert.ok(frame !== null);
  assert.equal(frame[0], 0x82, "a whole binary message");
  return unframed(frame);
}

type Message = {
  type: string;
  event?: string;
  reason?: string;
  metadata: { tracks: { track_id: string; bitrate: number; content: string }[]; streams: unknown };
  tracks: { id: number; track_id: string; content: string; mime: string; payload: string }[];
};

function message(frame: Uint8Array): Message {
  assert.equal(frame[0], 0x81, "a whole text message");
  return JSON.parse(new TextDecoder().decode(unframed(frame))) as Message;
}

test("a frame is a fragment whose fields stand where players look for them", () => {
  const payload = Uint8Array.of(0, 0, 0, 2, 0x65, 0x88);
  const dts = ORIGIN_S * 90_000 + 90_000;
  const bytes = fragment(format(), mediaPacket({ track: video, dts, pts: dts + 7200, payload }));
  const boxes = [0, 8, 24, 32, 60, 80, 100, 124].map((at) => [
    readU32(bytes, at),
    readFourCc(bytes, at + 4),
  ]);
  assert.deepEqual(boxes, [
    [124, "moof"],
    [16, "mfhd"],
    [100, "traf"],
    [28, "tfhd"],
    [20, "tfdt"],
    [20, "futc"],
    [24, "trun"],
    [14, "mdat"],
  ]);
  assert.equal(bytes[47], 1, "track id");
  assert.equal(readU64(bytes, 72), 90_000, "decode time since the stream's beginning");
  assert.deepEqual([readU32(bytes, 92), readU32(bytes, 96)], [ORIGIN_S + 1, 0], "UTC");
  assert.equal(readI32(bytes, 120), 7200, "composition offset");
  assert.deepEqual(bytes.subarray(132), payload);
});

test("UTC has microseconds, the sequence counts, and sound has its own number", () => {
  const from = format();
  fragment(from, mediaPacket({ track: video, dts: ORIGIN_S * 90_000 }));
  const dts = ORIGIN_S * 48_000 + 1024;
  const bytes = fragment(from, mediaPacket({ track: audio, dts, durationTicks: 1024 }));
  assert.equal(bytes[47], 101);
  assert.deepEqual([readU32(bytes, 92), readU32(bytes, 96)], [ORIGIN_S, 21_333]);
  assert.deepEqual([readU32(bytes, 20), readU32(bytes, 48), readU64(bytes, 72)], [2, 1024, 1024]);
});

test("a frame that says no duration is as long as the one before, the first by the frame rate", () => {
  const from = format();
  const start = ORIGIN_S * 90_000;
  const durations = [0, 3000, 6600, 9600, 999_999, 1_003_000].map((ticks) =>
    readU32(fragment(from, mediaPacket({ track: video, dts: start + ticks })), 48),
  );
  assert.deepEqual(durations, [3600, 3000, 3600, 3000, 3000, 3001]);
  const unknown = videoTrack({ frameRate: 0 });
  assert.equal(readU32(fragment(format(), mediaPacket({ track: unknown, dts: start })), 48), 3600);
});

test("what is before the stream's beginning is at zero, and its offset stays signed", () => {
  const dts = ORIGIN_S * 90_000 - 100;
  const bytes = fragment(format(), mediaPacket({ track: video, dts, pts: dts - 50, isSync: false }));
  assert.deepEqual([readU64(bytes, 72), readI32(bytes, 120)], [0, -50]);
  assert.equal(readU32(bytes, 56), 0x0101_0000, "no sync sample");
});

test("only the chosen tracks are sent", () => {
  const second = audioTrack({ id: trackId("audio", 2) });
  const sent = (choice: string): boolean[] =>
    [video, audio, second].map((track) => packetBytes(format(choice), mediaPacket({ track })) !== null);
  assert.deepEqual(sent(""), [true, true, false]);
  assert.deepEqual(sent("a2"), [false, false, true]);
  assert.deepEqual(sent("v1a2"), [true, false, true]);
  const words = videoTrack({ id: trackId("text", 1), kind: "text", codec: "webvtt" });
  assert.equal(packetBytes(format(), mediaPacket({ track: words })), null);
});

test("formats of one choice are one format", () => {
  const id = (choice: string): string => mseFormat(parseMseSelection(choice)!).id;
  assert.equal(id("a1v1"), id("v1a1"));
  assert.notEqual(id("v1"), id("v1a1"));
  assert.equal(mseFormat(FIRST_TRACKS).id, "mse-first");
});

test("choices that come to the same tracks come to one format, whatever else they name", () => {
  const id = (choice: string, ...tracks: Track[]): string =>
    mseFormat(parseMseSelection(choice)!).resolve!(tracks.length === 0 ? null : trackSet(tracks)).id;
  assert.deepEqual(
    ["", "v1a1", "v1a1a7", "a1v1"].map((choice) => id(choice, video, audio)),
    Array(4).fill("mse-v1a1"),
  );
  assert.deepEqual(
    ["v1", "v1a2", "v1a99"].map((choice) => id(choice, video, audio)),
    Array(3).fill("mse-v1"),
  );
  assert.deepEqual([id("a2", video, audio), id(""), id("v7")], Array(3).fill("mse-none"));
  assert.equal(id("", audio), "mse-a1");
});

test("where nothing is sent, each GOP is a sign of life, so that who comes is told why", () => {
  const none = mseFormat(parseMseSelection("a9")!).resolve!(trackSet()).create(ORIGIN_US);
  const pong = Uint8Array.of(0x8a, 0);
  assert.deepEqual(packetBytes(none, mediaPacket({ track: video, startsGop: true })), pong);
  assert.equal(packetBytes(none, mediaPacket({ track: video, startsGop: false, isSync: false })), null);
});

test("the init message has all tracks with measured bit rates, and an init segment of each chosen one", () => {
  const second = audioTrack({ id: trackId("audio", 2), codec: "opus", codecString: "opus" });
  const set = trackSet([video, audio, second]);
  const from = format("v1");
  const start = ORIGIN_S * 90_000;
  for (let i = 0; i <= 25; i++) {
    const payload = new Uint8Array(5000);
    fragment(from, mediaPacket({ track: video, dts: start + i * 3600, payload }));
  }
  const { type, metadata, tracks } = message(from.tracks(set, ORIGIN_US));
  assert.equal(type, "mse_init_segment");
  assert.deepEqual(
    metadata.tracks.map(({ track_id, content, bitrate }) => [track_id, content, bitrate]),
    [
      ["v1", "video", 1000],
      ["a1", "audio", 1],
      ["a2", "audio", 1],
    ],
  );
  assert.deepEqual(metadata.streams, metadata.tracks);
  assert.deepEqual(
    tracks.map(({ id, track_id, content, mime }) => [id, track_id, content, mime]),
    [[1, "v1", "video", 'video/mp4; codecs="avc1.64000a"']],
  );
  assert.equal(readFourCc(Buffer.from(tracks[0]!.payload, "base64"), 4), "ftyp");
});

test("a stream that has none of the chosen tracks says so", () => {
  const { type, event, reason } = message(format("v7").tracks(trackSet(), ORIGIN_US));
  assert.deepEqual([type, event], ["event", "stream_unavailable"]);
  assert.match(reason!, /has v1, a1/);
});

test("a track that cannot be described says so and breaks nothing", () => {
  const broken = trackSet([audioTrack({ codec: "opus", config: new Uint8Array(0) })]);
  const { event, reason } = message(format().tracks(broken, ORIGIN_US));
  assert.equal(event, "stream_unavailable");
  assert.ok(reason!.length > 10);
});

test(
  "ffprobe finds the times of the source in what players are sent",
  { skip: needs("ffmpeg") },
  async () => {
    const clip = await makeClip({ durationS: 2, audio: null, bFrames: 2, extension: "flv" });
    const reader = new FlvFileReader();
    reader.feed(readFileSync(clip));
    const from = format();
    const chunks: Uint8Array[] = [];
    let track = video;
    for (let tag = reader.next(); tag !== null; tag = reader.next()) {
      if (tag.type !== 9) continue;
      for (const unit of parseVideoTag(tag.body)) {
        if (unit.type === "config") {
          track = buildTrack({ id: trackId("video", 1), codec: "h264", config: unit.config });
          const { tracks } = message(from.tracks(trackSet([track]), ORIGIN_US));
          chunks.push(Buffer.from(tracks[0]!.payload, "base64"));
        } else if (unit.type === "frame") {
          const dts = ORIGIN_S * 90_000 + tag.timestampMs * 90;
          const pts = dts + unit.ctsOffsetMs * 90;
          chunks.push(
            fragment(from, mediaPacket({ track, dts, pts, isSync: unit.isKey, payload: unit.payload })),
          );
        }
      }
    }
    const folder = mkdtempSync(join(tmpdir(), "weir-mse-"));
    const path = join(folder, "a.mp4");
    writeFileSync(path, concatBytes(chunks));
    const facts = async (file: string): Promise<unknown> =>
      (await probePackets(file, { select: "v" })).map(({ pts_time, dts_time, size, flags }) => [
        Number(pts_time).toFixed(2),
        Number(dts_time).toFixed(2),
        size,
        flags[0],
      ]);
    const [sent, source] = [await facts(path), await facts(clip)];
    rmSync(folder, { recursive: true });
    assert.deepEqual(sent, source);
  },
);
