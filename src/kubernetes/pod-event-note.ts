import type { ConfigProblem } from "./config-events.ts";

/** Bytes of an Event's note at most. Spec: Kubernetes API reference, Event v1 events.k8s.io, `note`. */
export const MAX_NOTE_BYTES = 1024;

/** Room for what is put behind: how many more there are, how often it happened. */
const TAIL_BYTES = 64;

/** Says where a configuration is wrong: the first problems, as many as there is room for, and how many more there are. */
export function noteOf(problems: readonly ConfigProblem[]): string {
  const limit = MAX_NOTE_BYTES - TAIL_BYTES;
  let note = "The new configuration is not taken; the one before stays in force.";
  for (const [index, problem] of problems.entries()) {
    const longer = `${note}\n${lineOf(problem)}`;
    const isTooLong = Buffer.byteLength(longer) > limit;
    if (isTooLong && index > 0) return `${note}\n... and ${problems.length - index} more`;
    note = isTooLong ? cut(longer, limit) : longer;
  }
  return note;
}

/** The note of something that happened more than once. */
export function withCount(note: string, count: number): string {
  return count === 1 ? note : `${note} (${count} times)`;
}

function lineOf({ file, line, column, message }: ConfigProblem): string {
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

/** At most so many bytes of UTF-8, no character in two. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text).subarray(0, maxBytes - 3);
  return `${new TextDecoder().decode(bytes, { stream: true })}...`;
}
