/** `npm run soak:events`: events through kills to a sink that fails half of the time. Code 1 when something is wrong. */
import { parseArgs } from "node:util";
import { withCleanUp } from "./clean-up.ts";
import { pumpEvents } from "./events.ts";

const USAGE = `usage: npm run soak:events -- [--events N] [--streams N] [--kills N] [--seed N]
  --events    100000 unless given
  --streams   that they are of; 50 unless given
  --kills     with SIGKILL, on the way; 3 unless given
  --seed      repeats what the sink does`;

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      events: { type: "string", default: "100000" },
      streams: { type: "string", default: "50" },
      kills: { type: "string", default: "3" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      help: { type: "boolean", default: false },
    },
  });
  const [events, streams, kills, seed] = [values.events, values.streams, values.kills, values.seed].map(
    Number,
  );
  const isUsable = [events, streams].every((n) => Number.isInteger(n) && n! > 0);
  if (values.help || !isUsable || !Number.isInteger(kills) || !Number.isInteger(seed)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  console.log(`${events} events of ${streams} streams, ${kills} kills, seed ${seed}`);
  return await withCleanUp(async (end) => {
    const plan = { events: events!, streams: streams!, kills: kills!, seed: seed! };
    const beganMs = performance.now();
    const report = await pumpEvents(end, plan);
    const { taken, refused, lostReply, cutOff } = report.batches;
    console.log(
      `${report.stored} stored, ${report.had} came, ${report.duplicates} of them twice, ${report.kills} kills`,
    );
    console.log(
      `batches: ${taken} taken, ${refused} refused, ${lostReply} replies lost, ${cutOff} cut off`,
    );
    console.log(
      `${Math.round((performance.now() - beganMs) / 1000)} s, ${report.wrong.length} things wrong`,
    );
    for (const line of report.wrong.slice(0, 20)) console.log(line);
    return report.wrong.length === 0 ? 0 : 1;
  });
}

process.exitCode = await main(process.argv.slice(2));
