import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { audioTrack, livePackets, videoTrack } from "../../../test/support/media.ts";
import { assertContinuous, tsPacketsOf } from "../../../test/support/ts-packets.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { trackId } from "../../media/ids.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { hlsOutput } from "./output.ts";

const START_US = 1_767_225_600_000_000;
const VIDEO = videoTrack();
const AUDIO = audioTrack();
const OPUS = audioTrack({ id: trackId("audio", 2), codec: "opus", codecString: "opus", timescale: 48_000 });

/** Ten seconds of a live stream with segments of two, on the media clock. */
function window(tracks: readonly Track[] = [VIDEO, AUDIO], segmentCount = 10): LiveWindow {
  const made = new LiveWindow({ segmentDurationUs: 2_000_000, segmentCount });
  const set: TrackSet = makeTrackSet(1, tracks);
  made.onTracks(set);
  const sets = tracks.flatMap((track) =>
    livePackets({
      video: track.kind === "video" ? track : null,
      audio: track.kind === "audio" ? track : null,
      durationMs: 10_000,
    }).map((packet) => {
      const picture = Buffer.alloc(packet.isSync ? 9004 : 2004 + ((packet.dts / 100) % 500), 9);
      picture.writeUInt32BE(picture.byteLength - 4);
      picture[4] = packet.isSync ? 0x65 : 0x41;
      const origin = (START_US / 1e6) * track.timescale;
      return {
        ...packet,
        dts: packet.dts + origin,
        pts: packet.pts + origin,
        startsGop: packet.isSync && track === set.reference,
        epoch: 1,
        arrivalUs: 0,
        payload: track.kind === "video" ? picture : new Uint8Array(200),
      };
    }),
  );
  const inOrder = sets.toSorted((a, b) => a.dts / a.track.timescale - b.dts / b.track.timescale);
  for (const packet of inOrder) made.onPacket(packet);
  return made;
}

type Asked = { readonly notices?: string[]; readonly carriedQuery?: string };

async function get(given: LiveWindow, address: string, { notices, carriedQuery = "" }: Asked = {}) {
  const [path, query = ""] = address.split("?") as [string, string?];
  const request = { query: new URLSearchParams(query), remoteAddress: "192.0.2.1" } as HttpRequest;
  const parsed = hlsOutput.parse(`/live/show/${path}`)!;
  assert.equal(parsed.name, "live/show");
  const notice = (message: string): void => void notices?.push(message);
  return await parsed.reply(given, { request, carriedQuery, notice });
}

const textOf = (reply: HttpReply): string => new TextDecoder().decode(reply.body[0]);

describe("HLS in transport streams", () => {
  test("one playlist for old devices, to the letter", async () => {
    const text = textOf(await get(window(), "video.m3u8", { carriedQuery: "?token=x" }));
    const lines = text.split("\n");
    assert.deepEqual(lines.slice(0, 4), [
      "#EXTM3U",
      "#EXT-X-VERSION:3",
      "#EXT-X-TARGETDURATION:2",
      "#EXT-X-MEDIA-SEQUENCE:1767225600",
    ]);
    assert.ok(text.includes("\n#EXTINF:2.000000,\ntracks-v1a1/seg-1767225600000.ts?token=x\n"), text);
    assert.doesNotMatch(text, /EXT-X-MAP|m4s/);
  });

  test("media playlists of any selection, and a multivariant playlist that names them", async () => {
    const given = window();
    const multivariant = textOf(await get(given, "index.ts.m3u8"));
    assert.match(multivariant, /\ntracks-v1a1\/mono\.ts\.m3u8\n$/);
    const media = textOf(await get(given, "tracks-a1/mono.ts.m3u8"));
    assert.match(media, /\nseg-1767225602000\.ts\n/);
    assert.equal((await get(given, "tracks-a7/mono.ts.m3u8")).status, 404);
    assert.equal((await get(given, "tracks-a7v7/mono.ts.m3u8")).status, 404);
    const known = textOf(await get(given, "tracks-v1/mono.ts.m3u8"));
    assert.equal(textOf(await get(given, "tracks-v1a7/mono.ts.m3u8")), known);
  });

  test("segments follow each other without a break in any counter, each made once", async () => {
    const given = window();
    const segments = ["1767225600000", "1767225602000", "1767225604000"];
    const replies = [];
    for (const name of segments) replies.push(await get(given, `tracks-v1a1/seg-${name}.ts`));
    for (const reply of replies) {
      assert.deepEqual([reply.status, new Map(reply.headers).get("content-type")], [200, "video/mp2t"]);
    }
    assertContinuous(tsPacketsOf(Buffer.concat(replies.flatMap(({ body }) => body))), 0);
    assert.equal(await get(given, `tracks-v1a1/seg-${segments[0]}.ts`), replies[0]);
  });

  test("a segment that is not listed any more is still there, one that never was is not", async () => {
    const given = window([VIDEO, AUDIO], 2);
    const oldest = given.timeline().segments[0]!;
    const name = String(Number(oldest.name) - 2000);
    assert.equal((await get(given, `tracks-v1a1/seg-${name}.ts`)).status, 200);
    assert.equal((await get(given, `tracks-v1a1/seg-${Number(name) + 1}.ts`)).status, 404);
    assert.equal((await get(given, `tracks-a2/seg-${name}.ts`)).status, 404);
  });

  test("what such devices cannot play is left out, and that is said", async () => {
    const given = window([VIDEO, AUDIO, OPUS]);
    const notices: string[] = [];
    const single = textOf(await get(given, "video.m3u8", { notices }));
    assert.match(single, /\n# track a2 is left out: .*opus/);
    assert.match(single, /\ntracks-v1a1\/seg/);
    assert.equal(notices.length, 1);
    assert.match(notices[0]!, /MPEG-TS: track a2 is left out/);
    const multivariant = textOf(await get(given, "index.ts.m3u8"));
    assert.match(multivariant, /\n# track a2/);
    assert.match(multivariant, /\ntracks-v1a1\/mono/);
    const nothing = await get(window([OPUS]), "video.m3u8");
    assert.equal(nothing.status, 404);
    assert.equal((await get(window([OPUS]), "tracks-a2/seg-1767225600000.ts")).status, 404);
  });

  test("several languages are all in the one playlist, and renditions of the other", async () => {
    const second = audioTrack({ id: trackId("audio", 2), language: "de" });
    const given = window([VIDEO, AUDIO, second]);
    assert.match(textOf(await get(given, "video.m3u8")), /\ntracks-v1a1a2\/seg/);
    const multivariant = textOf(await get(given, "index.ts.m3u8"));
    assert.match(multivariant, /LANGUAGE="de".*URI="tracks-a2\/mono\.ts\.m3u8"/);
    assert.match(multivariant, /\ntracks-v1\/mono\.ts\.m3u8\n/);
  });

  test("the bandwidth that is said is that of the bytes, a tenth more at most", async () => {
    const given = window();
    const text = textOf(await get(given, "index.ts.m3u8"));
    const said = Number(/[:,]BANDWIDTH=(\d+)/.exec(text)![1]);
    let most = 0;
    for (const { name, durationUs } of given.timeline().segments) {
      const { body } = await get(given, `tracks-v1a1/seg-${name}.ts`);
      most = Math.max(most, (body[0]!.byteLength * 8e6) / durationUs);
    }
    assert.ok(said >= most && said <= most * 1.1, `${said} of ${most} bit/s`);
  });
});

describe("the choice of tracks", () => {
  test("filter.tracks and separate_audio change what the multivariant playlist has", async () => {
    const given = window();
    const usual = textOf(await get(given, "index.m3u8"));
    assert.match(usual, /\ntracks-v1a1\/mono\.m3u8\n/);
    assert.equal(textOf(await get(given, "index.fmp4.m3u8")), usual);
    const video = textOf(await get(given, "index.m3u8?filter.tracks=v1"));
    assert.match(video, /CODECS="avc1\.[0-9a-f]+",.*\ntracks-v1\/mono\.m3u8\n$/);
    const audio = textOf(await get(given, "index.m3u8?filter.tracks=a1"));
    assert.match(audio, /CODECS="mp4a\.40\.2"\ntracks-a1\/mono\.m3u8\n$/);
    const apart = textOf(await get(given, "index.m3u8?separate_audio=true"));
    assert.match(apart, /TYPE=AUDIO,GROUP-ID="audio".*URI="tracks-a1\/mono\.m3u8"/);
    assert.match(apart, /CODECS="avc1\.[0-9a-f]+,mp4a\.40\.2".*AUDIO="audio"\ntracks-v1\/mono\.m3u8\n$/);
    const bandwidth = (text: string): number => Number(/[:,]BANDWIDTH=(\d+)/.exec(text)![1]);
    assert.equal(bandwidth(apart), bandwidth(usual));
    assert.ok(bandwidth(usual) > bandwidth(video) && bandwidth(video) > bandwidth(audio));
    const transport = textOf(await get(given, "index.ts.m3u8?filter.tracks=a1"));
    assert.match(transport, /\ntracks-a1\/mono\.ts\.m3u8\n$/);
    const single = textOf(await get(given, "video.m3u8?filter.tracks=a1"));
    assert.match(single, /\ntracks-a1\/seg/);
  });

  test("sound alone is a variant, and is not a rendition of itself", async () => {
    const text = textOf(await get(window([AUDIO]), "index.m3u8?separate_audio=true"));
    assert.match(text, /CODECS="mp4a\.40\.2"\ntracks-a1\/mono\.m3u8\n$/);
  });

  test("what is no choice is refused", async () => {
    await assert.rejects(get(window(), "index.m3u8?filter.tracks=x"), { code: "TRACKS_BAD_FILTER" });
    await assert.rejects(get(window(), "index.m3u8?filter.tracks=a9"), { code: "TRACKS_NOT_THERE" });
  });
});
