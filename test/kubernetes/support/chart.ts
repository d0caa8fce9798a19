/** The Helm chart, rendered with values of a test. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseObjects } from "./objects.ts";
import type { KubeObject } from "./objects.ts";
import { runProgram } from "./programs.ts";
import type { ProgramRun } from "./programs.ts";

/** Where the chart is, seen from the root of the project. */
export const CHART = "deploy/helm/weir";

/** The kinds that it makes. */
export const KINDS = ["Deployment", "DaemonSet", "StatefulSet"] as const;

/** Runs a command of helm with values. */
export function helm(command: readonly string[], values: object): ProgramRun {
  const folder = mkdtempSync(join(tmpdir(), "weir-chart-"));
  try {
    // JSON is YAML.
    writeFileSync(join(folder, "values.yaml"), JSON.stringify(values));
    return runProgram("helm", [...command, "--values", join(folder, "values.yaml")]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The objects that values make, of a release called `tv` unless named otherwise. */
export function render(values: object, release = "tv"): KubeObject[] {
  const { status, stdout, stderr } = helm(["template", release, CHART, "--namespace", "media"], values);
  assert.equal(status, 0, stderr);
  return parseObjects(stdout);
}

/** The one object of a kind, and of a name where one is given. */
export function ofKind(objects: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  assert.equal(found.length, 1, kind);
  return found[0]!;
}

/** Why the chart refuses values. */
export function refusal(values: object): string {
  const { status, stderr } = helm(["template", "tv", CHART], values);
  assert.notEqual(status, 0, "the values were taken");
  return stderr;
}
