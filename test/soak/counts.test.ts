import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, readServerCounts, returningCounts } from "./counts.ts";
import { threadCounts } from "./samples-for-tests.ts";

const process = { rssBytes: 1, openFiles: 25, cpuSeconds: 0 };

test("statistics without threads are no counts", () => {
  assert.equal(readServerCounts({ uptime: 1 }), null);
});

test("statistics with threads are read field by field", () => {
  const threads = [threadCounts(), threadCounts({ index: 1, restarts: 1 })];
  assert.deepEqual(readServerCounts({ threads, rssBytes: 5 }), { threads });
});

const broken: [name: string, stats: unknown][] = [
  ["a text", "stats"],
  ["a list", []],
  ["no thread at all", { threads: [] }],
  ["a thread that is a number", { threads: [3] }],
  ["a count that is a text", { threads: [{ ...threadCounts(), streams: "3" }] }],
  ["a count that is missing", { threads: [{ ...threadCounts(), subscribers: undefined }] }],
  ["no status", { threads: [{ ...threadCounts(), status: null }] }],
  ["resources that are a list", { threads: [{ ...threadCounts(), activeResources: [] }] }],
  [
    "a resource that is no number",
    { threads: [{ ...threadCounts(), activeResources: { Timeout: null } }] },
  ],
];
for (const [name, stats] of broken) {
  test(`statistics are refused that have ${name}`, () => {
    assert.throws(() => readServerCounts(stats), /^Error: /);
  });
}

test("what must return is summed over the threads, with the open files of the process", () => {
  const threads = [
    threadCounts({ publishers: 2, activeResources: { TCPSocketWrap: 3 } }),
    threadCounts({ publishers: 1, activeResources: { TCPSocketWrap: 1, Timeout: 2 } }),
  ];
  const counts = returningCounts({ threads }, process, 4);
  assert.equal(counts["publishers"], 3);
  assert.equal(counts["active TCPSocketWrap"], 4);
  assert.equal(counts["active Timeout"], 2);
  assert.equal(counts["open files"], 25);
  assert.equal(counts["listed streams"], 4);
  assert.deepEqual(returningCounts(null, process, 0), { "open files": 25, "listed streams": 0 });
});

test("differences name what was before and after, and what was missing as none", () => {
  assert.deepEqual(differences({ a: 1, b: 2 }, { b: 2, a: 1 }), []);
  assert.deepEqual(differences({ a: 1, b: 2 }, { b: 3, c: 1 }), [
    "a: 1 before, 0 after",
    "b: 2 before, 3 after",
    "c: 0 before, 1 after",
  ]);
  assert.deepEqual(differences({ a: 0 }, {}), []);
});
