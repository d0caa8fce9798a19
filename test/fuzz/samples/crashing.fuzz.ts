import type { FuzzTarget } from "../target.ts";

/** Reads past the end where a length says so, as many a parser has done. */
export const fuzz: FuzzTarget = {
  name: "crashing",
  seeds: [new Uint8Array([4, 1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9])],
  run(input) {
    const length = input[0] ?? 0;
    if (length + 1 > input.byteLength) throw new RangeError(`length ${length} of ${input.byteLength}`);
  },
};
