import assert from "node:assert/strict";
import { test } from "node:test";
import { isGivenBack, withoutGivenBack } from "./given-back.ts";

const SHOWN = {
  name: "news",
  template: "base",
  segment_duration: 4000,
  title: "A",
  on_play: { url: "http://***@h/", session_keys: ["name", "ip", "proto", "token"] },
  on_publish: { url: "auth://portal" },
  dvr: null,
  config_on_disk: { name: "news", template: "base", title: "A", on_play: { url: "http://***@h/" } },
};

for (const { name, change, wish } of [
  { name: "what is as it was told changes nothing", change: {}, wish: {} },
  { name: "a changed property is changed alone", change: { title: "B" }, wish: { title: "B" } },
  { name: "null takes away", change: { title: null }, wish: { title: null } },
  {
    name: "an object on disk gets its changes alone",
    change: { on_play: { ...SHOWN.on_play, max_sessions: 3 } },
    wish: { on_play: { max_sessions: 3 } },
  },
  {
    name: "an object that is the template's is written whole",
    change: { on_publish: { url: "auth://other" } },
    wish: { on_publish: { url: "auth://other" } },
  },
  {
    name: "$reset keeps what stands on disk",
    change: { $reset: true, segment_duration: 5000 },
    wish: { $reset: true, segment_duration: 5000, ...SHOWN.config_on_disk },
  },
] as const) {
  test(`of an object that is given back, ${name}`, () => {
    const given = { ...SHOWN, ...change };
    assert.ok(isGivenBack(given));
    assert.deepEqual(withoutGivenBack(given, SHOWN), wish);
  });
}

test("what somebody wrote himself is no object that is given back", () => {
  assert.equal(isGivenBack({ title: "A", segment_duration: 4000 }), false);
});
