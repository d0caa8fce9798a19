import type { FuzzTarget } from "../target.ts";

/** Never moves on when a length is zero. */
export const fuzz: FuzzTarget = {
  name: "endless",
  seeds: [new Uint8Array([2, 0, 3, 0, 0, 1])],
  run(input) {
    for (let offset = 0; offset < input.byteLength;) offset += input[offset]!;
  },
};
