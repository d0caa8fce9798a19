import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaPacket, videoTrack } from "../../test/support/media.ts";
import { DEFAULT_GOP_LIMITS, GopCache } from "./gop-cache.ts";

const track = videoTrack();
const FRAME = 3600;

/** Packets of 100 bytes, a GOP start every `gop`. */
function packets(count: number, gop: number, epoch = 1) {
  return Array.from({ length: count }, (_, i) =>
    mediaPacket({ track, dts: i * FRAME, startsGop: i % gop === 0, epoch, payload: new Uint8Array(100) }),
  );
}

test("holds the running GOP from its start", () => {
  const cache = new GopCache();
  for (const packet of packets(60, 25)) cache.push(packet);
  assert.equal(cache.packets.length, 10);
  assert.equal(cache.packets[0]!.startsGop, true);
  assert.equal(cache.bytes, 1000);
});

test("takes nothing before the first GOP start", () => {
  const cache = new GopCache();
  for (const packet of packets(60, 25).slice(1, 25)) cache.push(packet);
  assert.equal(cache.packets.length, 0);
});

test("keeps as many whole GOPs as span the wanted time", () => {
  const cache = new GopCache({ ...DEFAULT_GOP_LIMITS, keepUs: 2_000_000 });
  for (const packet of packets(260, 25)) cache.push(packet);
  assert.equal(cache.packets[0]!.dts, 200 * FRAME);
  assert.equal(cache.packets.length, 60);
  assert.equal(cache.bytes, 6000);
});

const bounds = [
  { name: "bytes", limits: { maxBytes: 1000 }, fits: 10 },
  { name: "packets", limits: { maxPackets: 10 }, fits: 10 },
  { name: "time", limits: { maxDurationUs: 400_000 }, fits: 11 },
];
for (const { name, limits, fits } of bounds) {
  test(`past its bound in ${name} it empties, and stays empty until the next GOP starts`, () => {
    const cache = new GopCache({ ...DEFAULT_GOP_LIMITS, ...limits });
    const all = packets(130, 100);
    for (const packet of all.slice(0, fits)) cache.push(packet);
    assert.equal(cache.packets.length, fits);
    for (const packet of all.slice(fits, 100)) cache.push(packet);
    assert.deepEqual([cache.packets.length, cache.bytes, cache.overflows], [0, 0, 1]);
    cache.push(all[100]!);
    assert.equal(cache.packets.length, 1);
  });
}

test("a GOP of a new epoch begins the cache anew", () => {
  const cache = new GopCache({ ...DEFAULT_GOP_LIMITS, keepUs: 60_000_000 });
  for (const packet of packets(50, 25)) cache.push(packet);
  for (const packet of packets(3, 25, 2)) cache.push(packet);
  assert.deepEqual([cache.packets.length, cache.packets[0]!.epoch], [3, 2]);
});
