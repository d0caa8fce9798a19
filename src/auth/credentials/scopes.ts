/**
 * What a token of the API may be for: `edit` is everything, `view` is to look at everything, the others are those routes that
 * name them.
 */
export const SCOPES = ["view", "edit", "streams", "sessions", "config", "archive", "metrics"] as const;

/** One of `SCOPES`. */
export type ApiScope = (typeof SCOPES)[number];

/** Whether somebody looks or changes something. */
export type ApiAccess = "edit" | "view";
