#!/usr/bin/env node
/** The command `weir`, out of the compile cache. */
import { availableParallelism } from "node:os";

// Everything behind this needs it; without a word here an older Node tells of some syntax or file that it does not know.
const MIN_NODE = 24;
if (Number(process.versions.node.split(".")[0]) < MIN_NODE) {
  const how = "`npm ci` brings one: put node_modules/.bin first in PATH, or say `npm start`";
  console.error(`weir needs Node ${MIN_NODE} or newer, and this is ${process.version}: ${how}`);
  process.exit(1);
}
await import("../server/compile-cache.js");

// Each file operation takes a thread of this pool until the disk has done it, and so does each name that is looked up. Four,
// as it has unless told otherwise, are taken by a volume that hangs, and then films on other disks hang as well. A media
// thread has 26 operations at a time that may hang: recordings that are written and synced, and archives that are read.
process.env["UV_THREADPOOL_SIZE"] ??= String(32 * Math.min(4, availableParallelism()));

// To process 1 of a container the system delivers no signal that it has no handler for: one that comes while the server
// starts, and so before it has its own, would be lost, and the container be killed when its time is over.
if (process.pid === 1) {
  for (const [signal, number] of Object.entries({ SIGTERM: 15, SIGINT: 2 })) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}

// A SIGHUP that comes before the server hears it asks for what is going to be read anyway; it must not end the process.
if (process.argv[2] === "serve" && !process.argv.includes("--demo")) process.on("SIGHUP", () => {});

await import("./main.ts");
