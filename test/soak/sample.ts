/** One look at the server and at the load; the run is a row of these. */
import type { Gauge } from "./census.ts";
import type { ProcessCounts, ServerCounts } from "./counts.ts";

/** What was seen at one moment. */
export type Sample = {
  /** Since the load began. */
  readonly atMs: number;
  readonly process: ProcessCounts;
  /** `null` where the server does not tell. */
  readonly server: ServerCounts | null;
  readonly load: Readonly<Record<Gauge, number>>;
  /** How long the readiness probe took; `null` when it was not answered with 200. */
  readonly probeMs: number | null;
  /** The longest time for which the load itself was held up since the sample before; explains gaps. */
  readonly loadDelayMs: number;
};
