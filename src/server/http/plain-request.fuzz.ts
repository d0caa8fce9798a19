import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { parsePlainHead } from "./plain-request.ts";

const PLAIN = /^(?:GET|HEAD) \/[!-~]* HTTP\/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+\r\n$/;
const REFUSED = /^(?:content-length|transfer-encoding|expect|upgrade|trailer|te):/im;

const head = (lines: string): Uint8Array => new TextEncoder().encode(`GET /a HTTP/1.1\r\n${lines}\r\n\r\n`);

/** What the network writes at the begin of a connection, held against the grammar written as patterns. */
export const fuzz: FuzzTarget = {
  name: "plain-request",
  seeds: [
    head("Host: h"),
    head("host: h\r\nConnection: close\r\nRange: bytes=0-1"),
    head("Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked"),
    head("Host: h\r\nx:\t y \r\nAccept-Encoding: gzip"),
  ],
  dictionary: ["\r\n", "\r\n\r\n", "\n", ": ", " :", "\r\n ", "content-length", "chunked", "HTTP/1.1"].map(
    (word) => new TextEncoder().encode(word),
  ),
  run(input) {
    const bytes = Buffer.from(input);
    const found = parsePlainHead(bytes, 0);
    if (found === null) return;
    const text = bytes.toString("latin1", 0, found.endOffset);
    assert.match(text, PLAIN);
    assert.equal(text.indexOf("\r\n\r\n"), text.length - 4);
    assert.doesNotMatch(text, REFUSED);
    const names = text
      .split("\r\n")
      .slice(1, -2)
      .map((line) => line.slice(0, line.indexOf(":")).toLowerCase());
    assert.ok(names.includes("host"));
    assert.equal(new Set(names).size, names.length);
  },
};
