import assert from "node:assert/strict";
import { test } from "node:test";
import { nalUnitEnd } from "../../src/codecs/nal-units.ts";
import { FLV_TAG } from "../../src/containers/flv/file-writer.ts";
import { parseVideoTag } from "../../src/containers/flv/video-tag.ts";
import { loadFilm } from "./film.ts";
import type { FilmMessage } from "./film.ts";

/** Types of the NAL units of a picture. */
function nalTypes({ body }: FilmMessage): number[] {
  const [unit] = parseVideoTag(body);
  assert.ok(unit?.type === "frame");
  const types: number[] = [];
  for (let at = 0; at < unit.payload.byteLength; at = nalUnitEnd(unit.payload, at)) {
    types.push(unit.payload[at + 4]! & 31);
  }
  return types;
}

test("the film is the sample: 200 pictures and 375 sounds in 8 s, a key frame each second", async () => {
  const { messages, configs, durationMs } = await loadFilm(0);
  const pictures = messages.filter(({ typeId }) => typeId === FLV_TAG.video);
  assert.equal(durationMs, 8000);
  assert.equal(pictures.length, 200);
  assert.equal(messages.length - pictures.length, 375);
  assert.equal(configs.length, 2);
  assert.equal(pictures.filter(({ body }) => body[0]! >>> 4 === 1).length, 8);
  assert.ok(messages.every(({ timeMs }, i) => i === 0 || timeMs >= messages[i - 1]!.timeMs));
  for (const typeId of [FLV_TAG.video, FLV_TAG.audio]) {
    const own = messages.filter((message) => message.typeId === typeId);
    assert.ok(own.at(-1)!.timeMs < own[0]!.timeMs + durationMs, "a round ends before the next begins");
  }
});

test("padded pictures have the size that was asked for, and end in filler data that decoders skip", async () => {
  const [plain, padded] = [await loadFilm(0), await loadFilm(4000)];
  for (const [index, message] of padded.messages.entries()) {
    if (message.typeId !== FLV_TAG.video) continue;
    const before = plain.messages[index]!;
    const [types, typesBefore] = [nalTypes(message), nalTypes(before)];
    if (before.body.byteLength + 6 > 4005) assert.deepEqual(types, typesBefore);
    else {
      assert.equal(message.body.byteLength, 4005);
      assert.deepEqual(types, [...typesBefore, 12]);
      assert.equal(message.body.at(-1), 0x80);
    }
  }
});
