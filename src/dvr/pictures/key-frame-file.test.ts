import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { livePackets, videoTrack } from "../../../test/support/media.ts";
import { MemoryArchive, RECORDED_US } from "../../../test/support/memory-archive.ts";
import { concatBytes, readU32, writeU32 } from "../../base/bytes.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import { buildKeyFrameFile, findKeyFrame, keyFrameOfSegment } from "./key-frame-file.ts";

const track = videoTrack();

/** A fragment of samples of some sizes, with its payload: the first byte of each says which it is. */
function fragment(sizes: readonly number[], sync: readonly number[]): Uint8Array {
  const dataBytes = sizes.reduce((sum, size) => sum + size, 0);
  const header = buildFragmentHeader(1, [
    {
      ...{ track, baseDts: 900_000, count: sizes.length, dataBytes },
      sizes: Uint32Array.from(sizes),
      durations: new Uint32Array(sizes.length).fill(3600),
      ctsOffsets: new Int32Array(sizes.length),
      syncFlags: Uint8Array.from(sync),
    },
  ]);
  return concatBytes([header, ...sizes.map((size, i) => new Uint8Array(size).fill(i + 1))]);
}

const CHUNK = fragment([40, 10, 12], [1, 0, 0]);

describe("the key frame of a fragment", () => {
  test("is the first sync sample, and the file has it alone", () => {
    const file = keyFrameOfSegment(CHUNK, track);
    assert.ok(file !== null);
    const init = buildInitSegment([track]);
    assert.deepEqual(file.subarray(0, init.byteLength), init);
    const found = findKeyFrame(file.subarray(init.byteLength), track);
    assert.equal(found?.size, 40);
    assert.deepEqual(file.subarray(-40), new Uint8Array(40).fill(1));
  });

  test("may stand behind other samples, in a later fragment, and behind other boxes", () => {
    const late = keyFrameOfSegment(fragment([5, 7, 30], [0, 0, 1]), track);
    assert.deepEqual(late?.subarray(-30), new Uint8Array(30).fill(3));
    const styp = Uint8Array.of(0, 0, 0, 12, 0x73, 0x74, 0x79, 0x70, 1, 2, 3, 4);
    const second = keyFrameOfSegment(concatBytes([styp, fragment([5], [0]), CHUNK]), track);
    assert.deepEqual(second?.subarray(-40), new Uint8Array(40).fill(1));
  });

  test("is found in its header alone", () => {
    const headerBytes = CHUNK.byteLength - 62;
    const expected = { offset: headerBytes, size: 40, dts: 900_000 };
    assert.deepEqual(findKeyFrame(CHUNK.subarray(0, headerBytes), track), expected);
  });

  test("is the last one up to a time, where several GOPs are one chunk", () => {
    const gops = fragment([40, 10, 50, 12, 60], [1, 0, 1, 0, 1]);
    const sizes = [900_000, 907_199, 907_200, 914_400, 2_000_000].map(
      (until) => findKeyFrame(gops, track, until)?.size,
    );
    assert.deepEqual(sizes, [40, 40, 50, 60, 60]);
    assert.equal(findKeyFrame(gops, track, 899_999), null);
  });

  test("is that of the chunks that are recorded", () => {
    const archive = new MemoryArchive();
    archive.record(livePackets({ durationMs: 3000 }), RECORDED_US);
    for (const chunk of archive.chunks.filter(({ trackNumber }) => trackNumber === 1)) {
      const bytes = archive.bytesOf(chunk.mediaFileKey).subarray(chunk.offset, chunk.offset + chunk.size);
      assert.equal(findKeyFrame(bytes, track)?.size, 64);
    }
  });

  test("may not be there", () => {
    assert.equal(keyFrameOfSegment(fragment([5, 6], [0, 0]), track), null);
    assert.equal(keyFrameOfSegment(new Uint8Array(), track), null);
    assert.equal(keyFrameOfSegment(CHUNK, videoTrack({ id: "v2" as typeof track.id })), null);
  });
});

describe("a fragment that is damaged", () => {
  test("cut at every byte gives the whole key frame, none, or an error", () => {
    const whole = keyFrameOfSegment(CHUNK, track);
    for (let cut = 0; cut < CHUNK.byteLength; cut++) {
      let file: Uint8Array | null = null;
      try {
        file = keyFrameOfSegment(CHUNK.subarray(0, cut), track);
      } catch (caught) {
        assert.equal((caught as { code?: string }).code, "DVR_PICTURE_BAD_FRAGMENT", `cut at ${cut}`);
      }
      if (file !== null) assert.deepEqual(file, whole, `cut at ${cut}`);
    }
  });

  test("with a key frame of no bytes, or of more than a picture has, is refused", () => {
    const at = CHUNK.findIndex((_, i) => i > 8 && readU32(CHUNK, i) === 40 && readU32(CHUNK, i + 4) === 10);
    const wrong = [0, 2 ** 31];
    for (const size of wrong) {
      const bytes = CHUNK.slice();
      const place = at >= 0 ? at : CHUNK.findIndex((_, i) => i > 8 && readU32(CHUNK, i) === 40);
      writeU32(bytes, place, size);
      assert.throws(
        () => keyFrameOfSegment(bytes, track),
        { code: "DVR_PICTURE_BAD_FRAGMENT" },
        String(size),
      );
    }
  });
});

test("a file with a picture is one init segment and one sample", () => {
  const file = buildKeyFrameFile(track, new Uint8Array(7).fill(9));
  const init = buildInitSegment([track]).byteLength;
  const { offset, size } = findKeyFrame(file.subarray(init), track)!;
  assert.equal(init + offset + size, file.byteLength);
});
