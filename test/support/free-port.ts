/** Ports for servers that have to be told theirs before they start. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

const given = new Set<number>();

/**
 * A TCP port of 127.0.0.1 that nobody listens on now. Never the same twice in one process; another process may still
 * take it first, so whoever starts a server with it checks that the server came up.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await unusedPort();
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
