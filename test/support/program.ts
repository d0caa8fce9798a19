/** Programs that run beside a test: publishers, players, the server itself. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/** What a test or suite offers for cleaning up: a test's context, or `{ after }` of node:test within a suite. */
export type TestEnd = { after(clean: () => void | Promise<void>): void };

/** How a program ended: by a code or by a signal. */
export type ProgramEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** More about a program. */
export type ProgramOptions = {
  readonly cwd?: string;
  /** Added to the test's own environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Called with every line of its stdout, which is otherwise dropped. */
  readonly onLine?: (line: string) => void;
};

const STDERR_LIMIT_CHARACTERS = 200_000;
const STOP_GRACE_MS = 5000;

/** A running program. It is killed when the test ends, whatever happens. */
export class Program {
  readonly pid: number;
  /** Resolves when the program has ended; never rejects. */
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #stderr = "";

  constructor(name: string, child: ChildProcess, onLine: (line: string) => void) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.ended = new Promise((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal }));
      child.once("error", (error) => {
        this.#stderr += `${name} did not start: ${error.message}`;
        resolve({ code: null, signal: null });
      });
    });
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(-STDERR_LIMIT_CHARACTERS);
    });
    const lines = splitLines(onLine);
    child.stdout?.setEncoding("utf8").on("data", lines);
  }

  /** What it wrote to stderr, the end of it when that is long. */
  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.pid !== 0;
  }

  /** Sends a signal; nothing happens when it has ended. */
  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(name);
  }

  /** Asks it to end, kills it when it does not within `graceMs` (5 s unless given), and waits until it has ended. */
  async stop(graceMs = STOP_GRACE_MS, signal: NodeJS.Signals = "SIGTERM"): Promise<ProgramEnd> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  /** Kills it, as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }
}

/** Starts a program that ends with the test at the latest. */
export function startProgram(
  t: TestEnd,
  name: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Program {
  const child = spawn(name, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const program = new Program(name, child, options.onLine ?? ((): void => {}));
  t.after(() => program.kill());
  return program;
}

function splitLines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}
