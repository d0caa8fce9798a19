import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { readPosition, readQueuedEvents, writeQueuedEvent, writeSlot } from "./queue-format.ts";

const one = writeQueuedEvent('{"event":"play_opened","event_id":7,"utc_ms":8}');
const two = writeQueuedEvent('{"event":"play_closed","event_id":9,"utc_ms":10,"media":"news"}');

export const fuzz: FuzzTarget = {
  name: "event-queue",
  seeds: [one, Buffer.concat([one, two]), Buffer.concat([writeSlot(1), writeSlot(2)])],
  dictionary: [Uint8Array.of(10), Buffer.from(" 00000020 "), Buffer.from('"event_id":')],
  run(input) {
    for (const isLast of [false, true]) {
      const { events, endOffset } = readQueuedEvents(input, isLast);
      assert.ok(endOffset <= input.byteLength);
      if (isLast) assert.equal(endOffset, input.byteLength);
      let before = 0;
      for (const { id, utcMs, json, endOffset: end } of events) {
        assert.ok(
          Number.isSafeInteger(id) && Number.isSafeInteger(utcMs) && end > before && end <= endOffset,
        );
        // What is read as whole is what was written.
        const written = writeQueuedEvent(json);
        assert.ok(written.equals(input.subarray(end - written.byteLength, end)));
        before = end;
      }
    }
    assert.ok(Number.isSafeInteger(readPosition(input).id));
  },
};
