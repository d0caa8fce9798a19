import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../base/bytes.ts";
import { annexBToLengthPrefixed } from "../../codecs/nal-units.ts";
import { parseAvcConfig } from "../../codecs/h264/avc-config.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { AccessUnitWriter } from "./access-unit-writer.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const { sps, pps } = parseAvcConfig(videoTrack().config);
const CODE = hex("00000001");
const SETS = concatBytes([CODE, sps[0]!, CODE, pps[0]!]);
const SPS_UNIT = concatBytes([Uint8Array.of(0, 0, 0, sps[0]!.byteLength), sps[0]!]);
const DELIMITER = hex("00000001 09f0");

const rows: readonly { name: string; payload: Uint8Array; isSync: boolean; want: Uint8Array | null }[] = [
  {
    name: "a picture",
    payload: hex("00000002 4155"),
    isSync: false,
    want: concatBytes([DELIMITER, hex("00000001 4155")]),
  },
  {
    name: "a key frame gets the parameter sets",
    payload: hex("00000002 0605 00000002 6555"),
    isSync: true,
    want: concatBytes([DELIMITER, SETS, hex("00000001 0605 00000001 6555")]),
  },
  {
    name: "a key frame that has them keeps its own",
    payload: concatBytes([SPS_UNIT, hex("00000002 6555")]),
    isSync: true,
    want: concatBytes([DELIMITER, CODE, sps[0]!, hex("00000001 6555")]),
  },
  {
    name: "the sender's own delimiter is replaced",
    payload: hex("00000002 0910 00000002 4155"),
    isSync: false,
    want: concatBytes([DELIMITER, hex("00000001 4155")]),
  },
  { name: "nothing", payload: hex(""), isSync: true, want: null },
  { name: "a delimiter alone", payload: hex("00000002 0910"), isSync: false, want: null },
  { name: "a length past the end", payload: hex("00000003 4155"), isSync: false, want: null },
  { name: "a length that is cut off", payload: hex("00000002 4155 0000"), isSync: false, want: null },
];

for (const { name, payload, isSync, want } of rows) {
  test(`access unit: ${name}`, () => {
    const writer = new AccessUnitWriter(videoTrack());
    const size = writer.measure(payload, isSync);
    assert.equal(size, want?.byteLength ?? 0);
    if (want === null) return;
    const out = new Uint8Array(size + 2).fill(0xee);
    writer.write(out, 1, payload);
    assert.deepEqual(out, Uint8Array.of(0xee, ...want, 0xee));
    assert.notEqual(annexBToLengthPrefixed(want), null);
  });
}
