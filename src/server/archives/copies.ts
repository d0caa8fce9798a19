import type { LivePlan, ResolvedConfig } from "../../config/plan.ts";
import type { BucketPlan } from "../../config/bucket-url.ts";
import type { CopyRule, CopyRules } from "../../dvr/objects/copy-rules.ts";
import type { S3Place } from "../../dvr/objects/object-store.ts";
import { parseStreamName } from "../../media/ids.ts";
import { planOf } from "../live/stream-rules.ts";

/** Where a configuration has recordings copied to. `config`: the one in force. */
export function copyRules(config: () => ResolvedConfig): CopyRules {
  let known: { readonly config: ResolvedConfig; readonly roots: ReadonlySet<string> } | null = null;
  return {
    roots: () => {
      const now = config();
      if (known?.config !== now) known = { config: now, roots: rootsOf(now) };
      return known.roots;
    },
    of: (root, stream) => {
      const name = parseStreamName(stream);
      return name === null ? null : ruleOf(planOf(config(), name), root);
    },
  };
}

function rootsOf({ streams, templates }: ResolvedConfig): ReadonlySet<string> {
  const copied = [...streams, ...templates].filter(({ dvr }) => dvr?.copy !== undefined);
  return new Set(copied.flatMap(({ dvr }) => dvr?.root ?? []));
}

function ruleOf(plan: LivePlan | null, root: string): CopyRule | null {
  const dvr = plan?.dvr ?? null;
  if (dvr === null || dvr.root !== root || dvr.copy === undefined) return null;
  return { place: placeOf(dvr.copy), cache: dvr.cache ?? null };
}

function placeOf({ endpoint, bucket, prefix, region, accessKey, secretKey }: BucketPlan): S3Place {
  return { endpoint, bucket, prefix, region, accessKey, secretKey };
}
