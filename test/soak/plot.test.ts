import assert from "node:assert/strict";
import { test } from "node:test";
import { renderPlot } from "./plot.ts";
import { samplesOf, threadCounts } from "./samples-for-tests.ts";

test("the plot has a line for each thing that is known, and none for the rest", () => {
  const bare = renderPlot(
    samplesOf(10, () => 100e6),
    null,
  );
  assert.match(bare, /resident/);
  assert.doesNotMatch(bare, /heap in use|subscribers|a thread is killed|NaN|Infinity|undefined/);
  const full = renderPlot(
    samplesOf(10, () => 100e6).map((sample) => ({ ...sample, server: { threads: [threadCounts()] } })),
    4000,
  );
  assert.match(full, /heap in use/);
  assert.match(full, /subscribers/);
  assert.match(full, /a thread is killed/);
});

test("values stand where the axes say", () => {
  const plot = renderPlot(
    samplesOf(3, (second) => (second === 2 ? 200 * 2 ** 20 : 100 * 2 ** 20)),
    null,
  );
  // The panel of memory reaches from y 44 (its greatest value) to 194 (none), the time from x 70 to 880.
  assert.match(plot, /<polyline class="c0" points="70,119 475,119 880,44"\/>/);
  assert.match(plot, />200<\/text>/);
  assert.match(plot, />0:02<\/text>/);
});

test("a probe that failed is a hole, and a run without samples an empty plot", () => {
  const samples = samplesOf(3, () => 1e6).map((sample, i) =>
    i === 1 ? { ...sample, probeMs: null } : sample,
  );
  assert.doesNotMatch(renderPlot(samples, null), /null|NaN/);
  assert.doesNotMatch(renderPlot([], null), /null|NaN|Infinity/);
});

test("hours are thinned to what a screen can show", () => {
  const plot = renderPlot(
    samplesOf(20_000, () => 100e6),
    null,
  );
  const longest = Math.max(
    ...[...plot.matchAll(/points="([^"]*)"/g)].map(([, points]) => points!.split(" ").length),
  );
  assert.ok(longest <= 800 && longest > 400, `${longest} points`);
});
