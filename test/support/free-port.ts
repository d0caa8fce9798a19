/** Ports for servers that have to be told theirs before they start. */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Above the ports of common services, below those that Kubernetes gives to NodePorts. */
const FIRST = 12_000;
const LAST = 29_999;

/** Two processes of near ids have so many ports each before they meet. */
const PORTS_PER_PROCESS = 97;

let next = process.pid * PORTS_PER_PROCESS;

/**
 * A TCP port that nobody listens on now. Never the same twice in one process. The system gives none of these to outgoing
 * connections or to who listens on any free port, so that only a test of another process may take it first.
 */
export async function freePort(): Promise<number> {
  const last = Math.min(LAST, firstEphemeralPort() - 1);
  if (last <= FIRST)
    throw new Error(`the system gives away all ports from ${last + 1} on: see ip_local_port_range`);
  for (let tried = FIRST; tried <= last; tried++) {
    const port = FIRST + (next++ % (last - FIRST + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`every port from ${FIRST} to ${last} is in use`);
}

/** Spec: Linux documentation, ip-sysctl, ip_local_port_range. Elsewhere as IANA has it (RFC 6335 section 6). */
function firstEphemeralPort(): number {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    return 49_152;
  }
}

/** On all addresses, so that one who listens on any of them is noticed. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
