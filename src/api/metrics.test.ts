import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricsPage } from "./metrics.ts";
import type { ServerFigures } from "./metrics.ts";

const thread = {
  index: 0,
  isRunning: true,
  publishers: 2,
  viewers: 30,
  heapBytes: 1e7,
  eventLoopDelayS: 0.002,
  windowBytes: 3000,
  remotePartBytes: 200,
  heldRequests: 7,
};
const figures: ServerFigures = {
  version: "1.2.3",
  startedAtS: 1_700_000_000,
  isReady: true,
  streams: 5,
  liveStreams: 2,
  residentBytes: 9e7,
  cpuS: 12.5,
  threads: [thread, { ...thread, index: 1, isRunning: false, viewers: 0 }],
  copies: { waitingHours: 6, hours: 11, bytes: 12_000, failures: 13 },
  threadRestarts: 1,
  lostStreams: 3,
  lostViewers: 40,
  reloads: { taken: 4, refused: 1 },
  isConfigTaken: false,
};

async function linesOf(page: MetricsPage, now: ServerFigures): Promise<string[]> {
  const { body } = await page.render(now);
  return Buffer.concat([...body])
    .toString()
    .split("\n");
}

test("every figure is on the page, with its help and its type", async () => {
  const lines = await linesOf(new MetricsPage(), figures);
  for (const line of [
    "weir_thread_restarts_total 1",
    "weir_copy_waiting_hours 6",
    "weir_copied_hours_total 11",
    "weir_copied_bytes_total 12000",
    "weir_copy_failures_total 13",
    "weir_lost_streams_total 3",
    "weir_lost_viewers_total 40",
    'weir_window_bytes{thread="0"} 3000',
    'weir_remote_part_bytes{thread="0"} 200',
    'weir_held_requests{thread="0"} 7',
    'weir_viewers{thread="0"} 30',
    'weir_viewers{thread="1"} 0',
    'weir_thread_up{thread="1"} 0',
    "weir_ready 1",
    "weir_streams_live 2",
    "weir_config_last_reload_successful 0",
    'weir_config_reloads_total{result="refused"} 1',
    'weir_build_info{version="1.2.3"} 1',
    "process_cpu_seconds_total 12.5",
    "process_resident_memory_bytes 90000000",
  ])
    assert.ok(lines.includes(line), `${line} is not in:\n${lines.join("\n")}`);
  const names = lines.filter((line) => /^[a-z]/.test(line)).map((line) => line.replace(/[{ ].*/, ""));
  for (const name of names) {
    assert.ok(lines.some((line) => line.startsWith(`# HELP ${name} `)));
    assert.ok(lines.some((line) => line.startsWith(`# TYPE ${name} `)));
  }
});

test("counters are what they are, however often the page is read", async () => {
  const page = new MetricsPage();
  await page.render(figures);
  assert.ok((await linesOf(page, figures)).includes("weir_thread_restarts_total 1"));
  const later = await linesOf(page, { ...figures, threadRestarts: 2 });
  assert.ok(later.includes("weir_thread_restarts_total 2"));
});
