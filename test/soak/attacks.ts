/** What intruders send. Each defect is a line of its own, made from a seed. */
import type { Random } from "../fuzz/random.ts";
import { clientHandshake, command, connectCommand } from "./rtmp-peer.ts";
import { APP, streamOf } from "./world.ts";

/** One way to be a nuisance. */
export type Attack = {
  readonly name: string;
  readonly port: "rtmp" | "http";
  /** `drip`: a byte at a time; `flood`: all at once without reading a reply; `send`: all at once. */
  readonly manner: "send" | "drip" | "flood";
  bytes(random: Random): Uint8Array;
};

/** A full chunk header (form 0). Spec: Adobe RTMP 1.0 section 5.3.1.2. */
function chunk(chunkStreamId: number, lengthBytes: number, typeId: number, body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(12);
  header[0] = chunkStreamId;
  header.writeUIntBE(lengthBytes, 4, 3);
  header[7] = typeId;
  return Buffer.concat([header, body]);
}

function noise(random: Random, lengthBytes: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, () => random.next() & 0xff);
}

function afterHandshake(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([clientHandshake(), ...parts]);
}

function repeated(count: number, make: (index: number) => Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
}

const text = (words: string): Uint8Array => Buffer.from(words, "latin1");
const playlist = (random: Random): string => `/${APP}/${streamOf(random.below(8))}/index.m3u8`;
const HOST = "Host: 127.0.0.1\r\n";

const RTMP_ATTACKS: readonly Attack[] = [
  { name: "noise", port: "rtmp", manner: "send", bytes: (random) => noise(random, 4000) },
  {
    name: "half a handshake",
    port: "rtmp",
    manner: "send",
    bytes: (random) => clientHandshake().subarray(0, 1 + random.below(3000)),
  },
  { name: "a handshake byte by byte", port: "rtmp", manner: "drip", bytes: () => clientHandshake() },
  {
    name: "noise behind the handshake",
    port: "rtmp",
    manner: "send",
    bytes: (random) => afterHandshake(noise(random, 6000)),
  },
  {
    name: "a message of 16 MB that never comes",
    port: "rtmp",
    manner: "send",
    bytes: () => afterHandshake(chunk(3, 0xffffff, 20, new Uint8Array(128))),
  },
  {
    name: "a chunk size of zero",
    port: "rtmp",
    manner: "send",
    bytes: () => afterHandshake(chunk(2, 4, 1, new Uint8Array(4))),
  },
  {
    name: "hundreds of chunk streams",
    port: "rtmp",
    manner: "send",
    bytes: () =>
      afterHandshake(
        repeated(300, (index) =>
          Buffer.concat([Buffer.of(0, index & 0xff), chunk(0, 200, 8, new Uint8Array(128)).subarray(1)]),
        ),
      ),
  },
  {
    name: "broken AMF",
    port: "rtmp",
    manner: "send",
    bytes: (random) => afterHandshake(chunk(3, 100, 20, noise(random, 100))),
  },
  {
    name: "a flood of createStream",
    port: "rtmp",
    manner: "flood",
    bytes: () =>
      afterHandshake(
        connectCommand(APP),
        repeated(2000, (index) => command("createStream", index + 2, null)),
      ),
  },
  {
    name: "bad names",
    port: "rtmp",
    manner: "send",
    bytes: (random) =>
      afterHandshake(
        connectCommand(APP),
        command("createStream", 2, null),
        command(random.pick(["publish", "play"]), 3, null, "../../etc/passwd\u0000", "live"),
      ),
  },
  {
    name: "a publisher of nothing",
    port: "rtmp",
    manner: "send",
    bytes: (random) =>
      afterHandshake(
        connectCommand(APP),
        command("createStream", 2, null),
        command("publish", 3, null, `nothing${random.below(50)}`, "live"),
      ),
  },
  {
    name: "HTTP at the RTMP port",
    port: "rtmp",
    manner: "send",
    bytes: () => text(`GET / HTTP/1.1\r\n${HOST}\r\n`),
  },
];

const HTTP_ATTACKS: readonly Attack[] = [
  { name: "noise", port: "http", manner: "send", bytes: (random) => noise(random, 4000) },
  { name: "RTMP at the HTTP port", port: "http", manner: "send", bytes: () => clientHandshake() },
  {
    name: "an oversize head",
    port: "http",
    manner: "send",
    bytes: (random) =>
      text(`GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(20_000 + random.below(60_000))}\r\n\r\n`),
  },
  {
    name: "half a request",
    port: "http",
    manner: "send",
    bytes: (random) => text(`GET ${playlist(random)} HTTP/1.1\r\nHost: 127.0`),
  },
  {
    name: "a head byte by byte",
    port: "http",
    manner: "drip",
    bytes: (random) => text(`GET ${playlist(random)} HTTP/1.1\r\n${HOST}\r\n`),
  },
  {
    name: "a flood of pipelined requests",
    port: "http",
    manner: "flood",
    bytes: (random) => repeated(500, () => text(`GET ${playlist(random)} HTTP/1.1\r\n${HOST}\r\n`)),
  },
  {
    name: "two lengths",
    port: "http",
    manner: "send",
    bytes: () => text(`POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`),
  },
  {
    name: "a body that never comes",
    port: "http",
    manner: "send",
    bytes: (random) =>
      text(`POST ${playlist(random)} HTTP/1.1\r\n${HOST}Content-Length: 100000\r\n\r\nabc`),
  },
  {
    name: "odd ranges",
    port: "http",
    manner: "send",
    bytes: (random) => {
      const range = random.pick(["9-1", "-0", "0-0,5-9", "a-b"]);
      return text(`GET ${playlist(random)} HTTP/1.1\r\n${HOST}Range: bytes=${range}\r\n\r\n`);
    },
  },
];

/** Every attack. */
export const ATTACKS: readonly Attack[] = [...RTMP_ATTACKS, ...HTTP_ATTACKS];
