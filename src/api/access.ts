/** What somebody who was let in may do. */

/** Scopes of tokens: `view` reaches all that changes nothing, `edit` all; any other one the routes that name it. */
export type ApiScope = "view" | "edit" | "streams" | "sessions" | "config" | "archive" | "metrics";

/** What a caller may do. */
export type ApiGrant = {
  readonly access: "edit" | "view";
  readonly scopes: readonly string[];
};

/** The grant of somebody with a login and a password. */
export function grantOf(access: "edit" | "view"): ApiGrant {
  return { access, scopes: [access] };
}

/** Whether the scopes reach a route. `changes`: it changes something. */
export function isInScope({ scopes }: ApiGrant, scope: ApiScope | undefined, changes: boolean): boolean {
  if (scopes.includes("edit") || (!changes && scopes.includes("view"))) return true;
  return scope !== undefined && scopes.includes(scope);
}
