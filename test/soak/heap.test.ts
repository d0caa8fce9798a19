import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startProgram } from "../support/program.ts";
import { collectAndMeasure, inspectableEnvironment } from "./heap.ts";

const MIB = 2 ** 20;

/** Each thread keeps 32 MiB and drops as much again, all outside of what the heap would collect by itself. */
const PROGRAM = `
const { Worker, isMainThread } = require("node:worker_threads");
globalThis.kept = new Uint8Array(32 * 2 ** 20);
for (let i = 0; i < 8; i++) new Uint8Array(4 * 2 ** 20);
setInterval(() => {}, 1000);
if (isMainThread) new Worker(__filename).once("online", () => console.log("ready"));
`;

test("what every thread keeps is measured, and what it dropped is not", { timeout: 60_000 }, async (t) => {
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const folder = await mkdtemp(join(tmpdir(), "weir-heap-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "threads.cjs");
  await writeFile(file, PROGRAM);
  const program = startProgram(t, process.execPath, [file], {
    env: inspectableEnvironment(),
    onLine: () => onReady(),
  });
  await ready;
  for (let round = 0; round < 2; round++) {
    const { heapUsedBytes, arrayBuffersBytes } = await collectAndMeasure(program);
    assert.ok(
      arrayBuffersBytes >= 64 * MIB && arrayBuffersBytes < 68 * MIB,
      `${arrayBuffersBytes / MIB} MiB`,
    );
    assert.ok(heapUsedBytes > 2 * MIB && heapUsedBytes < 40 * MIB, `${heapUsedBytes / MIB} MiB`);
  }
  assert.ok(program.isRunning);
});
