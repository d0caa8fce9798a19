import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { rest, restUntil } from "./rest.ts";

test("waiting ends with the event, the time or the signal, and says whether it was the event", async () => {
  const { signal } = new AbortController();
  assert.equal(await restUntil(Promise.resolve(), 60_000, signal), true);
  assert.equal(await restUntil(new Promise(() => {}), 1, signal), false);
  const ending = new AbortController();
  const waiting = restUntil(new Promise(() => {}), Infinity, ending.signal);
  ending.abort();
  assert.equal(await waiting, false);
  assert.equal(await restUntil(Promise.resolve(), 60_000, ending.signal), false);
  await rest(60_000, ending.signal);
});

test("waiting leaves nothing on the signal, however often", async () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 50; i++) await restUntil(Promise.resolve(), 60_000, signal);
  await rest(1, signal);
  assert.deepEqual(getEventListeners(signal, "abort"), []);
});
