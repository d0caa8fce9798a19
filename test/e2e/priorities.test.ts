/** Media threads go before what else the process does, as the system sees it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = process.platform === "linux" ? false : "threads have priorities of their own on Linux only";
const BEHIND = 10;

/** Priorities of the server's threads, relative to this process, by names without numbers. */
function priorities(weir: Weir): Record<string, number[]> {
  const found: Record<string, Set<number>> = {};
  const tasks = `/proc/${weir.program.pid}/task`;
  for (const id of readdirSync(tasks)) {
    const name = readFileSync(`${tasks}/${id}/comm`, "utf8").trimEnd().replace(/-\d+$/, "");
    const kind = Number(id) === weir.program.pid ? "control" : name;
    (found[kind] ??= new Set()).add(getPriority(Number(id)) - getPriority());
  }
  return Object.fromEntries(Object.entries(found).map(([name, all]) => [name, [...all]]));
}

test(
  "media threads and what reads disks for them go first, also behind a replacement",
  { skip, timeout: 60_000 },
  async (t) => {
    const weir = await startWeir(t, { config: "threads 3;", env: { WEIR_FAULTS: "throw" } });
    const expected = { control: [BEHIND], media: [0], V8Worker: [BEHIND], "libuv-worker": [0] };
    const look = (): void => {
      const { control, media, V8Worker, "libuv-worker": disk } = priorities(weir);
      assert.deepEqual({ control, media, V8Worker, "libuv-worker": disk }, expected);
    };
    await eventually(look);
    weir.program.signal("SIGUSR2");
    await weir.logged("the media thread is back");
    const after = priorities(weir);
    assert.deepEqual(after["control"], [BEHIND]);
    // Who may raise threads has them in front again; for others they are level with each other.
    assert.ok(["0", String(BEHIND)].includes(String(after["media"])), JSON.stringify(after));
  },
);
