/** Where a soak's verdict goes: lines for people, and two files. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Finding } from "./judge.ts";
import type { Plan } from "./plan.ts";
import { renderPlot } from "./plot.ts";
import type { SoakResult } from "./soak.ts";

const RESULTS = resolve(import.meta.dirname, "results");

/** One line a finding. */
export function describeFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ rule, isMet, detail }) => `${isMet ? "ok  " : "FAIL"} ${rule}: ${detail}`)
    .join("\n");
}

/** One line a thing that was counted. */
export function describeTally(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, count]) => `${count} x ${what}`)
    .join("\n");
}

/** Writes the plot and the samples. Returns: the path of the plot; the other ends in `.json`. */
export async function writeReport(result: SoakResult, plan: Plan, folder = RESULTS): Promise<string> {
  await mkdir(folder, { recursive: true });
  const name = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const path = join(folder, `${name}.svg`);
  const { findings, seen } = result;
  const document = { seed: plan.seed, crowd: plan.crowd, findings, ...seen };
  await writeFile(path, renderPlot(seen.samples, seen.kill?.atMs ?? null));
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(document, null, 1)}\n`);
  return path;
}
