/** Brings the tools that tests need onto a machine where that is allowed; says in one line what to do elsewhere. */
import { spawn } from "node:child_process";
import { findProgram, installLine, missingTools, TOOLS } from "../support/tools.ts";
import type { Tool } from "../support/tools.ts";

/** What the installation sees of the machine; tests give another. */
export type Machine = {
  missing(): readonly Tool[];
  readonly mayInstall: boolean;
  /** Runs apt-get with arguments; the exit code, and the end of what it wrote. */
  aptGet(args: readonly string[]): Promise<{ code: number | null; tail: string }>;
  print(line: string): void;
};

const APT_TIMEOUT_MS = 8 * 60_000;
const APT_OPTIONS = ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0"];

/** Silent when everything is there. Never throws: tests that miss a tool skip themselves and say so. */
export async function installTools(machine: Machine): Promise<void> {
  const missing = machine.missing();
  if (missing.length === 0) return;
  if (!machine.mayInstall) {
    machine.print(
      `tests that need ${missing.join(", ")} will be skipped; to run them: ${installLine(missing)}`,
    );
    return;
  }
  const packages = missing.flatMap((tool) => TOOLS[tool].packages);
  machine.print(`installing ${packages.join(" ")} (once; the tests need them)`);
  const failure = await installPackages(machine, packages);
  if (failure !== null) machine.print(`apt-get could not install them: ${failure}`);
  const still = machine.missing();
  if (still.length > 0) machine.print(`tests that need ${still.join(", ")} will be skipped`);
}

/** The package lists are fetched once, the installation is tried twice: mirrors hiccup. */
async function installPackages(machine: Machine, packages: readonly string[]): Promise<string | null> {
  let last = await machine.aptGet([...APT_OPTIONS, "update"]);
  for (let attempt = 0; attempt < 2; attempt++) {
    last = await machine.aptGet([...APT_OPTIONS, "install", "-y", "--no-install-recommends", ...packages]);
    if (last.code === 0) return null;
  }
  return `exit code ${last.code}; ${last.tail.trim().split("\n").slice(-3).join(" / ")}`;
}

/** The machine we run on. */
export function thisMachine(print: (line: string) => void): Machine {
  const aptGetPath = findProgram("apt-get");
  return {
    missing: missingTools,
    mayInstall: process.getuid?.() === 0 && aptGetPath !== null,
    aptGet: (args) => runAptGet(aptGetPath ?? "apt-get", args),
    print,
  };
}

function runAptGet(path: string, args: readonly string[]): Promise<{ code: number | null; tail: string }> {
  return new Promise((resolve) => {
    const child = spawn(path, args, {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: APT_TIMEOUT_MS,
    });
    let tail = "";
    const take = (chunk: string): void => {
      tail = (tail + chunk).slice(-4000);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", (error) => resolve({ code: null, tail: error.message }));
    child.once("close", (code) => resolve({ code, tail }));
  });
}
