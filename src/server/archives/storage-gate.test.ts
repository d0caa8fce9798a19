import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { StorageGate } from "./storage-gate.ts";

function configOf(text: string): ResolvedConfig {
  const { config } = loadConfig([{ file: "vod.conf", text }], {});
  assert.ok(config !== undefined);
  return config;
}

/** A gate whose storages the test mounts and takes away. */
class Bench {
  readonly clock = new FakeClock();
  readonly mounted = new Set<string>();
  readonly hanging = new Set<string>();
  asked = 0;
  config: ResolvedConfig;
  readonly gate: StorageGate;

  constructor(text: string) {
    this.config = configOf(text);
    this.gate = new StorageGate({
      clock: this.clock,
      config: () => this.config,
      problem: (path) => {
        this.asked++;
        if (this.hanging.has(path)) return new Promise(() => {});
        return Promise.resolve(this.mounted.has(path) ? null : "it does not exist");
      },
    });
  }
}

test("a server without vods, or with one that is disabled, waits for nothing", async () => {
  for (const text of ["", "vod films { storage /films; disabled; }", "vod films { }"]) {
    const { gate, clock } = new Bench(text);
    await gate.start();
    assert.equal(gate.reason, null);
    assert.equal(clock.pendingTimers, 0);
  }
});

test("each vod needs one of its storages, and the one that has none is named", async () => {
  const bench = new Bench("vod films { storage /old; storage /new; } vod clips { storage /clips; }");
  bench.mounted.add("/new");
  await bench.gate.start();
  assert.equal(
    bench.gate.reason,
    'vod "clips" has no storage that can be read (/clips: it does not exist)',
  );
  bench.mounted.add("/clips");
  await bench.clock.advanceSettling(1000);
  assert.equal(bench.gate.reason, null);
  assert.equal(bench.clock.pendingTimers, 0);
});

test("once it is open it stays open, whatever goes away", async () => {
  const bench = new Bench("vod films { storage /films; }");
  bench.mounted.add("/films");
  await bench.gate.start();
  bench.mounted.clear();
  bench.config = configOf("vod others { storage /typo; }");
  await bench.clock.advanceSettling(10_000);
  assert.equal(bench.gate.reason, null);
});

test("a configuration that is edited meanwhile is the one that counts", async () => {
  const bench = new Bench("vod films { storage /typo; }");
  await bench.gate.start();
  assert.match(bench.gate.reason!, /\/typo: it does not exist/);
  bench.config = configOf("vod films { storage /films; }");
  bench.mounted.add("/films");
  await bench.clock.advanceSettling(1000);
  assert.equal(bench.gate.reason, null);
});

test("a storage that hangs is said so after three seconds, and asked once", async () => {
  const bench = new Bench("vod films { storage /net; }");
  bench.hanging.add("/net");
  const started = bench.gate.start();
  await bench.clock.advanceSettling(3000);
  await started;
  assert.match(bench.gate.reason!, /\/net: it does not answer/);
  await bench.clock.advanceSettling(20_000);
  assert.equal(bench.asked, 1);
  bench.gate.stop();
  await bench.clock.advanceSettling(10_000);
  assert.equal(bench.clock.pendingTimers, 0);
});

test("without a stand-in it asks the file system", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "weir-gate-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const gateFor = async (path: string): Promise<string | null> => {
    const gate = new StorageGate({
      clock: new FakeClock(),
      config: () => configOf(`vod v { storage ${path}; }`),
    });
    await gate.start();
    gate.stop();
    return gate.reason;
  };
  assert.equal(await gateFor(folder), null);
  assert.match((await gateFor(join(folder, "missing")))!, /it does not exist/);
  assert.match((await gateFor(import.meta.filename))!, /it is not a directory/);
});
