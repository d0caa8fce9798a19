import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { MemorySource } from "../../test/support/memory-source.ts";
import { ticksToUs } from "../base/time.ts";
import type { MediaPacket } from "../media/packet.ts";
import { BlockPool } from "./block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "./busy.ts";
import { FilePackets } from "./file-packets.ts";
import { BlockCache } from "./segment-reading.ts";
import { readMediaFile } from "./media-file.ts";

const SAMPLE = readFileSync(new URL("../../samples/sample.mp4", import.meta.url));

async function open(cacheBytes = 64 * 2 ** 20, cellBytes = 4 * 2 ** 20) {
  const source = new MemorySource(SAMPLE);
  const file = await readMediaFile(source);
  source.reads.length = 0;
  const blocks = new BlockCache({ bytes: cacheBytes, items: 1000 });
  const reading = {
    blocks,
    pool: new BlockPool(2 ** 20),
    work: new BoundedWork({ running: 4, waiting: 100 }, vodBusy),
  };
  return { source, file, blocks, packets: new FilePackets({ file, reading, cacheKey: "1", cellBytes }) };
}

async function readAll(packets: FilePackets, fromUs = 0): Promise<MediaPacket[]> {
  const all: MediaPacket[] = [];
  for (let atUs = fromUs; ;) {
    const run = await packets.read(atUs);
    all.push(...run.packets);
    assert.ok(run.toUs > atUs);
    if (run.isLast) return all;
    atUs = run.toUs;
  }
}

const usOf = ({ dts, track }: MediaPacket): number => ticksToUs(dts, track.timescale);

describe("FilePackets", () => {
  test("gives every sample of every track once, in order of decode time, as the index has it", async () => {
    const { file, packets } = await open();
    const all = await readAll(packets);
    for (const track of file.tracks) {
      const own = all.filter((packet) => packet.track === track.track);
      assert.equal(own.length, track.end - track.first);
      for (const [i, packet] of own.entries()) {
        const sample = track.first + i;
        assert.deepEqual([packet.dts, packet.pts], [track.dtsAt(sample), track.ptsAt(sample)]);
        assert.equal(packet.isSync, track.samples.isSync(sample));
        assert.equal(packet.payload.byteLength, track.samples.sizeAt(sample));
        const offset = track.samples.offsetAt(sample);
        assert.ok(
          Buffer.from(packet.payload).equals(SAMPLE.subarray(offset, offset + packet.payload.byteLength)),
        );
      }
    }
    for (const [i, packet] of all.entries()) assert.ok(i === 0 || usOf(packet) >= usOf(all[i - 1]!));
  });

  test("from the middle of a cell it gives what is decoded then or later", async () => {
    const { packets } = await open();
    const all = await readAll(packets);
    for (const fromUs of [1, 999_999, 1_000_000, 1_500_000, 2_345_678]) {
      assert.deepEqual(
        (await readAll(packets, fromUs)).length,
        all.filter((packet) => usOf(packet) >= fromUs).length,
        `from ${fromUs}`,
      );
    }
  });

  test("a start is the key frame at or before a time, on its very time too", async () => {
    const { file, packets } = await open();
    const all = await readAll(packets);
    const keys = all
      .filter((packet) => packet.track === file.trackSet.reference && packet.isSync)
      .map(usOf);
    assert.ok(keys.length > 2);
    for (let us = 0; us <= file.endUs + 2_000_000; us += 77_777) {
      assert.equal(packets.startAt(us), keys.findLast((key) => key <= us) ?? 0, `${us}`);
    }
    for (const key of keys) {
      assert.equal(packets.startAt(key), key);
      const first = (await packets.read(key)).packets.find(({ track }) => track.kind === "video");
      assert.equal(usOf(first!), key);
    }
    assert.equal(packets.startAt(-5), 0);
  });

  test("says how much later than decoded its key frames are shown", async () => {
    const { packets } = await open();
    const keys = (await readAll(packets)).filter(({ startsGop }) => startsGop);
    assert.ok(keys.length > 2);
    for (const { pts, dts, track } of keys)
      assert.equal(ticksToUs(pts - dts, track.timescale), packets.reorderUs);
    assert.ok(packets.reorderUs > 0);
  });

  test("who plays the same place shares one read, also at the same time", async () => {
    const { source, packets } = await open();
    const [one, other] = await Promise.all([packets.read(0), packets.read(0)]);
    const again = await packets.read(0);
    const reads = source.reads.length;
    assert.ok(reads >= 1);
    await packets.read(500_000);
    assert.equal(source.reads.length, reads);
    assert.equal(one.packets[0]!.payload.buffer, other.packets[0]!.payload.buffer);
    assert.equal(one.packets[0]!.payload.buffer, again.packets[0]!.payload.buffer);
  });

  test("keeps no more than its cache allows, and reads again what went", async () => {
    const { source, blocks, packets } = await open(100_000);
    const first = await readAll(packets);
    const reads = source.reads.length;
    assert.ok(blocks.size < 20);
    assert.deepEqual((await readAll(packets)).length, first.length);
    assert.ok(source.reads.length > reads);
  });

  test("reads less at a time where there is much, and still everything", async () => {
    const whole = await readAll((await open()).packets);
    const { packets } = await open(undefined, 3000);
    const cut = await readAll(packets);
    assert.deepEqual(cut.map(usOf), whole.map(usOf));
    assert.deepEqual(
      cut.map(({ payload }) => payload.byteLength),
      whole.map(({ payload }) => payload.byteLength),
    );
    assert.ok((await packets.read(0)).toUs < 1_000_000);
  });

  test("fails for those who wait for a read that fails, and not for the next", async () => {
    const { source, packets } = await open();
    source.fail = new Error("the disk is gone");
    await assert.rejects(packets.read(0), /the disk is gone/);
    source.fail = null;
    assert.ok((await packets.read(0)).packets.length > 0);
  });

  test("beyond the end there is nothing, and it is the last", async () => {
    const { file, packets } = await open();
    const run = await packets.read(file.endUs + 5_000_000);
    assert.deepEqual([run.packets.length, run.isLast], [0, true]);
  });
});
