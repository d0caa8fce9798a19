import assert from "node:assert/strict";
import { parseAudioTag } from "./audio-tag.ts";
import type { TagUnit } from "./tag-unit.ts";
import { parseVideoTag } from "./video-tag.ts";
import { MediaError } from "../../base/errors.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

/** Bodies of audio and video tags: both parsers read every input. */
export const fuzz = {
  name: "flv-tags",
  seeds: [
    "17000000000164",
    "1701000050aabb",
    "a168766331000028aa",
    "970207a1200161763031aa",
    "961068766331000000020102010000010300",
    "9623617663310000000001aa61763031050000020bbcc0",
    "af001190",
    "2ffffb",
    "95216d7034610000000001aa4f70757301000001bb",
  ].map(hex),
  dictionary: ["avc1", "hvc1", "av01", "mp4a", "Opus", "ac-3", "ec-3", ".mp3"].map((text) =>
    Buffer.from(text),
  ),
  run(input: Uint8Array): void {
    for (const parse of [parseVideoTag, parseAudioTag]) {
      for (const unit of orNone(() => parse(input))) check(unit, input);
    }
  },
};

function orNone(parse: () => readonly TagUnit[]): readonly TagUnit[] {
  try {
    return parse();
  } catch (caught) {
    if (caught instanceof MediaError) return [];
    throw caught;
  }
}

function check(unit: TagUnit, input: Uint8Array): void {
  const bytes = unit.type === "config" ? unit.config : unit.payload;
  assert.ok(bytes.byteLength < input.byteLength);
  assert.equal(bytes.buffer, input.buffer);
}
