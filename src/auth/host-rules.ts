/** Which hosts the server may be sent to by whoever writes its configuration, or speaks to its API. */
import { Networks, parseAddress } from "./addresses.ts";

/** Names at which clouds give credentials to whoever asks from inside. */
const METADATA_NAMES: readonly string[] = ["metadata.google.internal", "metadata", "instance-data"];

/**
 * Addresses of the same, of IPv4: all that are link-local, for each cloud and each of its services takes another one (AWS
 * also for ECS and EKS, Google, Azure, Oracle, OpenStack, Tencent, Scaleway); Alibaba, Oracle, Azure.
 */
const METADATA_V4: readonly string[] = [
  "169.254.0.0/16",
  "100.100.100.200/32",
  "192.0.0.192/32",
  "168.63.129.16/32",
];

/** Of IPv6: link-local ones; AWS, Google, Scaleway; those of IPv4 where a network translates. Spec: RFC 6052 section 2.1. */
const METADATA_V6: readonly string[] = [
  "fe80::/10",
  "fd00:ec2::/32",
  "fd20:ce::254",
  "fd00:42::42",
  ...METADATA_V4.map((network) => {
    const [address, bits] = network.split("/");
    return `64:ff9b::${address}/${96 + Number(bits)}`;
  }),
];
const METADATA = new Networks([...METADATA_V4, ...METADATA_V6]);

/** Lists are asked about again and again, and are others only in another configuration. */
const NETWORKS = new WeakMap<readonly string[], Networks>();

/**
 * Why the server does not connect to a host, a name or an address; `undefined`: it does. `allowed`: as `allowed_hosts` has
 * it, which is `example.com`, `*.example.com` for all below it, addresses and networks; empty: all but addresses of
 * metadata.
 */
export function hostRefusal(host: string, allowed: readonly string[]): string | undefined {
  const plain = plainHost(host);
  if (isListed(plain, allowed)) return undefined;
  if (METADATA_NAMES.includes(plain) || METADATA.has(plain)) return "credentials of clouds are kept there";
  return allowed.length === 0 ? undefined : "allowed_hosts does not have it";
}

/** Whether a name that leads to this address leads to credentials, where the address is not listed itself. */
export function isMetadataAddress(address: string, allowed: readonly string[]): boolean {
  return METADATA.has(address) && !isListed(plainHost(address), allowed);
}

/**
 * What of a list lets the server connect to where the one before did not, `undefined` where nothing does: a host that is
 * new in it, or "any host" where there was a list and there is none.
 */
export function widenedBy(before: readonly string[], after: readonly string[]): string | undefined {
  if (before.length > 0)
    return after.length === 0 ? "any host" : after.find((host) => !before.includes(host));
  return after.find((host) => METADATA_NAMES.includes(plainHost(host)) || METADATA.meets(host));
}

/** A host in one spelling: lower case, without the brackets of IPv6 and a dot at its end; mapped IPv4 as IPv4. */
export function plainHost(host: string): string {
  const plain = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
  const bytes = plain.includes(":") ? parseAddress(plain)?.bytes : undefined;
  return bytes?.length === 4 ? bytes.join(".") : plain;
}

function isListed(plain: string, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return false;
  const isNamed = allowed.some((one) => {
    const pattern = plainHost(one);
    return pattern.startsWith("*.") ? plain.endsWith(pattern.slice(1)) : plain === pattern;
  });
  return isNamed || networksOf(allowed).has(plain);
}

function networksOf(allowed: readonly string[]): Networks {
  const known = NETWORKS.get(allowed);
  if (known !== undefined) return known;
  const networks = new Networks(allowed);
  NETWORKS.set(allowed, networks);
  return networks;
}
