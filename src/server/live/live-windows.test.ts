import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { sourcePacket, videoTrack } from "../../../test/support/media.ts";
import { silentLogger } from "../../base/log.ts";
import type { StreamName } from "../../media/ids.ts";
import { LocalDirectory } from "../../stream/local-directory.ts";
import { LiveWindows, NOTHING_TOLD } from "./live-windows.ts";

const name = "pub/x" as StreamName;
const video = videoTrack();

function setUp() {
  const clock = new FakeClock();
  const windows = new LiveWindows(clock);
  const directory = new LocalDirectory({
    clock,
    log: silentLogger,
    maxStreams: 10,
    rulesOf: () => ({
      name,
      disabled: false,
      acceptsPublisher: true,
      secondPublisher: "refuse",
      sourceTimeoutMs: 5000,
      prepushMs: 0,
      allowsProtocol: () => true,
    }),
    equip: (stream) => windows.open(stream, { segmentDurationUs: 2e6, segmentCount: 3 }),
    onClosed: (gone) => windows.close(gone),
  });
  const publisher = directory.publish({ name, protocol: "rtmp", remoteAddress: "", onRevoked: () => {} });
  publisher.setTracks([video]);
  const send = (fromFrame: number, toFrame: number): void => {
    for (let i = fromFrame; i < toFrame; i++) {
      publisher.write(sourcePacket({ track: video, dts: i * 3600, isSync: i % 25 === 0 }));
    }
  };
  return { clock, windows, publisher, send, stream: directory.find(name)! };
}

test("a request for a young stream waits for its first segments", async () => {
  const { windows, send } = setUp();
  send(0, 30);
  const waiting = windows.ready(name, () => true);
  send(30, 160);
  assert.ok((await waiting).timeline().segments.length >= 2);
});

test("it waits a bounded time, then says that the stream is young", async () => {
  const { clock, windows, send } = setUp();
  const waiting = assert.rejects(async () => windows.ready(name, () => true), {
    code: "STREAM_STARTING",
    httpStatus: 503,
  });
  for (let frame = 0; frame < 13 * 25; frame += 25) {
    if (frame < 25) send(0, 25);
    await clock.advanceSettling(1000);
  }
  await waiting;
});

test("nobody waits for a stream that nobody publishes", async () => {
  const { windows } = setUp();
  await assert.rejects(async () => windows.ready(name, () => false), { code: "STREAM_NOT_ON_AIR" });
  await assert.rejects(async () => windows.ready("other" as StreamName, () => false), {
    code: "STREAM_NOT_ON_AIR",
  });
});

test("while the publisher is away the playlist stays as it was, until the stream ends", async () => {
  const { clock, windows, publisher, send } = setUp();
  send(0, 200);
  publisher.close("gone");
  assert.ok((await windows.ready(name, () => false)).isReady);
  clock.advance(5001);
  await assert.rejects(async () => windows.ready(name, () => false), { code: "STREAM_NOT_ON_AIR" });
});

for (const segmentDurationUs of [500_000, 1_000_000, 4_000_000]) {
  test(`a window that is opened anew with ${segmentDurationUs} us goes on behind the one before`, async () => {
    const { windows, stream, send } = setUp();
    send(0, 300);
    const old = (await windows.ready(name, () => true)).timeline();
    windows.drop(stream);
    assert.throws(() => windows.ready(name, () => true), { code: "STREAM_STARTING" });
    windows.drop(stream);
    windows.open(stream, { segmentDurationUs, segmentCount: 3 });
    send(300, 700);
    const timeline = (await windows.ready(name, () => true)).timeline();
    const numbers = timeline.segments.map(({ sequence }) => sequence);
    assert.ok(numbers[0]! > old.segments.at(-1)!.sequence, numbers.join(", "));
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => numbers[0]! + i),
    );
    assert.equal(timeline.discontinuitySequence, old.discontinuitySequence + 1);
    assert.ok(timeline.segments.every(({ startUs }) => startUs > old.segments[0]!.startUs));
    assert.equal(timeline.targetDurationUs, Math.max(segmentDurationUs, 1_000_000));
  });
}

test("who follows a window that is dropped is told", async () => {
  const { windows, stream, send } = setUp();
  send(0, 300);
  const { id } = await windows.ready(name, () => true);
  const told = windows.changed(name, 1000, id);
  windows.drop(stream);
  assert.equal(await told, null);
});

test("who was told of a window that is another one by now is told of that at once", async () => {
  const { clock, windows, stream, send } = setUp();
  const options = { segmentDurationUs: 2e6, segmentCount: 3, chunkDurationUs: 200_000, clock };
  windows.drop(stream);
  windows.open(stream, options);
  send(0, 1000);
  const old = (await windows.changed(name, 0, 0))!;
  const edge = (await windows.edge(name, NOTHING_TOLD))!;
  windows.drop(stream);
  windows.open(stream, options);
  send(1000, 1210);
  const now = await windows.ready(name, () => true);
  // Neither is ever as far as it was in the window before: the clock stands still, and nobody waits.
  const next = (await windows.changed(name, old.version, old.windowId))!;
  assert.deepEqual([next.windowId, next.version], [now.id, now.snapshot()!.version]);
  assert.ok(next.windowId > old.windowId && next.version < old.version);
  const told = { windowId: edge.windowId, version: edge.version, windowVersion: edge.window!.version };
  const moved = (await windows.edge(name, told))!;
  assert.ok(moved.version < edge.version && moved.window!.windowId === now.id);
  const same = { windowId: now.id, version: moved.version, windowVersion: moved.window!.version };
  const waiting = windows.edge(name, same);
  send(1210, 1222);
  assert.equal((await waiting)!.window, null);
});

test("a window that was dropped before it had a segment leaves no trace", async () => {
  const { windows, stream, send } = setUp();
  windows.drop(stream);
  windows.open(stream, { segmentDurationUs: 2e6, segmentCount: 3 });
  send(0, 300);
  assert.ok((await windows.ready(name, () => true)).timeline().segments.length >= 2);
});

test("who follows an edge is told the last of it when the stream ends, and may fetch its parts for a while", async () => {
  const { clock, windows, publisher, send, stream } = setUp();
  windows.drop(stream);
  windows.open(stream, { segmentDurationUs: 2e6, segmentCount: 3, chunkDurationUs: 200_000, clock });
  send(0, 212);
  const { open, version, windowId } = (await windows.edge(name, NOTHING_TOLD))!;
  const last = windows.edge(name, { windowId, version, windowVersion: 0 });
  const held = { sequence: open!.sequence + 1, part: null, address: "a", end: () => {} };
  (await windows.ready(name, () => true)).edge!.hold(held);
  assert.ok(windows.bytes > 0 && windows.bytes === windows.bytesOf(name));
  assert.equal(windows.heldRequests, 1);
  publisher.close("gone");
  clock.advance(5001);
  const told = (await last)!;
  assert.deepEqual([told.open, windows.endedSize, windows.heldRequests], [null, 1, 0]);
  assert.ok(windows.bytes > 0 && windows.bytesOf(name) === 0);
  const segment = told.window!.timeline.segments.at(-1)!;
  assert.equal(segment.name, open!.name);
  assert.ok(windows.sharedPart(name, segment.name, segment.parts!.length - 1, [video.id]) !== null);
  assert.ok(windows.sharedSegment(name, segment.name, [video.id]) !== null);
  let isFetched = false;
  const fetched = windows.lastFetched().then(() => (isFetched = true));
  await clock.advanceSettling(999);
  assert.equal(isFetched, false);
  clock.advance(1);
  await fetched;
  clock.advance(4000);
  assert.deepEqual([windows.endedSize, windows.bytes], [0, 0]);
  assert.equal(windows.sharedPart(name, segment.name, 0, [video.id]), null);
  await windows.lastFetched();
});

test("a stream that ends while no other thread follows its edge leaves nothing", async () => {
  const { clock, windows, publisher, send } = setUp();
  send(0, 212);
  publisher.close("gone");
  clock.advance(5001);
  assert.equal(windows.endedSize, 0);
  await windows.lastFetched();
});
