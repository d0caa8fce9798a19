import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { messageOf } from "../../../base/errors.ts";
import type { WriterIdentity } from "../writer-records.ts";

/** What the identity is read from, if not the machine itself: tests have folders of their own. */
export type MachineIdentityOptions = {
  /** The pod's uid, which no other pod ever has; the empty text where that is not known. */
  readonly pod: string;
  readonly host?: string;
  readonly pid?: number;
  readonly procFolder?: string;
};

/**
 * Who this process is, for others on the same volume. What the machine does not tell is empty, and then nobody takes over
 * without waiting.
 */
export function machineIdentity(options: MachineIdentityOptions): WriterIdentity {
  const { pod, host = hostname(), pid = process.pid, procFolder = "/proc" } = options;
  const boot = textOf(`${procFolder}/sys/kernel/random/boot_id`);
  const space = linkOf(`${procFolder}/self/ns/pid`);
  const birth = birthOf(pid, procFolder) ?? "";
  // Without the birth, another process with the same id would look like this one.
  const machine = boot === "" || space === "" || birth === "" ? "" : `${boot} ${space}`;
  return { host, pod, machine, pid, birth };
}

/** Whether a process of this machine, and of this space of process ids, that began at `birth` still runs. */
export function isProcessAlive(pid: number, birth: string, procFolder = "/proc"): boolean {
  const now = birthOf(pid, procFolder);
  // Where nothing is known of it, it is taken to live: then the lease decides.
  return now === undefined || now === birth;
}

/**
 * When a process began: field 22 of its `stat`, counted behind the name, which may have anything in it. `null`: there is
 * no such process. `undefined`: nobody can know.
 * Units: clock ticks since the machine started. Spec: proc_pid_stat(5).
 */
function birthOf(pid: number, procFolder: string): string | null | undefined {
  let text: string;
  try {
    text = readFileSync(`${procFolder}/${pid}/stat`, "latin1");
  } catch (caught) {
    return /^(ENOENT|ESRCH)\b/.test(messageOf(caught)) && textOf(`${procFolder}/self/stat`) !== ""
      ? null
      : undefined;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  // A process that has ended and that nobody has asked about yet does not write any more.
  if (state === "Z" || state === "X") return null;
  return fields[19] ?? undefined;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "";
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
