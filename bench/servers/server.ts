/** What every server of the benchmark looks like from outside. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../test/support/eventually.ts";
import { startChild } from "../child.ts";
import type { Child } from "../child.ts";
import type { Name } from "../measured.ts";

/** A server that runs. */
export type Server = {
  readonly name: Name;
  readonly rtmpPort: number;
  /** Where it plays HTTP; `null` when it does not. */
  readonly httpPort: number | null;
  /** All of its processes. */
  readonly pids: readonly number[];
  readonly stop: () => Promise<void>;
};

/** Starts a server in a state that no earlier run has touched. */
export type StartServer = () => Promise<Server>;

/** The RTMP application that every server is given. */
export const APP = "live";

/** The name of the one stream, and what names of many begin with. */
export const STREAM = "cam";

const START_TIMEOUT_MS = 20_000;

const folders = new Set<string>();

process.once("exit", () => {
  for (const folder of folders) removeFolder(folder);
});

/** A folder for the files of one server, with its log in it. */
export function makeFolder(name: string): { folder: string; logFile: string } {
  const folder = mkdtempSync(join(tmpdir(), `weir-bench-${name}-`));
  folders.add(folder);
  return { folder, logFile: join(folder, "server.log") };
}

/** Removes what `makeFolder` made; at the end of the process it would go by itself. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Starts the program of a server and waits until it listens. Its folder goes when it stops. */
export async function startProcess(
  command: readonly string[],
  options: {
    folder: string;
    logFile: string;
    port: number;
    env?: Readonly<Record<string, string | undefined>>;
    /** What ends it at once; SIGTERM unless given. */
    stopSignal?: NodeJS.Signals;
  },
): Promise<{ child: Child; stop: () => Promise<void> }> {
  const { folder, logFile, port, env = {}, stopSignal = "SIGTERM" } = options;
  const child = startChild(command, { logFile, env });
  const stop = async (): Promise<void> => {
    await child.stop(stopSignal);
    removeFolder(folder);
  };
  await untilUp(child, () => connects(port), stop);
  return { child, stop };
}

/** Tries until the server does what is asked of it; stops it and says its last words when it ends or takes 20 s. */
export async function untilUp(
  child: Child,
  probe: () => Promise<void>,
  stop: () => Promise<void>,
): Promise<void> {
  try {
    // A server that has ended will not come up: no further try.
    await eventually(() => (child.isRunning ? probe() : undefined), { timeoutMs: START_TIMEOUT_MS });
    if (!child.isRunning) throw new Error("it ended");
  } catch (error) {
    const words = child.lastWords;
    await stop();
    throw new Error(`the server did not come up: ${words}`, { cause: error });
  }
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}
