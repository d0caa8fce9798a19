/** An event as people read it in a log file. */

/**
 * The line of an event: its time, its name, then `key=value` of its fields; values with other characters than those of
 * words are JSON. `json`: of a `WrittenEvent`.
 */
export function eventLine(json: string): string {
  const { utc_ms: utcMs, event, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${valueText(value)}`);
  return [new Date(Number(utcMs)).toISOString(), String(event), ...pairs].join(" ");
}

function valueText(value: unknown): string {
  if (typeof value === "string" && /^[\w./:@+-]+$/.test(value)) return value;
  return JSON.stringify(value);
}
