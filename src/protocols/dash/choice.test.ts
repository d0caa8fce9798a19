import assert from "node:assert/strict";
import { before, test } from "node:test";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import {
  CLOCK_START_US,
  presentationOf,
  segmentEntry,
  timelineOf,
} from "../../../test/support/presentation.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { trackId } from "../../media/ids.ts";
import type { EdgeSource, LiveEdge, Presentation, SegmentEntry } from "../../packaging/presentation.ts";
import { dashOutput } from "./output.ts";

const GERMAN = audioTrack({ id: trackId("audio", 2), language: "de" });
const SMALL = videoTrack({ id: trackId("video", 2), width: 32, height: 32 });
const TRACKS = trackSet([videoTrack(), SMALL, audioTrack({ language: "en" }), GERMAN]);

function segment(index: number, changes: Partial<SegmentEntry> = {}): SegmentEntry {
  return segmentEntry(index, { tracks: TRACKS, ...changes });
}

/** A segment of other tracks than those before it. */
function changed(index: number, tracks: SegmentEntry["tracks"]): SegmentEntry {
  return segment(index, { tracks, stretchStartUs: CLOCK_START_US + index * 4e6 });
}

function requestOf(query: string): HttpRequest {
  return { query: new URLSearchParams(query), remoteAddress: "192.0.2.1" } as HttpRequest;
}

function get(presentation: Presentation, address: string, carriedQuery = ""): HttpReply {
  const [path, query = ""] = address.split("?") as [string, string?];
  const asked = { request: requestOf(query), carriedQuery };
  const reply = dashOutput.parse(`/x/${path}`)!.reply(presentation, asked);
  assert.ok(!(reply instanceof Promise));
  return reply;
}

/** The ids of the Representations of each Period. */
function periodsOf(presentation: Presentation, address: string): string[] {
  const reply = get(presentation, address);
  assert.equal(reply.status, 200);
  const text = new TextDecoder().decode(reply.body[0]);
  return text
    .split("<Period ")
    .slice(1)
    .map((period) => [...period.matchAll(/<Representation id="([^"]+)"/g)].map(([, id]) => id).join(" "));
}

const live = presentationOf(timelineOf({ segments: [segment(0), segment(1)] }));
const film = presentationOf(timelineOf({ mutability: "static", segments: [segment(0)] }), {
  version: "7-1",
  texts: [
    { id: trackId("text", 1), language: "en", cues: () => [] },
    { id: trackId("text", 2), language: "de", cues: () => [] },
  ],
});
const edge: LiveEdge = {
  timeline: live.timeline(),
  partTargetUs: 200_000,
  open: { ...segment(2), parts: [] },
};
const source: EdgeSource = { now: () => edge, hold: () => null, part: () => null };
const lowLatency = presentationOf(live.timeline(), { edge: source });

// The first who asks waits until DASH is loaded; everybody else has the reply at once.
before(async () => {
  const first = dashOutput.parse("/x/index.mpd")!.reply(live, { request: requestOf(""), carriedQuery: "" });
  assert.ok(first instanceof Promise);
  assert.equal((await first).status, 200);
});

const cases = [
  [live, "index.mpd", "v1 v2 a1 a2"],
  [live, "index.mpd?filter.tracks=v1a2", "v1 a2"],
  [live, "Manifest.mpd?filter.tracks=a2v1", "v1 a2"],
  [live, "index.mpd?filter.tracks=a1a9", "a1"],
  [live, "index.mpd?filter.tracks=v2", "v2"],
  [lowLatency, "index.ll.mpd?filter.tracks=v2a1", "v2 a1"],
  [film, "index.mpd", "v1 v2 a1 a2 t1 t2"],
  [film, "index.mpd?filter.tracks=v1a1", "v1 a1"],
  [film, "index.mpd?filter.tracks=v1t2", "v1 t2"],
  [film, "index.ll.mpd?filter.tracks=a2", "a2"],
] as const;
for (const [presentation, address, want] of cases) {
  test(`${address} lists ${want}${presentation === film ? " of a file" : ""}`, () =>
    assert.deepEqual(periodsOf(presentation, address), [want]));
}

test("what a filter leaves is listed as it is without one", () => {
  const all = new TextDecoder().decode(get(live, "index.mpd").body[0]);
  const some = new TextDecoder().decode(get(live, "index.mpd?filter.tracks=a2", "?token=x").body[0]);
  const set = (text: string): string => /<AdaptationSet id="102"[^]*?<\/AdaptationSet>/.exec(text)![0];
  assert.equal(
    set(some).replaceAll("?token=x", "").replace("alternate", "main"),
    set(all).replace("alternate", "main"),
  );
});

for (const path of ["index.mpd", "index.ll.mpd"]) {
  test(`${path} of tracks that are not there or no tracks is refused as playlists are`, () => {
    for (const presentation of [live, lowLatency, film]) {
      assert.throws(() => get(presentation, `${path}?filter.tracks=v9`), { code: "TRACKS_NOT_THERE" });
      assert.throws(() => get(presentation, `${path}?filter.tracks=t1`), { code: "TRACKS_NOT_THERE" });
      assert.throws(() => get(presentation, `${path}?filter.tracks=v1,a1`), { code: "TRACKS_BAD_FILTER" });
    }
  });
}

test("a Period keeps the tracks that have gone since, and one with none of them is left out", () => {
  const german = trackSet([videoTrack(), GERMAN], 2);
  const silent = trackSet([videoTrack()], 3);
  const given = presentationOf(
    timelineOf({ segments: [segment(0), changed(1, german), changed(2, silent)] }),
  );
  assert.deepEqual(periodsOf(given, "index.mpd?filter.tracks=v1a1"), ["v1 a1", "v1", "v1"]);
  assert.deepEqual(periodsOf(given, "index.mpd?filter.tracks=v1a2"), ["v1 a2", "v1 a2", "v1"]);
  assert.throws(() => get(given, "index.mpd?filter.tracks=a2"), { code: "TRACKS_NOT_THERE" });
  const again = presentationOf(
    timelineOf({ segments: [segment(0), changed(1, silent), changed(2, german)] }),
  );
  assert.deepEqual(periodsOf(again, "index.mpd?filter.tracks=a2"), ["a2", "a2"]);
  const text = new TextDecoder().decode(get(again, "index.mpd?filter.tracks=a2").body[0]);
  assert.match(
    text,
    /period-connectivity:2015" value="1767225600000"/,
    "with the one that is listed before it",
  );
});

test("of a track that has no media yet there is no MPD", () => {
  const given = presentationOf(
    timelineOf({ segments: [segment(0, { trackSamples: (id) => (id === "a1" ? 0 : 100) })] }),
  );
  assert.equal(get(given, "index.mpd?filter.tracks=a1").status, 404);
  assert.deepEqual(periodsOf(given, "index.mpd?filter.tracks=v1a1"), ["v1"]);
});

test("the same choice is rendered once, however it is written", () => {
  const first = get(live, "index.mpd?filter.tracks=a1v1");
  assert.equal(get(live, "index.mpd?filter.tracks=v1a1"), first);
  assert.equal(get(live, "index.mpd?filter.tracks=v1a1a9"), first);
  assert.notEqual(get(live, "index.mpd?filter.tracks=v1a2"), first);
  assert.notEqual(get(live, "index.mpd"), first);
});
