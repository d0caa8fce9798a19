/** The server of this project, through its public command line. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { runChild } from "../child.ts";
import { APP, makeFolder, removeFolder, startProcess, untilUp } from "./server.ts";
import type { Server, StartServer } from "./server.ts";

/** Directives that older states of the server do not have, as it spells them; `null` where it has none. */
export type Features = {
  /** `send_window` of so many milliseconds. */
  readonly sendWindow: ((windowMs: number) => string) | null;
  /** `threads 1;`. */
  readonly oneThread: string | null;
};

/** Lines added to the config. */
export type WeirLines = {
  readonly top?: readonly string[];
  /** In the template that takes all streams. */
  readonly template?: readonly string[];
};

const MAIN = resolve(import.meta.dirname, "../../src/cli/weir.js");
const READINESS = "/flussonic/api/v3/monitoring/readiness";

/** Makes a starter. All of the load comes from a few addresses, so the limit on connections of one is lifted. */
export function weir(lines: WeirLines = {}): StartServer {
  return async () => {
    const { folder, logFile } = makeFolder("weir");
    const ports = { rtmp: await freePort(), http: await freePort() };
    // One media thread, as the floor and the peers have, whatever the machine has; `top` may say otherwise.
    const threads = lines.top?.some((line) => line.startsWith("threads")) === true ? [] : ["threads 1;"];
    const listeners = [...threads, `http 127.0.0.1:${ports.http};`, `rtmp 127.0.0.1:${ports.rtmp};`];
    writeFileSync(join(folder, "flussonic.conf"), configText([...listeners, ...(lines.top ?? [])], lines));
    const command = [process.execPath, MAIN, "serve", "--config", folder];
    const env = withoutServerVariables();
    // After SIGTERM it would go on for its viewers.
    const stopSignal = "SIGINT";
    const options = { folder, logFile, port: ports.rtmp, env, stopSignal } as const;
    const { child, stop } = await startProcess(command, options);
    await untilUp(child, () => isReady(ports.http), stop);
    return { name: "weir", rtmpPort: ports.rtmp, httpPort: ports.http, pids: [child.pid], stop };
  };
}

/** Asks the server which directives it takes. */
export async function weirFeatures(): Promise<Features> {
  // A plain number may mean seconds or milliseconds; one that is out of range as seconds is refused as such.
  const spellings = [(ms: number) => `send_window ${ms}ms;`, (ms: number) => `send_window ${ms};`];
  let sendWindow: Features["sendWindow"] = null;
  for (const spell of spellings) {
    if (sendWindow === null && (await accepts({ template: [spell(350)] }))) sendWindow = spell;
  }
  const threads = "threads 1;";
  return { sendWindow, oneThread: (await accepts({ top: [threads] })) ? threads : null };
}

/** Whether an HTTP path of a running server is there. */
export async function hasPath(server: Server, path: string): Promise<boolean> {
  if (server.httpPort === null) return false;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 5000);
  try {
    const reply = await fetch(`http://127.0.0.1:${server.httpPort}${path}`, { signal: abort.signal });
    return reply.status === 200;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function configText(top: readonly string[], lines: WeirLines): string {
  const template = [`prefix ${APP};`, "input publish://;", ...(lines.template ?? [])];
  const block = `template ${APP} {\n  ${template.join("\n  ")}\n}\n`;
  return `${top.join("\n")}\nmax_connections_per_address 100000;\n${block}`;
}

/** Known and without a warning, which would say that it has no effect. */
async function accepts(lines: WeirLines): Promise<boolean> {
  const { folder } = makeFolder("check");
  const file = join(folder, "flussonic.conf");
  writeFileSync(file, configText(["http 127.0.0.1:0;", ...(lines.top ?? [])], lines));
  const command = [process.execPath, MAIN, "check", "--format", "json", folder];
  try {
    const answer = JSON.parse(await runChild(command, { env: withoutServerVariables() })) as {
      problems: readonly unknown[];
    };
    return answer.problems.length === 0;
  } catch {
    return false;
  } finally {
    removeFolder(folder);
  }
}

/** Whoever runs the benchmark may have variables that would reach into the config. */
function withoutServerVariables(): Record<string, undefined> {
  const foreign = Object.keys(process.env).filter((name) => /^(FLUSSONIC|STREAMER|LICENSE)_/.test(name));
  return Object.fromEntries(foreign.map((name) => [name, undefined]));
}

async function isReady(port: number): Promise<void> {
  const reply = await fetch(`http://127.0.0.1:${port}${READINESS}`, { signal: AbortSignal.timeout(2000) });
  await reply.arrayBuffer();
  if (reply.status !== 200) throw new Error("not ready");
}
