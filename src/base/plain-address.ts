/** Of an address as sockets give it: IPv4 mapped into IPv6 is IPv4. Spec: RFC 4291 section 2.5.5.2. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
