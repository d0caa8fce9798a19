import type { HttpRequest } from "../../base/http-message.ts";
import type { Presentation } from "../../packaging/presentation.ts";
import { readDirectives } from "./directives.ts";
import { hlsErrors } from "./errors.ts";

/** A playlist without parts may be waited for so many segments ahead (RFC 8216bis section 6.2.5.2). */
const MAX_SEGMENTS_AHEAD = 2;

/**
 * Resolves when the timeline has the segment that a request waits for, at the latest after three target durations or with
 * the end of the stream; `null` where there is nothing to wait for.
 *
 * Throws HLS_BAD_DIRECTIVE, HLS_TOO_FAR.
 * Spec: RFC 8216bis section 6.2.5.2.
 */
export function whenListed(presentation: Presentation, request: HttpRequest): Promise<void> | null {
  if (presentation.holdSegment === undefined || request.query.size === 0) return null;
  const { point } = readDirectives(request.query);
  if (point === null) return null;
  const { sequence } = point;
  const lastMsn = presentation.timeline().segments.at(-1)!.sequence;
  if (sequence <= lastMsn) return null;
  if (sequence > lastMsn + MAX_SEGMENTS_AHEAD)
    throw hlsErrors.error("HLS_TOO_FAR", { msn: sequence, part: "any", lastMsn, lastPart: "none" });
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = presentation.holdSegment({ sequence, address: request.remoteAddress, end: () => resolve() });
  if (held === null) return null;
  request.onLeave?.(() => held.cancel());
  return promise;
}
