import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { MediaError } from "../../base/errors.ts";
import { concatBytes } from "../../base/bytes.ts";
import { makeTrackSet } from "../../media/track.ts";
import { trackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { tsSource } from "../../../test/support/ts-packets.ts";
import { MAX_PES_BYTES, MAX_TS_TRACKS_PER_KIND, TsDemuxer } from "./demuxer.ts";
import { TsMuxer } from "./muxer.ts";
import type { TsMuxerOptions } from "./muxer.ts";
import { MAX_UNSYNCED_BYTES } from "./packet-framer.ts";
import { TS_TRACK_WAIT } from "./packet-gate.ts";
import { TsPacketWriter } from "./packet-writer.ts";
import { MAX_AUDIO_FRAME_BYTES } from "./sound-reader.ts";
import { buildPat, buildPmt } from "./tables.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** Everything that a demuxer says, in order. */
function recorder() {
  const sets: (readonly Track[])[] = [];
  const packets: SourcePacket[] = [];
  const errors: MediaError[] = [];
  const sink = {
    setTracks: (tracks: readonly Track[]) => void sets.push(tracks),
    write: (packet: SourcePacket) => {
      assert.ok(sets.at(-1)?.includes(packet.track), "the track was announced");
      packets.push(packet);
    },
  };
  const demuxer = new TsDemuxer(sink, (error) => void errors.push(error));
  return { demuxer, sets, packets, errors };
}

function demux(...pieces: readonly Uint8Array[]) {
  const { demuxer, sets, packets, errors } = recorder();
  for (const piece of pieces) demuxer.push(piece);
  demuxer.end();
  return { sets, packets, errors, stats: demuxer.stats, codes: errors.map(({ code }) => code) };
}

/** Without what is the same object only by chance. */
const plain = ({ sets, packets, codes, stats }: ReturnType<typeof demux>) => ({
  sets,
  packets,
  codes,
  continuityErrors: stats.continuityErrors,
});

function mux(
  packets: readonly SourcePacket[],
  tracks = trackSet(),
  options: TsMuxerOptions = {},
): Uint8Array {
  const muxer = new TsMuxer(options);
  muxer.setTracks(tracks);
  for (const packet of packets) muxer.write(packet);
  muxer.flush();
  return muxer.take();
}

type Stream = { pid: number; streamType: number; descriptors: Uint8Array };
const stream = (pid: number, streamType: number, descriptors = ""): Stream => ({
  pid,
  streamType,
  descriptors: hex(descriptors),
});

/** Tables, then PES packets as given. */
function program(
  streams: readonly Stream[],
  pes: readonly { pid: number; bytes: Uint8Array }[] = [],
): Uint8Array {
  const writer = new TsPacketWriter();
  const sequences = new Map<number, { pid: number; counter: number }>();
  writer.section({ pid: 0, counter: 0 }, buildPat(1, 0x1000));
  writer.section(
    { pid: 0x1000, counter: 0 },
    buildPmt({ programNumber: 1, version: 0, pcrPid: 0x100, streams }),
  );
  for (const { pid, bytes } of pes) {
    const sequence = sequences.get(pid) ?? { pid, counter: 0 };
    sequences.set(pid, sequence);
    const at = writer.beginPes(sequence, bytes.byteLength, null);
    writer.buffer.set(bytes, at);
    writer.endPes(sequence, null);
  }
  return writer.take();
}

/** A PES packet of audio with its length, and a PTS of so many ticks below 2^15, or none. */
function audioPes(payload: Uint8Array, pts: number | null): Uint8Array {
  const times = pts === null ? [] : [0x21, 0, 1, (pts >> 7) & 255, ((pts << 1) & 255) | 1];
  const lengthBytes = 3 + times.length + payload.byteLength;
  const head = [
    0,
    0,
    1,
    0xc0,
    lengthBytes >> 8,
    lengthBytes & 255,
    0x84,
    pts === null ? 0 : 0x80,
    times.length,
  ];
  return Uint8Array.of(...head, ...times, ...payload);
}

/** An ADTS frame of AAC-LC, 48 kHz, stereo. */
function adtsFrame(payload: Uint8Array): Uint8Array {
  const length = payload.byteLength + 7;
  return Uint8Array.of(
    0xff,
    0xf1,
    0x4c,
    0x80 | (length >> 11),
    (length >> 3) & 255,
    ((length & 7) << 5) | 31,
    0xfc,
    ...payload,
  );
}

describe("a demuxer", () => {
  test("gives back the packets that were muxed, with their times", () => {
    const source = tsSource({ durationMs: 2000 });
    const { sets, packets, codes, stats } = demux(mux(source));
    assert.deepEqual(codes, []);
    assert.equal(stats.packets, source.length);
    assert.equal(sets.length, 1);
    for (const kind of ["video", "audio"]) {
      const own = packets.filter(({ track }) => track.kind === kind);
      const wanted = source.filter(({ track }) => track.kind === kind);
      const times = ({ dts, pts, isSync, durationTicks }: SourcePacket) => ({
        dts,
        pts,
        isSync,
        durationTicks,
      });
      assert.deepEqual(own.map(times), wanted.map(times));
      for (const [i, { payload }] of own.entries()) {
        const want = wanted[i]!.payload;
        assert.deepEqual(payload.subarray(payload.byteLength - want.byteLength), want);
      }
    }
  });

  test("says the same wherever its input is cut, and byte by byte", () => {
    const bytes = concatBytes([
      hex("4700 47"),
      mux(tsSource({ durationMs: 120, pictureBytes: 200 }), trackSet(), { originTicks: 2 ** 33 - 4000 }),
    ]);
    const whole = plain(demux(bytes));
    assert.ok(whole.packets.length > 6);
    for (let cut = 0; cut <= bytes.byteLength; cut++)
      assert.deepEqual(plain(demux(bytes.subarray(0, cut), bytes.subarray(cut))), whole, `cut at ${cut}`);
    assert.deepEqual(plain(demux(...Array.from(bytes, (byte) => Uint8Array.of(byte)))), whole);
  });

  for (const [distance, front] of [
    [192, 4],
    [204, 0],
  ] as const) {
    test(`reads packets that are ${distance} bytes apart, wherever the input is cut`, () => {
      const bare = mux(tsSource({ durationMs: 80, pictureBytes: 200 }));
      const bytes = new Uint8Array((bare.byteLength / 188) * distance).fill(0x5a);
      for (let i = 0; i * 188 < bare.byteLength; i++)
        bytes.set(bare.subarray(i * 188, i * 188 + 188), i * distance + front);
      const want = plain(demux(bare));
      assert.ok(want.packets.length > 4);
      assert.equal(demux(bytes).stats.skippedBytes, front);
      for (let cut = 0; cut <= bytes.byteLength; cut += 1)
        assert.deepEqual(plain(demux(bytes.subarray(0, cut), bytes.subarray(cut))), want, `cut at ${cut}`);
      assert.deepEqual(plain(demux(...Array.from(bytes, (byte) => Uint8Array.of(byte)))), want);
    });
  }

  test("survives being cut off after any byte", () => {
    const bytes = mux(tsSource({ durationMs: 100, pictureBytes: 150 }));
    const all = demux(bytes).packets.length;
    for (let end = 0; end <= bytes.byteLength; end++)
      assert.ok(demux(bytes.subarray(0, end)).packets.length <= all);
  });

  test("unwraps times over 2^33 for all tracks together", () => {
    const source = tsSource({ durationMs: 1000 });
    const { packets } = demux(mux(source, trackSet(), { originTicks: 2 ** 33 - 45_000 }));
    for (const kind of ["video", "audio"]) {
      const seconds = packets
        .filter(({ track }) => track.kind === kind)
        .map(({ dts, track }) => dts / track.timescale);
      assert.ok(Math.abs(seconds[0]! - (2 ** 33 - 45_000) / 90_000) < 0.001);
      assert.ok(Math.abs(seconds.at(-1)! - seconds[0]! - 1) < 0.05);
    }
  });

  test("finds its place again after bytes were lost, put in or changed", () => {
    const bytes = mux(tsSource({ durationMs: 2000 }));
    const all = demux(bytes).packets.length;
    const middle = 188 * 60;
    const damaged: Record<string, Uint8Array> = {
      "bytes lost": concatBytes([bytes.subarray(0, middle + 17), bytes.subarray(middle + 190)]),
      "bytes put in": concatBytes([
        bytes.subarray(0, middle),
        new Uint8Array(1000).fill(0x47, 0, 400),
        bytes.subarray(middle),
      ]),
      "a sync byte changed": bytes.with(middle, 0x48),
    };
    for (const [name, input] of Object.entries(damaged)) {
      const { packets, stats } = demux(input);
      assert.ok(packets.length >= all - 12, `${name}: ${packets.length} of ${all}`);
      assert.ok(stats.skippedBytes > 0, name);
    }
  });

  test("drops what has a hole, a damaged or a scrambled packet in it, and counts holes", () => {
    const bytes = mux(tsSource({ durationMs: 400, audio: null }), makeTrackSet(1, [videoTrack()]));
    const second = [...bytes.keys()].filter(
      (at) => at % 188 === 0 && bytes[at + 2] === 0 && bytes[at + 1] === 1,
    )[5]!;
    const missing = demux(bytes.subarray(0, second), bytes.subarray(second + 188));
    assert.equal(missing.stats.continuityErrors, 1);
    assert.deepEqual(missing.codes, ["TS_PACKET_BROKEN"]);
    assert.equal(missing.packets.length, 9);
    for (const [name, change] of [
      ["damaged", [1, 0x81]],
      ["scrambled", [3, bytes[second + 3]! | 0x80]],
    ] as const) {
      const { codes, packets } = demux(bytes.with(second + change[0], change[1]));
      assert.ok(codes.length >= 1 && codes.every((code) => code === "TS_PACKET_BROKEN"), name);
      assert.equal(packets.length, 9, name);
    }
    const overlong = bytes.with(second + 3, bytes[second + 3]! | 0x20).with(second + 4, 200);
    assert.match(demux(overlong).errors[0]!.message, /adaptation field/);
  });

  test("takes a packet that comes twice once", () => {
    const bytes = mux(tsSource({ durationMs: 400 }));
    const doubled = concatBytes(
      Array.from({ length: bytes.byteLength / 188 }, (_, i) =>
        bytes.subarray(i * 188, i * 188 + 188),
      ).flatMap((packet) => [packet, packet]),
    );
    assert.deepEqual(plain(demux(doubled)), plain(demux(bytes)));
  });

  test("follows a new program map: tracks come, change and go", () => {
    const muxer = new TsMuxer();
    const source = tsSource({ durationMs: 400 });
    const sets = [[videoTrack()], [videoTrack(), audioTrack()], [audioTrack({ language: "deu" })]];
    for (const [epoch, tracks] of sets.entries()) {
      muxer.setTracks(makeTrackSet(epoch, tracks));
      for (const packet of source)
        muxer.write({
          ...packet,
          dts: packet.dts + epoch * 0.4 * packet.track.timescale,
          pts: packet.pts + epoch * 0.4 * packet.track.timescale,
        });
    }
    muxer.flush();
    const got = demux(muxer.take());
    const shown = got.sets.map((tracks) => tracks.map(({ id, language }) => `${id} ${language}`).join());
    assert.equal(shown[0], "v1 und");
    assert.ok(shown.includes("v1 und,a1 und"));
    assert.equal(shown.at(-1), "a1 deu");
    assert.deepEqual(got.codes, []);
  });

  test("lets the packets of a track go that the next program map ends while they wait for another", () => {
    const muxer = new TsMuxer();
    const source = tsSource({ durationMs: 200, audio: null });
    muxer.setTracks(trackSet());
    for (const packet of source) muxer.write(packet);
    muxer.setTracks(makeTrackSet(2, [audioTrack()]));
    for (const packet of tsSource({ durationMs: 400, video: null })) muxer.write(packet);
    muxer.flush();
    const { packets, sets } = demux(muxer.take());
    assert.equal(packets.filter(({ track }) => track.kind === "video").length, source.length);
    assert.deepEqual(
      sets.map((tracks) => tracks.map(({ id }) => id)),
      [[trackId("video", 1)], [trackId("audio", 1)]],
    );
  });

  test("puts audio frames together that go across PES packets, and times them by the first that begins", () => {
    const frames = Array.from({ length: 6 }, (_, i) => adtsFrame(new Uint8Array(50 + i).fill(i + 1)));
    const bytes = concatBytes(frames);
    const cuts = [0, 10, 60, 61, 250, bytes.byteLength];
    const pes = cuts.slice(1).map((end, i) => ({
      pid: 0x200,
      bytes: audioPes(bytes.subarray(cuts[i], end), i === 0 ? 900 : null),
    }));
    const { packets, codes } = demux(program([stream(0x200, 0x0f)], pes));
    assert.deepEqual(codes, []);
    assert.deepEqual(
      packets.map(({ dts }) => dts),
      [0, 1, 2, 3, 4, 5].map((i) => 480 + i * 1024),
    );
    assert.deepEqual(
      packets.map(({ payload }) => payload.byteLength),
      [50, 51, 52, 53, 54, 55],
    );
  });

  test("skips what is no frame up to the next one", () => {
    const payload = concatBytes([
      hex("00ff00fff1"),
      adtsFrame(new Uint8Array(20)),
      hex("ffff00"),
      adtsFrame(new Uint8Array(21)),
    ]);
    const { packets, codes } = demux(
      program([stream(0x200, 0x0f)], [{ pid: 0x200, bytes: audioPes(payload, 0) }]),
    );
    assert.deepEqual(
      packets.map(({ payload: frame }) => frame.byteLength),
      [20, 21],
    );
    assert.deepEqual(codes, ["TS_PES_BROKEN"]);
  });

  test("leaves out ADTS frames of several blocks whole, says so, and goes on by the next stated time", () => {
    const several = adtsFrame(hex("fff14c80027ffc 0102030405060708 fff14c80027ffc"));
    several[6]! |= 1;
    const pes = [
      { bytes: concatBytes([adtsFrame(new Uint8Array(20)), several]), pts: 0 },
      { bytes: adtsFrame(new Uint8Array(21)), pts: 5760 },
    ].map(({ bytes, pts }) => ({ pid: 0x200, bytes: audioPes(bytes, pts) }));
    const { packets, errors } = demux(program([stream(0x200, 0x0f)], pes));
    assert.deepEqual(
      packets.map(({ dts, payload }) => [dts, payload.byteLength]),
      [
        [0, 20],
        [3072, 21],
      ],
    );
    assert.match(errors.map(({ message }) => message).join(), /^PID 512: [^,]* 2 raw data blocks/);
  });

  test("drops what comes without a time before the first time", () => {
    const bytes = audioPes(adtsFrame(new Uint8Array(20)), null);
    const { packets, errors } = demux(program([stream(0x200, 0x0f)], [{ pid: 0x200, bytes }]));
    assert.equal(packets.length, 0);
    assert.match(errors[0]!.message, /no time/);
  });
});

describe("hostile input", () => {
  const refused: readonly (readonly [string, Stream[], number])[] = [
    ["a stream on the PID of the program map", [stream(0x1000, 0x1b)], 1],
    ["a stream on the PID of the PAT", [stream(0, 0x1b)], 1],
    ["a stream on the PID of padding", [stream(0x1fff, 0x1b)], 1],
    ["two streams on one PID", [stream(0x100, 0x1b), stream(0x100, 0x0f)], 1],
    ["streams that are not carried", [stream(0x100, 0x02), stream(0x101, 0x11), stream(0x102, 0x06)], 3],
    ["Opus with a channel code that is reserved", [stream(0x100, 0x06, "0504 4f707573 7f02 80ff")], 1],
    [
      "more streams of a kind than are read",
      Array.from({ length: 20 }, (_, i) => stream(0x100 + i, 0x0f)),
      20 - MAX_TS_TRACKS_PER_KIND,
    ],
  ];
  for (const [name, streams, count] of refused) {
    test(`${name}: left out and told once`, () => {
      const bytes = program(streams);
      const { codes } = demux(bytes, bytes, bytes);
      assert.deepEqual(
        codes,
        Array.from({ length: count }, () => "TS_STREAM_UNSUPPORTED"),
      );
    });
  }

  test("thousands of programs cost nothing: the first usable one is read", () => {
    const writer = new TsPacketWriter();
    const sequence = { pid: 0, counter: 0 };
    for (let i = 1; i < 3000; i++) writer.section(sequence, buildPat(i, 0x20 + i));
    const { demuxer, packets } = recorder();
    demuxer.push(writer.take());
    demuxer.push(mux(tsSource({ durationMs: 200 })));
    demuxer.end();
    assert.ok(packets.length > 0);
  });

  test("a PAT that points to itself or to reserved PIDs gives no program", () => {
    for (const pid of [0, 1, 0x0f, 0x1fff]) {
      const writer = new TsPacketWriter();
      writer.section({ pid: 0, counter: 0 }, buildPat(1, pid));
      writer.section(
        { pid, counter: 1 },
        buildPmt({ programNumber: 1, version: 0, pcrPid: 256, streams: [stream(256, 0x0f)] }),
      );
      const { packets, sets } = demux(writer.take());
      assert.equal(packets.length + sets.length, 0);
    }
  });

  test("a section with a wrong CRC changes nothing", () => {
    const bytes = mux(tsSource({ durationMs: 200 }));
    const pmt = bytes.slice(188, 376);
    pmt[20]! ^= 1;
    const { codes, packets } = demux(bytes, pmt, bytes);
    assert.ok(codes.includes("TS_SECTION_BROKEN"));
    assert.ok(packets.length > demux(bytes).packets.length);
  });

  test("PES packets longer than the bound are dropped, and the next one is read", () => {
    const unit = (size: number) => {
      const payload = new Uint8Array(size).fill(0x55);
      new DataView(payload.buffer).setUint32(0, size - 4);
      payload[4] = 0x65;
      return payload;
    };
    const [first] = tsSource({ durationMs: 40, audio: null });
    const source = [MAX_PES_BYTES.video, 500, 600].map((size, i) => ({
      ...first!,
      dts: i * 3600,
      pts: i * 3600,
      payload: unit(size),
    }));
    const { packets, errors } = demux(mux(source, makeTrackSet(1, [videoTrack()])));
    assert.deepEqual(
      packets.map(({ dts }) => dts),
      [3600, 7200],
    );
    assert.match(errors[0]!.message, /longer than 4194304 bytes/);
  });

  test("a frame that never ends is given up, and the next one is read", () => {
    const run = new Uint8Array(4000).fill(0xff);
    const pieces = [hex("7fe0"), run, run, run, run, run, hex("7fe003 fc0102")];
    const pes = pieces.map((bytes) => ({ pid: 0x200, bytes: audioPes(bytes, 900) }));
    assert.ok(run.byteLength * 5 > MAX_AUDIO_FRAME_BYTES);
    const { packets, errors } = demux(program([stream(0x200, 0x06, "0504 4f707573")], pes));
    assert.deepEqual(
      packets.map(({ payload }) => [...payload]),
      [[0xfc, 1, 2]],
    );
    assert.match(errors[0]!.message, /20002 bytes are no opus frame/);
  });

  const brokenPes: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["no start code", hex("000002c0 0003 800000"), /start code/],
    ["a header that is cut off", hex("000001c0 0002 8000"), /cut off/],
    ["a header longer than the packet", hex("000001c0 0003 8000ff"), /longer than its packet/],
    ["times that are cut off", hex("000001c0 0005 80c0020000"), /times/],
    ["an MPEG-1 header", hex("000001c0 0003 0f0000"), /not of MPEG-2/],
    ["less than it says", hex("000001c0 0900 800000"), /shorter than it says/],
  ];
  for (const [name, bytes, reason] of brokenPes) {
    test(`a PES packet with ${name} is dropped`, () => {
      const { errors } = demux(
        program([stream(0x200, 0x0f)], [{ pid: 0x200, bytes: concatBytes([bytes, new Uint8Array(20)]) }]),
      );
      assert.equal(errors[0]?.code, "TS_PES_BROKEN");
      assert.match(errors[0].message, reason);
    });
  }

  test("bytes that are no transport stream end it", () => {
    const { demuxer } = recorder();
    const noise = new Uint8Array(MAX_UNSYNCED_BYTES / 2).fill(0x48);
    demuxer.push(noise);
    demuxer.push(noise);
    assert.throws(() => demuxer.push(noise), { code: "TS_NO_SYNC" });
  });

  test("packets wait for a track that never comes no longer than the bound", () => {
    const tracks = makeTrackSet(1, [videoTrack(), audioTrack()]);
    const onlyVideo = tsSource({ durationMs: 3000, audio: null });
    const { demuxer, packets, sets } = recorder();
    const muxer = new TsMuxer();
    muxer.setTracks(tracks);
    let firstAtUs: number | null = null;
    for (const packet of onlyVideo) {
      muxer.write(packet);
      demuxer.push(muxer.take());
      if (packets.length > 0) firstAtUs ??= (packet.dts * 1e6) / 90_000;
    }
    assert.ok(firstAtUs !== null && Math.abs(firstAtUs - TS_TRACK_WAIT.mediaUs) <= 80_000, `${firstAtUs}`);
    assert.deepEqual(
      sets.map((set) => set.map(({ id }) => id)),
      [[trackId("video", 1)]],
    );
  });

  test("nothing but a refusal comes of changed bytes", () => {
    const seed = mux(tsSource({ durationMs: 200, pictureBytes: 300 }));
    const change = fc.tuple(fc.nat({ max: seed.byteLength - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const bytes = seed.slice();
        for (const [at, value] of changes) bytes[at] = value;
        demux(bytes);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});
