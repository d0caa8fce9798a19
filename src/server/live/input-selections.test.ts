import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../config/load.ts";
import { acceptsPublishers, activeInput } from "../../config/plan.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { InputSelections } from "./input-selections.ts";

const TEXT = `stream a { input publish://; input fake://fake; input file:///x.mp4 priority=1; }
  stream b { input fake://fake; input file:///y.mp4; }`;

function load(text = TEXT): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "a", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

function running(config: ResolvedConfig): (string | undefined)[] {
  return config.streams.map(({ inputs }) => activeInput(inputs)?.url);
}

test("a chosen input runs in place of the one that would, and no publisher takes its stream", () => {
  const [config, selections] = [load(), new InputSelections()];
  assert.equal(selections.applied(config), config);
  assert.deepEqual(running(config), ["publish://", "fake://fake"]);
  assert.ok(selections.choose(config, "a", 2) && selections.choose(config, "b", 1));
  const next = selections.applied(config);
  assert.deepEqual(running(next), ["file:///x.mp4", "file:///y.mp4"]);
  assert.deepEqual(
    [acceptsPublishers(config.streams[0]!), acceptsPublishers(next.streams[0]!)],
    [true, false],
  );
  assert.ok(selections.choose(config, "a", 0));
  assert.deepEqual(running(selections.applied(config)), ["publish://", "file:///y.mp4"]);
  assert.ok(acceptsPublishers(selections.applied(config).streams[0]!));
});

test("what there is not is not chosen", () => {
  const [config, selections] = [load(), new InputSelections()];
  for (const [name, index] of [
    ["a", 3],
    ["b", 2],
    ["c", 0],
  ] as const)
    assert.equal(selections.choose(config, name, index), false);
  assert.equal(selections.applied(config), config);
});

test("a choice outlives configurations in which the input stands where it stood, and no others", () => {
  const selections = new InputSelections();
  assert.ok(selections.choose(load(), "a", 1) && selections.choose(load(), "b", 1));
  const later = load(`${TEXT} stream c { input publish://; }`);
  assert.deepEqual(running(selections.applied(later)), ["fake://fake", "file:///y.mp4", "publish://"]);
  assert.equal(selections.applied(later).streams[2], later.streams[2], "others are the same");
  const moved = load("stream a { input publish://; input file:///x.mp4; }");
  assert.deepEqual(running(selections.applied(moved)), ["publish://"]);
  assert.deepEqual(
    running(selections.applied(load())),
    ["fake://fake", "file:///y.mp4"],
    "it was not in force",
  );
  selections.keepThoseOf(moved);
  assert.deepEqual(running(selections.applied(load())), ["publish://", "fake://fake"], "it is forgotten");
});
