import type { FuzzTarget } from "../target.ts";

/** Believes a length before the bytes are there. */
export const fuzz: FuzzTarget = {
  name: "greedy",
  seeds: [new Uint8Array([0, 0, 0, 4, 1, 2, 3, 4])],
  run(input) {
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const length = input.byteLength < 4 ? 0 : view.getUint32(0) & 0x0fffffff;
    new Uint8Array(length).set(input.subarray(4, 4 + length));
  },
};
