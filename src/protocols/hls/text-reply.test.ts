import assert from "node:assert/strict";
import { test } from "node:test";
import { trackSet } from "../../../test/support/media.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { trackId } from "../../media/ids.ts";
import { InitSegments } from "../../packaging/init-segments.ts";
import type { Presentation, SegmentEntry, Timeline } from "../../packaging/presentation.ts";
import { hlsOutput } from "./output.ts";

const set = trackSet();
const segments = [0, 1, 2].map((index): SegmentEntry => ({
  sequence: index,
  name: String(index * 2000),
  startUs: index * 2e6,
  durationUs: 2e6,
  tracks: set,
  discontinuity: false,
  stretchStartUs: 0,
  isIndependent: true,
  utcUs: null,
  trackBytes: () => 100_000,
  trackSamples: () => 50,
  trackUs: () => 2_000_000,
}));
const timeline: Timeline = {
  tracks: set,
  mutability: "static",
  segments,
  discontinuitySequence: 0,
  targetDurationUs: 2_000_000,
};
const cues = [
  { startUs: 1e6, endUs: 3e6, text: "first", settings: "line:0" },
  { startUs: 2.5e6, endUs: 2.75e6, text: "second", settings: "" },
];
const inits = new InitSegments();
const film: Presentation = {
  version: "v",
  texts: [
    { id: trackId("text", 1), language: "en", cues: () => cues },
    { id: trackId("text", 2), language: "und", cues: () => [] },
  ],
  timeline: () => timeline,
  initName: (tracks, chosen) => inits.nameOf(tracks, chosen),
  initSegment: () => null,
  segment: () => null,
};

async function get(address: string, carriedQuery = "", of: Presentation = film): Promise<HttpReply> {
  const [path, query = ""] = address.split("?") as [string, string?];
  const request = { query: new URLSearchParams(query), remoteAddress: "192.0.2.1" } as HttpRequest;
  return await hlsOutput.parse(`/film/${path}`)!.reply(of, { request, carriedQuery });
}

const textOf = async (address: string, carriedQuery?: string, of?: Presentation): Promise<string> => {
  const reply = await get(address, carriedQuery, of);
  assert.equal(reply.status, 200, address);
  return new TextDecoder().decode(reply.body[0]);
};

test("the multivariant playlist has subtitles as renditions of every variant", async () => {
  const text = await textOf("index.m3u8", "?token=x");
  assert.ok(
    text.includes(
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="en 1",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="tracks-t1/mono.m3u8?token=x"\n',
    ),
    text,
  );
  assert.match(text, /NAME="Subtitles 2",DEFAULT=NO/);
  assert.match(text, /,SUBTITLES="subtitles"\ntracks-v1a1\//);
  assert.match(await textOf("index.ts.m3u8"), /URI="tracks-t1\/mono\.ts\.m3u8"/);
  const some = await textOf("index.m3u8?filter.tracks=v1t2");
  assert.match(some, /tracks-t2/);
  assert.doesNotMatch(some, /tracks-t1|a1/);
  assert.doesNotMatch(await textOf("index.m3u8?filter.tracks=v1a1"), /SUBTITLES/);
});

test("the media playlist of subtitles, to the letter", async () => {
  const head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n";
  const lines = ["0", "2000", "4000"].map((name) => `#EXTINF:2.000000,\nseg-${name}.vtt?token=x\n`);
  const want = `${head}#EXT-X-PLAYLIST-TYPE:VOD\n${lines.join("")}#EXT-X-ENDLIST\n`;
  assert.equal(await textOf("tracks-t1/mono.m3u8", "?token=x"), want);
  assert.match(await textOf("tracks-t1/mono.ts.m3u8"), /\nseg-2000\.ts\.vtt\n/);
  assert.equal((await get("tracks-t3/mono.m3u8")).status, 404);
});

test("subtitles of a span grow with it, and are asked for as its media is", async () => {
  const growing: Timeline = { ...timeline, mutability: "event" };
  const range = { ...film, version: null, timeline: () => growing };
  const uriOf = async (query: string): Promise<string> =>
    /TYPE=SUBTITLES.*URI="([^"]+)"/.exec(await textOf(`archive-1-now.m3u8${query}`, "", range))![1]!;
  assert.equal(await uriOf(""), "tracks-t1/archive-1-now.m3u8");
  assert.equal(await uriOf("?event=false"), "tracks-t1/archive-1-now.m3u8?event=false");
  const [whole, part] = [
    await textOf(await uriOf("?event=false"), "", range),
    await textOf(await uriOf(""), "", range),
  ];
  assert.equal(whole, await textOf("tracks-t1/mono.m3u8"));
  assert.equal(part, whole.replace("TYPE:VOD", "TYPE:EVENT").replace("#EXT-X-ENDLIST\n", ""));
});

test("a segment has the cues that are shown in it, on the clock of its media", async () => {
  const map = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n";
  const first = "\n00:00:01.000 --> 00:00:03.000 line:0\nfirst\n";
  assert.equal(await textOf("tracks-t1/seg-0.vtt"), `${map}${first}`);
  assert.equal(
    await textOf("tracks-t1/seg-2000.vtt"),
    `${map}${first}\n00:00:02.500 --> 00:00:02.750\nsecond\n`,
  );
  assert.equal(await textOf("tracks-t1/seg-4000.vtt"), map);
  assert.match(await textOf("tracks-t1/seg-0.ts.vtt"), /MPEGTS:90000,/);
  assert.equal((await get("tracks-t1/seg-1.vtt")).status, 404);
  assert.match(new Map((await get("tracks-t1/seg-0.vtt")).headers).get("content-type")!, /^text\/vtt/);
});
