import type { FuzzTarget } from "../target.ts";

/** Takes time with the cube of its length. */
export const fuzz: FuzzTarget = {
  name: "slow",
  seeds: [new Uint8Array(400)],
  run(input) {
    let sum = 0;
    const n = input.byteLength;
    for (let step = 0; step < n ** 3; step++) sum += input[step % n]!;
    if (sum < 0) throw new Error("a sum of bytes is never negative");
  },
};
