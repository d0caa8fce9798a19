/** Networks in CIDR form, as lists of who may have them. */

/** The bytes of an address: 4, or 16; `null` where the text is none. Spec: RFC 4291 section 2.2. */
export function parseAddress(text: string): Uint8Array | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text, 4);
}

/** A range of addresses. */
export type Network = { readonly address: Uint8Array; readonly bits: number };

/**
 * A network as in `10.0.0.0/8`, `10.10/16` (what is left out is 0), `2001:db8::/32`, or one address; `null` where the text is
 * none. Spec: RFC 4632 section 3.1.
 */
export function parseNetwork(text: string): Network | null {
  const [place, bitsText, ...more] = text.split("/");
  if (place === undefined || more.length > 0) return null;
  const isShort = bitsText !== undefined;
  const address = place.includes(":") ? parseIpv6(place) : parseIpv4(place, isShort ? 1 : 4);
  if (address === null) return null;
  const most = address.length * 8;
  if (bitsText === undefined) return { address, bits: most };
  if (!/^\d{1,3}$/.test(bitsText) || Number(bitsText) > most) return null;
  return { address, bits: Number(bitsText) };
}

/** Whether a network has an address in it. */
export function hasAddress({ address, bits }: Network, wanted: Uint8Array): boolean {
  if (address.length !== wanted.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== wanted[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (address[whole]! ^ wanted[whole]!) >>> (8 - rest) === 0;
}

/** Whether one of the networks has the address; a text that is no network has none. */
export function isInNetworks(networks: readonly string[], ip: string): boolean {
  if (networks.length === 0) return false;
  const address = parseAddress(ip);
  if (address === null) return false;
  return networks.some((text) => {
    const network = parseNetwork(text);
    return network !== null && hasAddress(network, address);
  });
}

function parseIpv4(text: string, least: number): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length < least || parts.length > 4) return null;
  if (!parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  const bytes = new Uint8Array(4);
  bytes.set(parts.map(Number));
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = readGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? readGroups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const left = 16 - head.length - tail.length;
  if (halves.length === 1 ? left !== 0 : left < 2) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  const isMapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return isMapped ? bytes.slice(12) : bytes;
}

/** Groups of 16 bits as bytes; at the end of the address the last may be an IPv4 address. */
function readGroups(text: string, isEnd: boolean): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  if (groups.length > 8) return null;
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
      continue;
    }
    const ipv4 = isEnd && index === groups.length - 1 ? parseIpv4(group, 4) : null;
    if (ipv4 === null) return null;
    bytes.push(...ipv4);
  }
  return bytes;
}
