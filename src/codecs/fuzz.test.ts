/** A short, seeded run of this room's fuzz targets; `test/fuzz` has the long one. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { MediaError } from "../base/errors.ts";
import type { CodecFuzzTarget } from "./fuzz-support.ts";
import { fromHex, orRefused } from "./fuzz-support.ts";

const RUNS = 300;

/** A seed with some bytes changed, then cut, then lengthened. */
function mutants(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 255 }));
  return fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(change, { maxLength: 4 }),
      fc.double({ min: 0.3, max: 1, noNaN: true }),
      fc.uint8Array({ maxLength: 8 }),
    )
    .map(([seed, changes, kept, tail]) => {
      const bytes = seed.slice(0, Math.ceil(seed.byteLength * kept));
      for (const [where, value] of changes) bytes[Math.floor(where * (bytes.byteLength - 1))] = value;
      return Uint8Array.of(...bytes, ...tail);
    });
}

for (const file of globSync("**/*.fuzz.ts", { cwd: import.meta.dirname })) {
  const { fuzz } = (await import(`./${file}`)) as { fuzz: CodecFuzzTarget };

  test(`${fuzz.name} survives its seeds, nothing, and every cut of a seed`, () => {
    assert.ok(fuzz.seeds.length > 0);
    for (const seed of fuzz.seeds) {
      for (let cut = 0; cut <= seed.byteLength; cut++) fuzz.run(seed.slice(0, cut));
    }
  });

  test(`${fuzz.name} survives ${RUNS} mutants and ${RUNS} strings of noise`, () => {
    fc.assert(
      fc.property(mutants(fuzz.seeds), (input) => fuzz.run(input)),
      { seed: 20, numRuns: RUNS },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (input) => fuzz.run(input)),
      { seed: 21, numRuns: RUNS },
    );
  });
}

test("only a MediaError counts as a refusal", () => {
  const spec = { disposition: "reject", message: "no", doc: "" } as const;
  const refuse = () => {
    throw new MediaError("TEST", spec, {});
  };
  const crash = () => {
    throw new TypeError("crash");
  };
  assert.equal(orRefused(refuse), null);
  assert.throws(() => orRefused(crash), TypeError);
  assert.deepEqual([...fromHex("0a ff")], [10, 255]);
});
