import type { Steps } from "../base/steps.ts";
import type { ResolvedConfig, StreamPlan } from "./plan.ts";

/** Whether two pieces of plans say the same; where they are written does not count. */
export function isSamePlan(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return areSameLists(a, b);
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  let said = 0;
  for (const key of Object.keys(one)) {
    const value = one[key];
    if (!isSaying(key, value)) continue;
    said++;
    if (!Object.hasOwn(other, key)) return false;
    const its = other[key];
    if (!isSaying(key, its) || !isSamePlan(value, its)) return false;
  }
  for (const key of Object.keys(other)) if (isSaying(key, other[key])) said--;
  return said === 0;
}

/**
 * A plan with the streams of the one before in the place of those that say the same: they are the same objects, which nobody
 * has to compare or send anew. Their `place` is where they stood before. In steps.
 */
export function* keepSteps(before: ResolvedConfig, after: ResolvedConfig): Steps<ResolvedConfig> {
  const known = new Map(before.streams.map((stream) => [stream.name, stream]));
  const streams: StreamPlan[] = [];
  for (const stream of after.streams) {
    const was = known.get(stream.name);
    streams.push(was !== undefined && isSamePlan(was, stream) ? was : stream);
    yield;
  }
  return { ...after, streams };
}

function areSameLists(a: object, b: object): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((one, i) => isSamePlan(one, b[i]));
}

/** A label may be called "place" too, which is a text, and a key of a filter, which is a list. */
function isSaying(key: string, value: unknown): boolean {
  return key !== "place" || typeof value !== "object" || Array.isArray(value);
}
