import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "./server-clock.js";

/** A device whose clock is at 10 s since 1970 and goes on by 2 s while a question is on its way. */
function make(body: string, date: string | null, status = 200) {
  let nowMs = 10_000;
  const clock = new ServerClock(() => nowMs);
  const fetcher = () => {
    nowMs += 2000;
    return Promise.resolve(new Response(body, { status, headers: date === null ? {} : { date } }));
  };
  return { clock, ask: () => clock.ask("http://host/a/utc", fetcher) };
}

const DATE = "Thu, 01 Jan 1970 00:01:00 GMT";
const answers: [name: string, body: string, date: string | null, status: number, nowMs: number][] = [
  ["the body", "1970-01-01T00:02:00.250Z", DATE, 200, 121_250],
  ["the header, where the body is none", "<html>", DATE, 200, 61_500],
  ["the header of an error", "1970-01-01T00:02:00.250Z", DATE, 404, 61_500],
  ["this device, where there is no answer to read", "x", null, 200, 12_000],
  ["this device, where the answer is no time", "1970-99-99T99", "soon", 200, 12_000],
];
for (const [name, body, date, status, nowMs] of answers) {
  test(`the server's time is that of ${name}`, async () => {
    const { clock, ask } = make(body, date, status);
    await ask();
    assert.equal(clock.nowMs(), nowMs);
  });
}

test("without an answer this device's clock counts", async () => {
  const clock = new ServerClock(() => 7);
  await clock.ask("http://host/a/utc", () => Promise.reject(new Error("offline")));
  assert.equal(clock.nowMs(), 7);
});
