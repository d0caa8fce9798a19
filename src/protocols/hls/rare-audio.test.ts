import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { presentationOf, segmentEntry, timelineOf } from "../../../test/support/presentation.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { trackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { hlsOutput } from "./output.ts";

const V1 = videoTrack();
const V2 = videoTrack({ id: trackId("video", 2), width: 128, height: 128 });
const AAC = audioTrack({ id: trackId("audio", 2) });
const MP3 = audioTrack({ codec: "mp3", codecString: "mp4a.40.34" });
const AC3 = audioTrack({ codec: "ac3", codecString: "ac-3", channels: 6 });
const EAC3 = audioTrack({ codec: "eac3", codecString: "ec-3", channels: 6 });

/** Codecs, group and address of each variant, and what was said in the log. */
async function read(
  tracks: readonly Track[],
  path: string,
): Promise<{ variants: string[]; said: string[] }> {
  const said: string[] = [];
  const segments = [segmentEntry(0, { tracks: trackSet(tracks) })];
  const request = { query: new URLSearchParams(), remoteAddress: "192.0.2.1" } as HttpRequest;
  const asked = { request, carriedQuery: "", notice: (message: string) => void said.push(message) };
  const given = presentationOf(timelineOf({ segments }));
  const reply: HttpReply = await hlsOutput.parse(`/x/${path}`)!.reply(given, asked);
  const text = new TextDecoder().decode(reply.body[0]);
  const found = text.matchAll(
    /^#EXT-X-STREAM-INF:.*CODECS="([^"]*)"(?:.*(AUDIO="[^"]*"))?.*\n(.*)\/mono/gm,
  );
  return { variants: [...found].map((match) => match.slice(1).filter(Boolean).join(" ")), said };
}

const A = "avc1.64000a";

const cases: { name: string; tracks: Track[]; path?: string; variants: string[]; says?: RegExp }[] = [
  {
    name: "AAC is inside, and nothing is said",
    tracks: [V1, AAC],
    variants: [`${A},mp4a.40.2 tracks-v1a2`],
  },
  ...[MP3, AC3, EAC3].map((audio) => ({
    name: `${audio.codec} is beside the picture, which is the last variant alone`,
    tracks: [V1, audio],
    variants: [`${A},${audio.codecString} AUDIO="audio" tracks-v1`, `${A} tracks-v1`],
    says: new RegExp(`sound a1 is ${audio.codec}`),
  })),
  {
    name: "every quality has one without sound",
    tracks: [V1, V2, MP3],
    variants: [
      `${A},mp4a.40.34 AUDIO="audio" tracks-v1`,
      `${A},mp4a.40.34 AUDIO="audio" tracks-v2`,
      `${A} tracks-v1`,
      `${A} tracks-v2`,
    ],
    says: /sound a1 is mp3/,
  },
  {
    name: "who has AAC beside it needs none without sound",
    tracks: [V1, AC3, AAC],
    variants: [`${A},ac-3 AUDIO="audio" tracks-v1`, `${A},mp4a.40.2 AUDIO="audio-2" tracks-v1`],
  },
  { name: "sound alone stays a variant", tracks: [MP3], variants: ["mp4a.40.34 tracks-a1"] },
  {
    name: "MP3 in transport streams is inside: players take it there",
    tracks: [V1, MP3],
    path: "index.ts.m3u8",
    variants: [`${A},mp4a.40.34 tracks-v1a1`],
  },
  {
    name: "AC-3 in transport streams is inside for devices, and the picture is there alone for others",
    tracks: [V1, AC3],
    path: "index.ts.m3u8",
    variants: [`${A},ac-3 tracks-v1a1`, `${A} tracks-v1`],
  },
];

for (const { name, tracks, path = "index.m3u8", variants, says } of cases) {
  test(`sound that browsers lack: ${name}`, async () => {
    const found = await read(tracks, path);
    assert.deepEqual(found.variants, variants);
    assert.equal(found.said.length, says === undefined ? 0 : 1);
    if (says !== undefined) assert.match(found.said[0]!, says);
  });
}
