/** `filter.tracks` in the addresses of MPDs, beside playlists of HLS. */
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, probeStreams, publish } from "../support/ffmpeg.ts";
import { mpdProblems, parseMpd, schemaProblems } from "../support/mpd-rules.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

/** What is asked of a stream or film with one picture or more and one sound; the status of every output. */
const FILTERS = [
  ["", 200],
  ["?filter.tracks=v1a1", 200],
  ["?filter.tracks=a1", 200],
  ["?filter.tracks=v1a9", 200],
  ["?filter.tracks=v9", 404],
  ["?filter.tracks=t1", 404],
  ["?filter.tracks=", 400],
  ["?filter.tracks=v1,a1", 400],
  ["?filter.tracks=v1v1", 400],
] as const;
const OUTPUTS = ["index.m3u8", "index.ll.m3u8", "index.mpd", "Manifest.mpd", "index.ll.mpd"];

test(
  "MPDs of a live stream, a film and a set are chosen from as playlists are",
  { skip: needs("ffmpeg"), timeout: 180_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "weir-dash-filter-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const clip = await makeClip({ durationS: 12, gopPictures: 25, bFrames: 0 });
    const larger = await makeClip({ durationS: 12, gopPictures: 25, bFrames: 0, width: 640, height: 360 });
    await mkdir(join(folder, "set"));
    await copyFile(clip, join(folder, "film.mp4"));
    await copyFile(clip, join(folder, "set", "q-1.mp4"));
    await copyFile(larger, join(folder, "set", "q-2.mp4"));
    const weir = await startWeir(t, {
      config: `
        template pub { prefix pub; input publish://; segment_duration 1; }
        vod vod { storage ${folder}; segment_duration 2; auto_mbr; }`,
    });
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    const isReady = async (): Promise<void> =>
      assert.equal((await fetch(weir.url("/pub/camera/index.mpd"))).status, 200);
    await eventually(isReady, { timeoutMs: 40_000 });

    const texts: string[] = [];
    for (const name of ["pub/camera", "vod/film.mp4", "vod/set", "vod/set/q-,1,2,.mp4"]) {
      for (const [query, status] of FILTERS) {
        for (const output of OUTPUTS) {
          const reply = await fetch(weir.url(`/${name}/${output}${query}`));
          const text = await reply.text();
          assert.equal(reply.status, status, `${name}/${output}${query}: ${text}`);
          if (status === 200 && output.endsWith(".mpd")) texts.push(text);
        }
      }
    }
    assert.deepEqual(await schemaProblems(texts), []);
    for (const text of texts) assert.deepEqual(mpdProblems(parseMpd(text)), []);

    const shapes = async (address: string): Promise<string[]> => {
      const streams = await probeStreams(weir.url(address), { readS: 2, timeoutMs: 60_000 });
      return streams.map(({ codec_type, width, height }) =>
        codec_type === "video" ? `${width}x${height}` : codec_type,
      );
    };
    assert.deepEqual(await shapes("/pub/camera/index.mpd?filter.tracks=a1"), ["audio"]);
    assert.deepEqual(await shapes("/vod/film.mp4/index.mpd?filter.tracks=v1"), ["320x180"]);
    assert.deepEqual(await shapes("/vod/set/index.mpd?filter.tracks=v2a1"), ["640x360", "audio"]);
    assert.deepEqual(await shapes("/vod/set/q-,1,2,.mp4/Manifest.mpd?filter.tracks=v1a1"), [
      "320x180",
      "audio",
    ]);
  },
);
