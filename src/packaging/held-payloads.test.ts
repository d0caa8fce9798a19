import assert from "node:assert/strict";
import { test } from "node:test";
import { videoTrack } from "../../test/support/media.ts";
import { SlabAllocator } from "../base/slab-allocator.ts";
import type { MediaPacket } from "../media/packet.ts";
import { HeldPayloads } from "./held-payloads.ts";

const track = videoTrack();

/** A packet whose payload is `lengthBytes` times `fill`, cut from a slab unless it is long. */
function packetOf(allocator: SlabAllocator, fill: number, lengthBytes: number): MediaPacket {
  const payload = allocator.allocate(lengthBytes).fill(fill);
  const slab = allocator.lastSlab;
  slab?.retain();
  return {
    track,
    dts: fill,
    pts: fill,
    durationTicks: 1,
    isSync: false,
    startsGop: false,
    epoch: 1,
    arrivalUs: 0,
    payload,
    slab,
  };
}

function heldOf(packets: readonly MediaPacket[]): HeldPayloads {
  return new HeldPayloads(
    packets,
    Uint32Array.from(packets, ({ payload }) => payload.byteLength),
  );
}

/** Lengths in bytes of a track's payloads. */
const cases: { name: string; lengths: number[] }[] = [
  { name: "one payload", lengths: [100] },
  { name: "an empty one between others", lengths: [7, 0, 9] },
  { name: "several in one slab", lengths: [100, 13, 700, 1] },
  { name: "over the edges of slabs", lengths: Array.from({ length: 60 }, (_, i) => 300 + i) },
  { name: "long ones, which have memory of their own", lengths: [50, 60_000, 51, 70_000, 52] },
];

for (const { name, lengths } of cases) {
  test(`gives the payloads in their order: ${name}`, () => {
    const allocator = new SlabAllocator();
    const packets = lengths.map((length, i) => packetOf(allocator, i + 1, length));
    const expected = Buffer.concat(packets.map(({ payload }) => payload));
    const held = heldOf(packets);
    assert.deepEqual(Buffer.from(held.concat(expected.byteLength)), expected);
  });
}

test("slabs that nobody else holds are used again after its release, and not before", () => {
  const allocator = new SlabAllocator();
  // The slab's size follows what is asked for: by then it does not change any more.
  for (let i = 0; i < 200; i++) packetOf(allocator, 0, 1000).slab!.release();
  const packets = Array.from({ length: 200 }, (_, i) => packetOf(allocator, i, 1000));
  const audio = packets.filter((_, i) => i % 3 === 0);
  const video = packets.filter((_, i) => i % 3 !== 0);
  const [one, other] = [heldOf(audio), heldOf(video)];
  const before = allocator.freeBytes;
  one.release();
  assert.equal(allocator.freeBytes, before);
  other.release();
  assert.ok(allocator.freeBytes >= before + 150_000);
  other.release();
});
