/** What somebody who was let in may do. */
import type { ApiAccess, ApiScope } from "../auth/credentials/scopes.ts";

/** What a caller may do. */
export type ApiGrant = {
  readonly access: ApiAccess;
  readonly scopes: readonly string[];
};

/** The grant of somebody with a login and a password. */
export function grantOf(access: ApiAccess): ApiGrant {
  return { access, scopes: [access] };
}

/** Whether the scopes reach a route. `changes`: it changes something. */
export function isInScope({ scopes }: ApiGrant, scope: ApiScope | undefined, changes: boolean): boolean {
  if (scopes.includes("edit") || (!changes && scopes.includes("view"))) return true;
  return scope !== undefined && scopes.includes(scope);
}
