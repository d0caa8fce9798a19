import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import type { TrackId } from "../../media/ids.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { TrackSet } from "../../media/track.ts";
import { InitSegments } from "../../packaging/init-segments.ts";
import type { Presentation, SegmentEntry, Timeline } from "../../packaging/presentation.ts";
import { hlsReply } from "./reply.ts";

const START_US = 1_767_225_600_000_000;
const set = trackSet();
const selection = ["v1", "a1"] as TrackId[];

function entry(index: number, changes: Partial<SegmentEntry> = {}): SegmentEntry {
  return {
    sequence: 100 + index,
    name: String(START_US / 1000 + index * 4000),
    startUs: START_US + index * 4e6,
    durationUs: 4_000_000,
    tracks: set,
    discontinuity: false,
    stretchStartUs: START_US,
    isIndependent: true,
    utcUs: START_US + index * 4e6,
    trackBytes: (id) => (id === "v1" ? 1_000_000 : 64_000),
    trackSamples: (id) => (id === "v1" ? 100 : 188),
    trackUs: () => 4_000_000,
    ...changes,
  };
}

function presentation(
  timeline: Partial<Timeline> & { segments: SegmentEntry[] },
  version: string | null = null,
): Presentation {
  const inits = new InitSegments();
  const whole: Timeline = {
    tracks: timeline.segments.at(-1)!.tracks,
    mutability: "live",
    discontinuitySequence: 0,
    targetDurationUs: 4_000_000,
    ...timeline,
  };
  return {
    version,
    timeline: () => whole,
    initName: (tracks, chosen) => inits.nameOf(tracks, chosen),
    initSegment: (name, chosen) => inits.find(name, chosen),
    segment: (name) =>
      whole.segments.some((segment) => segment.name === name) ? [Uint8Array.of(1, 2)] : null,
  };
}

async function textOf(given: Presentation, kind: "multivariant" | "media", query = ""): Promise<string> {
  const reply = await hlsReply(
    kind === "media" ? { kind, isLowLatency: false, selection } : { kind, isLowLatency: false },
    given,
    query,
  );
  assert.equal(reply.status, 200);
  return new TextDecoder().decode(reply.body[0]);
}

test("a live media playlist, to the letter", async () => {
  const given = presentation({ segments: [entry(0), entry(1, { durationUs: 3_960_000 })] });
  const init = given.initName(set, selection);
  assert.equal(
    await textOf(given, "media"),
    `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-${init}.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4.000000,
seg-1767225600000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXTINF:3.960000,
seg-1767225604000.m4s
`,
  );
});

test("a file's playlist is complete and has no wall clock", async () => {
  const text = await textOf(
    presentation({ mutability: "static", segments: [entry(0, { utcUs: null })] }),
    "media",
  );
  assert.match(text, /#EXT-X-PLAYLIST-TYPE:VOD\n/);
  assert.match(text, /#EXT-X-ENDLIST\n$/);
  assert.doesNotMatch(text, /PROGRAM-DATE-TIME/);
});

test("a discontinuity repeats the map, and those that went are counted", async () => {
  const again = makeTrackSet(2, set.tracks);
  const text = await textOf(
    presentation({
      discontinuitySequence: 3,
      segments: [entry(0), entry(1, { discontinuity: true, tracks: again })],
    }),
    "media",
  );
  assert.match(text, /#EXT-X-DISCONTINUITY-SEQUENCE:3\n/);
  assert.match(text, /\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP/);
  assert.equal(text.match(/#EXT-X-MAP/g)!.length, 2);
});

test("a stretch that has none of the chosen tracks is a gap, one that has some is played without the others", async () => {
  const silent = makeTrackSet(2, [videoTrack()]);
  const given = presentation({ segments: [entry(0), entry(1, { discontinuity: true, tracks: silent })] });
  const both = await hlsReply({ kind: "media", isLowLatency: false, selection }, given);
  assert.equal(new TextDecoder().decode(both.body[0]).match(/#EXT-X-MAP/g)!.length, 2);
  const audioOnly = await hlsReply(
    { kind: "media", isLowLatency: false, selection: ["a1"] as TrackId[] },
    given,
  );
  assert.match(
    new TextDecoder().decode(audioOnly.body[0]),
    /#EXT-X-GAP\n#EXTINF:4.000000,\nseg-1767225604000/,
  );
});

test("tracks that never were are not found", async () => {
  const given = presentation({ segments: [entry(0)] });
  for (const { ids, status } of [
    { ids: ["a7"], status: 404 },
    { ids: ["a7", "v7"], status: 404 },
    { ids: ["v1", "a7"], status: 200 },
  ]) {
    const asked = { kind: "media", isLowLatency: false, selection: ids as TrackId[] } as const;
    assert.equal((await hlsReply(asked, given)).status, status, ids.join(""));
  }
});

test("a part that does not begin with a key frame takes the promise of independence away", async () => {
  const text = await textOf(
    presentation({ segments: [entry(0), entry(1, { isIndependent: false })] }),
    "media",
  );
  assert.doesNotMatch(text, /INDEPENDENT/);
});

test("the multivariant playlist carries measured bandwidth, codecs, size and frame rate", async () => {
  const text = await textOf(presentation({ segments: [entry(0), entry(1)] }), "multivariant");
  const line = text.split("\n").find((candidate) => candidate.startsWith("#EXT-X-STREAM-INF"))!;
  const bandwidth = Number(/BANDWIDTH=(\d+)/.exec(line)![1]);
  assert.ok(bandwidth > 2_128_000 && bandwidth < 2_150_000, line);
  const video = set.tracks[0]!;
  assert.ok(line.includes(`RESOLUTION=${video.width}x${video.height}`));
  assert.ok(line.includes("FRAME-RATE=25.000"));
  assert.ok(line.includes(`CODECS="${video.codecString},mp4a.40.2"`));
  assert.match(text, /\ntracks-v1a1\/mono\.m3u8\n$/);
});

const layouts: { name: string; tracks: TrackSet; want: RegExp[] }[] = [
  { name: "video alone", tracks: makeTrackSet(1, [videoTrack()]), want: [/tracks-v1\/mono/] },
  {
    name: "audio alone",
    tracks: makeTrackSet(1, [audioTrack()]),
    want: [/CODECS="mp4a\.40\.2"\ntracks-a1\/mono/],
  },
  {
    name: "two languages",
    tracks: makeTrackSet(1, [
      videoTrack(),
      audioTrack({ language: "de" }),
      audioTrack({ id: "a2" as TrackId, language: "en" }),
    ]),
    want: [
      /#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="de 1",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="tracks-a1\/mono\.m3u8"/,
      /NAME="en 2",LANGUAGE="en",DEFAULT=NO/,
      /AUDIO="audio"\ntracks-v1\/mono\.m3u8/,
    ],
  },
];
layouts.push({
  name: "two codecs",
  tracks: makeTrackSet(1, [
    videoTrack(),
    audioTrack({ language: "de" }),
    audioTrack({ id: "a2" as TrackId, language: "de", codec: "ac3", codecString: "ac-3" }),
  ]),
  want: [
    /GROUP-ID="audio",NAME="de 1"/,
    /GROUP-ID="audio-2",NAME="de 1"/,
    /CODECS="avc1\.[0-9a-f]+,mp4a\.40\.2".*AUDIO="audio"\ntracks-v1\/mono/,
    /CODECS="avc1\.[0-9a-f]+,ac-3".*AUDIO="audio-2"\ntracks-v1\/mono/,
  ],
});
for (const { name, tracks, want } of layouts) {
  test(`multivariant playlist of ${name}`, async () => {
    const text = await textOf(presentation({ segments: [entry(0, { tracks })] }), "multivariant");
    for (const pattern of want) assert.match(text, pattern);
  });
}

test("a token is carried on by every URL", async () => {
  const given = presentation({ segments: [entry(0)] });
  assert.match(await textOf(given, "multivariant", "?token=x"), /mono\.m3u8\?token=x\n/);
  const media = await textOf(given, "media", "?token=x");
  assert.match(media, /\.m4s\?token=x\n/);
  assert.match(media, /\.mp4\?token=x"/);
});

test("a playlist is rendered once per change and gzips to the same text", async () => {
  const given = presentation({ segments: [entry(0)] });
  const [one, two] = [
    await hlsReply({ kind: "multivariant", isLowLatency: false }, given),
    await hlsReply({ kind: "multivariant", isLowLatency: false }, given),
  ];
  assert.equal(one, two);
  assert.deepEqual(gunzipSync(one.gzip!()), Buffer.from(one.body[0]!));
});

test("caching: playlists a second, live segments for ever, files by their version", async () => {
  const cache = async (given: Presentation, kind: "media" | "segment") => {
    const reply = await hlsReply(
      kind === "media"
        ? { kind, isLowLatency: false, selection }
        : { kind, selection, name: entry(0).name },
      given,
    );
    return new Map(reply.headers);
  };
  const live = presentation({ segments: [entry(0)] });
  assert.equal((await cache(live, "media")).get("cache-control"), "public, max-age=1");
  assert.match((await cache(live, "segment")).get("cache-control")!, /immutable/);
  const file = presentation({ mutability: "static", segments: [entry(0)] }, "abc");
  assert.equal((await cache(file, "segment")).get("etag"), '"abc"');
  assert.equal((await cache(file, "segment")).get("access-control-allow-origin"), "*");
  assert.equal((await hlsReply({ kind: "segment", selection, name: "1" }, live)).status, 404);
});

test("bytes that lie in memory have one reply for all who ask, those of a file one each", async () => {
  const body = [Uint8Array.of(1, 2)];
  const live = { ...presentation({ segments: [entry(0)] }), isResident: true, segment: () => body };
  const resource = { kind: "segment", name: entry(0).name, selection } as const;
  const reply = hlsReply(resource, live);
  assert.ok(!(reply instanceof Promise));
  assert.equal(hlsReply(resource, live), reply);
  assert.equal(reply.ownBytes, undefined);
  const file = { ...live, isResident: false, segment: () => Promise.resolve(body) };
  assert.equal((await hlsReply(resource, file)).ownBytes, 2);
  assert.notEqual(await hlsReply(resource, file), await hlsReply(resource, file));
});
