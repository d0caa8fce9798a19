import { exportJobErrors } from "./errors.ts";

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const MAX_SEGMENTS = 16;

/**
 * A file of an export below its folder, of what a client asks for: `/clips/goal.mp4` is `clips/goal.mp4`.
 * Throws: DVR_EXPORT_BAD_PATH for what leads elsewhere, or could mean two things.
 */
export function exportPath(text: string): string {
  const segments = text.replace(/^\//, "").split("/");
  const reason = reasonAgainst(segments);
  if (reason !== null) throw exportJobErrors.error("DVR_EXPORT_BAD_PATH", { reason });
  return segments.join("/");
}

function reasonAgainst(segments: readonly string[]): string | null {
  if (segments.length > MAX_SEGMENTS) return `it has more than ${MAX_SEGMENTS} folders`;
  if (!segments.every((segment) => SEGMENT.test(segment)))
    return "folders and names are letters, digits, dots, hyphens and underscores, and begin with no dot";
  return segments.at(-1)!.endsWith(".mp4") ? null : "its name does not end in .mp4";
}
