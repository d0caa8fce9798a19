import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { trackId } from "../../media/ids.ts";
import { formatTrackSelection, parseTrackSelection } from "../../packaging/presentation.ts";
import { renditionsBeside } from "./playlist.ts";

const V1 = videoTrack();
const V2 = videoTrack({ id: trackId("video", 2) });
const A1 = audioTrack();
const A2 = audioTrack({ id: trackId("audio", 2), language: "de" });

const MP3 = audioTrack({ codec: "mp3", codecString: "mp4a.40.34" });

const cases = [
  { name: "the usual playlist of one picture and one sound has no other", own: "v1a1", beside: [] },
  { name: "a picture alone, by separate_audio or filter.tracks", own: "v1", beside: ["a1"] },
  { name: "the sound beside it", own: "a1", beside: ["v1"] },
  { name: "the sound where it is a variant too", own: "a1", adds: true, beside: ["v1a1", "v1"] },
  { name: "qualities with the one sound inside", tracks: [V1, V2, A1], own: "v2a1", beside: ["v1a1"] },
  { name: "a quality alone", tracks: [V1, V2, A1], own: "v2", beside: ["v1", "a1"] },
  { name: "one of several languages", tracks: [V1, A1, A2], own: "a2", beside: ["v1", "a1"] },
  { name: "a chosen language inside", tracks: [V1, V2, A1, A2], own: "v1a2", beside: ["v2a2"] },
  { name: "sounds without a picture", tracks: [V1, A1, A2], own: "a1a2", beside: [] },
  { name: "two pictures at once", tracks: [V1, V2, A1], own: "v1v2a1", beside: [] },
  { name: "a picture that is played without its sound too", tracks: [V1, MP3], own: "v1", beside: ["a1"] },
  { name: "a track that is not there now", own: "v7", beside: [] },
];

for (const { name, tracks = [V1, A1], own, adds = false, beside } of cases) {
  test(`rendition reports of ${name}`, () => {
    const found = renditionsBeside(tracks, parseTrackSelection(own)!, adds);
    assert.deepEqual(found.map(formatTrackSelection), beside);
  });
}
