import assert from "node:assert/strict";
import { test } from "node:test";
import { eventData } from "./event-stream.ts";

/** The example of the specification, and what our server sends. */
const TABLE: readonly (readonly [text: string, data: readonly string[]])[] = [
  ["data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]],
  [
    ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
    ["first event", "second event", " third event"],
  ],
  ["data\n\ndata\ndata\n\ndata:", ["", "\n"]],
  ["data:test\n\ndata: test\n\n", ["test", "test"]],
  ['retry: 2000\n\n:\n\nid: 7\nevent: x\ndata: {"a":"\u00e9\u{1f600}"}\n\n', ['{"a":"\u00e9\u{1f600}"}']],
  ["data: a\r\n\r\ndata: b\r\rdata: c\n\r\ndata: d", ["a", "b", "c"]],
  ["", []],
];

function bodyOf(pieces: readonly Uint8Array[], onCancel = (): void => {}): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: onCancel,
  });
}

async function read(pieces: readonly Uint8Array[]): Promise<string[]> {
  const all: string[] = [];
  for await (const data of eventData(bodyOf(pieces))) all.push(data);
  return all;
}

for (const [text, data] of TABLE)
  test(`events of ${JSON.stringify(text).slice(0, 40)} are the same however they are cut`, async () => {
    const bytes = new TextEncoder().encode(text);
    for (let cut = 0; cut <= bytes.length; cut++)
      assert.deepEqual(await read([bytes.subarray(0, cut), bytes.subarray(cut)]), data, `cut at ${cut}`);
    const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    assert.deepEqual(await read(single), data, "byte by byte");
  });

test("a line without an end is refused, and the reply is ended", async () => {
  let isEnded = false;
  const pieces = Array.from({ length: 9 }, () => new Uint8Array(500_000).fill(0x61));
  const events = eventData(bodyOf(pieces, () => (isEnded = true)));
  await assert.rejects(events.next(), RangeError);
  assert.ok(isEnded);
});

test("who leaves the loop ends the reply", async () => {
  let isEnded = false;
  const bytes = new TextEncoder().encode("data: a\n\ndata: b\n\n");
  for await (const data of eventData(bodyOf([bytes, bytes], () => (isEnded = true)))) {
    assert.equal(data, "a");
    break;
  }
  assert.ok(isEnded);
});
