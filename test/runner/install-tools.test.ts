import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { installTools } from "./install-tools.ts";
import type { Machine } from "./install-tools.ts";
import type { Tool } from "../support/tools.ts";

/** A machine whose apt-get ends with these codes, one after the other, then with 0; an installation brings all. */
function machineOf(
  missing: readonly Tool[],
  mayInstall: boolean,
  codes: readonly number[] = [],
  isShort = false,
) {
  const said: string[] = [];
  const ran: string[] = [];
  let hasAll = false;
  const machine: Machine = {
    missing: () => (hasAll ? [] : missing),
    mayInstall,
    aptGet(args) {
      ran.push(args.filter((arg, index) => arg !== "-o" && args[index - 1] !== "-o").join(" "));
      const code = codes[ran.length - 1] ?? 0;
      hasAll ||= args.includes("install") && code === 0 && !isShort;
      return Promise.resolve({ code, tail: "E: first\nE: second\n" });
    },
    print: (line) => said.push(line),
  };
  return { machine, said, ran };
}

describe("installing the tools of the tests", () => {
  test("is silent when everything is there", async () => {
    const { machine, said, ran } = machineOf([], true);
    await installTools(machine);
    assert.deepEqual([said, ran], [[], []]);
  });

  test("says in one line what to install when it may not", async () => {
    const { machine, said, ran } = machineOf(["rtmpdump"], false);
    await installTools(machine);
    const line = "tests that need rtmpdump will be skipped; to run them: apt-get install rtmpdump";
    assert.deepEqual([said, ran], [[line], []]);
  });

  test("fetches the lists once and installs what is missing, nothing recommended", async () => {
    const { machine, said, ran } = machineOf(["ffmpeg", "rtmpdump"], true);
    await installTools(machine);
    assert.deepEqual(ran, ["update", "install -y --no-install-recommends ffmpeg rtmpdump"]);
    assert.deepEqual(said, ["installing ffmpeg rtmpdump (once; the tests need them)"]);
  });

  test("tries the installation once more, also after lists that could not be fetched whole", async () => {
    const { machine, said, ran } = machineOf(["ffmpeg"], true, [100, 100, 0]);
    await installTools(machine);
    assert.equal(ran.length, 3);
    assert.equal(said.length, 1);
  });

  test("goes on without the tools when it cannot get them, and says why", async () => {
    const { machine, said } = machineOf(["ffmpeg"], true, [0, 100, 100]);
    await installTools(machine);
    assert.equal(said[1], "apt-get could not install them: exit code 100; E: first / E: second");
    assert.equal(said[2], "tests that need ffmpeg will be skipped");
  });

  test("says so when the packages did not bring what was looked for", async () => {
    const { machine, said } = machineOf(["gstreamer"], true, [], true);
    await installTools(machine);
    assert.equal(said[1], "tests that need gstreamer will be skipped");
  });
});
