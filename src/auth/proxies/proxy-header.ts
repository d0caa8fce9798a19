import { formatAddress, parseAddress } from "../addresses.ts";
import { authErrors } from "../errors.ts";

/** What a PROXY header says. */
export type ProxyHeader = {
  /** Whose connection it is, as `formatAddress` writes it; `null`: the proxy's own, or it does not know. */
  readonly address: string | null;
  /** Bytes of the header: what comes behind them is the client's. */
  readonly endOffset: number;
};

/** A whole header. Stops one that announces 64 KiB: addresses and all that proxies add fit many times. */
export const MAX_PROXY_HEADER_BYTES = 4096;
/** The longest line of version 1, with its CRLF. */
const MAX_LINE_BYTES = 107;

const LINE_START = Buffer.from("PROXY ");
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Signature, version and command, family and transport, length. */
const FIXED_BYTES = 16;

const LOCAL = 0;
const PROXY = 1;
const MAX_FAMILY = 3;
const MAX_TRANSPORT = 2;
/** TCP over IPv4 and over IPv6: bytes of one address, and of both with their ports. */
const ADDRESSES: ReadonlyMap<number, { readonly bytes: number; readonly blockBytes: number }> = new Map([
  [0x11, { bytes: 4, blockBytes: 12 }],
  [0x21, { bytes: 16, blockBytes: 36 }],
]);

/** Type, and 16 bits of length. */
const TLV_HEAD_BYTES = 3;
const TLV_CRC32C = 0x03;
const CRC_BYTES = 4;
/** Castagnoli's polynomial, the lowest bit first. Spec: RFC 3309, RFC 4960 appendix B. */
const CRC32C_POLYNOMIAL = 0x82f63b78;

/**
 * Reads the header, of either version, with which a proxy begins a connection that it brings.
 *
 *     version 1:  PROXY TCP4|TCP6 SOURCE DESTINATION PORT PORT CRLF, or PROXY UNKNOWN ... CRLF
 *     version 2:  signature (12) | version, command (1) | family, transport (1) | length (2) | addresses | TLVs
 *
 * What is not used is not judged: LOCAL, UNKNOWN, unix sockets and datagrams are the connection's own. TLVs are passed
 * over, but for a checksum, which has to be right.
 * Returns: `null` when more bytes are needed; that it is no header is said with the first byte that cannot be of one.
 * Throws: AUTH_BAD_PROXY_HEADER. Ownership: nothing of `bytes` is kept.
 * Spec: haproxy's doc/proxy-protocol.txt sections 2.1 and 2.2.
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | null {
  if (bytes.length === 0) return null;
  return bytes[0] === LINE_START[0] ? readLine(bytes) : readBinary(bytes);
}

function readLine(bytes: Uint8Array): ProxyHeader | null {
  requireStart(bytes, LINE_START);
  const length = Math.min(bytes.length, MAX_LINE_BYTES);
  let end = LINE_START.length;
  while (end < length && bytes[end] !== 0x0d && bytes[end] !== 0x0a) end++;
  if (end >= length || (bytes[end] === 0x0d && end + 1 === length)) {
    if (length === MAX_LINE_BYTES) throw refused("its line does not end within 107 bytes");
    return null;
  }
  if (bytes[end] !== 0x0d || bytes[end + 1] !== 0x0a) throw refused("its line does not end with CR LF");
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, end).toString("latin1");
  return { address: addressOfLine(line), endOffset: end + 2 };
}

function addressOfLine(line: string): string | null {
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return null;
  const fields = /^PROXY TCP([46]) ([^ ]+) ([^ ]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line);
  if (fields === null) throw refused("its line is none of TCP4, TCP6 or UNKNOWN");
  const [, family, source = "", destination = "", ...ports] = fields;
  const isFamily = (text: string): boolean => text.includes(":") === (family === "6");
  const address = parseAddress(source);
  const areAddresses =
    address !== null &&
    parseAddress(destination) !== null &&
    [source, destination].every((text) => isFamily(text) && !text.includes("%"));
  if (!areAddresses) throw refused("its line has no addresses of its family");
  if (ports.some((port) => Number(port) > 0xffff)) throw refused("its line has no ports");
  return formatAddress(address);
}

function readBinary(bytes: Uint8Array): ProxyHeader | null {
  requireStart(bytes, SIGNATURE);
  if (bytes.length < FIXED_BYTES) return null;
  const [version, command] = nibbles(bytes[12]!);
  const [family, transport] = nibbles(bytes[13]!);
  if (version !== 2) throw refused("it is of another version than 1 and 2");
  if (command > PROXY) throw refused("its command is not known");
  const isLocal = command === LOCAL;
  if (!isLocal && (family > MAX_FAMILY || transport > MAX_TRANSPORT))
    throw refused("its family or transport is not known");
  const endOffset = FIXED_BYTES + ((bytes[14]! << 8) | bytes[15]!);
  if (endOffset > MAX_PROXY_HEADER_BYTES) throw refused("it is longer than 4 KiB");
  if (bytes.length < endOffset) return null;
  const addresses = isLocal ? undefined : ADDRESSES.get(bytes[13]!);
  if (addresses === undefined) return { address: null, endOffset };
  const tlvs = FIXED_BYTES + addresses.blockBytes;
  if (tlvs > endOffset) throw refused("it ends within its addresses");
  requireTlvs(bytes.subarray(0, endOffset), tlvs);
  const source = formatAddress({ bytes: bytes.slice(FIXED_BYTES, FIXED_BYTES + addresses.bytes) });
  // IPv4 that is mapped into IPv6 is IPv4 once it is read.
  return { address: formatAddress(parseAddress(source)!), endOffset };
}

function nibbles(byte: number): [high: number, low: number] {
  return [byte >>> 4, byte & 0x0f];
}

/** Spec: section 2.2.3. */
function requireTlvs(header: Uint8Array, from: number): void {
  let offset = from;
  while (offset < header.length) {
    const start = offset + TLV_HEAD_BYTES;
    const length = start > header.length ? Infinity : (header[offset + 1]! << 8) | header[offset + 2]!;
    if (start + length > header.length) throw refused("it ends within its TLVs");
    if (header[offset] === TLV_CRC32C) {
      if (length !== CRC_BYTES) throw refused("its checksum has not four bytes");
      const told = new DataView(header.buffer, header.byteOffset + start).getUint32(0);
      if (told !== crc32c(header, start)) throw refused("its checksum is wrong");
    }
    offset = start + length;
  }
}

/** Of all bytes, the four from `zeroFrom` taken as zeros. */
function crc32c(bytes: Uint8Array, zeroFrom: number): number {
  let crc = 0xffffffff;
  for (const [i, byte] of bytes.entries()) {
    crc ^= i >= zeroFrom && i < zeroFrom + CRC_BYTES ? 0 : byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function requireStart(bytes: Uint8Array, start: Uint8Array): void {
  const length = Math.min(bytes.length, start.length);
  for (let i = 0; i < length; i++) {
    if (bytes[i] !== start[i]) throw refused("the connection begins with something else");
  }
}

function refused(reason: string): Error {
  return authErrors.error("AUTH_BAD_PROXY_HEADER", { reason });
}
