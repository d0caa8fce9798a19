import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { presentationOf, segmentEntry, timelineOf } from "../../../test/support/presentation.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { trackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { measureBandwidth } from "../../packaging/bandwidth.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import type { Presentation } from "../../packaging/presentation.ts";
import { hlsOutput } from "./output.ts";

const SECOND = audioTrack({ id: trackId("audio", 2), language: "de" });
const SURROUND = audioTrack({ id: trackId("audio", 3), codec: "ac3", codecString: "ac-3", channels: 6 });
const LARGER = videoTrack({ id: trackId("video", 2), width: 128, height: 128 });

/** What a presentation of these tracks lists; a frame of sound takes as many bytes more as its track has a number. */
function of(...tracks: readonly Track[]): Presentation {
  const segment = segmentEntry(0, {
    tracks: trackSet(tracks),
    trackBytes: (id) => (id.startsWith("v") ? 1_000_000 : 64_000 + 1000 * Number(id.slice(1))),
  });
  return presentationOf(timelineOf({ segments: [segment] }));
}

async function get(presentation: Presentation, address: string, adds = true): Promise<string> {
  const [path, query = ""] = address.split("?") as [string, string?];
  const request = {
    query: new URLSearchParams(query),
    remoteAddress: "192.0.2.1",
  } as HttpRequest;
  const asked = { request, carriedQuery: "?token=x", addsAudioOnly: () => adds };
  const reply: HttpReply = await hlsOutput.parse(`/x/${path}`)!.reply(presentation, asked);
  assert.equal(reply.status, 200);
  return new TextDecoder().decode(reply.body[0]);
}

type Variant = { readonly uri: string; readonly attributes: string };

function variantsOf(text: string): Variant[] {
  const found = text.matchAll(/^#EXT-X-STREAM-INF:(.*)\n(.*)$/gm);
  return [...found].map(([, attributes, uri]) => ({ attributes: attributes!, uri: uri! }));
}

/** 188 frames of 65 000 bytes in all with their entries, and the headers of one segment: as `measureBandwidth` has it. */
const CMAF_BPS = ((65_000 + 188 * 16 + 130) * 8) / 4;

for (const [path, link] of [
  ["index.m3u8", "mono.m3u8"],
  ["index.ll.m3u8", "mono.ll.m3u8"],
  ["index.ts.m3u8", "mono.ts.m3u8"],
] as const) {
  test(`${path} has a last variant of the sound alone, and none unless it is asked for`, async () => {
    const [first, larger, last, ...more] = variantsOf(
      await get(of(videoTrack(), LARGER, audioTrack()), path),
    );
    assert.deepEqual(
      [first?.uri, larger?.uri, last?.uri, more],
      [`tracks-v1a1/${link}?token=x`, `tracks-v2a1/${link}?token=x`, `tracks-a1/${link}?token=x`, []],
    );
    const container = path === "index.ts.m3u8" ? "ts" : "cmaf";
    const timeline = of(videoTrack(), LARGER, audioTrack()).timeline();
    const { peakBps } = measureBandwidth(timeline, [audioTrack().id], container);
    assert.ok(last!.attributes.startsWith(`BANDWIDTH=${peakBps},`), last!.attributes);
    if (container === "cmaf") assert.equal(peakBps, CMAF_BPS);
    assert.ok(last!.attributes.endsWith(',CODECS="mp4a.40.2"'), "nothing of a picture");
    const plain = variantsOf(await get(of(videoTrack(), LARGER, audioTrack()), path, false));
    assert.deepEqual(plain, [first, larger]);
  });
}

test("of several languages one variant is enough, and it needs what the largest of them needs", async () => {
  const variants = variantsOf(await get(of(videoTrack(), audioTrack(), SECOND), "index.m3u8"));
  assert.deepEqual(
    variants.map(({ uri }) => uri),
    ["tracks-v1/mono.m3u8?token=x", "tracks-a1/mono.m3u8?token=x"],
  );
  const bandwidth = CMAF_BPS + 2000;
  assert.equal(
    variants[1]!.attributes,
    `BANDWIDTH=${bandwidth},AVERAGE-BANDWIDTH=${bandwidth},CODECS="mp4a.40.2",AUDIO="audio"`,
  );
});

test("of several codecs there is one variant each, with nothing of the others", async () => {
  for (const tracks of [
    [videoTrack(), audioTrack(), SURROUND],
    [audioTrack(), SURROUND],
  ]) {
    const variants = variantsOf(await get(of(...tracks), "index.m3u8"));
    const sound = variants.filter(({ attributes }) => !attributes.includes("RESOLUTION"));
    assert.deepEqual(
      sound.map(({ uri, attributes }) => [uri, attributes.replace(/^.*(?=CODECS)/, "")]),
      [
        ["tracks-a1/mono.m3u8?token=x", 'CODECS="mp4a.40.2",AUDIO="audio"'],
        ["tracks-a3/mono.m3u8?token=x", 'CODECS="ac-3",AUDIO="audio-2"'],
      ],
    );
  }
});

test("what is chosen or there without sound, or without a picture, has no variant more", async () => {
  const uris = async (presentation: Presentation, address: string): Promise<string[]> =>
    variantsOf(await get(presentation, address)).map(({ uri }) => uri.replace(/\?.*/, ""));
  assert.deepEqual(await uris(of(videoTrack()), "index.m3u8"), ["tracks-v1/mono.m3u8"]);
  assert.deepEqual(await uris(of(audioTrack()), "index.m3u8"), ["tracks-a1/mono.m3u8"]);
  const both = of(videoTrack(), audioTrack());
  assert.deepEqual(await uris(both, "index.m3u8?filter.tracks=v1"), ["tracks-v1/mono.m3u8"]);
  assert.deepEqual(await uris(both, "index.m3u8?filter.tracks=a1"), ["tracks-a1/mono.m3u8"]);
  assert.deepEqual(await uris(both, "index.m3u8?separate_audio=true"), [
    "tracks-v1/mono.m3u8",
    "tracks-a1/mono.m3u8",
  ]);
});

test("a playlist that was rendered without it is not given when it is asked for", async () => {
  const given = of(videoTrack(), audioTrack());
  for (const adds of [false, true, false])
    assert.equal(variantsOf(await get(given, "index.m3u8", adds)).length, adds ? 2 : 1);
});

test("low-latency playlists report on each other, that of the sound alone too", async () => {
  const clock = new FakeClock();
  const window = new LiveWindow({
    segmentDurationUs: 2e6,
    segmentCount: 4,
    chunkDurationUs: 200_000,
    clock,
  });
  new LiveSource(window).play({ seconds: 9.04 });
  const reports = async (tracks: string, adds: boolean): Promise<string[]> => {
    const text = await get(window, `tracks-${tracks}/mono.ll.m3u8`, adds);
    return [...text.matchAll(/RENDITION-REPORT:URI="([^?"]*)/g)].map(([, uri]) => uri!);
  };
  assert.deepEqual(await reports("v1a1", true), ["../tracks-a1/mono.ll.m3u8"]);
  assert.deepEqual(await reports("a1", true), ["../tracks-v1a1/mono.ll.m3u8", "../tracks-v1/mono.ll.m3u8"]);
  assert.deepEqual(await reports("v1a1", false), []);
});
