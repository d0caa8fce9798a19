import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { EVENT_FIELDS, EVENTS, isEventName } from "./catalogue.ts";
import { renderEventsPage } from "./events-page.ts";

test("docs/events.md is current: npm run docs writes it", async () => {
  const page = new URL("../../../docs/events.md", import.meta.url);
  assert.equal(await readFile(page, "utf8"), renderEventsPage());
});

test("each field of an event is explained, and each explanation is of a field", () => {
  const used = new Set(Object.values(EVENTS).flatMap(({ fields }): readonly string[] => fields));
  assert.deepEqual([...used].toSorted(), Object.keys(EVENT_FIELDS).toSorted());
});

test("only names of the catalogue are names", () => {
  assert.ok(isEventName("play_opened"));
  assert.ok(!isEventName("constructor"));
  assert.ok(!isEventName("push_opened"));
});
