import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { renderChart } from "./chart.ts";
import { withRun } from "./kept-table.ts";
import type { KeptGroup, KeptTable, MeasuredRun } from "./kept-table.ts";
import { machineKind } from "./machine.ts";
import type { Machine } from "./machine.ts";
import type { Cell, Group, Row } from "./measured.ts";
import { replaceBetween } from "./report.ts";
import { renderMarkdown, renderText } from "./table.ts";

const cell = (runs: readonly number[], remarks: readonly string[] = []): Cell => ({
  median: runs[0] ?? null,
  runs,
  spread: runs.length > 1 ? 0.125 : null,
  remarks,
});
const row = (cells: Row["cells"], ratios: Row["ratios"]): Row => ({
  case: "rtmp-1000-350",
  group: "fanout",
  what: "RTMP <1000>",
  unit: "CPU-s/GB",
  digits: 2,
  aim: "<= 1.6 x floor",
  isInChart: true,
  cells,
  ratios,
});

const group = (rows: readonly Row[]): KeptGroup => ({ group: "fanout", date: "2026-01-02", runs: 3, rows });

describe("the table", () => {
  const rows = [
    row({ weir: cell([0.3, 0.3]), floor: cell([0.2, 0.2]) }, { floor: 1.5 }),
    row({ weir: cell([], ["not available: no send_window"]), floor: cell([1234.5]) }, {}),
  ];

  test("has the numbers, the ratio, the spread and the aim of each row", () => {
    const line = renderMarkdown([group(rows)]).split("\n")[2];
    assert.equal(
      line,
      "| RTMP <1000> | CPU-s/GB | 0.30 | 0.20 |  |  | 1.50 x floor | 13 % / 13 % / - / - | <= 1.6 x floor | 2026-01-02, 3 runs |",
    );
  });

  test("has a column for ffmpeg where a row has it", () => {
    const beside = row({ weir: cell([0.2]), ffmpeg: cell([0.4]) }, { ffmpeg: 0.5 });
    const [head, , line] = renderMarkdown([group([beside])]).split("\n");
    assert.equal(
      head,
      "| what | unit | weir | floor | nginx | nms | ffmpeg | weir is | spread | aim | measured |",
    );
    assert.equal(
      line,
      "| RTMP <1000> | CPU-s/GB | 0.20 |  |  |  | 0.40 | 0.50 x ffmpeg |  | <= 1.6 x floor | 2026-01-02, 3 runs |",
    );
    assert.doesNotMatch(renderMarkdown([group(rows)]), /ffmpeg/);
  });

  test("says what is not available in its place, and why below", () => {
    const text = renderText(rows);
    assert.match(text, /^RTMP <1000> +CPU-s\/GB +not available +1234\.50/m);
    assert.match(text, /^rtmp-1000-350, weir: not available: no send_window$/m);
  });
});

describe("the chart", () => {
  test("has a bar for each number, and its words are safe in SVG", () => {
    const svg = renderChart([row({ weir: cell([0.3]), nginx: cell([1.7]) }, {})]);
    assert.equal(svg.match(/<rect /g)?.length, 2);
    assert.match(svg, /RTMP &lt;1000&gt;/);
    assert.match(svg, /prefers-color-scheme: dark/);
  });

  test("leaves out rows without any number", () => {
    assert.doesNotMatch(renderChart([row({ weir: cell([]) }, {})]), /<text|<rect/);
  });
});

describe("the page about performance", () => {
  test("has the place that the benchmark writes to", () => {
    const page = readFileSync(new URL("../docs/performance.md", import.meta.url), "utf8");
    assert.match(replaceBetween(page, "\nnew\n"), /writes from here -->\nnew\n<!-- to here -->/);
  });

  test("has another one for the latencies, and neither is in the other", () => {
    const page = readFileSync(new URL("../docs/performance.md", import.meta.url), "utf8");
    const both = replaceBetween(replaceBetween(page, "\nrows\n"), "\nlatencies\n", "latency");
    assert.match(both, /writes from here -->\nrows\n<!-- to here -->/);
    assert.match(both, /latency\.ts writes from here -->\nlatencies\n<!-- bench\/latency\.ts to here -->/);
  });

  test("is refused without it", () => {
    assert.throws(() => replaceBetween("# Page\n", "x"), /writes from here/);
  });
});

describe("the name of a kind of machine", () => {
  const cases = [
    { model: "AMD EPYC 7R13 Processor", cores: 2, isVirtual: true, expected: "2-core-epyc-vm" },
    {
      model: "Intel(R) Xeon(R) Processor @ 2.60GHz",
      cores: 4,
      isVirtual: true,
      expected: "4-core-xeon-vm",
    },
    { model: "Intel(R) Core(TM) i7-9700", cores: 8, isVirtual: false, expected: "8-core-core-metal" },
    { model: "unknown", cores: 1, isVirtual: false, expected: "1-core-cpu-metal" },
  ];
  for (const { model, cores, isVirtual, expected } of cases) {
    test(`of ${model} is ${expected}`, () => assert.equal(machineKind(model, cores, isVirtual), expected));
  }
});

describe("the kept table", () => {
  const machine: Machine = { kind: "2-core-x-vm", cpu: "X", cores: 2, linux: "6.1", node: "v24" };
  const of = (name: Group, what: string): Row => ({ ...row({}, {}), group: name, what });
  const run = (date: string, rows: readonly Row[]): MeasuredRun => ({ date, machine, runs: 3, rows });
  const shown = (table: KeptTable): string[] =>
    table.groups.flatMap(({ date, rows }) => rows.map(({ what }) => `${what} of ${date}`));

  test("has the newest rows of each group, in the order of groups", () => {
    const first = withRun(
      null,
      run("2026-01-01", [of("idle", "idle"), of("fanout", "one"), of("fanout", "two")]),
    );
    assert.deepEqual(shown(first), ["one of 2026-01-01", "two of 2026-01-01", "idle of 2026-01-01"]);
    const second = withRun(first, run("2026-01-02", [of("fanout", "three"), of("archive", "seek")]));
    assert.deepEqual(shown(second), ["three of 2026-01-02", "seek of 2026-01-02", "idle of 2026-01-01"]);
  });

  test("never has figures of two machines", () => {
    const first = withRun(null, run("2026-01-01", [of("idle", "idle")]));
    for (const changed of [{ cpu: "Y" }, { node: "v25" }, { linux: "6.2" }, { kind: "4-core-x-vm" }]) {
      const other = { ...run("2026-01-02", [of("fanout", "one")]), machine: { ...machine, ...changed } };
      assert.deepEqual(shown(withRun(first, other)), ["one of 2026-01-02"]);
    }
  });
});
