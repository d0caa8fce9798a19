import { createHmac, randomFillSync } from "node:crypto";
import { readU32, writeU32 } from "../../../base/bytes.ts";
import { rtmpErrors } from "../errors.ts";

const PACKET_BYTES = 1536;
const VERSION = 3;
const DIGEST_BYTES = 32;
const CLIENT_BYTES = 1 + PACKET_BYTES + PACKET_BYTES;

// The keys of the digest handshake. Adobe's specification leaves them out; every player and encoder that sends a
// digest knows them. The 32 bytes are common to both sides.
const COMMON_KEY = Buffer.from("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae", "hex");
const SERVER_NAME = Buffer.from("Genuine Adobe Flash Media Server 001", "latin1");
const CLIENT_NAME = Buffer.from("Genuine Adobe Flash Player 001", "latin1");
const SERVER_KEY = Buffer.concat([SERVER_NAME, COMMON_KEY]);

/** What one call of `ServerHandshake.feed` gives. */
export type HandshakeProgress = {
  /** How many of the bytes belong to the handshake. */
  readonly consumed: number;
  /** Bytes for the peer, or `null`. */
  readonly reply: Uint8Array | null;
};

/**
 * The server's half of the handshake, simple or with digests, without a socket.
 *
 * It answers C0 and C1 at once with S0, S1 and S2, and takes any C2: encoders in the field send both right and wrong
 * ones. When C1 holds a valid digest (either place), S1 and S2 hold digests too; else S2 repeats C1 byte for byte,
 * which librtmp compares.
 * Bound: 3073 bytes, allocated once.
 * Throws: RTMP_HANDSHAKE_VERSION on the first byte already, so that other protocols are told apart at once.
 * Spec: Adobe RTMP 1.0 section 5.2; the digests are described in the field only.
 */
export class ServerHandshake {
  readonly #received = new Uint8Array(CLIENT_BYTES);
  #filled = 0;
  #answered = false;

  /** True when C2 is complete: what follows is chunks. */
  get isDone(): boolean {
    return this.#filled === CLIENT_BYTES;
  }

  /** Takes bytes as they come; `nowMs` is the time put into S1. */
  feed(bytes: Uint8Array, nowMs: number): HandshakeProgress {
    const consumed = Math.min(bytes.byteLength, CLIENT_BYTES - this.#filled);
    this.#received.set(bytes.subarray(0, consumed), this.#filled);
    this.#filled += consumed;
    if (this.#filled > 0 && this.#received[0] !== VERSION) {
      throw rtmpErrors.error("RTMP_HANDSHAKE_VERSION", { version: this.#received[0]! });
    }
    if (this.#answered || this.#filled < 1 + PACKET_BYTES) return { consumed, reply: null };
    this.#answered = true;
    return { consumed, reply: buildReply(this.#received.subarray(1, 1 + PACKET_BYTES), nowMs) };
  }
}

function buildReply(c1: Uint8Array, nowMs: number): Uint8Array {
  const reply = new Uint8Array(CLIENT_BYTES);
  reply[0] = VERSION;
  const s1 = reply.subarray(1, 1 + PACKET_BYTES);
  const s2 = reply.subarray(1 + PACKET_BYTES);
  // Only who gives a version has a digest; looking for one costs four times what the rest of the reply does.
  const found = readU32(c1, 4) === 0 ? null : findDigest(c1, CLIENT_NAME);
  randomFillSync(s1, 8);
  writeU32(s1, 0, nowMs >>> 0);
  if (found === null) {
    s2.set(c1);
    return reply;
  }
  // Version bytes of S1 tell the client to look for a digest; 3.5.1.1 is the oldest server that sent one.
  s1.set([3, 5, 1, 1], 4);
  const place = digestPlace(s1, found.scheme);
  s1.set(digestAround(s1, place, SERVER_NAME), place);
  randomFillSync(s2, 0, PACKET_BYTES - DIGEST_BYTES);
  const key = createHmac("sha256", SERVER_KEY).update(found.digest).digest();
  const signature = createHmac("sha256", key)
    .update(s2.subarray(0, PACKET_BYTES - DIGEST_BYTES))
    .digest();
  s2.set(signature, PACKET_BYTES - DIGEST_BYTES);
  return reply;
}

/** Where the two schemes keep the four bytes whose sum places the digest. */
const SCHEMES = [
  { offsetAt: 8, base: 12 },
  { offsetAt: 772, base: 776 },
] as const;

type Scheme = (typeof SCHEMES)[number];

function digestPlace(packet: Uint8Array, scheme: Scheme): number {
  const at = scheme.offsetAt;
  return scheme.base + ((packet[at]! + packet[at + 1]! + packet[at + 2]! + packet[at + 3]!) % 728);
}

function digestAround(packet: Uint8Array, place: number, key: Uint8Array): Uint8Array {
  return createHmac("sha256", key)
    .update(packet.subarray(0, place))
    .update(packet.subarray(place + DIGEST_BYTES))
    .digest();
}

/**
 * Finds and checks the digest of a handshake packet of 1536 bytes.
 *
 * Returns: the digest and where it stands, or `null` when neither scheme holds a valid one.
 */
export function findDigest(
  packet: Uint8Array,
  key: Uint8Array,
): { readonly digest: Uint8Array; readonly scheme: Scheme } | null {
  for (const scheme of SCHEMES) {
    const place = digestPlace(packet, scheme);
    const digest = packet.subarray(place, place + DIGEST_BYTES);
    if (Buffer.from(digestAround(packet, place, key)).equals(digest)) return { digest, scheme };
  }
  return null;
}
