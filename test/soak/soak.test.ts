import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { CROWD, makePlan } from "./plan.ts";
import { writeReport } from "./report.ts";
import { soak } from "./soak.ts";
import type { SoakResult } from "./soak.ts";

const MINUTES = 3;
/** Any will do; one that stays makes a failure repeatable. */
const SEED = 20_260_101;
const REPORTS = resolve(import.meta.dirname, "../../artifacts/soak");

test(
  `${MINUTES} minutes of a crowd that comes and goes, stalls and sends garbage`,
  { timeout: 480_000 },
  async (t) => {
    const plan = makePlan(SEED, CROWD);
    let result = null as SoakResult | null;
    await t.test("the server lives through it", async () => {
      result = await soak(t, { minutes: MINUTES, plan, onProgress: (line) => t.diagnostic(line) });
      t.diagnostic(`plot: ${await writeReport(result, plan, REPORTS)}`);
    });
    await t.test("a thread was killed while it went on", () => {
      const rules = result?.findings.map(({ rule }) => rule) ?? [];
      assert.ok(
        rules.some((rule) => rule.includes("killed thread")),
        rules.join("; "),
      );
    });
    for (const { rule, isMet, detail } of result?.findings ?? []) {
      await t.test(rule, () => assert.ok(isMet, detail));
    }
  },
);
