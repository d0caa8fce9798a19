/**
 * What proxies write into a request of whose it is. Each proxy puts its own words behind those that came, so the lists are
 * read from the right: what stands left of a proxy's words is as good as that proxy, and at last the client's own choice.
 */
import { formatAddress, parseAddress } from "../addresses.ts";

/** What one proxy says of who asked it. `null`: it says nothing that can be read. */
export type Hop = {
  readonly address: string | null;
  readonly proto: string | null;
  readonly host: string | null;
};

/** Proxies that are followed. More are as good as the last of them. */
export const MAX_HOPS = 32;

/** An address in brackets, with a port. */
const MAX_NODE_LENGTH = 64;
const MAX_ELEMENT_LENGTH = 1024;
const MAX_HOST_LENGTH = 255;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** One pair of an element and the sign behind it. */
const PAIR = /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"\\]*))[ \t]*(?:;|$)/y;

/**
 * The addresses of an `X-Forwarded-For`, the last one first; `null` for what is none. An empty item is none: who wrote it
 * knew no address. There is no standard; with ports as some load balancers write them, IPv6 with brackets or without.
 */
export function* readForwardedFor(text: string): Generator<Hop | null> {
  for (const item of itemsFromRight(text)) {
    const address = readNode(item);
    yield address === null ? null : { address, proto: null, host: null };
  }
}

/**
 * The elements of a `Forwarded`, the last one first; `null` for a broken one. What stands left of an element cannot change
 * how it is read, as a quote that a client left open would from the other side. Spec: RFC 7239 section 4.
 */
export function* readForwarded(text: string): Generator<Hop | null> {
  let end = text.length;
  for (let count = 0; count < MAX_HOPS && end >= 0; count++) {
    const start = elementStart(text, end);
    yield readElement(text.slice(start, end));
    end = start - 1;
  }
}

/** Of a list, the item so many places from its right end; of a shorter one the first. */
export function itemFromRight(text: string, hop: number): string {
  let found = "";
  let place = 0;
  for (const item of itemsFromRight(text)) {
    found = item;
    if (place++ === hop) break;
  }
  return found;
}

/** A host with or without a port; `null`: it is none. */
export function readHost(text: string): string | null {
  if (text.length > MAX_HOST_LENGTH) return null;
  return /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(text) ? text : null;
}

/** Whether a scheme is one of TLS; `null`: it is none that is known. */
export function isTlsScheme(text: string): boolean | null {
  const scheme = text.toLowerCase();
  if (scheme === "https" || scheme === "wss") return true;
  return scheme === "http" || scheme === "ws" ? false : null;
}

function* itemsFromRight(text: string): Generator<string> {
  let end = text.length;
  for (let count = 0; count < MAX_HOPS && end >= 0; count++) {
    const comma = end === 0 ? -1 : text.lastIndexOf(",", end - 1);
    yield text.slice(comma + 1, end).trim();
    end = comma;
  }
}

/** An address, with a port or without. Spec: RFC 7239 section 6; brackets may be left out, as in `X-Forwarded-For`. */
function readNode(text: string): string | null {
  if (text.length > MAX_NODE_LENGTH) return null;
  const [, inBrackets, ipv4] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? [];
  if (inBrackets?.includes(":") === false) return null;
  const address = parseAddress(inBrackets ?? ipv4 ?? text);
  return address === null ? null : formatAddress(address);
}

/** Where the element begins that ends before `end`: behind a comma that is not within quotes. */
function elementStart(text: string, end: number): number {
  let isQuoted = false;
  for (let i = end - 1; i >= 0; i--) {
    const sign = text.charCodeAt(i);
    if (sign === QUOTE && !(isQuoted && isEscaped(text, i))) isQuoted = !isQuoted;
    else if (sign === COMMA && !isQuoted) return i + 1;
  }
  return 0;
}

/** Whether an odd number of backslashes stands before a sign. */
function isEscaped(text: string, index: number): boolean {
  let start = index;
  while (start > 0 && text.charCodeAt(start - 1) === BACKSLASH) start--;
  return (index - start) % 2 === 1;
}

function readElement(text: string): Hop | null {
  if (text.length > MAX_ELEMENT_LENGTH) return null;
  const pairs = new Map<string, string>();
  for (PAIR.lastIndex = 0; PAIR.lastIndex < text.length;) {
    const [, name, quoted, token] = PAIR.exec(text) ?? [];
    if (name === undefined || pairs.has(name.toLowerCase())) return null;
    pairs.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? token ?? "");
  }
  if (pairs.size === 0) return null;
  const node = pairs.get("for");
  return {
    address: node === undefined ? null : readNode(node),
    proto: pairs.get("proto") ?? null,
    host: pairs.get("host") ?? null,
  };
}
