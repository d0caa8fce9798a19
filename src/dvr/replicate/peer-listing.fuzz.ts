import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { FillNumbers } from "../format/fill-numbers.ts";
import { parseHourListing, parseStreamListing } from "./peer-listing.ts";
import { parsePeerPath } from "./peer-paths.ts";

/** Whatever a peer lists or asks for, and whatever stands in the file of numbers: what can be, or nothing. */
export const fuzz: TextFuzzTarget = {
  name: "peer-listing",
  seeds: [
    '{"version":1,"hours":[[496640,64,0],[496641,128,64]]}',
    '{"version":1,"hours":[[496640,3,1,7000,2]]}',
    '{"version":1,"streams":["cam/one"]}',
    "/cam/archive-files/2026/08/28/08.fill.1.mp4",
  ],
  dictionary: [
    '{"version":1,',
    '"hours":[',
    "[1,2,3]",
    '"streams":[',
    "null",
    ".fill",
    ".mp4",
    ".idx",
    "/",
  ],
  run(input) {
    const bytes = new TextEncoder().encode(input);
    let last = -1;
    for (const { hour, indexBytes, fillBytes } of parseHourListing(bytes) ?? []) {
      assert.ok(hour > last && indexBytes >= 0 && fillBytes >= 0);
      last = hour;
    }
    for (const name of parseStreamListing(bytes) ?? []) assert.ok(!name.includes(".."));
    const numbers = FillNumbers.parse(bytes);
    const { segments, breaks } = numbers.before(Infinity);
    assert.ok(segments >= 0 && breaks >= 0);
    assert.equal(FillNumbers.parse(numbers.build()).size, numbers.size);
    const path = parsePeerPath(input);
    if (path?.kind === "file")
      assert.match(path.file, /^\d{4}\/\d\d\/\d\d\/\d\d\.(?:idx|fill|[a-z0-9.]*mp4)$/);
  },
};
