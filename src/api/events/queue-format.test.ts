import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MAX_RECORD_BYTES,
  readPosition,
  readQueuedEvents,
  SLOT_BYTES,
  writeQueuedEvent,
  writeSlot,
} from "./queue-format.ts";

const JSONS = [
  '{"event":"play_opened","event_id":1,"utc_ms":1000,"media":"news"}',
  '{"event":"play_closed","event_id":2,"utc_ms":1001,"media":"näws"}',
  '{"event":"play_closed","event_id":5,"utc_ms":1002}',
];
const SEGMENT = Buffer.concat(JSONS.map(writeQueuedEvent));

test("a line is as it is written down", () => {
  assert.equal(
    writeQueuedEvent('{"event_id":1,"utc_ms":2}').toString().slice(9),
    '00000019 {"event_id":1,"utc_ms":2}\n',
  );
  const { events, damagedLines, endOffset } = readQueuedEvents(SEGMENT, true);
  assert.deepEqual(
    events.map(({ json }) => json),
    JSONS,
  );
  assert.deepEqual(
    events.map(({ id, utcMs }) => [id, utcMs]),
    [
      [1, 1000],
      [2, 1001],
      [5, 1002],
    ],
  );
  assert.equal(damagedLines, 0);
  assert.equal(endOffset, SEGMENT.byteLength);
});

test("a line that was made elsewhere is read", () => {
  // python3 -c "import zlib; j=b'{\"event_id\":1,\"utc_ms\":2}'; print('%08x %08x' % (zlib.crc32(j), len(j)))"
  const line = Buffer.from('c96ec960 00000019 {"event_id":1,"utc_ms":2}\n');
  assert.equal(readQueuedEvents(line, true).events.length, 1);
});

test("cut at any byte, a segment has the whole lines before the cut", () => {
  const ends = readQueuedEvents(SEGMENT, true).events.map(({ endOffset }) => endOffset);
  for (let cut = 0; cut <= SEGMENT.byteLength; cut++) {
    const whole = ends.filter((end) => end <= cut).length;
    const torn = readQueuedEvents(SEGMENT.subarray(0, cut), true);
    assert.equal(torn.events.length, whole, `cut at ${cut}`);
    assert.equal(torn.damagedLines, cut === (ends[whole - 1] ?? 0) ? 0 : 1);
    // Read in two pieces, it is the same as in one.
    const first = readQueuedEvents(SEGMENT.subarray(0, cut), false);
    const second = readQueuedEvents(SEGMENT.subarray(first.endOffset), true);
    assert.deepEqual(
      [...first.events, ...second.events].map(({ id }) => id),
      [1, 2, 5],
    );
  }
});

test("a flipped bit costs its line, and no other", () => {
  for (let at = 0; at < SEGMENT.byteLength; at++) {
    const bytes = Buffer.from(SEGMENT);
    bytes[at]! ^= 0x20;
    const { events, damagedLines } = readQueuedEvents(bytes, true);
    const lost = 3 - events.length;
    // Without its line feed a line takes the next one along.
    assert.ok(lost === 1 || (lost === 2 && SEGMENT[at] === 10), `bit at ${at}`);
    assert.ok(damagedLines >= 1);
  }
});

test("lines that lie are passed over", () => {
  const good = writeQueuedEvent(JSONS[0]!);
  const adversarial: [string, Buffer][] = [
    ["empty lines", Buffer.from("\n\n\n")],
    ["a length of nothing", Buffer.from("00000000 00000000 \n")],
    ["a length that is greater than the line", Buffer.from("00000000 ffffffff {}\n")],
    ["JSON that is no event", writeQueuedEvent("[1]")],
    ["null", writeQueuedEvent("null")],
    ["no JSON", writeQueuedEvent("{]")],
    ["a number of no event", writeQueuedEvent('{"event_id":-1,"utc_ms":1}')],
    ["a number that is too great", writeQueuedEvent('{"event_id":1e300,"utc_ms":1}')],
    [
      "an event that is too long",
      writeQueuedEvent(`{"event_id":1,"utc_ms":1,"a":"${"x".repeat(MAX_RECORD_BYTES)}"}`),
    ],
    ["zeros, as disks leave them", Buffer.concat([Buffer.alloc(100), Buffer.from("\n")])],
  ];
  for (const [name, bytes] of adversarial) {
    const { events, damagedLines } = readQueuedEvents(Buffer.concat([bytes, good]), true);
    assert.deepEqual(
      events.map(({ id }) => id),
      [1],
      name,
    );
    assert.ok(damagedLines > 0, name);
  }
});

test("a line that never ends is not waited for", () => {
  const endless = Buffer.alloc(MAX_RECORD_BYTES + 100, 0x41);
  assert.equal(readQueuedEvents(endless, false).endOffset, endless.byteLength);
});

test("no more events are read than are asked for", () => {
  const { events, endOffset } = readQueuedEvents(SEGMENT, true, 2);
  assert.equal(events.length, 2);
  assert.equal(endOffset, events[1]!.endOffset);
});

test("the position is that of the whole slot, whatever became of the other", () => {
  assert.deepEqual(readPosition(Buffer.alloc(0)), { id: 0, slot: 0 });
  const both = Buffer.concat([writeSlot(7), writeSlot(9)]);
  assert.equal(both.byteLength, 2 * SLOT_BYTES);
  assert.deepEqual(readPosition(both), { id: 9, slot: 1 });
  for (let cut = 0; cut < SLOT_BYTES; cut++) {
    const torn = Buffer.concat([
      writeSlot(7),
      writeSlot(9).subarray(0, cut),
      Buffer.alloc(SLOT_BYTES - cut),
    ]);
    assert.deepEqual(readPosition(torn), { id: 7, slot: 0 }, `cut at ${cut}`);
  }
});
