/**
 * A process that tells events as fast as they are taken, for `events.ts` to kill: bus, queue on disk and sink are the
 * server's. Says on stdout `stored K` when event K and all before it are on disk, and `done` when all were taken.
 *
 * node events-pump.ts URL FOLDER EVENTS STREAMS FROM RUN
 */
import { setTimeout as sleep } from "node:timers/promises";
import { EventBus } from "../../src/api/events/event-bus.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { EventSinks } from "../../src/server/events/event-sinks.ts";

const GROUP = 250;
const MOST_WAITING = 5000;

const [url = "", folder = "", ...numbers] = process.argv.slice(2);
const [events = 0, streams = 1, from = 0, run = 0] = numbers.map(Number);

const bus = new EventBus({ clock: systemClock, server: () => "pump" });
const sinks = new EventSinks({ bus, clock: systemClock, log: silentLogger });
await sinks.configure({
  eventQueue: folder,
  allowedHosts: [],
  eventSinks: [
    {
      name: "judge",
      url,
      only: [],
      except: [],
      throttleDelayMs: 0,
      resendTimeoutMs: 10,
      maxSizeBytes: 1024 * 1024 * 1024,
      place: { file: "pump", line: 1, column: 1, length: 1 },
    },
  ],
});
for (let k = from; k < events;) {
  for (const end = Math.min(events, k + GROUP); k < end; k++) {
    bus.emit("stream_updated", { media: `s${k % streams}`, n: Math.floor(k / streams), run });
  }
  await sinks.written();
  console.log(`stored ${k - 1}`);
  while (waiting() > MOST_WAITING) await sleep(2);
}
while (waiting() > 0) await sleep(10);
await sinks.stop(10_000);
console.log("done");

function waiting(): number {
  return sinks.figures()[0]!.waitingEvents;
}
