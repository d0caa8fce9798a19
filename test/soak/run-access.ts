/** `npm run soak:access`: a crowd that is asked about, beside others. Code 1 when something is wrong. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { medianP99, soakAccess } from "./access.ts";
import { withCleanUp } from "./clean-up.ts";

const USAGE = `usage: npm run soak:access -- [--viewers N] [--streams N] [--rounds N] [--within MS]
  --viewers   that start in the same second; 1000 unless given
  --streams   that they are of, each guarded; 200 unless given
  --rounds    of each kind: nobody, viewers nobody is asked about, guarded viewers; 5 unless given
  --within    all have started within so many milliseconds; 1000 unless given`;

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      viewers: { type: "string", default: "1000" },
      streams: { type: "string", default: "200" },
      rounds: { type: "string", default: "5" },
      within: { type: "string", default: "1000" },
      help: { type: "boolean", default: false },
    },
  });
  const [viewers = 0, streams = 0, rounds = 0, withinMs = 0] = [
    values.viewers,
    values.streams,
    values.rounds,
    values.within,
  ].map(Number);
  const isUsable = [viewers, streams, rounds].every((n) => Number.isInteger(n) && n > 0) && withinMs >= 0;
  if (values.help || !isUsable) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  return await withCleanUp(async (end) => {
    console.log(`load average ${loadavg()[0]!.toFixed(1)}`);
    const report = await soakAccess(end, {
      ...{ viewers, streams, rounds, withinMs, onProgress: console.log },
      ...{ replyMs: 300, slowMs: 2500, roundMs: 3500, perSecond: 200, mostWaitMs: 300 },
    });
    const say = ({ p50, p99, most }: typeof report.waits): string =>
      `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, most ${most.toFixed(0)} ms`;
    console.log(`until a viewer is asked about: ${say(report.waits)}`);
    console.log(`until it has its playlist: ${say(report.answers)}`);
    console.log(`asked at once, at most: ${report.askedAtOnce}`);
    const [quiet, open, guarded] = (["quiet", "open", "guarded"] as const).map((kind) =>
      medianP99(report, kind),
    );
    console.log(
      `p99 of others, medians of rounds: ${quiet!.toFixed(1)} ms alone, ${open!.toFixed(1)} ms beside an open crowd, ` +
        `${guarded!.toFixed(1)} ms beside a guarded one: ${(guarded! / quiet!).toFixed(2)} x, ${(guarded! / open!).toFixed(2)} x`,
    );
    console.log(`${report.wrong.length} things wrong, load average ${loadavg()[0]!.toFixed(1)}`);
    for (const line of report.wrong.slice(0, 20)) console.log(line);
    return report.wrong.length === 0 ? 0 : 1;
  });
}

process.exitCode = await main(process.argv.slice(2));
