/** Which hosts the server connects to: at the moment at which it connects, whatever name leads there. */
import { lookup as lookupName } from "node:dns/promises";
import { hostRefusal, isMetadataAddress } from "../auth/host-rules.ts";
import type { Clock } from "../base/clock.ts";
import type { Lookup, OutsideHosts } from "../base/outside-hosts.ts";
import { NameCache } from "./access/name-cache.ts";
import type { ResolveName } from "./access/name-cache.ts";

/** What the guard needs. */
export type HostGuardOptions = {
  readonly clock: Clock;
  /** `allowed_hosts` in force; asked for each connection. */
  readonly allowed: () => readonly string[];
  /** The machine's own way unless given. */
  readonly resolve?: ResolveName;
};

/**
 * Every connection that the server makes to a host of the configuration or the API goes by it: servers that are asked, keys,
 * sinks, collectors of traces, buckets, peers, servers of episodes. Who may choose a name may choose its addresses too, and
 * other ones a moment later, so those that are checked are those that are connected to; they are looked up once.
 */
export class HostGuard implements OutsideHosts {
  readonly lookup: Lookup;
  readonly #allowed: HostGuardOptions["allowed"];

  constructor({ clock, allowed, resolve }: HostGuardOptions) {
    this.#allowed = allowed;
    const names = new NameCache(clock, resolve ?? ((name) => lookupName(name, { all: true })), (found) => {
      const isBad = found.some(({ address }) => isMetadataAddress(address, allowed()));
      return isBad ? "its name leads to where credentials of clouds are kept" : undefined;
    });
    this.lookup = names.lookup;
  }

  refusal(hostname: string): string | undefined {
    return hostRefusal(hostname, this.#allowed());
  }
}
