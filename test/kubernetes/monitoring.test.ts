/** The dashboard and the alerts ask for metrics that there are, and show those that there are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { FAMILIES } from "../../src/api/metrics/families.ts";
import { readProjectFile } from "../house/tree.ts";

type Rule = {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: Record<string, string>;
};
type Panel = { type: string; title: string; targets?: { expr: string; legendFormat: string }[] };

const ruleFile = parse(readProjectFile("deploy/prometheus/weir-rules.yaml")) as {
  groups: { rules: Rule[] }[];
};
const rules = ruleFile.groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readProjectFile("deploy/grafana/weir.json")) as { panels: Panel[] };
const drawn = panels.filter(({ type }) => type !== "row");

/** Names under which a metric can be asked for. */
const known = new Set(
  FAMILIES.flatMap(({ name, type }) =>
    type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
);

/** What is for looking closer, when something is wrong. */
const NOT_SHOWN = [
  "weir_start_time_seconds",
  "weir_lost_streams_total",
  "weir_lost_viewers_total",
  "weir_build_info",
  "weir_thread_up",
  "weir_publishers",
  "weir_http_connections",
  "weir_rtmp_connections",
  "weir_thread_heap_bytes",
  "weir_remote_part_bytes",
  "weir_delivered_bytes_total",
  "weir_dropped_packets_total",
  "weir_recording_waiting_bytes",
  "weir_copied_hours_total",
  "weir_sessions_opened_total",
  "weir_event_sink_waiting_bytes",
];

function metricsIn(expression: string): string[] {
  return expression.match(/\b(?:weir|process|server|partition|stream)_[a-z0-9_]+/g) ?? [];
}

/** Whether brackets of an expression are in pairs. */
function isBalanced(expression: string): boolean {
  const open: string[] = [];
  const pairs: Record<string, string> = { ")": "(", "]": "[", "}": "{" };
  for (const sign of expression.replaceAll(/"[^"]*"/g, "")) {
    if ("([{".includes(sign)) open.push(sign);
    else if (sign in pairs && open.pop() !== pairs[sign]) return false;
  }
  return open.length === 0;
}

describe("alerts", () => {
  for (const { alert, expr, labels, annotations } of rules) {
    test(`${alert} asks for what there is, and says what to do`, () => {
      const asked = metricsIn(expr);
      assert.ok(asked.length > 0);
      for (const name of asked) assert.ok(known.has(name), `${name} is no metric`);
      assert.ok(isBalanced(expr), expr);
      assert.ok(["warning", "critical"].includes(labels.severity));
      assert.ok(annotations["summary"]!.length > 10 && annotations["description"]!.length > 40);
    });
  }

  // Prometheus compares only series with the same labels, and a target's have some that no sum keeps: such an alert never comes.
  test("compare metrics that have the same labels", () => {
    for (const { alert, expr } of rules) {
      const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].map(([, labels]) => labels);
      assert.ok(kept.length === 0 || kept.length === metricsIn(expr).length, alert);
      assert.ok(new Set(kept).size <= 1, alert);
    }
  });

  test("have names of their own", () => {
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  });
});

describe("the dashboard", () => {
  test("asks for what there is", () => {
    assert.ok(drawn.length > 15);
    for (const { title, targets = [] } of drawn) {
      assert.ok(targets.length > 0, title);
      for (const { expr } of targets) {
        assert.ok(metricsIn(expr).length > 0, title);
        for (const name of metricsIn(expr)) assert.ok(known.has(name), `${title}: ${name} is no metric`);
        assert.ok(isBalanced(expr), `${title}: ${expr}`);
      }
    }
  });

  test("and the alerts ask for each metric of ours, but for those of a closer look", () => {
    const asked = [...drawn.flatMap(({ targets = [] }) => targets), ...rules].map(({ expr }) => expr);
    const shown = new Set(asked.flatMap(metricsIn));
    const left = FAMILIES.filter(({ name }) => name.startsWith("weir_")).filter(
      ({ name, type }) => !shown.has(type === "histogram" ? `${name}_bucket` : name),
    );
    assert.deepEqual(
      left.map(({ name }) => name),
      NOT_SHOWN,
    );
  });
});
