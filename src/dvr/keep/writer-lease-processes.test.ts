/** Leases among real processes on a real disk, one of which is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-leases-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const STREAMS = 12;
const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/** Claims all streams, and prints a line for each change of what it holds. Ends in order when its input does. */
const PROGRAM = `
import { systemClock } from ${module("../../base/clock.ts")};
import { silentLogger } from ${module("../../base/log.ts")};
import { diskKeepFiles } from ${module("./storages/disk-keep-files.ts")};
import { isProcessAlive, machineIdentity } from ${module("./storages/machine-identity.ts")};
import { WriterLeases } from ${module("./writer-lease.ts")};
import { isProcessGone } from ${module("./writer-watch.ts")};
const identity = machineIdentity({ pod: "" });
const leases = new WriterLeases({
  root: process.argv[1],
  files: diskKeepFiles,
  clock: systemClock,
  logger: silentLogger,
  identity,
  isGone: (other) => isProcessGone(other, identity, isProcessAlive),
  // Long, so that a machine that is slow does not lose them.
  leaseMs: 60_000,
});
for (let i = 0; i < ${STREAMS}; i++) {
  const say = (word) => () => console.log(word + " live/" + i);
  leases.claim("live/" + i, { onHeld: say("held"), onLost: say("lost") });
}
process.stdin.resume();
process.stdin.on("end", async () => {
  await leases.stop();
  process.exit(0);
});
`;

type Claimer = { readonly child: ChildProcess; readonly holds: Set<string> };

function startClaimer(root: string): Claimer {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, root], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const holds = new Set<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word, stream] = line.split(" ");
    if (word === "held") holds.add(stream!);
    else holds.delete(stream!);
  });
  return { child, holds };
}

/** Every stream is held, by one of them. */
function assertEachHeldOnce(claimers: readonly Claimer[]): void {
  const held = claimers.flatMap(({ holds }) => [...holds]);
  assert.equal(held.length, STREAMS, claimers.map(({ holds }) => [...holds].join()).join(" / "));
  assert.equal(new Set(held).size, STREAMS);
}

test(
  "streams are held by one process each, and by another at once when that one is killed or ends",
  { skip: existsSync("/proc/self/ns/pid") ? false : "no /proc here: a killed process is not seen at once" },
  async (t) => {
    const claimers = Array.from({ length: 4 }, () => startClaimer(join(folder, "archive")));
    t.after(() => claimers.forEach(({ child }) => child.kill("SIGKILL")));
    const within = { timeoutMs: 45_000 };
    await eventually(() => assertEachHeldOnce(claimers), within);
    const left = claimers.toSorted((a, b) => b.holds.size - a.holds.size);
    for (const end of ["killed", "ended"]) {
      const gone = left.shift()!;
      assert.ok(gone.holds.size > 0);
      if (end === "killed") gone.child.kill("SIGKILL");
      else gone.child.stdin!.end();
      await once(gone.child, "exit");
      await eventually(() => assertEachHeldOnce(left), within);
      left.sort((a, b) => b.holds.size - a.holds.size);
    }
  },
);
