import type { Fault } from "./recording-values.ts";

/** A network in CIDR form, or what is wrong with the text. */
export type NetworkReading = { readonly network: string } | Fault;

const FORM = "as in 10.0.0.0/8, 10/8, 192.0.2.1 or 2001:db8::/32";

/**
 * Reads a network and writes it in full: `10.10/16` is `10.10.0.0/16`, `10.1.2.3/8` is `10.0.0.0/8`, an address alone is a
 * network of one.
 *
 * Spec: RFC 4632 section 3.1; RFC 4291 section 2.3. Parts with a leading zero are refused: some read them as octal.
 */
export function readNetwork(text: string): NetworkReading {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (address.includes(":")) return readIpv6(address, length);
  const parts = address.split(".");
  const isWhole = parts.length === 4;
  const good = parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  if (!good || parts.length > 4 || (!isWhole && length === undefined))
    return { fault: "this is no network", hint: FORM };
  const bits = Number(length ?? 32);
  if (bits > 32) return { fault: "a mask of IPv4 has at most 32 bits", hint: FORM };
  const octets = [...parts.map(Number), 0, 0, 0].slice(0, 4);
  const masked = octets.map((octet, index) => octet & maskOf(bits - 8 * index));
  return { network: `${masked.join(".")}/${bits}` };
}

/** The first `bits` of an octet. */
function maskOf(bits: number): number {
  return (0xff00 >>> Math.min(Math.max(bits, 0), 8)) & 0xff;
}

function readIpv6(address: string, length: string | undefined): NetworkReading {
  const bits = Number(length ?? 128);
  if (bits > 128) return { fault: "a mask of IPv6 has at most 128 bits", hint: FORM };
  const url = /^[\da-f:.]{2,45}$/i.test(address) ? `http://[${address}]/` : "";
  if (!URL.canParse(url)) return { fault: "this is no network", hint: FORM };
  // A URL has the address in its shortest form: RFC 5952.
  return { network: `${new URL(url).hostname.slice(1, -1)}/${bits}` };
}

/** Whether `text` is a name of DNS, as `example.com`. */
export function isDomainName(text: string): boolean {
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return text.split(".").every((part) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/.test(part));
}

/**
 * Reads `example.com` or `*.example.com`, in small letters.
 */
export function readDomain(text: string): { readonly domain: string } | Fault {
  const domain = text.toLowerCase();
  if (isDomainName(domain.startsWith("*.") ? domain.slice(2) : domain)) return { domain };
  return { fault: "this is no name of a site", hint: "as in example.com or *.example.com" };
}

/**
 * Reads a host that may be reached: a domain as `readDomain` has it, an address or a network.
 */
export function readHost(text: string): { readonly host: string } | Fault {
  const domain = readDomain(text);
  if ("domain" in domain) return { host: domain.domain };
  const network = readNetwork(text);
  if ("network" in network) return { host: network.network };
  return {
    fault: "this is neither a host nor a network",
    hint: "as in example.com, *.example.com or 10.0.0.0/8",
  };
}
