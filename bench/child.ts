/** Programs that the benchmark starts: servers and load. None of them outlives it. */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

/** Most open files asked for; 3000 players need as many in the server and as many in the load. */
export const OPEN_FILES = 65_536;

/** The shell raises the limit as far as it may and then becomes the program, so that the pid is the program's. */
const RAISE_LIMIT = `ulimit -n ${OPEN_FILES} 2>/dev/null || ulimit -n "$(ulimit -H -n)"; exec "$@"`;
const STDERR_LIMIT_CHARACTERS = 20_000;
const STDOUT_LIMIT_CHARACTERS = 1_000_000;
const STOP_GRACE_MS = 5000;

const running = new Set<Child>();

// However this process ends, short of being killed itself.
process.once("exit", endChildren);

/** How a program is started. */
export type ChildOptions = {
  /** File that takes stdout and stderr; without it both are kept in memory, up to a limit. */
  readonly logFile?: string;
  /** `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
};

/** A running program. */
export class Child {
  readonly pid: number;
  /** Resolves with its exit code, `null` after a signal; never rejects. */
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #logFile: string | null;
  #stdout = "";
  #stderr = "";

  constructor(process: ChildProcess, logFile: string | null) {
    this.#process = process;
    this.#logFile = logFile;
    this.pid = process.pid ?? 0;
    this.ended = new Promise((resolve) => {
      process.once("close", (code) => resolve(code));
      process.once("error", (error) => {
        this.#stderr += error.message;
        resolve(null);
      });
    });
    process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-STDOUT_LIMIT_CHARACTERS);
    });
    process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_LIMIT_CHARACTERS);
    });
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null && this.pid !== 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** The end of what it wrote, for messages. */
  get lastWords(): string {
    const text = this.#logFile === null ? this.#stderr + this.#stdout : readFileSync(this.#logFile, "utf8");
    return text.trim().split("\n").slice(-8).join("\n");
  }

  /** Asks it to end, kills it when it does not in 5 s, and waits until it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_GRACE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#process.kill(name);
  }
}

/** Starts a program with the limit of open files raised. */
export function startChild(command: readonly string[], options: ChildOptions = {}): Child {
  const logFile = options.logFile ?? null;
  const log = logFile === null ? null : openSync(logFile, "a");
  const stdio: StdioOptions = log === null ? ["ignore", "pipe", "pipe"] : ["ignore", log, log];
  const started = spawn("sh", ["-c", RAISE_LIMIT, "sh", ...command], {
    stdio,
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  if (log !== null) closeSync(log);
  const child = new Child(started, logFile);
  running.add(child);
  void child.ended.then(() => running.delete(child));
  return child;
}

/** Runs a program to its end. Throws with what it wrote when its code is not 0. Returns: its stdout. */
export async function runChild(command: readonly string[], options: ChildOptions = {}): Promise<string> {
  const child = startChild(command, options);
  const code = await child.ended;
  if (code !== 0) throw new Error(`${command[0]} ended with ${code ?? "a signal"}: ${child.lastWords}`);
  return child.stdout;
}

/** Ends what still runs; for the end of the benchmark, however it comes. SIGTERM: nginx takes its worker along. */
export function endChildren(): void {
  for (const child of running) child.signal("SIGTERM");
}
