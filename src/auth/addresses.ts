/** Addresses and networks as text, compared as bytes. Text of the network comes here: it is bounded and never throws. */

/** An address: 4 bytes, or 16. IPv4 that is mapped into IPv6 is IPv4. */
export type Address = { readonly bytes: Uint8Array };

/** A network: its first address, and how many of its bits every address in it has in common. */
export type Network = { readonly bytes: Uint8Array; readonly prefixBits: number };

/** The longest text of an address is shorter, with a zone and a prefix. */
const MAX_TEXT_LENGTH = 128;

/**
 * Reads an address; `null`: it is none. A zone, as in `fe80::1%eth0`, is no part of it.
 *
 * Spec: RFC 4291 section 2.2 (IPv6, mapped IPv4 in 2.5.5.2). Parts of IPv4 are decimal, without zeros in front, which
 * some read as octal.
 */
export function parseAddress(text: string): Address | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  if (!text.includes(":")) return asAddress(parseIpv4(text, 4));
  const zone = text.indexOf("%");
  return asAddress(parseIpv6(zone === -1 ? text : text.slice(0, zone)));
}

/**
 * Reads a network: `10.0.0.0/8`, `10.10/16` where the parts left out are zero, `2001:db8::/32`, or an address, which is a
 * network of one. Bits behind the prefix do not count. `null`: it is none.
 *
 * Spec: RFC 4632 section 3.1, RFC 4291 section 2.3.
 */
export function parseNetwork(text: string): Network | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const [, base = "", prefix] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const isShort = !base.includes(":");
  const bytes = isShort ? parseIpv4(base, prefix === undefined ? 4 : 1) : parseIpv6(base);
  if (bytes === null) return null;
  const bits = prefix === undefined ? bytes.length * 8 : Number(prefix);
  if (bits > bytes.length * 8) return null;
  const unmapped = unmap(bytes);
  if (unmapped === null || bits < 96) return { bytes: masked(bytes, bits), prefixBits: bits };
  return { bytes: masked(unmapped, bits - 96), prefixBits: bits - 96 };
}

/** An address as it is written in one way only. Spec: RFC 5952 section 4. */
export function formatAddress({ bytes }: Address): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** Whether an address is in a network. IPv4 is in no network of IPv6, not even in `::/0`. */
export function isInNetwork(address: Address, network: Network): boolean {
  const { bytes, prefixBits } = network;
  if (address.bytes.length !== bytes.length) return false;
  const whole = prefixBits >>> 3;
  for (let i = 0; i < whole; i++) if (address.bytes[i] !== bytes[i]) return false;
  const rest = prefixBits & 7;
  return rest === 0 || (address.bytes[whole]! ^ bytes[whole]!) >>> (8 - rest) === 0;
}

/** A list of networks, read once. What is no network in it has nobody in it: `config/` says so where it is written. */
export class Networks {
  readonly #networks: readonly Network[];

  constructor(texts: readonly string[]) {
    this.#networks = texts.map(parseNetwork).filter((network) => network !== null);
  }

  /** Whether an address is in one of them; one that is no address is in none. */
  has(ip: string): boolean {
    const address = parseAddress(ip);
    return address !== null && this.#networks.some((network) => isInNetwork(address, network));
  }

  /** Whether a network, or an address, has an address in common with one of them. */
  meets(text: string): boolean {
    const one = parseNetwork(text);
    if (one === null) return false;
    return this.#networks.some((other) => isInNetwork(other, one) || isInNetwork(one, other));
  }
}

/** Loopback, RFC 1918, link-local (RFC 3927, RFC 4291 section 2.5.6) and unique local addresses (RFC 4193). */
const PRIVATE = new Networks([
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "::1",
  "fe80::/10",
  "fc00::/7",
]);

/** Whether somebody asks from inside: from this machine, or from a network that the internet does not reach. */
export function isPrivateAddress(ip: string): boolean {
  return PRIVATE.has(ip);
}

/**
 * What those have in common that are counted as one: an IPv4 address, or the /64 that an IPv6 customer has at least,
 * from which everybody takes as many addresses as they want. Text that is no address is itself.
 */
export function addressGroup(ip: string): string {
  const address = parseAddress(ip);
  if (address === null) return ip.slice(0, MAX_TEXT_LENGTH);
  const { bytes } = address;
  if (bytes.length === 4) return bytes.join(".");
  return `${Buffer.from(bytes.subarray(0, 8)).toString("hex")}/64`;
}

/** IPv4 of 4 parts, or of `minParts` and more, the others zero. */
function parseIpv4(text: string, minParts: number): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length < minParts || parts.length > 4) return null;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 1 ? [] : parseGroups(halves[1]!, true);
  if (head === null || tail === null) return null;
  const length = head.length + tail.length;
  // "::" stands for at least one group.
  if (halves.length === 1 ? length !== 16 : length > 14) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Groups between colons as bytes; the last may be IPv4 where the address ends with them. */
function parseGroups(text: string, isEnd: boolean): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  if (groups.length > 8) return null;
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    const ipv4 = isEnd && i === groups.length - 1 && group.includes(".") ? parseIpv4(group, 4) : null;
    if (ipv4 !== null) {
      bytes.push(...ipv4);
      continue;
    }
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
    const value = Number.parseInt(group, 16);
    bytes.push(value >>> 8, value & 0xff);
  }
  return bytes;
}

function asAddress(bytes: Uint8Array | null): Address | null {
  return bytes === null ? null : { bytes: unmap(bytes) ?? bytes };
}

/** The IPv4 address in `::ffff:a.b.c.d`. */
function unmap(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return null;
  return bytes.subarray(0, 10).every((byte) => byte === 0) ? bytes.subarray(12) : null;
}

function masked(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, i) => byte & (0xff00 >>> Math.min(8, Math.max(0, bits - i * 8))));
}
