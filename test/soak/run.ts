/** `npm run soak -- [MINUTES] [--seed N]`: the soak from the command line. Code 1 when a rule is not met. */
import { parseArgs } from "node:util";
import { withCleanUp } from "./clean-up.ts";
import { CROWD, makePlan } from "./plan.ts";
import { describeFindings, describeTally, writeReport } from "./report.ts";
import { soak } from "./soak.ts";

const USAGE = `usage: npm run soak -- [MINUTES] [--seed N]
  MINUTES   how long the crowd comes and goes; 10 unless given
  --seed    repeats the plan of an earlier run; a new one unless given`;

const DEFAULT_MINUTES = 10;

async function main(argv: readonly string[]): Promise<number> {
  const options = { seed: { type: "string" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const minutes = Number(positionals[0] ?? DEFAULT_MINUTES);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  if (values.help === true || !(minutes > 0) || !Number.isInteger(seed) || positionals.length > 1) {
    console.log(USAGE);
    return values.help === true ? 0 : 2;
  }
  const plan = makePlan(seed, CROWD);
  console.log(`${minutes} minutes, seed ${seed}: ${JSON.stringify(CROWD)}`);
  return await withCleanUp(async (end) => {
    const result = await soak(end, { minutes, plan, onProgress: console.log });
    const path = await writeReport(result, plan);
    console.log(describeTally(result.seen.events));
    console.log(describeTally(result.seen.logged));
    console.log(`${describeFindings(result.findings)}\n${path}`);
    return result.findings.every(({ isMet }) => isMet) ? 0 : 1;
  });
}

process.exitCode = await main(process.argv.slice(2));
