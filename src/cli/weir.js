#!/usr/bin/env node
/** The command `weir`, out of the compile cache. */
import "../server/compile-cache.js";

// To process 1 of a container the system delivers no signal that it has no handler for: one that comes while the server
// starts, and so before it has its own, would be lost, and the container be killed when its time is over.
if (process.pid === 1) {
  for (const [signal, number] of Object.entries({ SIGTERM: 15, SIGINT: 2 })) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}

await import("./main.ts");
