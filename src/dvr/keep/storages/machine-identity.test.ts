import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { isProcessAlive, machineIdentity } from "./machine-identity.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-proc-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder like /proc; the process 7 has a name that would mislead who looks for spaces. */
function procFolder(name: string, stat7: string): string {
  const proc = join(folder, name);
  for (const below of ["sys/kernel/random", "self/ns", "7"])
    mkdirSync(join(proc, below), { recursive: true });
  writeFileSync(join(proc, "sys/kernel/random/boot_id"), "boot-1\n");
  symlinkSync("pid:[4026531836]", join(proc, "self/ns/pid"));
  writeFileSync(join(proc, "self/stat"), stat7);
  writeFileSync(join(proc, "7/stat"), stat7);
  return proc;
}

function statLine(state: string, birth: string): string {
  return `7 (a) R 1 (b) ${state} 1 7 7 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 11 0 ${birth} 123456 789 1 1 1\n`;
}

describe("the identity of a process", () => {
  test("is its machine since the start, its space of ids, its id and its birth", () => {
    const proc = procFolder("usual", statLine("S", "4242"));
    assert.deepEqual(machineIdentity({ pod: "weir-0", host: "h", pid: 7, procFolder: proc }), {
      host: "h",
      pod: "weir-0",
      machine: "boot-1 pid:[4026531836]",
      pid: 7,
      birth: "4242",
    });
  });

  test("has no machine where that does not tell", () => {
    const nothing = machineIdentity({ pod: "", host: "h", pid: 7, procFolder: join(folder, "none") });
    assert.deepEqual(nothing, { host: "h", pod: "", machine: "", pid: 7, birth: "" });
    const proc = procFolder("unborn", statLine("S", "1"));
    assert.equal(machineIdentity({ pod: "", host: "h", pid: 8, procFolder: proc }).machine, "");
  });

  test("tells a process that runs from one that ended, and from a later one with its id", () => {
    const proc = procFolder("alive", statLine("S", "4242"));
    assert.equal(isProcessAlive(7, "4242", proc), true);
    assert.equal(isProcessAlive(7, "4241", proc), false);
    assert.equal(isProcessAlive(8, "4242", proc), false);
    assert.equal(isProcessAlive(7, "4242", procFolder("zombie", statLine("Z", "4242"))), false);
  });

  test("takes what it cannot see for alive", () => {
    assert.equal(isProcessAlive(7, "4242", join(folder, "none")), true);
    assert.equal(isProcessAlive(7, "4242", procFolder("cut", "7 (a")), true);
  });

  test(
    "is right about a real process",
    { skip: existsSync("/proc/self/stat") ? false : "no /proc here" },
    async () => {
      const own = machineIdentity({ pod: "" });
      assert.match(own.machine, /^[0-9a-f-]{36} pid:\[\d+\]$/);
      assert.equal(isProcessAlive(own.pid, own.birth), true);
      const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
        stdio: ["pipe", "ignore", "ignore"],
      });
      await once(child, "spawn");
      const { birth } = machineIdentity({ pod: "", pid: child.pid! });
      assert.equal(isProcessAlive(child.pid!, birth), true);
      child.stdin.end();
      await once(child, "exit");
      assert.equal(isProcessAlive(child.pid!, birth), false);
    },
  );
});
