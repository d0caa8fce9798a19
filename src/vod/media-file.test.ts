import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { makeClip } from "../../test/support/ffmpeg.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import {
  avcSampleEntry,
  box,
  fullBox,
  SMALL_AVC_CONFIG,
  smallMovie,
  u32,
  u8,
} from "../../test/support/mp4-boxes.ts";
import { needs } from "../../test/support/tools.ts";
import { readMediaFile } from "./media-file.ts";

/** The small movie with its first frame replaced; the frame has 40 bytes. */
function withFirstFrame(options: Parameters<typeof smallMovie>[0], frame: Uint8Array): Uint8Array {
  const file = smallMovie(options);
  file.set(frame, file.byteLength - 150);
  return file;
}

/** The parameter sets of the small movie, as NAL units with lengths of 4 bytes. */
function inBandFrame(): Uint8Array {
  const sps = SMALL_AVC_CONFIG.subarray(8, 8 + 24);
  const pps = SMALL_AVC_CONFIG.subarray(8 + 24 + 3, 8 + 24 + 3 + 6);
  return Uint8Array.from([0, 0, 0, sps.byteLength, ...sps, 0, 0, 0, pps.byteLength, ...pps]).subarray(
    0,
    40,
  );
}

describe("readMediaFile", () => {
  test("says what the tracks are", { skip: needs("ffmpeg") }, async () => {
    const path = await makeClip({
      durationS: 3,
      audioTracks: 2,
      extra: ["-metadata:s:a:1", "language=deu"],
    });
    const { tracks, trackSet, notices, startUs, endUs } = await readMediaFile(
      new MemorySource(readFileSync(path)),
    );
    assert.deepEqual(
      trackSet.tracks.map(({ id, codec, codecString, width, height, sampleRate, channels, language }) =>
        [id, codec, codecString.slice(0, 6), width, height, sampleRate, channels, language].join(" "),
      ),
      ["v1 h264 avc1.6 320 180 0 0 und", "a1 aac mp4a.4 0 0 48000 2 und", "a2 aac mp4a.4 0 0 48000 2 de"],
    );
    assert.equal(trackSet.reference, tracks[0]!.track);
    assert.deepEqual(notices, []);
    assert.ok(Math.abs(endUs - startUs - 3_000_000) < 45_000);
  });

  test("takes parameter sets out of the first key frame where the description has none", async () => {
    const empty = u8(1, 0x64, 0, 10, 0xff, 0xe0, 0);
    const stsd = fullBox("stsd", 0, 0, u32(1), avcSampleEntry("avc3", box("avcC", empty)));
    const frame = inBandFrame();
    const options = {
      boxes: { stsd, stsz: fullBox("stsz", 0, 0, u32(0, 6, frame.byteLength, 10, 20, 30, 40, 10)) },
    };
    const { trackSet } = await readMediaFile(new MemorySource(withFirstFrame(options, frame)));
    assert.deepEqual([trackSet.tracks[0]!.width, trackSet.tracks[0]!.height], [64, 64]);
    assert.equal(trackSet.tracks[0]!.codecString, "avc1.64000a");
  });

  test("leaves a track out whose configuration cannot be read, and refuses the file when none is left", async () => {
    const stsd = fullBox(
      "stsd",
      0,
      0,
      u32(1),
      avcSampleEntry("avc1", box("avcC", u8(1, 2, 3, 4, 0xff, 0xe1, 0, 9, 9))),
    );
    await assert.rejects(readMediaFile(new MemorySource(smallMovie({ boxes: { stsd } }))), {
      code: "MP4_NO_TRACKS",
      message: /track 1 is left out: /,
    });
  });

  test("reads no more of a file than its index", { skip: needs("ffmpeg") }, async () => {
    const source = new MemorySource(readFileSync(await makeClip({ durationS: 5 })));
    await readMediaFile(source);
    const read = source.reads.reduce((sum, { length }) => sum + length, 0);
    assert.ok(read < 25_000, `${read} bytes of ${source.sizeBytes}`);
    assert.ok(source.reads.length <= 4, `${source.reads.length} reads`);
  });

  test("hands errors of the storage on", async () => {
    const source = new MemorySource(smallMovie());
    source.fail = new Error("the disk is gone");
    await assert.rejects(readMediaFile(source), /the disk is gone/);
  });
});
