/** Which hosts the server asks: at the moment at which it connects, whatever name leads there. */
import { lookup as lookupName } from "node:dns/promises";
import { Networks } from "../auth/addresses.ts";
import type { ResolveName } from "./access/name-cache.ts";
import { isAllowedHost } from "./allowed-host.ts";

/** Where clouds give credentials to whoever asks from inside: AWS (also ECS and EKS), Google, Azure, Oracle, Alibaba. */
const METADATA = new Networks([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
  "168.63.129.16",
  "192.0.0.192",
  "100.100.100.200",
]);

/** Why the server does not ask a host, a name or an address; `undefined`: it does. `allowed`: as `allowed_hosts` has it. */
export function hostRefusal(host: string, allowed: readonly string[]): string | undefined {
  const plain = host.replace(/^\[(.*)\]$/, "$1");
  if (isListed(plain, allowed)) return undefined;
  if (METADATA.has(plain)) return "credentials of clouds are kept there";
  return allowed.length === 0 ? undefined : `allowed_hosts does not have ${plain}`;
}

/**
 * Finds the addresses of a name, and rejects where one of them keeps credentials of clouds and is not listed itself: who
 * may choose a name may choose its addresses too. `allowed`: asked for each name.
 */
export function guardedResolve(
  allowed: () => readonly string[],
  resolve: ResolveName = (name) => lookupName(name, { all: true }),
): ResolveName {
  return async (name) => {
    const found = await resolve(name);
    const bad = found.some(({ address }) => METADATA.has(address) && !isListed(address, allowed()));
    if (bad) throw new Error("its name leads to where credentials of clouds are kept");
    return found;
  };
}

function isListed(host: string, allowed: readonly string[]): boolean {
  return allowed.length > 0 && (isAllowedHost(host, allowed) || new Networks(allowed).has(host));
}
