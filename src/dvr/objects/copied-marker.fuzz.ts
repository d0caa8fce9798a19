import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { copiedMarker, parseCopiedMarker } from "./copied-marker.ts";

/** Whatever lies in a note: what can be written again just so, or none. */
export const fuzz: TextFuzzTarget = {
  name: "copied-marker",
  seeds: [copiedMarker("https://host/bucket", [{ name: "08.mp4", bytes: 1 }]), copiedMarker("x", [])],
  dictionary: ['"version":1', '"files":[', '"bytes":', "null", "1e9"],
  run(input) {
    const marker = parseCopiedMarker(input);
    if (marker === null) return;
    const { location, files } = marker;
    const again = parseCopiedMarker(copiedMarker(location, files));
    assert.deepEqual(again?.location, location);
    assert.deepEqual(
      again.files.map(({ name, bytes }) => [name, bytes]),
      files.map(({ name, bytes }) => [name, bytes === 0 ? 0 : bytes]),
    );
  },
};
