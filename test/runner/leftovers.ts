/** Finds and ends processes that a test file started and left behind, also those that made a session of their own. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Environment variable that marks every process below a test file; each run of a file has a value of its own. */
export const RUN_MARK_VARIABLE = "WEIR_TEST_FILE_RUN";

/** A process that is still there. */
export type Leftover = { readonly pid: number; readonly command: string };

/**
 * The living processes that carry `mark` in their environment, this one excepted.
 * Only where there is a /proc; elsewhere nothing is found and the process group is all that gets ended.
 */
export function findMarked(mark: string): Leftover[] {
  const wanted = `${RUN_MARK_VARIABLE}=${mark}`;
  const found: Leftover[] = [];
  for (const entry of listProcesses()) {
    const pid = Number(entry);
    if (pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(wanted)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      found.push({ pid, command: command.slice(0, 120) });
    } catch {
      // It ended while we looked, or belongs to somebody else.
    }
  }
  return found;
}

/** Ends every marked process: SIGTERM, then SIGKILL to those that are there `graceMs` later. Returns whom it met. */
export async function endMarked(mark: string, graceMs: number): Promise<Leftover[]> {
  const met = findMarked(mark);
  for (const { pid } of met) signal(pid, "SIGTERM");
  const deadline = performance.now() + graceMs;
  while (findMarked(mark).length > 0 && performance.now() < deadline) await sleep(50);
  for (const { pid } of findMarked(mark)) signal(pid, "SIGKILL");
  return met;
}

/** Sends a signal to a process, or with a negative id to its group; one that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  } catch {
    return [];
  }
}
