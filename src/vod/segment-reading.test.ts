import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import { BlockPool } from "./block-pool.ts";
import { BlockCache } from "./segment-reading.ts";
import type { SegmentBlock } from "./segment-reading.ts";

const PAYLOAD_BYTES = 10_000;
const NO_SAMPLES = { count: 0 } as FragmentTrack;

function blockOf(pool: BlockPool): SegmentBlock {
  const memory = pool.take(PAYLOAD_BYTES);
  return { table: NO_SAMPLES, payload: memory.bytes, memory };
}

/** Reads a block, as who sends it does: it is offered, sent and released. */
function readOne(cache: BlockCache, pool: BlockPool, key: string): void {
  const block = cache.hold(key) ?? blockOf(pool);
  cache.offer(key, block, false);
  block.memory!.release();
}

describe("BlockCache", () => {
  test("keeps what is asked for again after a short while, and holds it", () => {
    const [cache, pool] = [new BlockCache({ bytes: 1e6, items: 100 }), new BlockPool(1e6)];
    readOne(cache, pool, "a");
    assert.deepEqual([cache.size, cache.hold("a")], [0, undefined]);
    assert.ok(pool.freeBytes > 0, "its memory serves again");
    readOne(cache, pool, "a");
    assert.deepEqual([cache.size, pool.freeBytes], [1, 0]);
    const held = cache.hold("a")!;
    cache.deleteWhere(() => true);
    assert.equal(cache.bytes, 0);
    assert.equal(pool.freeBytes, 0, "who holds it holds it");
    held.memory!.release();
    assert.ok(pool.freeBytes > 0);
  });

  test("keeps at once what several want at the same time", () => {
    const [cache, pool] = [new BlockCache({ bytes: 1e6, items: 100 }), new BlockPool(1e6)];
    cache.offer("a", blockOf(pool), true);
    assert.equal(cache.size, 1);
  });

  test("keeps what is wanted often, however many blocks are read once", () => {
    const [cache, pool] = [new BlockCache({ bytes: 5 * PAYLOAD_BYTES, items: 100 }), new BlockPool(1e6)];
    for (let i = 0; i < 2; i++) readOne(cache, pool, "often");
    for (let i = 0; i < 1000; i++) readOne(cache, pool, `once ${i}`);
    assert.equal(cache.size, 1);
    cache.hold("often")!.memory!.release();
    assert.ok(pool.freeBytes <= 2 * PAYLOAD_BYTES, "one piece of memory was enough for all of them");
  });

  test("does not remember what was read longer ago than it has room for", () => {
    const [cache, pool] = [new BlockCache({ bytes: 5 * PAYLOAD_BYTES, items: 100 }), new BlockPool(1e6)];
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 10; i++) readOne(cache, pool, `in turn ${i}`);
    }
    assert.equal(cache.size, 0);
  });

  test("keeps no more bytes and no more blocks than it may, and gives back what goes", () => {
    for (const limits of [
      { bytes: 5 * PAYLOAD_BYTES, items: 100 },
      { bytes: 1e6, items: 4 },
    ]) {
      const [cache, pool] = [new BlockCache(limits), new BlockPool(1e9)];
      for (let i = 0; i < 50; i++) {
        const block = blockOf(pool);
        cache.offer(`${i}`, block, true);
        block.memory!.release();
        assert.ok(cache.bytes <= limits.bytes && cache.size <= limits.items);
      }
      assert.equal(cache.size, 4);
      assert.ok(pool.freeBytes <= 2 * PAYLOAD_BYTES, "the memory of what went was used for what came");
    }
  });

  test("keeps nothing that is over its limit alone, and does not hold it", () => {
    const [cache, pool] = [new BlockCache({ bytes: PAYLOAD_BYTES, items: 100 }), new BlockPool(1e6)];
    const block = blockOf(pool);
    cache.offer("a", block, true);
    assert.equal(cache.size, 0);
    block.memory!.release();
    assert.ok(pool.freeBytes > 0);
  });
});
