import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../test/support/media.ts";
import { trackId } from "../media/ids.ts";
import { filterTracks } from "./track-filter.ts";

const tracks = [videoTrack(), videoTrack({ id: trackId("video", 2) }), audioTrack()];

const cases: [string, string[]][] = [
  ["", ["v1", "v2", "a1"]],
  ["token=x", ["v1", "v2", "a1"]],
  ["filter.tracks=v1a1", ["v1", "a1"]],
  ["filter.tracks=a1v2", ["v2", "a1"]],
  ["filter.tracks=a1a7", ["a1"]],
];
for (const [query, want] of cases) {
  test(`"${query}" is ${want.join(" and ")}`, () => {
    const found = filterTracks(tracks, new URLSearchParams(query));
    assert.deepEqual(
      found.map(({ id }) => id),
      want,
    );
  });
}

for (const text of ["", "v", "video", "v1,a1", "v1v1", "v1".repeat(100), "-a1"]) {
  test(`"${text.slice(0, 20)}" is TRACKS_BAD_FILTER`, () => {
    const query = new URLSearchParams({ "filter.tracks": text });
    assert.throws(() => filterTracks(tracks, query), { code: "TRACKS_BAD_FILTER", httpStatus: 400 });
  });
}

test("only tracks that are not there are TRACKS_NOT_THERE, which says what there is", () => {
  assert.throws(() => filterTracks(tracks, new URLSearchParams("filter.tracks=a3")), {
    code: "TRACKS_NOT_THERE",
    httpStatus: 404,
    message: /asks for a3.*v1v2a1/,
  });
});
