/** What a token of the API may be for: `edit` is everything, `view` is to look at everything, the others one area. */
export const SCOPES = ["view", "edit", "streams", "sessions", "config", "archive", "metrics"] as const;

/** One of `SCOPES`. */
export type ApiScope = (typeof SCOPES)[number];

/** Whether somebody looks or changes something. */
export type ApiAccess = "edit" | "view";

const ARCHIVE = /^\/(?:streams\/.+\/dvr(?:\/|$)|episodes(?:\/|$)|dvrs(?:\/|$))/;
const AREAS: readonly (readonly [ApiScope, RegExp])[] = [
  ["archive", ARCHIVE],
  ["streams", /^\/(?:streams|templates|vods)(?:\/|$)/],
  ["sessions", /^\/sessions(?:\/|$)/],
  ["metrics", /^\/monitoring\/metrics$/],
  ["config", /^\/(?:config|auth_backends|event_sinks)(?:\/|$)/],
];

/** The area that a path of the API belongs to, behind its base path; `null`: none, so that it takes `view` or `edit`. */
export function areaOf(path: string): ApiScope | null {
  return AREAS.find(([, pattern]) => pattern.test(path))?.[0] ?? null;
}

/**
 * What scopes allow in an area: `null` is nothing. Who has the area may change things in it, but for metrics, of which
 * there is nothing to change.
 */
export function accessIn(scopes: readonly ApiScope[], area: ApiScope | null): ApiAccess | null {
  const hasArea = area !== null && scopes.includes(area);
  if (scopes.includes("edit") || (hasArea && area !== "metrics")) return "edit";
  return hasArea || scopes.includes("view") ? "view" : null;
}
