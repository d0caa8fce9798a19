/** `npm run fuzz`: every fuzz target, or some, for minutes each. Code 1 when an input was found that crashes one. */
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { findFuzzTargets } from "../runner/plan.ts";
import { runLoop } from "./run-loop.ts";
import { checkTarget } from "./target.ts";

const root = resolve(import.meta.dirname, "../..");

const USAGE = `usage: npm run fuzz -- [--seconds N] [--lanes N] [--seed N] [path...]
  path        a target, or a folder whose targets run; src unless given
  --seconds   that each target runs; 600 unless given
  --lanes     targets that run at a time; as many as there are CPUs unless given
  --seed      of the random numbers; repeats an earlier run`;

type Options = { readonly seconds: number; readonly lanes: number; readonly seed: number };

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "600" },
      lanes: { type: "string", default: String(availableParallelism()) },
      seed: { type: "string", default: String(randomInt(2 ** 32)) },
      help: { type: "boolean", default: false },
    },
  });
  const options = {
    seconds: Number(values.seconds),
    lanes: Number(values.lanes),
    seed: Number(values.seed),
  };
  const files = chosenOf(positionals);
  const isUsable = Object.values(options).every((n) => Number.isInteger(n) && n >= 0) && options.lanes > 0;
  if (values.help || !isUsable || files.length === 0) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  console.log(
    `${files.length} targets for ${options.seconds} s each, ${options.lanes} at a time, seed ${options.seed}`,
  );
  const failures = await runAll(files, options);
  console.log(`${files.length - failures} clean, ${failures} crashed`);
  return failures === 0 ? 0 : 1;
}

function chosenOf(positionals: readonly string[]): string[] {
  const wanted = (positionals.length === 0 ? ["src"] : positionals).map((path) => resolve(root, path));
  return findFuzzTargets(root).filter((file) =>
    wanted.some((path) => file === path || file.startsWith(`${path}/`)),
  );
}

/** Returns: how many of them crashed. */
async function runAll(files: readonly string[], options: Options): Promise<number> {
  const waiting = [...files];
  let failures = 0;
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      if (!(await run(file, options))) failures++;
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return failures;
}

async function run(file: string, { seconds, seed }: Options): Promise<boolean> {
  const module = pathToFileURL(file).href;
  const { fuzz } = (await import(module)) as { fuzz?: unknown };
  const { name } = checkTarget(relative(root, file), fuzz);
  const corpusFolder = join(root, "test/fuzz/corpus", name);
  const result = await runLoop({ module, corpusFolder, randomSeed: seed, seconds, maxRuns: Infinity });
  const isClean = result.kind === "clean";
  console.log(`${isClean ? "clean  " : "CRASHED"} ${name}: ${result.runs} inputs`);
  if (!isClean) console.log(`${result.message}\ninput kept as ${relative(root, result.file ?? "")}`);
  return isClean;
}

process.exitCode = await main(process.argv.slice(2));
