/** Where connections may go that the server makes to hosts which a configuration or the API names. */
import type { LookupAddress, LookupOptions } from "node:dns";

/** The `lookup` of a connection's options: finds the addresses of a name that is connected to. */
export type Lookup = (
  name: string,
  options: LookupOptions,
  callback: (
    error: NodeJS.ErrnoException | null,
    address: string | LookupAddress[],
    family?: number,
  ) => void,
) => void;

/**
 * Who is asked before each connection to outside. Both are asked: an address that stands in a URL is looked up by nobody,
 * and a name tells nothing of where it leads.
 */
export type OutsideHosts = {
  /** Why no connection is made to a host, as `URL.hostname` has it; `undefined`: it is. */
  refusal(hostname: string): string | undefined;
  /** Fails for a name that leads where no connection may go. */
  readonly lookup: Lookup;
};

/** Throws an error with the reason where no connection is made to a host; absent `hosts` let all. */
export function assertOutsideHost(hosts: OutsideHosts | undefined, hostname: string): void {
  const refusal = hosts?.refusal(hostname);
  if (refusal !== undefined) throw new Error(refusal);
}

/** The options of a connection that have it looked up by `hosts`; none where these are absent. */
export function lookupOf(hosts: OutsideHosts | undefined): { readonly lookup?: Lookup } {
  return hosts === undefined ? {} : { lookup: hosts.lookup };
}
