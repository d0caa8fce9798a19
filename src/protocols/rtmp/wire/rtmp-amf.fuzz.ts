import { MediaError } from "../../../base/errors.ts";
import { amfObject } from "./amf-value.ts";
import { readAmf0, writeAmf0 } from "./amf0.ts";
import { readAmf3 } from "./amf3.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** AMF0 and AMF3 values: both readers read every input. */
export const fuzz = {
  name: "rtmp-amf",
  seeds: [
    writeAmf0([
      "connect",
      1,
      amfObject({ app: "pub", list: [1, true, null], map: amfObject({}, "ecma-array") }),
    ]),
    hex("03 0001 61 07 0000 000009"),
    hex("11 0a 13 05 4142 03 61 03 0a 01 02"),
    hex("0a 0b 01 03 61 0a 00 01"),
    hex("0d 03 00 ffffffff 0e 03 01 ffffffff 11 03 00 06 03 61 03"),
    hex("09 03 03 61 03 01 02 0c 05 0102 08 01 3ff0000000000000"),
  ],
  run(input: Uint8Array): void {
    for (const read of [readAmf0, readAmf3]) {
      try {
        read(input);
      } catch (caught) {
        if (!(caught instanceof MediaError)) throw caught;
      }
    }
  },
};
