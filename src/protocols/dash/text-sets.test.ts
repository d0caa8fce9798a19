import assert from "node:assert/strict";
import { test } from "node:test";
import { presentationOf, segmentEntry, timelineOf } from "../../../test/support/presentation.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import type { Cue } from "../../containers/webvtt/cue.ts";
import { trackId } from "../../media/ids.ts";
import type { Presentation, SegmentEntry, TextTrack } from "../../packaging/presentation.ts";
import { dashOutput } from "./output.ts";

/** A film that begins 18.666 ms after the time 0 of its cues, and ends at 8 s. */
const AT = { stretchStartUs: 18_666, utcUs: null };
const SEGMENTS = [
  segmentEntry(0, { ...AT, startUs: 18_666, durationUs: 3_981_334 }),
  segmentEntry(1, { ...AT, startUs: 4_000_000, durationUs: 4_000_000 }),
];
const CUES: readonly Cue[] = [
  { startUs: 0, endUs: 17_000, text: "before it begins", settings: "" },
  { startUs: 10_000, endUs: 1_018_000, text: "when it begins", settings: "line:0" },
  { startUs: 3_018_000, endUs: 5_018_000, text: "over a border", settings: "" },
  { startUs: 8_000_000, endUs: 9_000_000, text: "after its end", settings: "" },
];
const ENGLISH: TextTrack = { id: trackId("text", 1), language: "en", cues: () => CUES };
const NAMELESS: TextTrack = { id: trackId("text", 2), language: "und", cues: () => Promise.resolve([]) };

function film(segments: readonly SegmentEntry[] = SEGMENTS): Presentation {
  const timeline = timelineOf({ mutability: "static", segments });
  return presentationOf(timeline, { version: "7-1", texts: [ENGLISH, NAMELESS] });
}

async function get(address: string, presentation = film(), carriedQuery = ""): Promise<HttpReply> {
  const [path, query = ""] = address.split("?") as [string, string?];
  const request = { query: new URLSearchParams(query), remoteAddress: "192.0.2.1" } as HttpRequest;
  return await dashOutput.parse(`/film/${path}`)!.reply(presentation, { request, carriedQuery });
}

async function textOf(...request: Parameters<typeof get>): Promise<string> {
  const reply = await get(...request);
  assert.equal(reply.status, 200);
  return new TextDecoder().decode(reply.body[0]);
}

test("each of the subtitles of a film is a set of one file, to the letter", async () => {
  const text = await textOf("index.mpd", film(), "?token=a&b");
  const role = `<Role schemeIdUri="urn:mpeg:dash:role:2011" value="subtitle"/>`;
  assert.ok(
    text.includes(`
    <AdaptationSet id="201" contentType="text" lang="en" mimeType="text/vtt">
      <Label>en 1</Label>
      ${role}
      <Representation id="t1" bandwidth="256">
        <BaseURL>tracks-t1/subtitles.vtt?token=a&#38;b</BaseURL>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id="202" contentType="text" mimeType="text/vtt">
      <Label>Subtitles 2</Label>
      ${role}
      <Representation id="t2" bandwidth="256">
        <BaseURL>tracks-t2/subtitles.vtt?token=a&#38;b</BaseURL>
      </Representation>
    </AdaptationSet>
  </Period>
`),
    text,
  );
});

test("the file has the cues of the film, on the clock of its Period", async () => {
  assert.equal(
    await textOf("tracks-t1/subtitles.vtt"),
    `WEBVTT

00:00:00.000 --> 00:00:01.000 line:0
when it begins

00:00:03.000 --> 00:00:05.000
over a border
`,
  );
  assert.equal(await textOf("tracks-t2/subtitles.vtt"), "WEBVTT\n");
  const headers = new Map((await get("tracks-t1/subtitles.vtt")).headers);
  assert.equal(headers.get("content-type"), "text/vtt; charset=utf-8");
  assert.equal(headers.get("etag"), '"7-1-t1"');
  assert.equal(headers.get("access-control-allow-origin"), "*");
  assert.equal((await get("tracks-t3/subtitles.vtt")).status, 404);
});

test("what goes on, or has several Periods, has no file for the whole of it", async () => {
  const live = presentationOf(timelineOf({ segments: SEGMENTS }), { texts: [ENGLISH] });
  const parts = film([SEGMENTS[0]!, { ...SEGMENTS[1]!, stretchStartUs: 4_000_000 }]);
  for (const presentation of [live, parts]) {
    assert.doesNotMatch(await textOf("index.mpd", presentation), /text\/vtt/);
    assert.equal((await get("tracks-t1/subtitles.vtt", presentation)).status, 404);
  }
});

test("cues that cannot be read fail the request, and no other", async () => {
  const broken: TextTrack = { ...ENGLISH, cues: () => Promise.reject(new Error("the disk is gone")) };
  const timeline = timelineOf({ mutability: "static", segments: SEGMENTS });
  const presentation = presentationOf(timeline, { texts: [broken, NAMELESS] });
  await assert.rejects(get("tracks-t1/subtitles.vtt", presentation), /the disk is gone/);
  assert.equal((await get("tracks-t2/subtitles.vtt", presentation)).status, 200);
  assert.equal((await get("index.mpd", presentation)).status, 200);
});
