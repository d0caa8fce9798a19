import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from "./proxy-header.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(" ", ""), "hex");
const line = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Version 2 with what stands behind the signature; the length is put in. */
function binary(versionCommand: string, family: string, block: string): Uint8Array {
  const bytes = hex(block);
  const length = bytes.length.toString(16).padStart(4, "0");
  return Buffer.concat([hex(`${SIGNATURE}${versionCommand}${family}${length}`), bytes]);
}

const IPV4 = "c0000209 c6336401 d431 01bb";
const IPV6 = "20010db8000000000000000000000009 20010db8000000000000000000000001 d431 01bb";
const MAPPED = "00000000000000000000ffffc0000209 00000000000000000000ffffc0000201 d431 01bb";
const UNIX = "2f".repeat(216);

const TABLE: readonly (readonly [name: string, bytes: Uint8Array, address: string | null])[] = [
  ["the specification's example", line("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), "192.168.0.1"],
  [
    "what nginx sent, published by somebody else",
    line("PROXY TCP4 172.19.0.1 172.19.0.3 42272 80\r\n"),
    "172.19.0.1",
  ],
  [
    "what haproxy sent, published by somebody else",
    hex("0d0a0d0a000d0a515549540a 2111000c ac130001ac130003 a6520050"),
    "172.19.0.1",
  ],
  [
    "the longest line of IPv4",
    line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
    "255.255.255.255",
  ],
  [
    "the longest line of IPv6",
    line(`PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`),
    `${"ffff:".repeat(7)}ffff`,
  ],
  ["IPv6 in short", line("PROXY TCP6 2001:DB8::9 ::1 1 0\r\n"), "2001:db8::9"],
  ["IPv6 that is IPv4", line("PROXY TCP6 ::ffff:192.0.2.9 ::1 1 2\r\n"), "192.0.2.9"],
  ["UNKNOWN", line("PROXY UNKNOWN\r\n"), null],
  [
    "UNKNOWN with what is to be ignored",
    line(`PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`),
    null,
  ],
  ["LOCAL", binary("20", "00", ""), null],
  ["LOCAL with addresses, which are not looked at", binary("20", "11", IPV4), null],
  ["LOCAL of an unknown family", binary("20", "ff", "0102"), null],
  ["IPv4", binary("21", "11", IPV4), "192.0.2.9"],
  ["IPv6", binary("21", "21", IPV6), "2001:db8::9"],
  ["IPv6 that is IPv4, binary", binary("21", "21", MAPPED), "192.0.2.9"],
  ["of nobody knows which family", binary("21", "00", "010203"), null],
  ["a unix socket", binary("21", "31", UNIX), null],
  ["datagrams", binary("21", "12", IPV4), null],
  ["TLVs, one of them empty", binary("21", "11", `${IPV4} 04 0000 ea 0003 010203`), "192.0.2.9"],
  ["a checksum, computed by another program", binary("21", "11", `${IPV4} 03 0004 2daca105`), "192.0.2.9"],
  [
    "the longest header",
    binary("21", "11", `${IPV4} 04 0fe1 ${"00".repeat(MAX_PROXY_HEADER_BYTES - 16 - 12 - 3)}`),
    "192.0.2.9",
  ],
];

describe("a PROXY header", () => {
  for (const [name, bytes, address] of TABLE) {
    test(`is read: ${name}`, () => {
      const expected = { address, endOffset: bytes.length };
      assert.deepEqual(readProxyHeader(bytes), expected);
      const behind = Buffer.concat([bytes, line("PROXY TCP4 \r\n\r\nGET / HTTP/1.1")]);
      assert.deepEqual(readProxyHeader(behind), expected);
    });

    test(`is waited for, cut at every byte: ${name}`, () => {
      for (let end = 0; end < bytes.length; end++)
        assert.equal(readProxyHeader(bytes.subarray(0, end)), null, `${end} bytes`);
    });
  }
});

const LONG = "9".repeat(100);
const REFUSED: readonly (readonly [reason: RegExp, bytes: Uint8Array])[] = [
  ...["G", "PROX ", "PROXYTCP4", "proxy TCP4 ", "\r\n\r\n\r", "\x16\x03\x01", "\x03", "\0"].map(
    (text) => [/begins with something else/, line(text)] as const,
  ),
  [/does not end within 107 bytes/, line(`PROXY UNKNOWN ${LONG}`)],
  [/does not end within 107 bytes/, line(`PROXY UNKNOWN ${"9".repeat(92)}\r\n`)],
  [/does not end with CR LF/, line("PROXY UNKNOWN\n")],
  [/does not end with CR LF/, line("PROXY UNKNOWN\rX")],
  ...[
    "PROXY \r\n",
    "PROXY TCP4\r\n",
    "PROXY UNKNOWNS\r\n",
    "PROXY UDP4 192.0.2.9 192.0.2.1 1 2\r\n",
    "PROXY tcp4 192.0.2.9 192.0.2.1 1 2\r\n",
    "PROXY TCP4  192.0.2.9 192.0.2.1 1 2\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 1 2 \r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 1\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 01 2\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 -1 2\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.1 1 999999\r\n",
  ].map((text) => [/none of TCP4, TCP6 or UNKNOWN/, line(text)] as const),
  ...[
    "PROXY TCP4 192.0.2.09 192.0.2.1 1 2\r\n",
    "PROXY TCP4 192.0.2 192.0.2.1 1 2\r\n",
    "PROXY TCP4 192.0.2.9 192.0.2.256 1 2\r\n",
    "PROXY TCP4 ::1 ::2 1 2\r\n",
    "PROXY TCP4 192.0.2.9 ::2 1 2\r\n",
    "PROXY TCP6 192.0.2.9 192.0.2.1 1 2\r\n",
    "PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n",
    "PROXY TCP6 1::2::3 ::2 1 2\r\n",
    "PROXY TCP4 192.0.2.9\0 192.0.2.1 1 2\r\n",
  ].map((text) => [/no addresses of its family/, line(text)] as const),
  [/no ports/, line("PROXY TCP4 192.0.2.9 192.0.2.1 65536 2\r\n")],
  [/no ports/, line("PROXY TCP4 192.0.2.9 192.0.2.1 2 99999\r\n")],
  [/another version/, binary("11", "11", IPV4)],
  [/another version/, binary("31", "11", IPV4)],
  [/command is not known/, binary("22", "11", IPV4)],
  [/command is not known/, binary("2f", "00", "")],
  [/family or transport/, binary("21", "41", IPV4)],
  [/family or transport/, binary("21", "13", IPV4)],
  [/longer than 4 KiB/, hex(`${SIGNATURE}2111ffff`)],
  [/longer than 4 KiB/, hex(`${SIGNATURE}20000ff1`)],
  [/within its addresses/, binary("21", "11", "")],
  [/within its addresses/, binary("21", "11", IPV4.slice(0, -2))],
  [/within its addresses/, binary("21", "21", IPV4)],
  [/within its TLVs/, binary("21", "11", `${IPV4} 04`)],
  [/within its TLVs/, binary("21", "11", `${IPV4} 04 00`)],
  [/within its TLVs/, binary("21", "11", `${IPV4} 04 0001`)],
  [/within its TLVs/, binary("21", "11", `${IPV4} 04 ffff 00`)],
  [/checksum has not four bytes/, binary("21", "11", `${IPV4} 03 0003 000000`)],
  [/checksum is wrong/, binary("21", "11", `${IPV4} 03 0004 00000000`)],
];

describe("what is no PROXY header", () => {
  for (const [reason, bytes] of REFUSED) {
    const shown = JSON.stringify(Buffer.from(bytes).toString("latin1").slice(0, 60));
    test(`is refused: ${reason.source}, ${shown}`, () => {
      assert.throws(() => readProxyHeader(bytes), { code: "AUTH_BAD_PROXY_HEADER", message: reason });
    });
  }

  test("is refused with one bit of a checksummed header flipped", () => {
    const [, good] = TABLE.find(([name]) => name.startsWith("a checksum"))!;
    for (let at = 16; at < good.length; at++) {
      if (at >= 28 && at < 31) continue; // Type and length: it is another TLV then.
      for (let bit = 0; bit < 8; bit++) {
        const bad = Uint8Array.from(good, (byte, i) => (i === at ? byte ^ (1 << bit) : byte));
        assert.throws(() => readProxyHeader(bad), { code: "AUTH_BAD_PROXY_HEADER" });
      }
    }
  });
});

test("a view into a larger buffer is read from its own begin", () => {
  const [, bytes] = TABLE.find(([name]) => name.startsWith("a checksum"))!;
  const large = Buffer.concat([line("PROXY UNKNOWN\r\n"), bytes, line("rest")]);
  assert.equal(readProxyHeader(large.subarray(15))?.address, "192.0.2.9");
});
