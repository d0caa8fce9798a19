import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes } from "../../base/bytes.ts";
import { MediaError } from "../../base/errors.ts";
import { lengthPrefixedToAnnexB } from "../../codecs/nal-units.ts";
import { parseAvcConfig } from "../../codecs/h264/avc-config.ts";
import { trackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { AccessUnitSplitter, MAX_TS_ACCESS_UNIT_BYTES, WHOLE_PES_PACKETS } from "./access-unit-splitter.ts";
import { PictureReader } from "./picture-reader.ts";

const unit = (...bytes: readonly number[]): Uint8Array => Uint8Array.of(0, 0, 0, 1, ...bytes);
const { sps, pps } = parseAvcConfig(videoTrack().config);
const DELIMITER = unit(0x09, 0xf0);
const SETS = concatBytes([...sps, ...pps].flatMap((set) => [unit(), set]));

/** Two slices of a picture; the bytes tell pictures apart. */
const slices = (i: number): Uint8Array => {
  const header = i % 5 === 0 ? 0x65 : 0x41;
  return concatBytes([
    unit(header, 0x88, ...new Uint8Array(9).fill(i + 2)),
    unit(header, 0x48, ...new Uint8Array(7).fill(i + 2)),
  ]);
};
/** Pictures of an H.264 stream of 25 a second, each as a whole access unit; with delimiters or without. */
const pictures = (count: number, hasDelimiters = true): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    concatBytes([...(hasDelimiters ? [DELIMITER] : []), ...(i % 5 === 0 ? [SETS] : []), slices(i)]),
  );

type Pes = { readonly bytes: Uint8Array; readonly ticks: number | null };

function read(packets: readonly Pes[]) {
  const taken: SourcePacket[] = [];
  const problems: string[] = [];
  const reader = new PictureReader(256, trackId("video", 1), "h264", (packet) => void taken.push(packet));
  const told = (run: () => void): void => {
    try {
      run();
    } catch (caught) {
      assert.ok(caught instanceof MediaError);
      problems.push(caught.message);
    }
  };
  const pes = ({ bytes, ticks }: Pes): void =>
    told(() => reader.pes({ bytes, from: 0, to: bytes.byteLength, pts: ticks, dts: ticks }, ticks, ticks));
  for (const packet of packets) pes(packet);
  const early = taken.length;
  told(() => reader.end());
  return { reader, pes, taken, problems, early, told };
}

const dtsOf = (taken: readonly SourcePacket[]) => taken.map(({ dts }) => dts);
const annexBOf = (taken: readonly SourcePacket[]) =>
  concatBytes(taken.map(({ payload }) => lengthPrefixedToAnnexB(payload)));
const everyPicture = (count: number) => Array.from({ length: count }, (_, i) => i * 3600);

for (const hasDelimiters of [true, false]) {
  describe(`pictures ${hasDelimiters ? "with" : "without"} delimiters`, () => {
    const all = pictures(20, hasDelimiters);
    const stream = concatBytes(all);
    const joined = (each: number): Pes[] =>
      Array.from({ length: Math.ceil(all.length / each) }, (_, i) => ({
        bytes: concatBytes(all.slice(i * each, i * each + each)),
        ticks: i * each * 3600,
      }));

    for (const each of [1, 2, 3, 20]) {
      test(`${each} to a PES packet are ${all.length} packets, 40 ms apart`, () => {
        const { taken, problems } = read(joined(each));
        assert.deepEqual(problems, []);
        assert.deepEqual(dtsOf(taken), everyPicture(20));
        assert.deepEqual(annexBOf(taken), stream);
        assert.deepEqual(
          taken.map(({ isSync }) => isSync),
          all.map((_, i) => i % 5 === 0),
        );
      });
    }

    test("those whose PES packets have no time get theirs from the ones before", () => {
      const packets = joined(1).map(({ bytes, ticks }, i) => ({
        bytes,
        ticks: i % 4 === 0 ? ticks : null,
      }));
      const { taken, problems } = read(packets);
      assert.deepEqual(problems, []);
      assert.deepEqual(dtsOf(taken), everyPicture(20));
    });

    test("they are the same wherever a PES packet ends", () => {
      for (let cut = 1; cut < stream.byteLength; cut++) {
        const { taken, problems } = read([
          { bytes: stream.subarray(0, cut), ticks: 0 },
          { bytes: stream.subarray(cut), ticks: null },
        ]);
        assert.deepEqual(problems, [], `cut at ${cut}`);
        assert.deepEqual(dtsOf(taken), everyPicture(20), `cut at ${cut}`);
        assert.deepEqual(annexBOf(taken), stream, `cut at ${cut}`);
      }
    });

    for (const size of [1, 7, 40]) {
      test(`they are the same in PES packets of ${size} bytes`, () => {
        const packets = Array.from({ length: Math.ceil(stream.byteLength / size) }, (_, i) => ({
          bytes: stream.subarray(i * size, i * size + size),
          ticks: i === 0 ? 0 : null,
        }));
        const { taken, problems } = read(packets);
        assert.deepEqual(problems, []);
        assert.deepEqual(dtsOf(taken), everyPicture(20));
        assert.deepEqual(annexBOf(taken), stream);
      });
    }
  });
}

test("one picture to a PES packet is soon handed over with it, one that goes on is waited for", () => {
  const whole = pictures(WHOLE_PES_PACKETS + 3).map((bytes, i) => ({ bytes, ticks: i * 3600 }));
  assert.equal(read(whole).early, whole.length);
  const cut = pictures(WHOLE_PES_PACKETS + 3).flatMap((bytes, i) => [
    { bytes: bytes.subarray(0, 20), ticks: i * 3600 },
    { bytes: bytes.subarray(20), ticks: null },
  ]);
  const { early, taken } = read(cut);
  assert.deepEqual([early, taken.length], [WHOLE_PES_PACKETS + 2, WHOLE_PES_PACKETS + 3]);
});

test("a picture that goes on where none did loses its end, and those behind it are whole", () => {
  const all = pictures(40);
  const packets: Pes[] = all.flatMap((bytes, i) =>
    i < 20
      ? [{ bytes, ticks: i * 3600 }]
      : [
          { bytes: bytes.subarray(0, -13), ticks: i * 3600 },
          { bytes: bytes.subarray(-13), ticks: null },
        ],
  );
  const { taken, problems } = read(packets);
  assert.deepEqual(dtsOf(taken), everyPicture(40));
  assert.match(problems.join("; "), /^PID 256: a part of an access unit is missing$/);
  assert.deepEqual(annexBOf(taken.slice(21)), concatBytes(all.slice(21)));
});

test("what is lost takes the picture it belongs to, and no other where each has its PES packet", () => {
  const all = pictures(4).map((bytes, i) => ({ bytes, ticks: i * 3600 }));
  const { reader, pes, taken, told } = read(all.slice(0, 2));
  reader.lost();
  pes(all[3]!);
  told(() => reader.end());
  assert.deepEqual(dtsOf(taken), [0, 3600, 3 * 3600]);
});

test("a picture is dropped, and said to be, where nothing tells its time, its track or its start", () => {
  const [first, second] = pictures(2);
  assert.match(read([{ bytes: first!, ticks: null }]).problems.join(), /no time/);
  assert.match(read([{ bytes: second!, ticks: 0 }]).problems.join(), /before the first parameter sets/);
  for (const bytes of [second!.subarray(17), Uint8Array.of(1, 2, 3)])
    assert.match(read([{ bytes, ticks: 0 }]).problems.join(), /part of an access unit is missing/);
});

/** What a splitter makes of NAL units in one PES packet: how many units each access unit has. */
function split(codec: "h264" | "h265", units: readonly Uint8Array[]): number[] {
  const counts: number[] = [];
  const splitter = new AccessUnitSplitter(codec, (bytes, from, to) => {
    const text = Buffer.from(bytes.subarray(from, to)).toString("latin1");
    counts.push(text.split("\0\0\x01").length - 1);
  });
  const bytes = concatBytes(units);
  splitter.push(bytes, 0, bytes.byteLength, { pts: 0, dts: 0 });
  splitter.flush();
  return counts;
}

const h265 = (type: number, first = 0, layer = 0) =>
  unit((type << 1) | (layer >> 5), ((layer & 31) << 3) | 1, first, 7, 7, 7);
const rows: readonly (readonly [string, "h264" | "h265", readonly Uint8Array[], readonly number[]])[] = [
  ["H.264 SEI", "h264", [unit(0x65, 0x88, 9), unit(6, 5, 9), unit(0x41, 0x9a, 9)], [1, 2]],
  ["H.264 slice data partitions", "h264", [unit(2, 0x88, 9), unit(3, 0x88, 9), unit(4, 0x88, 9)], [3]],
  ["H.264 end of sequence", "h264", [unit(0x65, 0x88, 9), unit(10, 9, 9), unit(0x65, 0x88, 9)], [2, 1]],
  ["H.264 filler", "h264", [unit(0x65, 0x88, 9), unit(12, 255), unit(0x41, 0x48, 9)], [3]],
  ["H.265 delimiters", "h265", [h265(35), h265(1, 0x80), h265(1), h265(35), h265(1, 0x80)], [3, 2]],
  ["H.265 first slices", "h265", [h265(19, 0x80), h265(19), h265(1, 0x80), h265(1, 0x80)], [2, 1, 1]],
  ["H.265 suffix SEI", "h265", [h265(1, 0x80), h265(40), h265(39), h265(1, 0x80)], [2, 2]],
  ["H.265 sets", "h265", [h265(32), h265(33), h265(34), h265(19, 0x80), h265(32), h265(19, 0x80)], [4, 2]],
  ["H.265 layers above the first", "h265", [h265(1, 0x80), h265(1, 0x80, 1), h265(1, 0x80)], [2, 1]],
];
for (const [name, codec, units, want] of rows)
  test(`${name}: access units of ${want.join(", ")} NAL units`, () =>
    assert.deepEqual(split(codec, units), want));

test("both fields of a frame stay together in a PES packet where the stream may have fields", () => {
  // SPS of x264, made with: ffmpeg -f lavfi -i testsrc2=size=720x576:rate=25 -c:v libx264 -flags +ildct+ilme a.264
  const interlaced = Uint8Array.from(
    Buffer.from("6764001eacd940b424d8088000000300800000190f8a14cb", "hex"),
  );
  const field = unit(0x41, 0x9a, 9);
  const sets = concatBytes([unit(), interlaced]);
  const counts = split("h264", [DELIMITER, sets, field, DELIMITER, field]);
  assert.deepEqual(counts, [5]);
});

test("an access unit that never ends is given up at its bound, and the next one is read", () => {
  let taken = 0;
  const splitter = new AccessUnitSplitter("h264", () => void taken++);
  const piece = new Uint8Array(MAX_TS_ACCESS_UNIT_BYTES / 4).fill(0x55);
  const begin = unit(0x65, 0x88, 9);
  let droppedBytes = 0;
  splitter.push(begin, 0, begin.byteLength, null);
  for (let i = 0; i < 6; i++) droppedBytes += splitter.push(piece, 0, piece.byteLength, null);
  assert.ok(droppedBytes > MAX_TS_ACCESS_UNIT_BYTES);
  splitter.push(begin, 0, begin.byteLength, null);
  splitter.flush();
  assert.equal(taken, 1);
});
