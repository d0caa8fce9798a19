import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, mediaPacket, trackSet, videoTrack } from "../../test/support/media.ts";
import { packetBytes } from "../../test/support/wire-room.ts";
import { trackId } from "../media/ids.ts";
import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import type { WireFormatFactory } from "../stream/wire-format.ts";
import { chosenTracks } from "./chosen-tracks.ts";

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const second = audioTrack({ id: trackId("audio", 2) });
const all = trackSet([videoTrack(), audioTrack(), second]);

/** Says what it was told. */
function telling(told: string[]): WireFormatFactory {
  const tell = (what: string, { tracks }: TrackSet): Uint8Array => {
    const text = `${what} ${tracks.map(({ id }) => id).join()}`;
    told.push(text);
    return encoder.encode(text);
  };
  return {
    id: "x",
    carries: ({ kind }) => kind === "audio",
    create: (originUs) => ({
      preamble: (tracks) => tell("preamble", tracks),
      begin: (tracks) => void tell("begin", tracks),
      tracks: (tracks, atUs) => tell(`tracks ${originUs} ${atUs}`, tracks),
      packet: ({ track }, room) => {
        const bytes = encoder.encode(track.id);
        room.reserve(bytes.byteLength).set(bytes, room.offset);
      },
    }),
  };
}

const ids = (...names: string[]): TrackId[] => names as TrackId[];

test("the same choice has one id, in whatever order it is asked for, and another one another", () => {
  const base = telling([]);
  assert.equal(chosenTracks(base, ids("v1", "a2")).id, chosenTracks(base, ids("a2", "v1")).id);
  assert.notEqual(chosenTracks(base, ids("v1")).id, chosenTracks(base, ids("v1", "a2")).id);
  assert.notEqual(chosenTracks(base, ids("v1")).id, base.id);
  assert.deepEqual(chosenTracks(base, ids("v1", "a2")).choice, new Set(["a2", "v1"]));
});

test("the format hears of the chosen tracks alone, and what it carries is what it carried", () => {
  const told: string[] = [];
  const chosen = chosenTracks(telling(told), ids("a2", "v1", "a9"));
  const format = chosen.create(7);
  assert.equal(decoder.decode(format.preamble!(all)), "preamble v1,a2");
  format.begin!(all);
  assert.equal(decoder.decode(format.tracks(all, 9)), "tracks 7 9 v1,a2");
  format.begin!(trackSet([audioTrack()]));
  assert.deepEqual(told.slice(1), ["begin v1,a2", "tracks 7 9 v1,a2", "begin "]);
  assert.deepEqual([chosen.carries!(second), chosen.carries!(videoTrack())], [true, false]);
  assert.equal(decoder.decode(packetBytes(format, mediaPacket({ track: second })) ?? NOTHING), "a2");
  assert.equal(packetBytes(format, mediaPacket({ track: audioTrack() })), null);
});

test("a format with less to say is taken as it is", () => {
  const plain = chosenTracks(
    { id: "y", create: () => ({ tracks: () => Uint8Array.of(1), packet: () => {} }) },
    ids("v1"),
  );
  const format = plain.create(0);
  format.begin!(all);
  assert.equal(format.preamble!(all).byteLength, 0);
  assert.equal("carries" in plain, false);
  assert.deepEqual([...format.tracks(all, 0)], [1]);
});
