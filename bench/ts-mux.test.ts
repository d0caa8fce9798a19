import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { makeClip } from "../test/support/ffmpeg.ts";
import { audioTrack, sourcePacket, videoTrack } from "../test/support/media.ts";
import { needs } from "../test/support/tools.ts";
import { cutFilm, muxFilm } from "./ts-mux.ts";

test("a film is cut every two seconds of each track's own time", () => {
  const [video, audio] = [videoTrack(), audioTrack()];
  const at = (track: typeof video, seconds: number) =>
    sourcePacket({ track, dts: Math.round(seconds * track.timescale) });
  const packets = [at(video, 0), at(audio, 1.9), at(video, 2), at(audio, 2.1), at(video, 6)];
  assert.deepEqual(cutFilm(packets), [packets.slice(0, 2), packets.slice(2, 4), packets.slice(4)]);
  assert.deepEqual(cutFilm([]), []);
});

test(
  "writing a film takes time, and gives as many bytes as the film has and some more",
  {
    skip: needs("ffmpeg"),
  },
  async () => {
    const clip = await makeClip({ durationS: 4 });
    const { coldUs, warmUs, bytesPerSecond } = await muxFilm(clip, 0.2);
    assert.ok(coldUs > 0 && warmUs > 0, `${coldUs} ${warmUs}`);
    // Sound may reach into a third stretch of two seconds.
    assert.ok(bytesPerSecond > statSync(clip).size / 6, `${bytesPerSecond} bytes a second`);
  },
);
