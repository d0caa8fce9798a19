/** What Linux says of a process: CPU time, memory, open files. */
import { readdirSync, readFileSync } from "node:fs";

/** Ticks of `/proc/PID/stat` a second; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds, user and system, of all threads of a process.
 *
 * `stat`: the text of `/proc/PID/stat`. Spec: proc_pid_stat(5), fields 14 (utime) and 15 (stime).
 */
export function parseCpuSeconds(stat: string): number {
  // The second field is the program's name in brackets and may have anything in it, brackets and spaces too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`no CPU time in "${stat}"`);
  return ticks / TICKS_PER_SECOND;
}

/** A field of `/proc/PID/status` or `/proc/PID/smaps_rollup` that is given in kB. Units: KiB. */
export function parseKib(text: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text);
  if (match === null) throw new Error(`no ${field} in what /proc says`);
  return Number(match[1]);
}

/** CPU seconds of several processes together. */
export function cpuSeconds(pids: readonly number[]): number {
  return sum(pids, (pid) => parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, "utf8")));
}

/** Resident memory of several processes together; what they share counts in each. Units: KiB. */
export function residentKib(pids: readonly number[]): number {
  return sum(pids, (pid) => parseKib(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS"));
}

/** Memory of several processes together; what is shared with others counts by its share. Units: KiB. */
export function proportionalKib(pids: readonly number[]): number {
  return sum(pids, (pid) => parseKib(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"), "Pss"));
}

/** Open files and sockets of several processes together. */
export function openFiles(pids: readonly number[]): number {
  return sum(pids, (pid) => readdirSync(`/proc/${pid}/fd`).length);
}

/** How many files a process may open. */
export function openFilesLimit(pid: number): number {
  const match = /^Max open files\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"));
  return match?.[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(match?.[1]);
}

/** A process and its children; servers of one worker have no grandchildren. */
export function processFamily(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").map(Number))];
}

function sum(pids: readonly number[], read: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + read(pid), 0);
}
