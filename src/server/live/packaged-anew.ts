import type { LivePlan } from "../../config/plan.ts";
import type { StreamName } from "../../media/ids.ts";
import { isPackaged } from "../playback.ts";
import { recordingPlan } from "../archives/stream-archives.ts";

/** Whether another plan asks for other segments, or for any or none. */
export function isPackagedAnew(before: LivePlan | null, after: LivePlan | null): boolean {
  return packagingOf(before) !== packagingOf(after);
}

/** Whether a stream has a live window: for players, or to be recorded. */
export function isWindowed(plan: LivePlan | null): boolean {
  if (plan === null) return false;
  return isPackaged(plan.options.protocols) || recordingPlan(plan, plan.name as StreamName) !== null;
}

/** The options that decide how a stream is packaged: all but those that apply to a stream as it lives. */
function packagingOf(plan: LivePlan | null): string {
  if (plan === null) return "";
  const live: readonly string[] = [
    "sourceTimeoutMs",
    "prepushMs",
    "sendWindow",
    "secondPublisher",
    "protocols",
    "addAudioOnly",
  ];
  const options = Object.entries(plan.options).filter(([option]) => !live.includes(option));
  return JSON.stringify([options, isWindowed(plan), isPackaged(plan.options.protocols)]);
}
