import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import type { Engine, EngineOptions, MakeEngine } from "./engines.js";
import { LateEngine } from "./late-engine.js";

function make() {
  const calls: string[] = [];
  const failures: unknown[] = [];
  const options: EngineOptions = {
    video: {} as HTMLVideoElement,
    url: "http://host/a",
    startSeconds: -1,
    events: { onReady: () => {}, onFailure: (failure) => failures.push(failure), onTrouble: () => {} },
  };
  const engine = {
    hls: null,
    isLive: true,
    isGrowing: false,
    isOver: true,
    hasSound: false,
    edgeSeconds: 5,
    pictureTimeMs: 6,
    choices: [{ kind: "sound", names: ["a"], selected: 0 }],
    choose: (kind: string, index: number) => calls.push(`choose ${kind} ${index}`),
    resumeLoad: () => calls.push("resumeLoad"),
    recoverMedia: () => calls.push("recoverMedia"),
    destroy: () => calls.push("destroy"),
  } as unknown as Engine;
  const loads: { resolve: (make: MakeEngine) => void; reject: (error: unknown) => void }[] = [];
  const late = new LateEngine(
    () => new Promise((resolve, reject) => loads.push({ resolve, reject })),
    options,
  );
  const facts = () => [late.isLive, late.isGrowing, late.isOver, late.hasSound, late.edgeSeconds];
  const finish = () => {
    loads.at(-1)!.resolve(() => (calls.push("made"), engine));
    return settled();
  };
  return { late, facts, calls, failures, loads, finish };
}

test("until the script is there it is as one that has loaded nothing, then it is the engine", async () => {
  const { late, facts, calls, finish } = make();
  assert.deepEqual(facts(), [null, true, false, true, null]);
  assert.deepEqual([late.hls, late.pictureTimeMs, late.choices], [null, null, []]);
  late.choose("sound", 1);
  late.recoverMedia();
  await finish();
  assert.deepEqual(facts(), [true, false, true, false, 5]);
  assert.deepEqual([late.pictureTimeMs, late.choices.length], [6, 1]);
  late.choose("sound", 1);
  late.recoverMedia();
  late.resumeLoad();
  late.destroy();
  assert.deepEqual(calls, ["made", "choose sound 1", "recoverMedia", "resumeLoad", "destroy"]);
});

test("a script that cannot be loaded is a failure of the network, and may be loaded again", async () => {
  const { late, calls, failures, loads, finish } = make();
  loads[0]!.reject(new Error("/x.js could not be loaded"));
  await settled();
  assert.deepEqual(failures, [
    { kind: "network", isAtManifest: true, detail: "/x.js could not be loaded" },
  ]);
  late.resumeLoad();
  assert.equal(loads.length, 2);
  await finish();
  assert.deepEqual(calls, ["made"]);
});

test("what arrives after the end is neither made nor told", async () => {
  const first = make();
  first.late.destroy();
  await first.finish();
  assert.deepEqual(first.calls, []);
  const second = make();
  second.late.destroy();
  second.loads[0]!.reject(new Error("late"));
  await settled();
  assert.deepEqual(second.failures, []);
});
