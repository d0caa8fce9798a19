import type { Timeline } from "../../packaging/presentation.ts";
import type { Spanned } from "../../packaging/time-span.ts";

/**
 * A timeline as a query asks for it: with `event=false`, what still grows is taken as it is now and for complete, which is
 * how players that know no growing playlists have it. Any other query leaves it as it is: a playlist grows until its range
 * ends, and is a complete one then.
 */
export function asAsked(timeline: Timeline, query: URLSearchParams | undefined): Timeline {
  return asksForWhole(timeline, query) ? { ...timeline, mutability: "static" } : timeline;
}

/** What the addresses of media playlists carry on, so that they are as the multivariant playlist was asked for. */
export function carriedOn(
  carriedQuery: string,
  timeline: Timeline,
  query: URLSearchParams | undefined,
): string {
  if (!asksForWhole(timeline, query)) return carriedQuery;
  return `${carriedQuery}${carriedQuery === "" ? "?" : "&"}event=false`;
}

function asksForWhole({ mutability }: Timeline, query: URLSearchParams | undefined): boolean {
  return mutability === "event" && query?.get("event") === "false";
}

/** Whether the address says where to begin, and not only what there is to be seen: it is a time to play from. */
export function hasOwnStart({ span }: Spanned): boolean {
  return span?.kind === "timeshift_abs";
}
