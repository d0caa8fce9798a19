import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SampleTableBuilder } from "../containers/mp4/sample-table-builder.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import { readBlocks } from "./block-reader.ts";

const FILE = Uint8Array.from({ length: 400_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

/** A table of samples at these places of the file. */
function tableOf(samples: readonly (readonly [offset: number, length: number])[]) {
  const builder = new SampleTableBuilder({ fileBytes: 2 ** 40, timescale: 1000, notice: () => {} });
  for (const [offset, length] of samples) {
    builder.moveToPlace(offset);
    builder.add(40, length, 0, true);
  }
  return builder.finish();
}

function joined(samples: readonly (readonly [offset: number, length: number])[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(samples.map(([offset, length]) => FILE.subarray(offset, offset + length))),
  );
}

const request = (samples: readonly (readonly [number, number])[]) => ({
  samples: tableOf(samples),
  first: 0,
  end: samples.length,
});

describe("readBlocks", () => {
  test("reads interleaved tracks at one go, each into its block", async () => {
    const video = [
      [1000, 500],
      [1500, 200],
      [2000, 800],
      [3100, 50],
    ] as const;
    const audio = [
      [1700, 300],
      [2800, 300],
    ] as const;
    const source = new MemorySource(FILE);
    const blocks = await readBlocks(source, [request(video), request(audio)]);
    assert.deepEqual(blocks, [joined(video), joined(audio)]);
    assert.deepEqual(source.reads, [{ offset: 1000, length: 2150 }]);
  });

  test("reads over small gaps and not over large ones", async () => {
    const samples = [
      [0, 100],
      [30_000, 100],
      [200_000, 100],
    ] as const;
    const source = new MemorySource(FILE);
    assert.deepEqual(await readBlocks(source, [request(samples)]), [joined(samples)]);
    assert.deepEqual(source.reads, [
      { offset: 0, length: 30_100 },
      { offset: 200_000, length: 100 },
    ]);
  });

  test("keeps the order of samples that lie backwards or on top of each other in the file", async () => {
    const samples = [
      [5000, 100],
      [1000, 100],
      [1050, 100],
      [900, 200],
    ] as const;
    assert.deepEqual(await readBlocks(new MemorySource(FILE), [request(samples)]), [joined(samples)]);
  });

  test("reads a part of a track", async () => {
    const samples = tableOf([
      [0, 100],
      [100, 50],
      [150, 70],
      [220, 30],
    ]);
    const [block] = await readBlocks(new MemorySource(FILE), [{ samples, first: 1, end: 3 }]);
    assert.deepEqual(block, FILE.slice(100, 220));
  });

  test("reads nothing for no samples", async () => {
    const source = new MemorySource(FILE);
    const [block] = await readBlocks(source, [{ samples: tableOf([[0, 1]]), first: 1, end: 1 }]);
    assert.equal(block!.byteLength, 0);
    assert.deepEqual(source.reads, []);
  });

  test("gives what the file has, however its tracks lie in it", async () => {
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 300; round++) {
      const tracks = Array.from({ length: 1 + next(4) }, () => {
        let at = next(1000);
        return Array.from({ length: 1 + next(40) }, () => {
          // Mostly behind the one before it, sometimes far away, before it or on top of it.
          if (next(8) === 0) at = next(FILE.byteLength - 1000);
          const sample = [at, 1 + next(500)] as const;
          at = Math.min(at + sample[1] + (next(3) === 0 ? next(900) : 0), FILE.byteLength - 1000);
          return sample;
        });
      });
      const blocks = await readBlocks(new MemorySource(FILE), tracks.map(request));
      assert.deepEqual(blocks, tracks.map(joined), `round ${round}`);
    }
  });

  test("asks for a large piece in parts", async () => {
    const large = new Uint8Array(10 * 2 ** 20).fill(9);
    const source = new MemorySource(large);
    const [block] = await readBlocks(source, [request([[0, large.byteLength]])]);
    assert.deepEqual(block, large);
    assert.deepEqual(
      source.reads.map(({ length }) => length / 2 ** 20),
      [4, 4, 2],
    );
  });

  test("says that the file changed when it ends too early", async () => {
    const source = new MemorySource(FILE, { sizeBytes: 500_000 });
    await assert.rejects(readBlocks(source, [request([[399_990, 20]])]), { code: "VOD_CHANGED" });
  });
});
