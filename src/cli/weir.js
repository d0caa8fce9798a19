#!/usr/bin/env node
/** The command `weir`, out of the compile cache. */
import "../server/compile-cache.js";

await import("./main.ts");
