/**
 * `npm run outside -- http://HOST:PORT`: tries on a server what somebody from outside would try first. Code 1 when
 * something is wrong. Run it against servers that are your own.
 */
import { parseArgs } from "node:util";
import { CHECKS } from "./checks.ts";
import type { OutsideTarget } from "./checks.ts";

const USAGE = `usage: npm run outside -- URL [--vod PREFIX] [--stream NAME] [--idle SECONDS]
  URL        of a server of your own, as http://127.0.0.1:8080
  --vod      the prefix of a vod of it
  --stream   a stream that everybody may play
  --idle     its http_idle_timeout; 60 unless given`;

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      vod: { type: "string" },
      stream: { type: "string" },
      idle: { type: "string", default: "60" },
      help: { type: "boolean", default: false },
    },
  });
  const url = URL.parse(positionals[0] ?? "");
  const idleMs = Number(values.idle) * 1000;
  if (values.help || url?.protocol !== "http:" || positionals.length > 1 || !(idleMs > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const target: OutsideTarget = {
    host: url.hostname.replaceAll(/[[\]]/g, ""),
    port: Number(url.port === "" ? 80 : url.port),
    idleMs,
    ...(values.vod === undefined ? {} : { vod: values.vod }),
    ...(values.stream === undefined ? {} : { stream: values.stream }),
  };
  let failed = 0;
  for (const check of CHECKS) {
    const wrong = await check.run(target);
    console.log(`${wrong.length === 0 ? "well " : "WRONG"} ${check.name}`);
    for (const line of wrong) console.log(`      ${line}`);
    if (wrong.length > 0) failed++;
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
