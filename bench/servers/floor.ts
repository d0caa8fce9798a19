/** The limit: a C program that only copies, see tools/rtmpfloor.c. */
import { freePort } from "../../test/support/free-port.ts";
import { makeFolder, startProcess } from "./server.ts";
import type { StartServer } from "./server.ts";

/** Makes a starter. `windowMs`: how long it collects before it writes; 0 for every wake-up with media. */
export function floor(rtmpfloor: string, windowMs: number): StartServer {
  return async () => {
    const port = await freePort();
    const command = [rtmpfloor, String(port), String(windowMs)];
    const { child, stop } = await startProcess(command, { ...makeFolder("floor"), port });
    return { name: "floor", rtmpPort: port, httpPort: null, pids: [child.pid], stop };
  };
}
