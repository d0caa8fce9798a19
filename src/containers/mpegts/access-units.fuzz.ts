import assert from "node:assert/strict";
import { AccessUnitSplitter } from "./access-unit-splitter.ts";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

/** Byte streams of H.264 and H.265 in PES packets; the first byte says which, the second how long those are. */
export const fuzz = {
  name: "mpegts-access-units",
  seeds: [
    bytes(
      "00 0a 0000000109f0 000000016764000acd 0000000168eb 00000001658884 00000001654884 0000000109f0 00000001419a22",
    ),
    bytes("00 ff 000001658884 000001060504 000001419a22 0000010a 000001658884"),
    bytes(
      "01 05 00000001460150 000000014001 00000142010f 000001440155 00000126018012 000001260112 000001020180",
    ),
  ],
  dictionary: ["000001", "00000001", "09f0", "460150", "6588", "4148"].map(bytes),
  run(input: Uint8Array): void {
    const codec = (input[0] ?? 0) % 2 === 0 ? "h264" : "h265";
    const step = (input[1] ?? 0) + 1;
    let takenBytes = 0;
    const splitter = new AccessUnitSplitter(codec, (unit, from, to) => {
      assert.ok(from >= 0 && from < to && to <= unit.byteLength);
      assert.equal(Buffer.from(unit.subarray(from, from + 3)).toString("hex"), "000001");
      takenBytes += to - from;
    });
    for (let at = 2, i = 0; at < input.byteLength; at += step, i++) {
      const to = Math.min(at + step, input.byteLength);
      splitter.push(input, at, to, i % 3 === 0 ? { pts: at, dts: at } : null);
      if (i % 50 === 49) splitter.lost();
    }
    splitter.flush();
    assert.ok(takenBytes <= input.byteLength, "nothing is taken twice");
  },
};
