/** Starts a cluster for the journeys that need one, where that is allowed; says in one line why not elsewhere. */
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { signal } from "./leftovers.ts";

/** Environment variable with the folder of the programs `install`, `up`, `load` and `down`; `.ci/run` sets it. */
export const CLUSTER_VARIABLE = "WEIR_TEST_CLUSTER";

/** Environment variable that tells the journeys why there is no cluster. */
export const NO_CLUSTER_VARIABLE = "WEIR_NO_CLUSTER";

/** Environment variable with a file that is there while a cluster is up that has to be taken down. */
export const CLUSTER_MARK_VARIABLE = "WEIR_TEST_CLUSTER_MARK";

/** What the decision is made from, and what the cluster's programs are run with. */
export type ClusterMachine = {
  readonly root: string;
  readonly isRoot: boolean;
  readonly isDebian: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  print(line: string): void;
};

type ProgramEnd = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const PROGRAMS = ["install", "up", "load", "down"] as const;

/** The first time it compiles Kubernetes, which takes 7 minutes on two cores. */
const INSTALL_TIMEOUT_MS = 25 * 60_000;
const UP_TIMEOUT_MS = 150_000;
const DOWN_TIMEOUT_MS = 90_000;
const PIPES_MS = 2000;

/** Prints the two variables out of the line that `up` gives for `eval`; its PATH is left to it. */
const READ_EXPORTS = `eval "$1"; printf '%s\\n%s\\n' "$KUBECONFIG" "\${CONTAINERS_CONF:-}"`;

/**
 * Why no cluster is started: empty when one is wanted and may be started. `null` when nobody asks for one, or another
 * is named already.
 */
export function whyNotStarted(machine: ClusterMachine): string | null {
  const folder = machine.env[CLUSTER_VARIABLE] ?? "";
  if (folder === "" || (machine.env["KUBECONFIG"] ?? "") !== "") return null;
  const path = resolve(machine.root, folder);
  const lacks = PROGRAMS.filter((name) => !isExecutable(join(path, name)));
  if (lacks.length > 0) return `${CLUSTER_VARIABLE}=${folder} has no program ${lacks.join(", ")}`;
  if (!machine.isRoot) return "starting one needs root";
  return machine.isDebian ? "" : "starting one needs Debian";
}

/** A cluster that is up for the journeys that need one, and for no other test: one that idles costs CPU too. */
export class TestCluster {
  readonly #machine: ClusterMachine;
  readonly #folder: string;
  #trouble: string | null;
  #isUp = false;

  constructor(machine: ClusterMachine) {
    this.#machine = machine;
    this.#folder = resolve(machine.root, machine.env[CLUSTER_VARIABLE] ?? "");
    this.#trouble = whyNotStarted(machine);
  }

  /** Installs what it runs on; at once when that was done before. Never rejects. */
  async install(): Promise<void> {
    if (this.#trouble !== "") return;
    const end = await this.#run("install", INSTALL_TIMEOUT_MS);
    if (end.code !== 0) this.#trouble = `${this.#folder}/install ${howEnded(end)}`;
  }

  /** Starts it. Never rejects. Returns: the environment of the journeys. */
  async start(): Promise<Record<string, string>> {
    if (this.#trouble === null) return {};
    if (this.#trouble === "") {
      const env = await this.#start();
      if (env !== null) return env;
    }
    this.#machine.print(`  no cluster is started: ${this.#trouble}`);
    return { [NO_CLUSTER_VARIABLE]: this.#trouble };
  }

  /** Takes down what `start` began. Never rejects. */
  async stop(): Promise<void> {
    if (!this.#isUp) return;
    this.#isUp = false;
    const end = await this.#run("down", DOWN_TIMEOUT_MS);
    if (end.code === 0) return this.#mark(false);
    this.#machine.print(`  the cluster was not taken down: ${this.#folder}/down ${howEnded(end)}`);
  }

  async #start(): Promise<Record<string, string> | null> {
    this.#isUp = true;
    this.#mark(true);
    const up = await this.#run("up", UP_TIMEOUT_MS);
    const exports = up.stdout.split("\n").filter((line) => line.startsWith("export "));
    const read = up.code === 0 ? await run("bash", ["-c", READ_EXPORTS, "up", exports.join("\n")]) : up;
    const [kubeconfig = "", containersConf = ""] = read.stdout.split("\n");
    if (up.code === 0 && read.code === 0 && kubeconfig !== "") {
      const conf = containersConf === "" ? {} : { CONTAINERS_CONF: containersConf };
      return { KUBECONFIG: kubeconfig, WEIR_LOAD_IMAGE: join(this.#folder, "load"), ...conf };
    }
    // One that somebody else started is not ours to end.
    if (up.stderr.includes("up already")) {
      this.#isUp = false;
      this.#mark(false);
    }
    this.#trouble = `${this.#folder}/up ${up.code === 0 ? "named no KUBECONFIG" : howEnded(up)}`;
    await this.stop();
    return null;
  }

  #run(name: (typeof PROGRAMS)[number], timeoutMs: number): Promise<ProgramEnd> {
    return run(join(this.#folder, name), [], timeoutMs);
  }

  #mark(isUp: boolean): void {
    const file = this.#machine.env[CLUSTER_MARK_VARIABLE] ?? "";
    if (file === "") return;
    if (isUp) writeFileSync(file, this.#folder);
    else rmSync(file, { force: true });
  }
}

/** The machine we run on. */
export function clusterMachine(root: string, print: (line: string) => void): ClusterMachine {
  const isRoot = process.getuid?.() === 0;
  return { root, isRoot, isDebian: existsSync("/etc/debian_version"), env: process.env, print };
}

/** Runs a program in a session of its own: what it leaves running, and what a terminal sends, is its own matter. */
function run(path: string, args: readonly string[], timeoutMs = 10_000): Promise<ProgramEnd> {
  return new Promise((end) => {
    const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout = keepTail(stdout + chunk)));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr = keepTail(stderr + chunk)));
    const timer = setTimeout(() => signal(-(child.pid ?? 0), "SIGKILL"), timeoutMs);
    const settle = (code: number | null): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      end({ code, stdout, stderr });
    };
    child.once("error", (error) => {
      stderr += error.message;
      settle(null);
    });
    child.once("close", settle);
    // What it leaves running may hold the pipes for ever.
    child.once("exit", (code) => setTimeout(() => settle(code), PIPES_MS).unref());
  });
}

function keepTail(text: string): string {
  return text.slice(-10_000);
}

function howEnded({ code, stderr }: ProgramEnd): string {
  const last = stderr.trim().split("\n").slice(-2).join(" / ");
  return `ended with ${code === null ? "no exit code, or took too long" : `code ${code}`}: ${last}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
