import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { checkTarget } from "./target.ts";
import { DEFAULT_LIMITS, runLoop } from "./run-loop.ts";
import type { RunLoopOptions } from "./run-loop.ts";

const scratch = mkdtempSync(join(tmpdir(), "weir-fuzz-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

function optionsFor(sample: string): RunLoopOptions {
  const module = new URL(`./samples/${sample}.fuzz.ts`, import.meta.url).href;
  return { module, corpusFolder: join(scratch, sample), randomSeed: 11, seconds: 20, maxRuns: 2000 };
}

describe("the fuzz loop", () => {
  test("lets a target refuse, runs its seeds and so many mutants", async () => {
    const result = await runLoop(optionsFor("clean"));
    assert.deepEqual(result, { kind: "clean", runs: 2001, file: null });
  });

  test("keeps a crasher, shortened, and meets it first the next time", async () => {
    const result = await runLoop(optionsFor("crashing"));
    assert.ok(result.kind === "crash");
    assert.match(result.message, /RangeError: length [0-9]+ of [0-9]+/);
    assert.ok(result.input.byteLength <= 2, `${result.input.byteLength} bytes`);
    assert.deepEqual(readFileSync(result.file ?? ""), Buffer.from(result.input));
    const again = await runLoop({ ...optionsFor("crashing"), randomSeed: 12, maxRuns: 0 });
    assert.ok(again.kind === "crash");
    assert.equal(readdirSync(join(scratch, "crashing")).length, 1);
  });

  test("finds the same crasher with the same seed", async () => {
    const first = await runLoop({ ...optionsFor("crashing"), corpusFolder: join(scratch, "first") });
    const second = await runLoop({ ...optionsFor("crashing"), corpusFolder: join(scratch, "second") });
    assert.equal(first.runs, second.runs);
    assert.ok(first.kind === "crash" && second.kind === "crash");
    assert.deepEqual(first.input, second.input);
  });

  test("ends a parser that never returns and keeps its input", async () => {
    const limits = { ...DEFAULT_LIMITS, hangMs: 500 };
    const result = await runLoop({ ...optionsFor("endless"), limits });
    assert.ok(result.kind === "crash");
    assert.equal(result.message, "did not return within 500 ms");
    assert.ok(result.input.includes(0));
  });

  test("complains of memory that an input does not justify", async () => {
    const result = await runLoop(optionsFor("greedy"));
    assert.ok(result.kind === "crash");
    assert.match(result.message, /^allocated [0-9]+ bytes for [0-9]+ of input$/);
  });

  test("complains of an input that takes too long", async () => {
    const limits = { ...DEFAULT_LIMITS, inputMs: 100, inputBytes: 4096 };
    const result = await runLoop({ ...optionsFor("slow"), limits, maxRuns: 20_000 });
    assert.ok(result.kind === "crash");
    assert.match(result.message, /^took [0-9]+ ms for [0-9]+ bytes, more than 100 ms$/);
  });

  test("replays an input of the corpus that is longer than a mutant may be", async () => {
    const folder = mkdtempSync(join(scratch, "long-"));
    writeFileSync(join(folder, "long.bin"), new Uint8Array(5000).fill(0x61));
    const limits = { ...DEFAULT_LIMITS, inputBytes: 100 };
    const result = await runLoop({ ...optionsFor("clean"), corpusFolder: folder, limits, maxRuns: 10 });
    assert.deepEqual(result, { kind: "clean", runs: 12, file: null });
  });
});

describe("a fuzz target", () => {
  test("is refused without a run, a name or seeds", () => {
    assert.throws(() => checkTarget("x.fuzz.ts", undefined), /x\.fuzz\.ts exports no "fuzz" with a "run"/);
    const run = (): void => {};
    assert.throws(
      () => checkTarget("x.fuzz.ts", { name: "../x", seeds: ["a"], run }),
      /no name for a folder/,
    );
    assert.throws(() => checkTarget("x.fuzz.ts", { name: "x", seeds: [], run }), /at least one seed/);
  });
});
