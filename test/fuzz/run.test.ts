/** Runs every `*.fuzz.ts` below `src/`: its corpus first, then mutants for its share of the time. See CONTRIBUTING.md. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { join, relative, resolve } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { findFuzzTargets, FUZZ_SECONDS_VARIABLE } from "../runner/plan.ts";
import { runLoop } from "./run-loop.ts";
import { checkTarget } from "./target.ts";

const root = resolve(import.meta.dirname, "../..");
const files = findFuzzTargets(root);
const totalSeconds = process.env[FUZZ_SECONDS_VARIABLE];
const randomSeed = Number(process.env["WEIR_FUZZ_SEED"] ?? randomInt(2 ** 32));

/** Without a time to spend the loops are short, and the same every time on a given seed. */
const SHORT_RUNS = 300;
const secondsEach = totalSeconds === undefined ? 5 : Number(totalSeconds) / files.length;
const maxRuns = totalSeconds === undefined ? SHORT_RUNS : Infinity;

describe("fuzzing", () => {
  const targets = files.map(async (file) => {
    const module = pathToFileURL(file).href;
    const { fuzz } = (await import(module)) as { fuzz?: unknown };
    return { module, name: checkTarget(relative(root, file), fuzz).name };
  });

  test("has targets whose names are unique", async () => {
    const names = (await Promise.all(targets)).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, names.join());
  });

  for (const [index, file] of files.entries()) {
    test(`${relative(root, file)} survives its corpus and mutants`, async (t) => {
      const { module, name } = await targets[index]!;
      const corpusFolder = join(root, "test/fuzz/corpus", name);
      const result = await runLoop({ module, corpusFolder, randomSeed, seconds: secondsEach, maxRuns });
      t.diagnostic(`${name}: ${result.runs} inputs, WEIR_FUZZ_SEED=${randomSeed}`);
      if (result.kind === "clean") return;
      const kept = relative(root, result.file ?? "");
      assert.fail(`${result.message}\ninput kept as ${kept}; found with WEIR_FUZZ_SEED=${randomSeed}`);
    });
  }
});
