import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { formatAddress, parseAddress } from "../addresses.ts";
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from "./proxy-header.ts";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const IPV4 = [192, 0, 2, 9, 198, 51, 100, 1, 212, 49, 1, 187];

const binary = (...bytes: readonly number[]): Uint8Array =>
  Buffer.concat([SIGNATURE, Uint8Array.from(bytes)]);

/** What a proxy begins a connection with: an address in its one form, or none; and no more is waited for than may come. */
export const fuzz: FuzzTarget = {
  name: "proxy-header",
  seeds: [
    Buffer.from("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n"),
    Buffer.from("PROXY TCP6 2001:db8::9 ::ffff:192.0.2.1 1 65535\r\n"),
    Buffer.from("PROXY UNKNOWN\r\n"),
    binary(0x20, 0, 0, 0),
    binary(0x21, 0x11, 0, 12, ...IPV4),
    binary(0x21, 0x11, 0, 22, ...IPV4, 4, 0, 0, 3, 0, 4, 1, 2, 3, 4),
    binary(0x21, 0x21, 0, 36, ...Array.from({ length: 36 }, (_, i) => i)),
  ],
  dictionary: [
    SIGNATURE,
    Buffer.from("PROXY TCP4 "),
    Buffer.from("TCP6 "),
    Buffer.from("::"),
    Buffer.from("\r\n"),
  ],
  run(input) {
    const header = readProxyHeader(input);
    if (header === null) {
      assert.ok(input.length < MAX_PROXY_HEADER_BYTES);
      return;
    }
    const { address, endOffset } = header;
    assert.ok(endOffset > 0 && endOffset <= Math.min(input.length, MAX_PROXY_HEADER_BYTES));
    if (address !== null) assert.equal(formatAddress(parseAddress(address)!), address);
    // What stands behind it makes no difference, and with less there is none.
    assert.deepEqual(readProxyHeader(input.subarray(0, endOffset)), header);
    assert.equal(readProxyHeader(input.subarray(0, endOffset - 1)), null);
  },
};
