import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { trackId } from "../../media/ids.ts";
import { parseMseCommand } from "./commands.ts";
import { parseMsePath } from "./path.ts";
import { FIRST_TRACKS, parseMseSelection, selectedTracks, selectionKey } from "./selection.ts";

const PATHS: readonly [path: string, name: string | null][] = [
  ["/cam/mse_ld", "cam"],
  ["/pub/hall/cam-1/mse_ld", "pub/hall/cam-1"],
  ["/a/mse_ld/mse_ld", "a/mse_ld"],
  ["/mse_ld", null],
  ["//mse_ld", null],
  ["/a//mse_ld", null],
  ["/cam/mse_ld/", null],
  ["/cam/MSE_LD", null],
  ["/cammse_ld", null],
  ["cam/mse_ld", null],
  ["", null],
];
for (const [path, name] of PATHS) {
  test(`"${path}" asks for ${name ?? "no stream"}`, () => assert.equal(parseMsePath(path), name));
}

const SELECTIONS: readonly [text: string, key: string | null][] = [
  ["", "first"],
  ["v1a1", "v1a1"],
  ["a1v1", "v1a1"],
  ["a2", "a2"],
  ["v2", "v2"],
  ["v1v2a1a3", "v1a1"],
  ["t1", null],
  ["v1t1", "v1"],
  ["v0", null],
  ["v100", null],
  ["v1v1", null],
  ["v1 a1", null],
  ["x", null],
];
for (const [text, key] of SELECTIONS) {
  test(`the choice "${text}" is ${key ?? "none"}`, () => {
    const selection = parseMseSelection(text);
    assert.equal(selection && selectionKey(selection), key);
  });
}

test("a choice has the tracks that it names, and without one the first of each kind", () => {
  const second = audioTrack({ id: trackId("audio", 2) });
  const words = videoTrack({ id: trackId("text", 1), kind: "text", codec: "webvtt" });
  const set = trackSet([videoTrack(), audioTrack(), second, words]);
  const ids = (text: string): string[] => selectedTracks(set, parseMseSelection(text)!).map(({ id }) => id);
  assert.deepEqual(ids(""), ["v1", "a1"]);
  assert.deepEqual(ids("v1a2"), ["v1", "a2"]);
  assert.deepEqual(ids("a2"), ["a2"]);
  assert.deepEqual(ids("v9"), []);
  assert.deepEqual(selectedTracks(trackSet([second]), FIRST_TRACKS), []);
});

const COMMANDS: readonly [text: string, command: unknown][] = [
  ["resume", { type: "resume" }],
  ["pause", { type: "pause" }],
  ["live", { type: "live" }],
  ["play_from=1700000000", { type: "play-from", utcSeconds: 1_700_000_000 }],
  ["play_from=12.5", { type: "play-from", utcSeconds: 12.5 }],
  ["play_from=", null],
  ["play_from=-1", null],
  ["play_from=1e9", null],
  ["play_from=Infinity", null],
  ["set_tracks=v1a1", { type: "set-tracks", selection: parseMseSelection("v1a1") }],
  ["set_tracks=", { type: "set-tracks", selection: FIRST_TRACKS }],
  ["set_tracks=x", null],
  ['{"type":"statistics"}', { type: "statistics" }],
  ["=", null],
  ["Resume", null],
  ["resume ", null],
  ["", null],
];
for (const [text, command] of COMMANDS) {
  test(`"${text}" is ${command === null ? "no command" : "a command"}`, () =>
    assert.deepEqual(parseMseCommand(text), command));
}
