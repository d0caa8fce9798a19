import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  cpuSeconds,
  openFiles,
  openFilesLimit,
  parseCpuSeconds,
  parseKib,
  residentKib,
} from "./process-facts.ts";

const REST = "S 1 7 7 0 -1 4194304 900 0 0 0 123 45 0 0 20 0 11 0 500 1000000 2000";

describe("the CPU time of a process", () => {
  for (const name of ["node", "a b", "x) S 1 (y", "(())"]) {
    test(`is read behind the name (${name})`, () => {
      assert.equal(parseCpuSeconds(`7 (${name}) ${REST}`), 1.68);
    });
  }

  test("is refused where there is none", () => {
    assert.throws(() => parseCpuSeconds("7 (node) S 1"), /no CPU time/);
  });

  test("of this process grows as it works", () => {
    const before = cpuSeconds([process.pid]);
    const from = process.cpuUsage();
    while (process.cpuUsage(from).user < 60_000);
    assert.ok(cpuSeconds([process.pid]) > before);
  });
});

describe("what /proc says of memory and files", () => {
  test("is read by the name of its field", () => {
    const text = "VmHWM:\t    900 kB\nVmRSS:\t    812 kB\nRssAnon:\t  5 kB\n";
    assert.equal(parseKib(text, "VmRSS"), 812);
    assert.throws(() => parseKib(text, "Pss"), /no Pss/);
  });

  test("of this process is plausible", () => {
    assert.ok(residentKib([process.pid]) > 10_000);
    assert.ok(openFiles([process.pid]) > 2);
    assert.ok(openFilesLimit(process.pid) > 100);
  });
});
