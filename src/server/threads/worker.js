/** The beginning of a media thread, out of the compile cache. */
import "../compile-cache.js";

await import("./media-worker.ts");
