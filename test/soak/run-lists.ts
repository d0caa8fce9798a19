/** `npm run soak:lists`: what pages, changes and sessions cost where there are very many of them. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { withCleanUp } from "./clean-up.ts";
import { measureLists } from "./lists.ts";

const USAGE = `usage: npm run soak:lists -- [--streams N] [--sessions N] [--puts N]
  --streams    that are configured; 10000 unless given
  --sessions   that are opened; 10000 unless given
  --puts       streams that are changed by API, one after the other; 5 unless given`;

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      streams: { type: "string", default: "10000" },
      sessions: { type: "string", default: "10000" },
      puts: { type: "string", default: "5" },
      help: { type: "boolean", default: false },
    },
  });
  const [streams = 0, sessions = 0, puts = 0] = [values.streams, values.sessions, values.puts].map(Number);
  if (values.help || ![streams, sessions, puts].every((n) => Number.isInteger(n) && n > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  return await withCleanUp(async (end) => {
    console.log(`load average ${loadavg()[0]!.toFixed(1)}`);
    await measureLists(end, { streams, sessions, puts, quietMs: 5000, onProgress: console.log });
    console.log(`load average ${loadavg()[0]!.toFixed(1)}`);
    return 0;
  });
}

process.exitCode = await main(process.argv.slice(2));
