/** `npm run soak:archive`: kills recording servers from the command line. Code 1 when something shown was lost. */
import { parseArgs } from "node:util";
import { killRecorders } from "./archive-kills.ts";
import type { KillReport } from "./archive-kills.ts";
import { withCleanUp } from "./clean-up.ts";

const USAGE = `usage: npm run soak:archive -- [--kills N] [--streams N] [--servers N] [--full] [--seed N]
  --kills     of all servers together; 200 unless given
  --streams   that each server records; 20 unless given
  --servers   that run beside each other; 1 unless given
  --full      on volumes that are filled to the last byte (root only)
  --seed      repeats the moments of an earlier run, as far as machines do`;

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      kills: { type: "string", default: "200" },
      streams: { type: "string", default: "20" },
      servers: { type: "string", default: "1" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      full: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [kills, streams, servers, seed] = [values.kills, values.streams, values.servers, values.seed].map(
    Number,
  );
  const isUsable = [kills, streams, servers].every((n) => Number.isInteger(n) && n! > 0);
  if (values.help || !isUsable || !Number.isInteger(seed)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  console.log(`${kills} kills of ${servers} servers of ${streams} streams, seed ${seed}`);
  return await withCleanUp(async (end) => {
    const plan = { kills: kills!, streams: streams!, servers: servers!, seed: seed!, isFull: values.full };
    const report = await killRecorders(end, { ...plan, onProgress: console.log });
    console.log(describe(report));
    return report.wrong.length === 0 ? 0 : 1;
  });
}

function describe({
  kills,
  shown,
  compared,
  cutShort,
  cutUnseen,
  fullKills,
  wrong,
  lossesMs,
}: KillReport): string {
  const sorted = lossesMs.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    `${Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)} ms`;
  return [
    `${kills} kills, ${fullKills} of them with a full volume`,
    `${shown} segments shown, ${compared} compared, ${cutShort} lack sound at their end, ${cutUnseen} that nobody had loaded a GOP`,
    `from the end of each archive to the kill: median ${at(0.5)}, 99 % ${at(0.99)}, most ${at(1)}`,
    `${wrong.length} things wrong`,
    ...wrong,
  ].join("\n");
}

process.exitCode = await main(process.argv.slice(2));
