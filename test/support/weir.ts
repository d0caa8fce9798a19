/** The real server in a process of its own, as a user starts it. */
import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { startProgram } from "./program.ts";
import type { Program, TestEnd } from "./program.ts";

/** The ports that a server of a test is given; nobody listened on them when it was started. */
export type WeirPorts = { readonly http: number; readonly rtmp: number };

/** Config files by name: `flussonic.conf`, or `flussonic.conf.d/NAME.conf`. */
export type ConfigFiles = Readonly<Record<string, string>>;

/** How a server is started. */
export type WeirOptions = {
  /**
   * The config: the text of `flussonic.conf`, or files by name. Listeners for `http` and `rtmp` on the server's ports
   * are added in a file of their own; a function is given the ports instead and writes the listeners itself.
   */
  readonly config?: string | ConfigFiles | ((ports: WeirPorts) => string | ConfigFiles);
  /** Added to the environment. What the test's own environment says to servers (`FLUSSONIC_*`...) is not inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added behind `serve --config DIR`. */
  readonly args?: readonly string[];
  /** How long it may take until it is ready; 15 s unless given. */
  readonly readyTimeoutMs?: number;
  /** Another program with the same command line instead of the server; this file's own tests have one. */
  readonly main?: string;
};

/** One line of the server's log, as it wrote it. */
export type LogLine = Readonly<Record<string, unknown>>;

const MAIN = resolve(import.meta.dirname, "../../src/cli/weir.js");
const READINESS = "/flussonic/api/v3/monitoring/readiness";
const PORTS_FILE = "flussonic.conf.d/00-test-ports.conf";
const STOP_TIMEOUT_MS = 10_000;
const LOG_LIMIT_LINES = 100_000;

/** A running server. */
export class Weir {
  readonly ports: WeirPorts;
  readonly configFolder: string;
  /** Lines of the log so far; what it writes that is no JSON object is in `plainLines`. */
  readonly log: LogLine[] = [];
  readonly plainLines: string[] = [];
  #program: Program | null = null;

  constructor(ports: WeirPorts, configFolder: string) {
    this.ports = ports;
    this.configFolder = configFolder;
  }

  /** The program below; for signals and its pid. */
  get program(): Program {
    assert.ok(this.#program !== null, "the server was not started");
    return this.#program;
  }

  /** An HTTP URL of the server; `path` begins with a slash. */
  url(path: string): string {
    return `http://127.0.0.1:${this.ports.http}${path}`;
  }

  /** The RTMP URL of a stream. */
  rtmpUrl(name: string): string {
    return `rtmp://127.0.0.1:${this.ports.rtmp}/${name}`;
  }

  /** Waits for a line of the log whose text has `words`, or for which `words` holds. */
  logged(words: string | ((line: LogLine) => boolean), timeoutMs = 10_000): Promise<LogLine> {
    const holds =
      typeof words === "string" ? (line: LogLine): boolean => JSON.stringify(line).includes(words) : words;
    const find = (): LogLine => {
      const line = this.log.find(holds);
      assert.ok(line !== undefined, `no line of the log has ${String(words)}\n${this.describe()}`);
      return line;
    };
    return eventually(find, { timeoutMs });
  }

  /** Waits until a stream has a publisher whose tracks are known. */
  async onAir(name: string, timeoutMs = 10_000): Promise<void> {
    const look = async (): Promise<void> => {
      const reply = await fetch(this.url("/-/streams"), { signal: AbortSignal.timeout(2000) });
      const { streams } = (await reply.json()) as { streams: { name: string; status: string }[] };
      const isLive = streams.some((stream) => stream.name === name && stream.status === "live");
      assert.ok(isLive, `${name} is not on air\n${this.describe()}`);
    };
    await eventually(look, { timeoutMs });
  }

  /** Writes or replaces files of the config. */
  async writeConfig(files: ConfigFiles): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.configFolder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  }

  /** Starts the process; called by `startWeir`, and by tests that start the server again after `stop` or `kill`. */
  async start(t: TestEnd, options: WeirOptions = {}): Promise<void> {
    assert.ok(this.#program?.isRunning !== true, "the server runs already");
    const args = [options.main ?? MAIN, "serve", "--config", this.configFolder, ...(options.args ?? [])];
    const onLine = (line: string): void => this.#takeLine(line);
    const program = startProgram(t, process.execPath, args, { env: serverEnvironment(options), onLine });
    this.#program = program;
    await this.#untilReady(options.readyTimeoutMs ?? 15_000);
  }

  /** Asks the server to end without a drain, and checks that it does so in order: code 0 within 10 s. */
  async stop(): Promise<void> {
    const end = await this.program.stop(STOP_TIMEOUT_MS, "SIGINT");
    assert.deepEqual(end, { code: 0, signal: null }, `the server did not end in order\n${this.describe()}`);
  }

  /** Ends the server as a crash of its machine would; nothing happens when it does not run. */
  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  /** The end of what the server wrote, for messages of failed tests. */
  describe(): string {
    const lines = [
      ...this.plainLines.slice(-10),
      ...this.log.slice(-20).map((line) => JSON.stringify(line)),
    ];
    return [...lines, this.program.stderr.slice(-4000)].join("\n");
  }

  async #untilReady(timeoutMs: number): Promise<void> {
    const probe = async (): Promise<boolean> => {
      if (!this.program.isRunning) return false;
      const reply = await fetch(this.url(READINESS), { signal: AbortSignal.timeout(2000) });
      assert.equal(reply.status, 200, "not ready");
      return true;
    };
    const isReady = await eventually(probe, { timeoutMs }).catch((error: unknown) => {
      throw new Error(`the server did not become ready\n${this.describe()}`, { cause: error });
    });
    assert.ok(isReady, `the server ended before it was ready\n${this.describe()}`);
  }

  #takeLine(line: string): void {
    const into = line.startsWith("{") ? this.log : this.plainLines;
    if (into.length >= LOG_LIMIT_LINES) into.length = 0;
    if (into === this.log) this.log.push(JSON.parse(line) as LogLine);
    else this.plainLines.push(line);
  }
}

/**
 * Starts a server and waits until it is ready. It is killed when the test ends; `stop()` ends it in order.
 *
 * In a suite, give `{ after }` of node:test for `t`: `before(async () => { weir = await startWeir({ after }, ...) })`.
 */
export async function startWeir(t: TestEnd, options: WeirOptions = {}): Promise<Weir> {
  const ports = { http: await freePort(), rtmp: await freePort() };
  const folder = await mkdtemp(join(tmpdir(), "weir-config-"));
  const weir = new Weir(ports, folder);
  t.after(async () => {
    await weir.kill();
    await rm(folder, { recursive: true, force: true });
  });
  await weir.writeConfig(configFiles(options.config ?? "", ports));
  await weir.start(t, options);
  return weir;
}

function configFiles(config: NonNullable<WeirOptions["config"]>, ports: WeirPorts): ConfigFiles {
  const given = typeof config === "function" ? config(ports) : config;
  const files = typeof given === "string" ? { "flussonic.conf": given } : given;
  if (typeof config === "function") return files;
  return { ...files, [PORTS_FILE]: `http 127.0.0.1:${ports.http};\nrtmp 127.0.0.1:${ports.rtmp};\n` };
}

/** Variables that would reach into the server's config are taken away, so that only the test decides. */
function serverEnvironment(options: WeirOptions): Record<string, string | undefined> {
  const foreign = Object.keys(process.env).filter((name) => /^(FLUSSONIC|STREAMER|LICENSE)_/.test(name));
  return { ...Object.fromEntries(foreign.map((name) => [name, undefined])), ...options.env };
}
