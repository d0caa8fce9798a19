import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeTrackSet } from "../../media/track.ts";
import { trackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { assertContinuous, tsPacketsOf, tsSource } from "../../../test/support/ts-packets.ts";
import type { TsPacketFields } from "../../../test/support/ts-packets.ts";
import { PMT_PID, canCarryInTs } from "./carriage.ts";
import { MAX_TS_TRACKS, TsMuxer } from "./muxer.ts";
import type { TsMuxerInput, TsMuxerOptions } from "./muxer.ts";
import { muxTsSegment } from "./segment.ts";
import { readTimestamp } from "./timestamps.ts";

const VIDEO_PID = 0x100;
const AUDIO_PID = 0x200;

function mux(
  packets: readonly TsMuxerInput[],
  tracks = trackSet(),
  options: TsMuxerOptions = {},
): TsPacketFields[] {
  const muxer = new TsMuxer(options);
  muxer.setTracks(tracks);
  for (const packet of packets) muxer.write(packet);
  muxer.flush();
  return tsPacketsOf(muxer.take());
}

const ofPid = (packets: readonly TsPacketFields[], pid: number) =>
  packets.filter((packet) => packet.pid === pid);
const pcrs = (packets: readonly TsPacketFields[]) =>
  packets.flatMap(({ pcr }) => (pcr === null ? [] : [pcr]));

describe("a muxer", () => {
  test("steps every counter by one", () => {
    const packets = mux(tsSource({ durationMs: 3000 }));
    assert.deepEqual([...new Set(packets.map(({ pid }) => pid))], [0, PMT_PID, VIDEO_PID, AUDIO_PID]);
    assertContinuous(packets, 0);
  });

  test("writes the tables every 100 ms and in front of each key frame of the first video track", () => {
    const packets = mux(tsSource({ durationMs: 3000 }));
    const tables = packets.flatMap(({ pid }, i) => (pid === 0 ? [i] : []));
    assert.ok(tables.length >= 25 && tables.length <= 40, `${tables.length} PATs in 3 s`);
    for (const at of tables) assert.equal(packets[at + 1]!.pid, PMT_PID);
    const keys = packets.flatMap(({ pid, isRandomAccess }, i) =>
      pid === VIDEO_PID && isRandomAccess ? [i] : [],
    );
    assert.equal(keys.length, 3);
    for (const at of keys) assert.ok(tables.includes(at - 2), "PAT and PMT in front");
  });

  for (const frameRate of [1.5, 5, 24, 25, 60]) {
    test(`writes a PCR at least every 40 ms at ${frameRate} pictures a second, rising`, () => {
      const origin = { originTicks: 90_000 };
      const clock = pcrs(mux(tsSource({ durationMs: 3000, frameRate }), trackSet(), origin));
      assert.equal(clock[0], 90_000 - 18_000);
      for (let i = 1; i < clock.length; i++) {
        const step = clock[i]! - clock[i - 1]!;
        assert.ok(step > 0 && step <= 3600, `a step of ${step} ticks`);
      }
      assert.ok(clock.length >= 60);
    });
  }

  test("has the clock on the audio when there is no video", () => {
    const tracks = makeTrackSet(1, [audioTrack()]);
    const packets = mux(tsSource({ durationMs: 2000, video: null }), tracks, { originTicks: 90_000 });
    const clock = pcrs(packets);
    assert.equal(clock[0], 90_000 - 18_000);
    for (let i = 1; i < clock.length; i++)
      assert.ok(clock[i]! - clock[i - 1]! > 0 && clock[i]! - clock[i - 1]! <= 3600);
    assert.ok(packets.every(({ pid, pcr }) => pid === AUDIO_PID || pcr === null));
    assertContinuous(packets, 0);
  });

  test("gathers audio for 100 ms at most, or not at all", () => {
    const packets = tsSource({ durationMs: 2000, video: null });
    const tracks = makeTrackSet(1, [audioTrack()]);
    const starts = (options: TsMuxerOptions) =>
      ofPid(mux(packets, tracks, options), AUDIO_PID).filter(({ isStart }) => isStart).length;
    assert.equal(starts({}), Math.ceil(packets.length / 5));
    assert.equal(starts({ audioDelayMs: 0 }), packets.length);
  });

  test("begins a new PES packet where the audio has a hole", () => {
    const [first, second] = tsSource({ durationMs: 40, video: null });
    const late = { ...second!, dts: 4096, pts: 4096 };
    const packets = mux([first!, late], makeTrackSet(1, [audioTrack()]));
    assert.equal(ofPid(packets, AUDIO_PID).filter(({ isStart }) => isStart).length, 2);
  });

  test("steps the version of the program map with the tracks, not with the epoch", () => {
    const muxer = new TsMuxer({ firstVersion: 31 });
    const versions: number[] = [];
    const sets = [
      [videoTrack()],
      [videoTrack()],
      [videoTrack(), audioTrack()],
      [audioTrack({ language: "de" })],
    ];
    for (const [epoch, tracks] of sets.entries()) {
      muxer.setTracks(makeTrackSet(epoch, tracks));
      for (const packet of tsSource({ durationMs: 100 })) muxer.write(packet);
      muxer.flush();
      const maps = ofPid(tsPacketsOf(muxer.take()), PMT_PID);
      versions.push((maps.at(-1)!.payload[6]! >> 1) & 31);
    }
    assert.deepEqual(versions, [31, 31, 0, 1]);
  });

  test("marks a new epoch, a step forward and a step back as a discontinuity, once each, with counters going on", () => {
    const muxer = new TsMuxer();
    const source = tsSource({ durationMs: 1000 });
    const shifted = (ms: number) =>
      source.map((packet) => {
        const shift = (ms * packet.track.timescale) / 1000;
        return { ...packet, dts: packet.dts + shift, pts: packet.pts + shift };
      });
    muxer.setTracks(trackSet(undefined, 1));
    for (const packet of shifted(100_000)) muxer.write(packet);
    muxer.setTracks(trackSet(undefined, 2));
    for (const ms of [101_000, 200_000, 50_000]) for (const packet of shifted(ms)) muxer.write(packet);
    muxer.flush();
    const packets = tsPacketsOf(muxer.take());
    const marked = packets.filter(({ isDiscontinuous }) => isDiscontinuous);
    assert.deepEqual(
      marked.map(({ pcr }) => pcr),
      [101_000, 200_000, 50_000].map((ms) => ms * 90 - 18_000),
    );
    assertContinuous(packets, 0);
  });

  /** The audio is written so much later than the video of the same time. */
  const written = (lagMs: number, durationMs: number) => {
    const atMs = ({ track, dts }: SourcePacket) =>
      (dts * 1000) / track.timescale + (track.kind === "audio" ? lagMs : 0);
    return tsSource({ durationMs }).toSorted((a, b) => atMs(a) - atMs(b));
  };

  /** By how much the PCR is in front of the least time that is written behind it. Units: 90 kHz ticks. */
  const leastLead = (packets: readonly TsPacketFields[]) => {
    let pcr: number | null = null;
    let least = Infinity;
    for (const packet of packets) {
      pcr = packet.pcr ?? pcr;
      if (!packet.isStart || (packet.pid !== VIDEO_PID && packet.pid !== AUDIO_PID)) continue;
      const at = 9 + (packet.payload[7]! >= 0xc0 ? 5 : 0);
      least = Math.min(least, readTimestamp(packet.payload, at) - pcr!);
    }
    return least;
  };

  for (const lagMs of [-2000, 0, 300, 900, 1200, 2000, 2800]) {
    for (const audioDelayMs of [0, 100]) {
      test(`keeps one time base, and its clock in front, with audio ${lagMs} ms behind, ${audioDelayMs} ms gathered`, () => {
        const options = { originTicks: 900_000, audioDelayMs };
        const packets = mux(written(lagMs, 8000), trackSet(), options);
        assert.equal(packets.filter(({ isDiscontinuous }) => isDiscontinuous).length, 0);
        assert.ok(leastLead(packets) > 0, `${leastLead(packets)} ticks`);
        const clock = pcrs(packets);
        for (let i = 1; i < clock.length; i++)
          assert.ok(clock[i]! > clock[i - 1]! && clock[i]! - clock[i - 1]! <= 3600);
        assertContinuous(packets, 0);
      });
    }
  }

  test("shows its clock after three seconds when a track never comes, and follows no track that is later", () => {
    const packets = mux(tsSource({ durationMs: 6000, audio: null }), trackSet(), { originTicks: 900_000 });
    const clock = pcrs(packets);
    assert.equal(clock[0], 900_000 - 18_000);
    assert.equal(clock.at(-1), 900_000 + 5960 * 90 - 18_000);
    const late = pcrs(mux(written(5000, 9000), trackSet(), { originTicks: 900_000 }));
    assert.equal(late.at(-1), 900_000 + 8960 * 90 - 270_000);
  });

  test("leaves out broken and overlong payloads and counts them", () => {
    const muxer = new TsMuxer();
    muxer.setTracks(trackSet());
    const [picture] = tsSource({ durationMs: 40, audio: null });
    const [frame] = tsSource({ durationMs: 20, video: null });
    const broken = [
      { ...picture!, payload: new Uint8Array(0) },
      { ...picture!, payload: Uint8Array.of(0, 0, 0, 9, 0x65) },
      { ...frame!, payload: new Uint8Array(0) },
      { ...frame!, payload: new Uint8Array(8185) },
    ];
    for (const packet of broken) muxer.write(packet);
    muxer.flush();
    assert.equal(muxer.skipped, broken.length);
    assert.equal(muxer.lengthBytes, 0);
  });

  test("takes no more tracks than a program map can hold, and ignores packets of others", () => {
    const tracks = Array.from({ length: 40 }, (_, i) => audioTrack({ id: trackId("audio", i + 1) }));
    const muxer = new TsMuxer();
    assert.equal(muxer.setTracks(makeTrackSet(1, tracks)).length, MAX_TS_TRACKS);
    const [frame] = tsSource({ durationMs: 20, video: null, audio: tracks[30]! });
    muxer.write(frame!);
    muxer.flush();
    assert.equal(muxer.lengthBytes, 0);
  });

  test("moves bytes out as it hands them over, and begins anew", () => {
    const source = tsSource({ durationMs: 500 });
    const [moved, taken] = [new TsMuxer(), new TsMuxer()];
    const parts: Uint8Array[] = [];
    for (const muxer of [moved, taken]) muxer.setTracks(trackSet());
    for (const packet of source) {
      moved.write(packet);
      taken.write(packet);
      const part = new Uint8Array(moved.lengthBytes);
      moved.moveTo(part, 0);
      parts.push(part);
    }
    assert.deepEqual(Buffer.concat(parts), Buffer.from(taken.take()));
    assert.equal(moved.lengthBytes + taken.lengthBytes, 0);
  });
});

describe("which tracks are carried", () => {
  const opusHead = (channels: number, family: number) =>
    Uint8Array.from([
      ...Buffer.from("OpusHead"),
      1,
      channels,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      family,
      ...new Uint8Array(2 + channels),
    ]);
  const rows: readonly (readonly [string, Track, boolean])[] = [
    ["H.264", videoTrack(), true],
    ["AV1", videoTrack({ codec: "av1" }), false],
    ["AAC", audioTrack(), true],
    [
      "AAC with its channels in the configuration alone",
      audioTrack({ config: Uint8Array.of(0x11, 0x80) }),
      false,
    ],
    ["AAC with a broken configuration", audioTrack({ config: new Uint8Array(0) }), false],
    ["Opus in stereo", audioTrack({ codec: "opus", config: opusHead(2, 0) }), true],
    [
      "Opus with channels of an order of its own",
      audioTrack({ codec: "opus", config: opusHead(4, 255) }),
      false,
    ],
    ["MP3", audioTrack({ codec: "mp3" }), true],
    ["E-AC-3", audioTrack({ codec: "eac3" }), true],
    ["text", audioTrack({ id: trackId("text", 1), kind: "text", codec: "webvtt" }), false],
    ["a hundredth track", videoTrack({ id: trackId("video", 100) }), false],
  ];
  for (const [name, track, isCarried] of rows)
    test(`${name}: ${isCarried}`, () => assert.equal(canCarryInTs(track), isCarried));
});

describe("a segment", () => {
  test("begins with PAT, PMT and a clock, has every counter from 0 to 15, and is the same each time", () => {
    for (let durationMs = 200; durationMs < 4000; durationMs += 170) {
      const source = tsSource({ durationMs, pictureBytes: 10 + durationMs });
      const bytes = muxTsSegment(source, trackSet());
      const packets = tsPacketsOf(bytes);
      assert.deepEqual(
        packets.slice(0, 3).map(({ pid }) => pid),
        [0, PMT_PID, VIDEO_PID],
      );
      assert.notEqual(packets[2]!.pcr, null);
      assertContinuous(packets, 0);
      for (const pid of [0, PMT_PID, VIDEO_PID, AUDIO_PID])
        assert.equal(
          ofPid(packets, pid).findLast(({ payload }) => payload.byteLength > 0)!.counter,
          15,
          `PID ${pid}`,
        );
      assert.equal(ofPid(packets, 0).length, 16);
      assert.deepEqual(muxTsSegment(source, trackSet()), bytes);
    }
  });

  test("goes on where any other segment ends", () => {
    const segment = (ms: number) => muxTsSegment(tsSource({ durationMs: ms }), trackSet());
    const joined = Buffer.concat([segment(1000), segment(333), segment(2500)]);
    assertContinuous(tsPacketsOf(joined), 0);
  });

  test("ends its clock before the next one begins, also where its sound plays longer", () => {
    const source = tsSource({ durationMs: 2000 });
    const isLater = ({ track, dts }: TsMuxerInput, ms: number) => dts * 1000 >= ms * track.timescale;
    // Sound up to 200 ms behind the last picture of the first half: as where pictures are reordered.
    const isSecond = (packet: TsMuxerInput) => isLater(packet, packet.track.kind === "video" ? 1000 : 1200);
    const halves = [source.filter((packet) => !isSecond(packet)), source.filter(isSecond)];
    const [first, second] = halves.map((half) => {
      const bytes = muxTsSegment(half, trackSet(), { originTicks: 90_000 });
      return pcrs(tsPacketsOf(bytes));
    });
    const step = second![0]! - first!.at(-1)!;
    assert.ok(step > 0 && step <= 3600, `a step of ${step} ticks`);
  });

  test("has one track when one is asked for, a frame of a few bytes at its end too", () => {
    const [frame] = tsSource({ durationMs: 20, video: null });
    const bytes = muxTsSegment(
      [{ ...frame!, payload: Uint8Array.of(33) }],
      makeTrackSet(1, [audioTrack()]),
    );
    const packets = tsPacketsOf(bytes);
    assertContinuous(packets, 0);
    assert.equal(ofPid(packets, AUDIO_PID).at(-1)!.counter, 15);
  });

  test("is empty without a track or a packet that can be carried", () => {
    assert.equal(muxTsSegment([], trackSet()).byteLength, 0);
    const av1 = makeTrackSet(1, [videoTrack({ codec: "av1" })]);
    assert.equal(muxTsSegment(tsSource({ durationMs: 100 }), av1).byteLength, 0);
  });
});
