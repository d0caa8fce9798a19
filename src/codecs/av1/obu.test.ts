import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVector } from "../../../test/vectors/codecs/load.ts";
import { AV1_OBU, findObu, isAv1RandomAccess, readObu, stripTemporalDelimiters } from "./obu.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

const DELIMITER = "12 00";
const SEQUENCE = "0a 0b 000000 24 d7 d0 ff f5 58 8c 21";
const STILL_SEQUENCE = "0a 02 18 00"; // still_picture, reduced_still_picture_header
const KEY_FRAME = "32 02 10 00"; // show_existing_frame 0, KEY_FRAME, show_frame 1
const HIDDEN_KEY_FRAME = "32 02 00 00";
const INTER_FRAME = "32 02 30 00";
const SHOWN_AGAIN = "1a 01 80"; // frame header, show_existing_frame
const METADATA = "2a 02 01 00";

const table = [
  { name: "an OBU with a size", hex: "0a 02 aabb cc", obu: { type: 1, start: 0, payload: 2, end: 4 } },
  { name: "an OBU without a size", hex: "08 aabb", obu: { type: 1, start: 0, payload: 1, end: 3 } },
  { name: "an OBU with an extension", hex: "36 20 01 aa", obu: { type: 6, start: 0, payload: 3, end: 4 } },
  { name: "a size in two bytes", hex: "0a 82 00 aabb", obu: { type: 1, start: 0, payload: 3, end: 5 } },
  { name: "an empty OBU", hex: DELIMITER, obu: { type: 2, start: 0, payload: 2, end: 2 } },
];
for (const { name, hex, obu } of table) {
  test(`${name} is found`, () => assert.deepEqual(readObu(bytes(hex), 0), obu));
}

const refused = [
  { name: "nothing", hex: "" },
  { name: "the forbidden bit", hex: "8a 00" },
  { name: "a size past the end", hex: "0a 02 aa" },
  { name: "a size field without end", hex: "0a 80" },
  { name: "a size field of nine bytes", hex: "0a ff ff ff ff ff ff ff ff 01" },
  { name: "a size of 2^56", hex: "0a ff ff ff ff ff ff ff 7f" },
  { name: "an extension that is cut off", hex: "0c" },
];
for (const { name, hex } of refused) {
  test(`an OBU with ${name} is refused`, () => {
    assert.throws(() => readObu(bytes(hex), 0), { code: "CODEC_BAD_UNIT" });
  });
}

const starts = [
  { name: "a sequence header and a shown key frame", obus: [DELIMITER, SEQUENCE, KEY_FRAME], isSync: true },
  { name: "metadata between", obus: [SEQUENCE, METADATA, KEY_FRAME], isSync: true },
  { name: "a still picture", obus: [STILL_SEQUENCE, INTER_FRAME], isSync: true },
  { name: "a key frame that is shown later", obus: [SEQUENCE, HIDDEN_KEY_FRAME], isSync: false },
  { name: "a key frame without sequence header", obus: [DELIMITER, KEY_FRAME], isSync: false },
  { name: "an inter frame", obus: [SEQUENCE, INTER_FRAME], isSync: false },
  { name: "an inter frame before a key frame", obus: [SEQUENCE, INTER_FRAME, KEY_FRAME], isSync: false },
  { name: "a frame that is shown again", obus: [SEQUENCE, SHOWN_AGAIN], isSync: false },
  { name: "an empty frame", obus: [SEQUENCE, "32 00"], isSync: false },
  { name: "no frame", obus: [DELIMITER, SEQUENCE], isSync: false },
  { name: "a broken OBU", obus: [SEQUENCE, "32 7f 10"], isSync: false },
];
for (const { name, obus, isSync } of starts) {
  test(`a temporal unit with ${name} is ${isSync ? "" : "not "}a random access point`, () => {
    assert.equal(isAv1RandomAccess(bytes(obus.join(""))), isSync);
  });
}

test("a temporal unit cut at every byte never makes trouble", () => {
  const whole = bytes(DELIMITER + SEQUENCE + KEY_FRAME);
  for (let cut = 0; cut < whole.length; cut++)
    assert.equal(isAv1RandomAccess(whole.subarray(0, cut)), false);
});

const delimited = [
  { name: "none", obus: [SEQUENCE, KEY_FRAME], kept: [SEQUENCE, KEY_FRAME] },
  { name: "one in front", obus: [DELIMITER, SEQUENCE, KEY_FRAME], kept: [SEQUENCE, KEY_FRAME] },
  { name: "two in front", obus: [DELIMITER, DELIMITER, KEY_FRAME], kept: [KEY_FRAME] },
  {
    name: "two inside",
    obus: [DELIMITER, KEY_FRAME, DELIMITER, INTER_FRAME, DELIMITER],
    kept: [KEY_FRAME, INTER_FRAME],
  },
  { name: "nothing else", obus: [DELIMITER], kept: [] },
];
for (const { name, obus, kept } of delimited) {
  test(`temporal delimiters are removed: ${name}`, () => {
    assert.deepEqual([...stripTemporalDelimiters(bytes(obus.join("")))], [...bytes(kept.join(""))]);
  });
}

test("a unit without delimiters is not copied", () => {
  const unit = bytes(SEQUENCE + KEY_FRAME);
  assert.equal(stripTemporalDelimiters(unit), unit);
  assert.throws(() => stripTemporalDelimiters(bytes("12 05")), { code: "CODEC_BAD_UNIT" });
});

test("the sequence header of a real av1C is found", () => {
  const obus = loadCodecVector("av1c-main-360").bytes.subarray(4);
  assert.equal(findObu(obus, AV1_OBU.sequenceHeader)?.start, 0);
  assert.equal(findObu(obus, AV1_OBU.frame), null);
});
