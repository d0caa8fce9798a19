import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import {
  CLOCK_START_US,
  presentationOf,
  segmentEntry,
  timelineOf,
} from "../../../test/support/presentation.ts";
import type { HttpReply } from "../../base/http-message.ts";
import { trackId } from "../../media/ids.ts";
import type { TrackId } from "../../media/ids.ts";
import type {
  EdgeSource,
  LiveEdge,
  Presentation,
  SegmentEntry,
  Timeline,
} from "../../packaging/presentation.ts";
import { dashReply } from "./reply.ts";

const selection = ["v1"] as TrackId[];
const MPD = { kind: "mpd", isLowLatency: false } as const;
const LL_MPD = { kind: "mpd", isLowLatency: true } as const;

function live(...segments: SegmentEntry[]): Presentation {
  return presentationOf(timelineOf({ segments }));
}

function ready(reply: Promise<HttpReply> | HttpReply): HttpReply {
  assert.ok(!(reply instanceof Promise));
  return reply;
}

function textOf(given: Presentation, resource: typeof MPD | typeof LL_MPD = MPD, query = ""): string {
  const reply = ready(dashReply(resource, given, { query }));
  assert.equal(reply.status, 200);
  return new TextDecoder().decode(reply.body[0]);
}

test("a live MPD lists the earlier segments too, and its window is as long as they make it", () => {
  const [first, ...segments] = [segmentEntry(0), segmentEntry(1), segmentEntry(2)];
  const given = presentationOf(timelineOf({ segments, earlier: [first] }));
  const text = textOf(given);
  assert.match(text, /timeShiftBufferDepth="PT16S"/);
  assert.match(text, /<S t="1767225600000" d="4000" r="2"\/>/);
  assert.match(textOf(given, MPD, "?filter=x"), /r="2"/);
});

test("a live MPD, to the letter", () => {
  const given = live(segmentEntry(0), segmentEntry(1, { durationUs: 3_960_000 }));
  const init = (id: string): string => given.initName(given.timeline().tracks, [id as TrackId]);
  assert.equal(
    textOf(given),
    `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z" publishTime="2026-01-01T00:00:07.960Z" minimumUpdatePeriod="PT2S" timeShiftBufferDepth="PT11.96S" suggestedPresentationDelay="PT12S" minBufferTime="PT4S">
  <Period id="1767225600000" start="PT1767225600S">
    <AssetIdentifier schemeIdUri="urn:org:dashif:asset-id:2013" value="main"/>
    <AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <Representation id="v1" bandwidth="2023697" codecs="avc1.64000a" width="64" height="64" sar="1:1" frameRate="25">
        <SegmentTemplate timescale="1000" presentationTimeOffset="1767225600000" initialization="tracks-v1/init-${init("v1")}.mp4" media="tracks-v1/seg-$Time$.m4s">
          <SegmentTimeline>
            <S t="1767225600000" d="4000"/>
            <S d="3960"/>
          </SegmentTimeline>
        </SegmentTemplate>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id="101" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <Representation id="a1" bandwidth="135633" codecs="mp4a.40.2" audioSamplingRate="48000">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:mpegB:cicp:ChannelConfiguration" value="2"/>
        <SegmentTemplate timescale="1000" presentationTimeOffset="1767225600000" initialization="tracks-a1/init-${init("a1")}.mp4" media="tracks-a1/seg-$Time$.m4s">
          <SegmentTimeline>
            <S t="1767225600000" d="4000"/>
            <S d="3960"/>
          </SegmentTimeline>
        </SegmentTemplate>
      </Representation>
    </AdaptationSet>
  </Period>
  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="utc"/>
  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-head:2014" value="utc"/>
</MPD>
`,
  );
});

test("a file is static from its first segment on, and has no wall clock", () => {
  const at = { stretchStartUs: 18_666, utcUs: null };
  const segments = [
    segmentEntry(0, { ...at, startUs: 18_666, durationUs: 4_021_334 }),
    segmentEntry(1, { ...at, startUs: 4_040_000, durationUs: 2_000_000 }),
  ];
  const text = textOf(presentationOf(timelineOf({ mutability: "static", segments }), { version: "7-1" }));
  assert.match(text, /type="static" mediaPresentationDuration="PT6\.021S"/);
  assert.match(text, /<Period id="18" start="PT0S">/);
  assert.match(text, /presentationTimeOffset="18"/);
  assert.match(text, /<S t="18" d="4022"\/>\n *<S d="2000"\/>/);
  assert.doesNotMatch(text, /availabilityStartTime|publishTime|UTCTiming|timeShift|minimumUpdate/);
});

test("what only grows keeps all that it had", () => {
  const text = textOf(presentationOf(timelineOf({ mutability: "event", segments: [segmentEntry(0)] })));
  assert.match(text, /type="dynamic"/);
  assert.doesNotMatch(text, /timeShiftBufferDepth/);
});

test("a break begins a Period that is connected with the one before", () => {
  const again = { stretchStartUs: CLOCK_START_US + 9_000_000, discontinuity: true };
  const text = textOf(live(segmentEntry(0), segmentEntry(1, { ...again, startUs: again.stretchStartUs })));
  assert.match(text, /<Period id="1767225609000" start="PT1767225609S">/);
  const connected = `<SupplementalProperty schemeIdUri="urn:mpeg:dash:period-connectivity:2015" value="1767225600000"/>`;
  assert.equal(text.split(connected).length - 1, 2);
});

test("a set whose codec has changed is not connected", () => {
  const changed = trackSet([videoTrack({ codecString: "avc1.640028" }), audioTrack()], 2);
  const text = textOf(
    live(segmentEntry(0), segmentEntry(1, { tracks: changed, stretchStartUs: CLOCK_START_US + 4e6 })),
  );
  assert.equal(text.match(/period-connectivity/g)!.length, 1);
  assert.match(text, /codecs="avc1\.640028"/);
});

test("qualities of one picture are one set; each audio and each text is one of its own, with its language", () => {
  const tracks = trackSet([
    videoTrack(),
    videoTrack({ id: trackId("video", 2), width: 32, height: 32 }),
    videoTrack({ id: trackId("video", 3), codec: "av1", codecString: "av01.0.04M.08" }),
    audioTrack({ language: "en", channels: 6 }),
    audioTrack({ id: trackId("audio", 2), language: "de", channels: 0 }),
    { ...audioTrack(), id: trackId("text", 1), kind: "text", codec: "webvtt", codecString: "wvtt" },
  ]);
  const given = live(segmentEntry(0, { tracks, trackSamples: () => 100 }));
  const text = textOf({ ...given, initName: () => "0123456789ab" });
  const sets = text.split("<AdaptationSet ").slice(1);
  assert.deepEqual(
    sets.map((set) => set.match(/<Representation id="[^"]+"/g)!.map((id) => id.slice(20, -1))),
    [["v1", "v2"], ["v3"], ["a1"], ["a2"], ["t1"]],
  );
  assert.deepEqual(
    sets.map((set) => /^id="(\d+)"/.exec(set)![1]),
    ["1", "3", "101", "102", "201"],
  );
  assert.deepEqual(
    sets.map((set) => /role:2011" value="(\w+)"/.exec(set)![1]),
    ["main", "alternate", "main", "alternate", "subtitle"],
  );
  assert.match(sets[2]!, /lang="en"[^]*ChannelConfiguration" value="6"/);
  assert.doesNotMatch(sets[3]!, /ChannelConfiguration/);
  assert.match(sets[4]!, /mimeType="application\/mp4"/);
});

test("only sets in which decoding may start at every segment say so", () => {
  const text = textOf(live(segmentEntry(0), segmentEntry(1, { isIndependent: false })));
  const [video, audio] = text.split("<AdaptationSet ").slice(1);
  assert.doesNotMatch(video!, /startWithSAP/);
  assert.match(audio!, /startWithSAP="1"/);
});

test("a quality whose key frames are elsewhere is a set of its own, and promises nothing any more", () => {
  const tracks = trackSet([videoTrack(), videoTrack({ id: trackId("video", 2) }), audioTrack()]);
  const setsOf = (changes: Partial<Timeline>, ...segments: SegmentEntry[]): string[][] => {
    const text = textOf(presentationOf(timelineOf({ segments, ...changes })));
    const sets = text.split("<AdaptationSet ").slice(1);
    return sets.map((set) => [
      ...[...set.matchAll(/<Representation id="(\w+)"/g)].map(([, id]) => id!),
      set.includes("startWithSAP") ? "begins with key frames" : "",
    ]);
  };
  const yes = "begins with key frames";
  const good = segmentEntry(0, { tracks, dependent: [] });
  assert.deepEqual(setsOf({}, good), [
    ["v1", "v2", yes],
    ["a1", yes],
  ]);
  const [v1, v2] = ["v1", "v2"] as TrackId[];
  const apart = { dependent: [v2!], unaligned: [v2!] };
  assert.deepEqual(setsOf({ randomAccess: apart }, good), [
    ["v1", yes],
    ["v2", ""],
    ["a1", yes],
  ]);
  assert.deepEqual(setsOf({ randomAccess: { dependent: [v1!, v2!], unaligned: [] } }, good), [
    ["v1", "v2", ""],
    ["a1", yes],
  ]);
  const cut = segmentEntry(1, { tracks, isIndependent: false, dependent: [v1!] });
  assert.deepEqual(setsOf({}, good, cut), [
    ["v1", "v2", ""],
    ["a1", yes],
  ]);
});

const rates = [
  [24, '"24"'],
  [30_000 / 1001, '"30000/1001"'],
  [60, '"60"'],
] as const;
for (const [rate, written] of rates) {
  test(`${rate.toFixed(2)} pictures a second are frameRate=${written}`, () => {
    const tracks = trackSet([videoTrack({ frameRate: rate })]);
    const samples = Math.round(rate * 1001);
    const us = Math.round((samples * 1e6) / rate);
    const text = textOf(live(segmentEntry(0, { tracks, trackSamples: () => samples, trackUs: () => us })));
    assert.ok(text.includes(`frameRate=${written}`), text);
  });
}

test("a frame rate that nobody knows is not written", () => {
  const tracks = trackSet([videoTrack({ frameRate: 0 })]);
  const text = textOf(live(segmentEntry(0, { tracks, trackSamples: () => 71 })));
  assert.doesNotMatch(text, /frameRate/);
});

test("a token is carried on in every address, and nothing in it ends an attribute", () => {
  const text = textOf(live(segmentEntry(0)), MPD, `?token=a%22&"<`);
  const addresses = text.match(/(?:media|initialization|value)="[^"]*token[^"]*"/g)!;
  assert.equal(addresses.length, 6);
  for (const address of addresses) assert.match(address, /\?token=a%22&#38;&#34;&#60;"$/);
});

test("an MPD is written once per change, and gzip gives the same text", () => {
  const given = live(segmentEntry(0));
  const reply = ready(dashReply(MPD, given));
  assert.equal(dashReply(MPD, given), reply);
  assert.deepEqual(new Uint8Array(gunzipSync(reply.gzip!())), reply.body[0]);
  const headers = new Map(reply.headers);
  assert.equal(headers.get("content-type"), "application/dash+xml");
  assert.equal(headers.get("cache-control"), "public, max-age=1");
  assert.equal(headers.get("access-control-allow-origin"), "*");
  const next = ready(dashReply(MPD, live(segmentEntry(0), segmentEntry(1))));
  assert.notEqual(new Map(next.headers).get("etag"), headers.get("etag"));
});

test("the time is that of the clock, and nobody keeps it", () => {
  const clock = new FakeClock(CLOCK_START_US + 1_500_000);
  const reply = ready(dashReply({ kind: "utc" }, live(segmentEntry(0)), { clock }));
  assert.equal(new TextDecoder().decode(reply.body[0]).trim(), "2026-01-01T00:00:01.500Z");
  assert.equal(new Map(reply.headers).get("cache-control"), "no-store");
});

test("segments and init segments are those of the presentation; others are not there", () => {
  const given = live(segmentEntry(0));
  const name = given.initName(given.timeline().tracks, selection);
  assert.equal(ready(dashReply({ kind: "init", selection, name }, given)).status, 200);
  const segment = ready(dashReply({ kind: "segment", selection, name: segmentEntry(0).name }, given));
  assert.deepEqual(segment.body, [Uint8Array.of(1, 2)]);
  assert.equal(new Map(segment.headers).get("content-type"), "video/mp4");
  for (const wrong of ["1", "9999999999999999"])
    assert.equal(ready(dashReply({ kind: "segment", selection, name: wrong }, given)).status, 404);
  assert.equal(ready(dashReply({ kind: "init", selection, name: "000000000000" }, given)).status, 404);
});

function withEdge(segments: readonly SegmentEntry[], open: Partial<LiveEdge["open"]> | null): Presentation {
  const timeline = timelineOf({ segments });
  const edge: LiveEdge = {
    timeline,
    partTargetUs: 208_000,
    open: open === null ? null : { ...segmentEntry(segments.length), parts: [], ...open },
  };
  const source: EdgeSource = { now: () => edge, hold: () => null, part: () => null };
  return presentationOf(timeline, { edge: source });
}

test("at low latency the segment that grows is listed, and the one after it where segments are regular", () => {
  const given = withEdge([segmentEntry(0), segmentEntry(1)], {});
  const text = textOf(given, LL_MPD);
  assert.match(text, /<S t="1767225600000" d="4000" r="3"\/>/);
  assert.match(text, /availabilityTimeOffset="3\.792" availabilityTimeComplete="false"/);
  assert.match(text, /<Latency target="1040" min="520" max="3120"\/>/);
  assert.match(text, /publishTime="2026-01-01T00:00:08\.001Z"/);
  assert.match(text, /<Resync type="0" dT="208"\/>/);
  assert.match(text, /wallClockTime="2026-01-01T00:00:00\.000Z" presentationTime="1767225600000"/);
  assert.match(textOf(given), /<S t="1767225600000" d="4000" r="1"\/>/);
  const irregular = withEdge([segmentEntry(0), segmentEntry(1, { durationUs: 3e6 })], {
    startUs: CLOCK_START_US + 7e6,
    name: "1767225607000",
  });
  assert.match(textOf(irregular, LL_MPD), /d="4000"\/>\n *<S d="3000" r="1"\/>\n *<\/SegmentTimeline>/);
});

test("at low latency a segment after a break is a Period at once", () => {
  const startUs = CLOCK_START_US + 20_000_000;
  const given = withEdge([segmentEntry(0)], { discontinuity: true, startUs, name: String(startUs / 1000) });
  assert.match(textOf(given, LL_MPD), /<Period id="1767225620000"[^]*<S t="1767225620000" d="4000"\/>/);
});

test("while nothing comes, and for a file, the MPD for low latency lists what is complete", () => {
  assert.match(textOf(withEdge([segmentEntry(0)], null), LL_MPD), /<S t="1767225600000" d="4000"\/>/);
  const file = presentationOf(timelineOf({ mutability: "static", segments: [segmentEntry(0)] }));
  assert.match(textOf(file, LL_MPD), /type="static"/);
});

test("the MPD for low latency is another one with every segment that begins, and no cache keeps it", () => {
  const segments = [segmentEntry(0)];
  const first = ready(dashReply(LL_MPD, withEdge(segments, {})));
  const later = ready(dashReply(LL_MPD, withEdge(segments, { name: "1767225604001" })));
  const tag = (reply: HttpReply): string | undefined => new Map(reply.headers).get("etag");
  assert.notEqual(tag(first), tag(later));
  assert.equal(new Map(first.headers).get("cache-control"), "no-cache");
});
