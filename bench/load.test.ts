import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judgeViewed } from "./load.ts";
import type { Viewed } from "./load.ts";

/** This process stands for the server: of it, only the limit of open files is asked. */
const SERVER = {
  name: "weir",
  rtmpPort: 0,
  httpPort: 0,
  pids: [process.pid],
  stop: () => Promise.resolve(),
} as const;

const VIEWED: Viewed = {
  n: 10,
  playing: 10,
  sec: 4,
  bytes: 1,
  lists: 200,
  media: 200,
  made: 20,
  errors: 0,
  first_error: "",
  lat_ms: { p50: 1, p99: 2, n: 200 },
  srv_cpu_us_per_viewer_s: 1,
  srv_cpu_s_per_GB: 1,
  load_cpu_pct: 1,
};

describe("viewers of segments count", () => {
  const cases: { what: string; changes: Partial<Viewed>; reason: RegExp | null }[] = [
    { what: "when all got all", changes: {}, reason: null },
    { what: "when what was under way is not in it", changes: { media: 180 }, reason: null },
    {
      what: "not when media is missing",
      changes: { media: 150 },
      reason: /got 150 pieces of media; there/,
    },
    { what: "not when there is too much", changes: { media: 260 }, reason: /got 260 pieces/ },
    { what: "not when somebody got nothing", changes: { playing: 9 }, reason: /^9 of 10 viewers/ },
    {
      what: "not with errors",
      changes: { errors: 2, first_error: "an answer was 503" },
      reason: /^2 errors: an answer was 503$/,
    },
    { what: "not beyond what may be opened", changes: { n: 1e9 }, reason: /may open only/ },
  ];
  for (const { what, changes, reason } of cases) {
    test(what, () => {
      const judged = judgeViewed(SERVER, { ...VIEWED, ...changes });
      if (reason === null) assert.equal(judged, null);
      else assert.match(judged ?? "", reason);
    });
  }
});
