/** The fuzz loop of one target; runs in a worker thread, so that an endless parser can be ended. */
import { getHeapStatistics } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import { MediaError } from "../../src/base/errors.ts";
import { HEADER_BYTES, INPUT_LENGTH, RUN_NUMBER } from "./loop-messages.ts";
import type { LoopResult, LoopTask } from "./loop-messages.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { bytesOf, checkTarget, runTarget } from "./target.ts";
import type { AnyFuzzTarget } from "./target.ts";

const task = workerData as LoopTask;
const header = new Int32Array(task.current, 0, 2);
const shared = new Uint8Array(task.current, HEADER_BYTES);
const SHRINK_BUDGET_MS = 3000;
let runs = 0;

const { fuzz } = (await import(task.module)) as { fuzz?: unknown };
parentPort?.postMessage(loop(checkTarget(task.module, fuzz)));

function loop(target: AnyFuzzTarget): LoopResult {
  const seeds = target.seeds.map(bytesOf);
  const pool = [...task.corpus, ...seeds];
  const random = new Random(task.randomSeed);
  const dictionary = (target.dictionary ?? []).map(bytesOf);
  const maxBytes = Math.min(task.limits.inputBytes, shared.byteLength);
  const source = { random, pool, dictionary, maxBytes };
  const endsAt = performance.now() + task.seconds * 1000;
  for (const input of pool) {
    const message = complaint(target, input);
    if (message !== null) return crash(target, input, message);
  }
  const mutants = { made: 0 };
  while (mutants.made++ < task.maxRuns && performance.now() < endsAt) {
    const input = mutate(random.pick(pool), source);
    const message = complaint(target, input);
    if (message !== null) return crash(target, input, message);
  }
  return { kind: "clean", runs };
}

/** Runs one input. Returns what is wrong with how that went, or `null`. */
function complaint(target: AnyFuzzTarget, input: Uint8Array): string | null {
  expose(input);
  const allocatedBefore = getHeapStatistics().external_memory;
  const startedAt = performance.now();
  const thrown = outcomeOf(target, input);
  const isSlow = performance.now() - startedAt > task.limits.inputMs;
  const allocated = getHeapStatistics().external_memory - allocatedBefore;
  if (thrown !== null) return thrown;
  if (allocated > task.limits.allocatedBytes)
    return `allocated ${allocated} bytes for ${input.byteLength} of input`;
  return isSlow ? slowness(target, input) : null;
}

function outcomeOf(target: AnyFuzzTarget, input: Uint8Array): string | null {
  try {
    runTarget(target, input);
    return null;
  } catch (error) {
    if (error instanceof MediaError) return null;
    return error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`;
  }
}

function slowness(target: AnyFuzzTarget, input: Uint8Array): string | null {
  const before = process.threadCpuUsage();
  outcomeOf(target, input);
  const spent = process.threadCpuUsage(before);
  const spentMs = (spent.user + spent.system) / 1000;
  if (spentMs <= task.limits.inputMs) return null;
  return `took ${Math.round(spentMs)} ms for ${input.byteLength} bytes, more than ${task.limits.inputMs} ms`;
}

/** Puts the input where the watching thread finds it if this one never comes back. */
function expose(input: Uint8Array): void {
  runs++;
  const length = Math.min(input.byteLength, shared.byteLength);
  shared.set(input.subarray(0, length));
  header[INPUT_LENGTH] = length;
  Atomics.store(header, RUN_NUMBER, runs);
}

function crash(target: AnyFuzzTarget, input: Uint8Array, message: string): LoopResult {
  return { kind: "crash", runs, input: shrink(target, input, message), message };
}

/** Removes blocks from a crasher, large ones first, as long as it fails in the same way. */
function shrink(target: AnyFuzzTarget, input: Uint8Array, message: string): Uint8Array {
  const kind = message.split("\n")[0]!.replace(/[0-9]+/g, "N");
  let smallest = input;
  const endsAt = performance.now() + SHRINK_BUDGET_MS;
  for (let block = smallest.byteLength >>> 1; block >= 1; block >>>= 1) {
    for (let start = 0; start < smallest.byteLength && performance.now() < endsAt;) {
      const shorter = Buffer.concat([smallest.subarray(0, start), smallest.subarray(start + block)]);
      const outcome = complaint(target, shorter);
      if (outcome?.split("\n")[0]!.replace(/[0-9]+/g, "N") === kind) smallest = shorter;
      else start += block;
    }
  }
  return smallest;
}
