import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { buildMetadataBody } from "./metadata.ts";

test("the body is a name and an array of typed fields", () => {
  const hex = Buffer.from(buildMetadataBody([])).toString("hex");
  const name = "02000a6f6e4d65746144617461";
  assert.equal(hex, `${name}0800000001000673657276657202000457656972000009`);
});

test("numbers are doubles, and the rate of pictures is left out where it is not known", () => {
  const text = Buffer.from(buildMetadataBody([videoTrack({ frameRate: 0 }), audioTrack()])).toString(
    "latin1",
  );
  assert.ok(text.includes("\x00\x05width\x00\x40\x50\x00\x00\x00\x00\x00\x00"));
  assert.ok(text.includes("\x00\x06stereo\x01\x01"));
  assert.ok(!text.includes("framerate"));
});
