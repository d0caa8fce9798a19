import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { asMediaError } from "../../base/errors.ts";
import { concatBytes } from "../../base/bytes.ts";
import { buildFragmentHeader } from "./fragment.ts";
import type { FragmentTrack } from "./fragment.ts";
import { readSegmentSamples } from "./segment-samples.ts";

const VIDEO: FragmentTrack = {
  track: videoTrack(),
  baseDts: 90_000,
  count: 3,
  sizes: Uint32Array.of(4, 2, 3),
  durations: Uint32Array.of(3600, 3600, 1800),
  ctsOffsets: Int32Array.of(7200, -3600, 0),
  syncFlags: Uint8Array.of(1, 0, 0),
  dataBytes: 9,
};
const AUDIO: FragmentTrack = {
  track: audioTrack(),
  baseDts: 48_500,
  count: 2,
  sizes: Uint32Array.of(5, 5),
  durations: Uint32Array.of(1024, 1024),
  ctsOffsets: Int32Array.of(0, 0),
  syncFlags: Uint8Array.of(1, 1),
  dataBytes: 10,
};
const PICTURES = Uint8Array.of(1, 1, 1, 1, 2, 2, 3, 3, 3);
const SOUND = Uint8Array.of(7, 7, 7, 7, 7, 8, 8, 8, 8, 8);

function segment(sequence = 1): Uint8Array[] {
  return [buildFragmentHeader(sequence, [VIDEO, AUDIO], { styp: true, utcUs: 5 }), PICTURES, SOUND];
}

const brief = (samples: ReturnType<typeof readSegmentSamples>) =>
  samples.map(({ track, dts, pts, isSync, payload }) => [
    track.id,
    dts,
    pts,
    isSync,
    [...payload].join(""),
  ]);

const WANTED = [
  ["v1", 90_000, 97_200, true, "1111"],
  ["a1", 48_500, 48_500, true, "77777"],
  ["a1", 49_524, 49_524, true, "88888"],
  ["v1", 93_600, 90_000, false, "22"],
  ["v1", 97_200, 97_200, false, "333"],
].toSorted(
  (a, b) => (a[1] as number) / (a[0] === "v1" ? 9 : 4.8) - (b[1] as number) / (b[0] === "v1" ? 9 : 4.8),
);

describe("samples of a segment", () => {
  const both = [VIDEO.track, AUDIO.track];

  test("come in order of decode time, with their times, flags and bytes", () => {
    assert.deepEqual(brief(readSegmentSamples(segment(), both)), WANTED);
  });

  test("are the same from one piece as from many", () => {
    assert.deepEqual(brief(readSegmentSamples([concatBytes(segment())], both)), WANTED);
    const [header, pictures, sound] = segment() as [Uint8Array, Uint8Array, Uint8Array];
    const pieces = [header, pictures.subarray(0, 4), pictures.subarray(4), new Uint8Array(0), sound];
    assert.deepEqual(brief(readSegmentSamples(pieces, both)), WANTED);
  });

  test("of tracks that nobody wants are passed over", () => {
    const audio = WANTED.filter(([id]) => id === "a1");
    assert.deepEqual(brief(readSegmentSamples(segment(), [AUDIO.track])), audio);
    assert.deepEqual(readSegmentSamples(segment(), []), []);
    assert.deepEqual(readSegmentSamples([], both), []);
  });

  test("of several fragments follow each other", () => {
    const later = { ...AUDIO, baseDts: AUDIO.baseDts + 2048 };
    const second = [buildFragmentHeader(2, [later]), SOUND];
    const samples = readSegmentSamples([...segment(), ...second], [AUDIO.track]);
    assert.deepEqual(
      samples.map(({ dts }) => dts - AUDIO.baseDts),
      [0, 1024, 2048, 3072],
    );
    assert.throws(() => readSegmentSamples([...second, ...segment()], both), { code: "MP4_BAD_BOX" });
  });

  test("payloads are views of the pieces", () => {
    const [first] = readSegmentSamples(segment(), [AUDIO.track]);
    assert.equal(first!.payload.buffer, SOUND.buffer);
  });

  test("a segment cut anywhere is refused, or it is whole boxes", () => {
    const whole = concatBytes(segment());
    let refused = 0;
    for (let cut = 0; cut < whole.byteLength; cut++) {
      try {
        const got = readSegmentSamples([whole.subarray(0, cut)], both);
        assert.deepEqual(got, [], `cut at ${cut}`);
      } catch (caught) {
        assert.ok(asMediaError(caught) !== null, `cut at ${cut}: ${String(caught)}`);
        refused++;
      }
    }
    // Behind nothing at all, behind `styp` and behind `prft`.
    assert.equal(refused, whole.byteLength - 3);
  });

  const header = buildFragmentHeader(1, [VIDEO]);
  const broken: [string, () => Uint8Array[]][] = [
    ["a sample over two pieces", () => [header, PICTURES.subarray(0, 5), PICTURES.subarray(5)]],
    ["bytes that are not there", () => [header, PICTURES.subarray(0, 8)]],
    ["a box that is longer than the segment", () => [Uint8Array.of(0, 0, 1, 0, 102, 114, 101, 101)]],
    ["a box shorter than its header", () => [Uint8Array.of(0, 0, 0, 4, 102, 114, 101, 101)]],
    ["a moof over two pieces", () => [header.subarray(0, 40), header.subarray(40), PICTURES]],
  ];
  for (const [name, pieces] of broken) {
    test(`${name} is an error of the file`, () => {
      assert.throws(
        () => readSegmentSamples(pieces(), [VIDEO.track]),
        (caught: unknown) => asMediaError(caught)?.code.startsWith("MP4_") === true,
      );
    });
  }
});
