import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { makeClip, probePackets } from "../../test/support/ffmpeg.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { needs } from "../../test/support/tools.ts";
import { NO_EDIT } from "../containers/mp4/edit-list.ts";
import type { MovieTrack } from "../containers/mp4/movie.ts";
import { SampleTableBuilder } from "../containers/mp4/sample-table-builder.ts";
import { readSegmentSamples } from "../containers/mp4/segment-samples.ts";
import { tracksOfMember } from "./set-tracks.ts";
import { VodLibrary } from "./vod.ts";

/** Tracks by words such as `audio:fr`. */
function tracksOf(words: string): MovieTrack[] {
  const samples = new SampleTableBuilder({ fileBytes: 1, timescale: 1, notice: () => {} }).finish();
  const sampleEntry = { entry: "test", codec: "aac", config: new Uint8Array(), inBandSets: false } as const;
  return words.split(" ").map((word, i): MovieTrack => {
    const [kind, language = "und"] = word.split(":") as [MovieTrack["kind"], string?];
    return { number: i + 1, kind, sampleEntry, timescale: 1, language, edit: NO_EDIT, samples };
  });
}

const cases: {
  name: string;
  tracks: string;
  audio?: string[];
  text?: string[];
  wanted: number[];
  notices?: RegExp[];
}[] = [
  { name: "the first member gives all", tracks: "video audio:en audio:en text:de", wanted: [1, 2, 3, 4] },
  {
    name: "a quality with the same sound gives its pictures",
    tracks: "video audio",
    audio: ["und"],
    wanted: [1],
  },
  {
    name: "a quality gives sound and subtitles in other languages",
    tracks: "video audio:en audio:fr audio:fr text:en text:it",
    audio: ["en"],
    text: ["en"],
    wanted: [1, 3, 4, 6],
  },
  {
    name: "a quality's sound without a language is taken for the same, and a notice says so",
    tracks: "video audio",
    audio: ["en"],
    wanted: [1],
    notices: [/^sound of a\.mp4 \(track 2\) is left out: it says no language; give each track a language/],
  },
  {
    name: "a second video track is left out with a notice",
    tracks: "video video audio",
    wanted: [1, 3],
    notices: [/^video track 2 of a\.mp4 is left out/],
  },
  { name: "sound alone in another language is taken", tracks: "audio:fr", audio: ["en"], wanted: [1] },
  { name: "sound alone without a language is taken", tracks: "audio", audio: ["en"], wanted: [1] },
  {
    name: "sound alone in a language that is there is left out with a notice",
    tracks: "audio:fr",
    audio: ["en", "fr"],
    wanted: [],
    notices: [/^sound of a\.mp4 \(track 1\) is left out: the set has sound in "fr" already; give/],
  },
  {
    name: "subtitles alone in a language that is there are left out with a notice",
    tracks: "text",
    text: ["und"],
    wanted: [],
    notices: [/^subtitles of a\.mp4 \(track 1\) are left out: the set has subtitles in "und" already/],
  },
];
for (const { name, tracks, audio = [], text = [], wanted, notices = [] } of cases) {
  test(`in a set ${name}`, () => {
    const taken = { audio: new Set(audio), text: new Set(text) };
    const found = tracksOfMember("a.mp4", tracksOf(tracks), taken);
    assert.deepEqual(
      found.wanted.map(({ number }) => number),
      wanted,
    );
    assert.equal(found.notices.length, notices.length, found.notices.join("\n"));
    for (const [i, notice] of notices.entries()) assert.match(found.notices[i]!, notice);
  });
}

describe("sound of its own in a set", { skip: needs("ffmpeg") }, () => {
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-set-tracks-"));
    await mkdir(join(folder, "film"));
    const sound = (language: string) => ["-metadata:s:a:0", `language=${language}`];
    const common = { durationS: 8, gopPictures: 50 };
    const clips = {
      "film-180p.mp4": { ...common, extra: sound("eng") },
      "film-360p.mp4": { ...common, width: 640, height: 360, extra: sound("ita") },
      "film-audio-eng.m4a": { ...common, video: null, extra: sound("eng") },
      "film-audio-fra.m4a": { ...common, video: null, extra: sound("fra") },
    };
    for (const [name, clip] of Object.entries(clips))
      await copyFile(await makeClip(clip), join(folder, "film", name));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("is a track of its language, whatever the order, and what is left out is said", async () => {
    const log = new RecordingLog();
    const vods = [{ name: "vod", storages: [{ path: folder }], segmentDurationMs: 2000, autoMbr: true }];
    const vod = new VodLibrary({ vods, clock: new FakeClock(), log });
    const list = "film/film-,audio-fra.m4a,audio-eng.m4a,180p.mp4,360p.mp4,";
    for (const path of ["film", list]) {
      const given = await vod.open(`vod/${path}`);
      const { tracks, segments } = given.timeline();
      assert.deepEqual(
        tracks.tracks.map(({ id, language }) => `${id} ${language}`),
        ["v1 und", "a1 en", "v2 und", "a2 it", "a3 fr"],
      );
      assert.match(
        JSON.stringify(log.lines.at(-1)),
        /sound of film\/film-audio-eng\.m4a \(track 1\) is left out: the set has sound in \\"en\\" already/,
      );
      const french = tracks.tracks.at(-1)!;
      const sizes: number[] = [];
      for (const { name } of segments) {
        const body = await given.segment(name, [french.id]);
        for (const { payload } of readSegmentSamples(body!, tracks.tracks)) sizes.push(payload.byteLength);
      }
      const packets = await probePackets(join(folder, "film", "film-audio-fra.m4a"));
      assert.deepEqual(
        sizes,
        packets.map(({ size }) => Number(size)),
      );
    }
    await vod.close();
  });
});
