/** Starts the loop of a target in a thread, watches it, and keeps what crashed it. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { HEADER_BYTES, INPUT_LENGTH, RUN_NUMBER } from "./loop-messages.ts";
import type { LoopLimits, LoopResult, LoopTask } from "./loop-messages.ts";

/** What one input may take unless a test of the driver says otherwise. */
export const DEFAULT_LIMITS: LoopLimits = {
  inputBytes: 64 * 1024,
  inputMs: 1000,
  hangMs: 10_000,
  allocatedBytes: 64 * 1024 * 1024,
};

/** Bytes of a thread's heap; what an input keeps in arrays and objects is bounded by it. */
const HEAP_MEGABYTES = 512;
const WATCH_INTERVAL_MS = 200;

/** How to run a loop. */
export type RunLoopOptions = {
  readonly module: string;
  /** The folder of the target's crashers. */
  readonly corpusFolder: string;
  readonly randomSeed: number;
  readonly seconds: number;
  readonly maxRuns: number;
  readonly limits?: LoopLimits;
};

/** Runs the loop to its end. A crasher is already in the corpus folder when this resolves; `file` is its path. */
export async function runLoop(
  options: RunLoopOptions,
): Promise<LoopResult & { readonly file: string | null }> {
  const { module, randomSeed, seconds, maxRuns, limits = DEFAULT_LIMITS } = options;
  const corpus = await readCorpus(options.corpusFolder);
  const longest = Math.max(limits.inputBytes, ...corpus.map((input) => input.byteLength));
  const current = new SharedArrayBuffer(HEADER_BYTES + longest);
  const result = await watch({ module, randomSeed, corpus, seconds, maxRuns, limits, current });
  const file = result.kind === "crash" ? await keep(options.corpusFolder, result.input) : null;
  return { ...result, file };
}

async function watch(task: LoopTask): Promise<LoopResult> {
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MEGABYTES };
  const worker = new Worker(new URL("./loop.ts", import.meta.url), { workerData: task, resourceLimits });
  const header = new Int32Array(task.current, 0, 2);
  let watchdog: NodeJS.Timeout | undefined;
  const hang = new Promise<LoopResult>((resolve) => {
    let last = { run: 0, atMs: performance.now() };
    watchdog = setInterval(() => {
      const run = Atomics.load(header, RUN_NUMBER);
      const now = performance.now();
      if (run !== last.run) last = { run, atMs: now };
      else if (run > 0 && now - last.atMs > task.limits.hangMs) {
        resolve(crashOf(task, `did not return within ${task.limits.hangMs} ms`));
      }
    }, WATCH_INTERVAL_MS);
  });
  const end = new Promise<LoopResult>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", (error) => {
      const hasRun = Atomics.load(header, RUN_NUMBER) > 0;
      if (hasRun)
        resolve(crashOf(task, `ended its thread: ${error instanceof Error ? error.message : error}`));
      else reject(error);
    });
    worker.once("exit", () => resolve(crashOf(task, "ended its thread without a word")));
  });
  try {
    return await Promise.race([end, hang]);
  } finally {
    clearInterval(watchdog);
    await worker.terminate();
  }
}

/** A crash with the input that was running. */
function crashOf(task: LoopTask, message: string): LoopResult {
  const header = new Int32Array(task.current, 0, 2);
  const input = new Uint8Array(task.current, HEADER_BYTES, header[INPUT_LENGTH]).slice();
  return { kind: "crash", runs: Atomics.load(header, RUN_NUMBER), input, message };
}

async function readCorpus(folder: string): Promise<Uint8Array[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return Promise.all(names.toSorted().map((name) => readFile(join(folder, name))));
}

async function keep(folder: string, input: Uint8Array): Promise<string> {
  const name = createHash("sha256").update(input).digest("hex").slice(0, 16);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.bin`), input);
  return join(folder, `${name}.bin`);
}
