/** Ranges of an archive in which sound comes and goes with its publishers, as players are given them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource, SOURCE_START_US } from "../../../test/support/live-source.ts";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { MemoryRecording, RECORDED_FOLDER } from "../../../test/support/memory-recording.ts";
import { parsePlaylistText } from "../../../test/support/media-playlist-text.ts";
import { mpdProblems, parseMpd } from "../../../test/support/mpd-rules.ts";
import { PlaylistWatch, checkPlaylist } from "../../../test/support/playlist-rules.ts";
import { segmentEntry } from "../../../test/support/presentation.ts";
import type { HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { readInitTracks } from "../../containers/mp4/movie.ts";
import { readSegmentSamples } from "../../containers/mp4/segment-samples.ts";
import { readU32 } from "../../base/bytes.ts";
import { trackId } from "../../media/ids.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import { tsSegmentReply } from "../../packaging/ts-segments.ts";
import type { Presentation, SegmentEntry } from "../../packaging/presentation.ts";
import { dashReply } from "../../protocols/dash/reply.ts";
import { parseHlsPath } from "../../protocols/hls/path.ts";
import { parseTsResource } from "../../protocols/hls/ts-path.ts";
import { hlsReply } from "../../protocols/hls/reply.ts";
import { jsonOutput } from "../../protocols/json/output.ts";
import { Archives } from "../archives.ts";
import { completeSegments } from "./completed-segment.ts";

const BOTH = ["v1", "a1"] as TrackId[];
const START_S = SOURCE_START_US / 1e6;
const GERMAN = audioTrack({ id: trackId("audio", 2), language: "de" });
const MONO = audioTrack({
  ...{ config: Uint8Array.of(0x12, 0x08), sampleRate: 44_100, timescale: 44_100, channels: 1 },
});
const AC3 = audioTrack({ codec: "ac3", config: Uint8Array.of(0x10, 0x3c, 0xc0), codecString: "ac-3" });

/** One process that records, with the sound that its publisher sends; `null`: with none. */
type Run = Track | null;

/** Runs of 8 s, one behind the other with 2 s in between, each of another process. */
async function recordRuns(runs: readonly Run[]): Promise<{
  readonly archives: Archives;
  readonly clock: FakeClock;
  readonly span: (span?: TimeSpan) => Promise<Presentation>;
}> {
  const files = new MemoryFiles();
  for (const [n, audio] of runs.entries()) {
    const recording = new MemoryRecording({ files, atUs: SOURCE_START_US + n * 10e6 });
    await recording.writer.prepare();
    const source = new LiveSource(recording.window, audio === null ? {} : { audio });
    source.skip(n * 10);
    source.play({ seconds: 8, hasAudio: audio !== null });
    await recording.close();
  }
  const clock = new FakeClock(SOURCE_START_US + runs.length * 10e6 + 60e6);
  const archives = new Archives({ clock, log: silentLogger, files });
  const request = { name: "cam", segmentDurationUs: 2e6, segmentCount: 3 };
  const whole = { kind: "archive", fromS: START_S, durationS: runs.length * 10 } as const;
  return {
    archives,
    clock,
    span: (span = whole) => archives.span(RECORDED_FOLDER, { ...request, span, nowUs: clock.wallUs() }),
  };
}

type ManifestText = {
  readonly periods: readonly {
    readonly init: string;
    readonly segments: readonly { readonly url: string }[];
  }[];
};

const request = { query: new URLSearchParams(), remoteAddress: "192.0.2.1" } as HttpRequest;

async function hlsText(presentation: Presentation, file: string): Promise<string> {
  const reply = await hlsReply(parseHlsPath(`/cam/${file}`)!.resource, presentation, "", request);
  assert.equal(reply.status, 200, file);
  return Buffer.concat(reply.body).toString();
}

/** The bytes behind a URL of a playlist, as the server finds them when all that it has is the archive. */
async function bytesOf(archives: Archives, folder: string, file: string): Promise<Buffer> {
  const { resource } = parseHlsPath(`/cam/${folder}/${file}`)!;
  assert.ok(resource.kind === "init" || resource.kind === "segment", file);
  const presentation = await archives.media(RECORDED_FOLDER, resource);
  assert.ok(presentation !== null, file);
  const reply = await hlsReply(resource, presentation, "", request);
  assert.equal(reply.status, 200, file);
  return Buffer.concat(reply.body);
}

/** Plays a playlist: each segment with the init segment in force. Returns: where the sound of each begins and ends, in samples. */
async function playSound(archives: Archives, folder: string, text: string): Promise<[number, number][]> {
  const playlist = parsePlaylistText(text);
  checkPlaylist(playlist);
  const heard: [number, number][] = [];
  for (const { map, uri } of playlist.segments) {
    const init = await bytesOf(archives, folder, map!);
    const found = readInitTracks(init.subarray(readU32(init, 0)));
    const audio = found.find(({ kind }) => kind === "audio")!;
    const track = audioTrack({ timescale: audio.timescale });
    const segment = await bytesOf(archives, folder, uri!);
    const samples = readSegmentSamples([segment], [track]);
    heard.push([samples[0]!.dts / track.timescale, samples.at(-1)!.dts / track.timescale]);
  }
  return heard;
}

const CASES: readonly [name: string, runs: readonly Run[]][] = [
  ["is lost", [audioTrack(), null]],
  ["is added", [null, audioTrack()]],
  ["is lost and comes back", [audioTrack(), null, audioTrack()]],
  ["changes, is lost and is another one", [MONO, null, audioTrack()]],
];

describe("a range in which sound", () => {
  for (const [name, runs] of CASES) {
    test(`${name} has sound in each segment, with pictures and alone`, async () => {
      const { archives, span } = await recordRuns(runs);
      const presentation = await span();
      const multivariant = await hlsText(presentation, `archive-${START_S}-60.m3u8`);
      assert.match(multivariant, /CODECS="avc1.64000a,mp4a.40.2"/);
      for (const folder of ["tracks-v1a1", "tracks-a1"]) {
        const text = await hlsText(presentation, `${folder}/archive-${START_S}-60.m3u8`);
        assert.ok(!text.includes("#EXT-X-GAP"), text);
        const heard = await playSound(archives, folder, text);
        assert.equal(heard.length, runs.length * 4);
        for (const [n, [from, to]] of heard.entries()) {
          const beginS = START_S + Math.floor(n / 4) * 10 + (n % 4) * 2;
          assert.ok(from - beginS >= -0.03 && from - beginS < 0.05, `${n} begins at ${from - beginS}`);
          assert.ok(to - beginS > 1.9 && to - beginS < 2.03, `${n} ends at ${to - beginS}`);
        }
      }
    });

    test(`${name} has it in each Period`, async () => {
      const { archives, span } = await recordRuns(runs);
      const reply = await dashReply({ kind: "mpd", isLowLatency: false }, await span());
      const mpd = parseMpd(Buffer.concat(reply.body).toString());
      assert.deepEqual(mpdProblems(mpd), []);
      const sets = mpd.periods.map(({ representations }) => representations.map(({ id }) => id).join(""));
      assert.deepEqual(
        sets,
        runs.map(() => "v1a1"),
      );
      for (const template of mpd.text.matchAll(/(?:media|initialization)="(tracks-a1)\/([^"]+)"/g)) {
        const file = template[2]!.replace("$Time$", /t="(\d+)"/.exec(mpd.text.slice(template.index))![1]!);
        assert.ok((await bytesOf(archives, template[1]!, file)).byteLength > 100);
      }
    });

    test(`${name} has it in the manifest`, async () => {
      const { archives, span } = await recordRuns(runs);
      const parsed = jsonOutput.parse(`/cam/archive-${START_S}-60.json`)!;
      const reply = await parsed.reply(await span(), { request, carriedQuery: "" });
      const { periods } = JSON.parse(Buffer.concat(reply.body).toString()) as ManifestText;
      assert.equal(periods.length, runs.length);
      for (const { init, segments } of periods)
        for (const url of [init, segments[0]!.url]) {
          const [folder, file] = url.split("/") as [string, string];
          assert.equal(folder, "tracks-v1a1");
          assert.ok((await bytesOf(archives, folder, file)).byteLength > 100);
        }
    });

    test(`${name} has it in transport streams`, async () => {
      const { archives, span } = await recordRuns(runs);
      const presentation = await span();
      for (const segment of presentation.timeline().segments) {
        const note = presentation.noteOf!(segment.tracks, BOTH);
        const { resource } = parseTsResource(`/cam/tracks-v1a1/seg-${segment.name}${note}.ts`)!;
        assert.ok(resource.kind === "ts-segment");
        const found = await archives.media(RECORDED_FOLDER, { ...resource, kind: "segment" });
        const reply = await tsSegmentReply(resource, found!);
        const bytes = Buffer.concat(reply.body);
        const pids = new Set<number>();
        for (let at = 0; at < bytes.byteLength; at += 188) pids.add(bytes.readUInt16BE(at + 1) & 0x1fff);
        assert.equal(pids.size, 4, "two tables, pictures and sound");
      }
    });
  }

  test("is lost has the pictures under the names that they always had", async () => {
    const { archives, span } = await recordRuns([audioTrack(), null]);
    const presentation = await span();
    const text = await hlsText(presentation, `tracks-v1/archive-${START_S}-60.m3u8`);
    const { segments } = parsePlaylistText(text);
    for (const { uri, map } of segments) {
      assert.match(uri!, /^seg-\d+\.m4s$/);
      assert.match(map!, /^init-[0-9a-f]{12}\.mp4$/);
    }
    const silent = presentation.timeline().segments.at(-1)!;
    const note = presentation.noteOf!(silent.tracks, BOTH);
    const pictures = await bytesOf(archives, "tracks-v1", `seg-${silent.name}.m4s`);
    const completed = await bytesOf(archives, "tracks-v1a1", `seg-${silent.name}${note}.m4s`);
    assert.deepEqual(completed.subarray(0, pictures.byteLength), pictures);
    assert.deepEqual(await bytesOf(archives, "tracks-v1a1", `seg-${silent.name}.m4s`), pictures);
    assert.equal(silent.trackSamples("a1" as TrackId), 94);
    assert.ok(silent.trackBytes("a1" as TrackId) > 0 && silent.trackUs("a1" as TrackId) > 1.9e6);
  });

  test("is lost is the same presentation when it is looked at again", async () => {
    const { archives, span } = await recordRuns([audioTrack(), null]);
    const first = await span();
    archives.forget("/another");
    assert.equal(await span(), first);
    const segments = first.timeline().segments;
    const anew = (await span()).timeline().segments;
    assert.ok(segments.every((segment, n) => segment === anew[n]));
  });
});

test("who slides on behind the sound that he began with goes on with silence of it", async () => {
  const { archives, clock, span } = await recordRuns([MONO, null, null, null]);
  const watch = new PlaylistWatch();
  const notes = new Map<string, string>();
  for (let second = 0; second < 28; second += 2) {
    const { text } = await slide(span, 91 - second);
    for (const { uri } of watch.take(text).segments) {
      const [, name, note] = /^seg-(\d+)(.*)\.m4s$/.exec(uri!)!;
      assert.equal(notes.get(name!) ?? note, note, `${name} keeps its note`);
      notes.set(name!, note!);
    }
    clock.advance(300);
    assert.equal((await playSound(archives, "tracks-v1a1", text)).length, 4);
  }
  assert.ok(watch.changes > 10);
  const silent = [...notes].filter(([, note]) => note === "-a1aac1208t44100");
  assert.ok(notes.size >= 14 && silent.length >= notes.size - 4, JSON.stringify([...notes]));
});

test("who slides through what never had sound has none", async () => {
  const { span } = await recordRuns([null, null]);
  const { presentation } = await slide(span, 66);
  assert.deepEqual(
    presentation.timeline().tracks.tracks.map(({ id }) => id),
    ["v1"],
  );
});

/** A window so many seconds behind now, and its playlist. */
async function slide(
  span: (span: TimeSpan) => Promise<Presentation>,
  agoS: number,
): Promise<{ readonly presentation: Presentation; readonly text: string }> {
  const presentation = await span({ kind: "timeshift_rel", agoS });
  const folder = presentation.timeline().tracks.tracks.length === 1 ? "tracks-v1" : "tracks-v1a1";
  return { presentation, text: await hlsText(presentation, `${folder}/timeshift_rel-${agoS}.m3u8`) };
}

test("what is asked for with a note has to lack that track, and to have pictures", async () => {
  const { archives, span } = await recordRuns([audioTrack(), null]);
  const { segments } = (await span()).timeline();
  const [withSound, without] = [segments[0]!.name, segments.at(-1)!.name];
  const names: readonly [name: string, isThere: boolean][] = [
    [`${without}-a1aac1190t48000`, true],
    [`${without}-a1aac1208t44100`, true],
    [`${withSound}-a1aac1190t48000`, false],
    [`${without}-a1ac31190t48000`, false],
    [`${without}-`, false],
    [`${Number(without) + 1}-a1aac1190t48000`, false],
  ];
  for (const [name, isThere] of names) {
    const found = await archives.media(RECORDED_FOLDER, { kind: "segment", selection: BOTH, name });
    assert.equal(found !== null, isThere, name);
    if (found === null) continue;
    const [all, alone] = [await found.segment(name, BOTH), await found.segment(name, BOTH.slice(1))];
    assert.ok(all!.length === 3 && alone!.length === 2, "silence behind what is recorded, and alone");
    assert.equal(await found.segment(`${withSound}-a1aac1190t48000`, BOTH), null);
  }
  for (const name of ["0123456789ab-a1aac1190t48000", "0123456789ab-nonsense"])
    assert.equal(await archives.media(RECORDED_FOLDER, { kind: "init", selection: BOTH, name }), null);
});

describe("segments are completed", () => {
  const video = videoTrack();
  const of = (tracks: readonly Track[]): SegmentEntry => segmentEntry(0, { tracks: trackSet(tracks) });
  const idsOf = (segments: readonly SegmentEntry[]): string[] =>
    segments.map(({ tracks }) => tracks.tracks.map(({ id }) => id).join(""));

  const cases: readonly [name: string, sets: readonly (readonly Track[])[], ids: readonly string[]][] = [
    [
      "with a second sound",
      [
        [video, MONO],
        [video, MONO, GERMAN],
      ],
      ["v1a1a2", "v1a1a2"],
    ],
    [
      "not without pictures",
      [
        [video, MONO],
        [MONO, GERMAN],
      ],
      ["v1a1a2", "a1a2"],
    ],
    ["not with sound of which there is no silence", [[video, AC3], [video]], ["v1a1", "v1"]],
    [
      "with what sound was before it was of another kind",
      [[video, MONO], [video, AC3], [video]],
      ["v1a1", "v1a1", "v1a1"],
    ],
  ];
  for (const [name, sets, ids] of cases)
    test(name, () => assert.deepEqual(idsOf(completeSegments(sets.map(of))), ids));

  test("like the sound before, and in front of all sound like the first one", () => {
    const sets = [[video], [video, MONO], [video], [video, audioTrack()], [video]];
    const rates = completeSegments(sets.map(of)).map(({ tracks }) => tracks.tracks[1]!.sampleRate);
    assert.deepEqual(rates, [44_100, 44_100, 44_100, 48_000, 48_000]);
  });

  test("only where one lacks what another one has", () => {
    const same = [of([video, MONO]), of([video, MONO])];
    assert.equal(completeSegments(same), same);
    const whole = of([video, MONO]);
    assert.equal(completeSegments([whole, of([video])])[0], whole);
  });

  test("a number without media stays one", () => {
    const gap = segmentEntry(1, { tracks: trackSet([video]), isGap: true, trackSamples: () => 0 });
    const [, completed] = completeSegments([of([video, MONO]), gap]);
    assert.ok(completed!.isGap === true && completed!.trackSamples(MONO.id) === 0);
    assert.equal(completed!.tracks.tracks.length, 2);
  });

  test("with eight sounds, and not with more", () => {
    const sounds = Array.from({ length: 12 }, (_, n) => audioTrack({ id: trackId("audio", n + 1) }));
    const [, completed] = completeSegments([of([video, ...sounds]), of([video])]);
    assert.equal(completed!.tracks.tracks.length, 9);
  });
});
