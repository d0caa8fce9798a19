import type { Socket } from "node:net";
import type { ForwardedClient } from "../../auth/proxies/trusted-proxies.ts";
import type { HttpRequest, RequestMemory } from "../../base/http-message.ts";
import { plainAddress } from "../../base/plain-address.ts";
import { acceptsGzip } from "./finish-reply.ts";
import { readTarget } from "./request-target.ts";
import type { RequestTarget } from "./request-target.ts";
import { isTlsSocket } from "./tls-socket.ts";

/** Longest head that is read here, and most header lines; a longer one is for `node:http` to take or to refuse. */
const MAX_PLAIN_BYTES = 8 * 1024;
const MAX_FIELDS = 64;

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** By byte of a header name, its lower-case form; 0 for what no name has. Spec: RFC 9110 section 5.6.2 (token). */
const NAME_BYTE = nameBytes();
/** By byte, 1 for what a request target may have here: printable ASCII, without `#`. */
const TARGET_BYTE = targetBytes();

const HOST = hashName("host");
const CONNECTION = hashName("connection");

/** Names that say, or may say to somebody, that a body follows, that a request is more than one, or asks for more. */
const NOT_PLAIN: ReadonlySet<number> = new Set(
  [
    "content-length",
    "transfer-encoding",
    "expect",
    "upgrade",
    "trailer",
    "te",
    "proxy-connection",
    "http2-settings",
  ].map(hashName),
);

/** What the form of a reply depends on beside the method. */
export type HeadTraits = {
  /** It asks for a part, or only for what is new. */
  readonly isConditional: boolean;
  readonly acceptsGzip: boolean;
};

/**
 * The head of a plain request: GET or HEAD, origin form, HTTP/1.1, no body, every header name once.
 *
 * Ownership: refers to the bytes that it was read from; they are never written to.
 */
export class PlainHead {
  readonly isHead: boolean;
  readonly wantsClose: boolean;
  readonly target: RequestTarget;
  /** Where the next request begins. */
  readonly endOffset: number;
  readonly #bytes: Buffer;
  #traits: HeadTraits | null = null;
  /** By fours: hash of the name, start of the name, start and end of the value. */
  readonly #fields: readonly number[];

  constructor(bytes: Buffer, line: RequestLine, fields: Fields) {
    this.isHead = line.isHead;
    this.wantsClose = fields.wantsClose;
    this.target = readTarget(bytes.toString("latin1", line.targetStart, line.targetEnd));
    this.endOffset = fields.endOffset;
    this.#bytes = bytes;
    this.#fields = fields.places;
  }

  /** What a reply's form depends on. */
  get traits(): HeadTraits {
    return (this.#traits ??= {
      isConditional: this.header("range") !== undefined || this.header("if-none-match") !== undefined,
      acceptsGzip: acceptsGzip(this.header("accept-encoding")),
    });
  }

  /** Whether these bytes are this head and nothing else. */
  isAllOf(bytes: Uint8Array): boolean {
    return this.endOffset === bytes.length && this.#bytes.equals(bytes);
  }

  /** One header by its lower-case name. No two names of a plain head have one hash. */
  header(name: string): string | undefined {
    const hash = hashName(name);
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i += 4) {
      if (fields[i] !== hash || !isNameAt(this.#bytes, fields[i + 1]!, name)) continue;
      return this.#bytes.toString("latin1", fields[i + 2], fields[i + 3]);
    }
    return undefined;
  }
}

/** A plain request as handlers see it. */
export class PlainRequest implements HttpRequest {
  readonly method: "GET" | "HEAD";
  readonly path: string;
  readonly query: URLSearchParams;
  readonly memory: RequestMemory;
  readonly #head: PlainHead;
  readonly #socket: Socket;
  /** Who asks through a proxy. */
  readonly #client: ForwardedClient | null;
  #left: (() => void) | null = null;

  constructor(
    head: PlainHead,
    socket: Socket,
    memory: RequestMemory,
    client: ForwardedClient | null = null,
  ) {
    const { path, query } = head.target;
    this.method = head.isHead ? "HEAD" : "GET";
    this.path = typeof path === "string" ? path : "/";
    this.query = query;
    this.memory = memory;
    this.#head = head;
    this.#socket = socket;
    this.#client = client;
  }

  get remoteAddress(): string {
    return this.#client === null ? plainAddress(this.#socket.remoteAddress ?? "") : this.#client.address;
  }

  get isTls(): boolean {
    return this.#client?.isTls ?? isTlsSocket(this.#socket);
  }

  header(name: string): string | undefined {
    const host = this.#client !== null && name === "host" ? this.#client.host : null;
    return host ?? this.#head.header(name);
  }

  onLeave(run: () => void): void {
    this.#left = run;
  }

  /** For its connection: the client has left. Returns: whether the handler wanted to know. */
  leave(): boolean {
    const left = this.#left;
    this.#left = null;
    left?.();
    return left !== null;
  }
}

type RequestLine = {
  readonly isHead: boolean;
  readonly targetStart: number;
  readonly targetEnd: number;
  readonly endOffset: number;
};

type Fields = {
  readonly places: readonly number[];
  readonly wantsClose: boolean;
  readonly endOffset: number;
};

/**
 * Reads one plain request that begins at `start`.
 *
 * Returns: `null` for everything else, be it another kind of request, a broken one or one that is not all there yet:
 * the caller gives it to `node:http` with all that follows, so that only one parser ever judges a doubtful request.
 * What is accepted has no body, so its end is the end of its head, and both parsers would agree on that.
 * Spec: RFC 9112 sections 2.2, 3 and 5; stricter: CR LF only, no folding, no whitespace before the colon, printable
 * ASCII values, Host exactly once.
 */
export function parsePlainHead(bytes: Buffer, start: number): PlainHead | null {
  const line = parseRequestLine(bytes, start);
  if (line === null) return null;
  const fields = parseFields(bytes, line.endOffset, Math.min(bytes.length, start + MAX_PLAIN_BYTES));
  return fields === null ? null : new PlainHead(bytes, line, fields);
}

function parseRequestLine(bytes: Buffer, start: number): RequestLine | null {
  const isGet = bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54;
  const isHead =
    !isGet &&
    bytes[start] === 0x48 &&
    bytes[start + 1] === 0x45 &&
    bytes[start + 2] === 0x41 &&
    bytes[start + 3] === 0x44;
  if (!isGet && !isHead) return null;
  const space = start + (isGet ? 3 : 4);
  // "/" begins the origin form: no absolute form, no "*".
  if (bytes[space] !== SPACE || bytes[space + 1] !== 0x2f) return null;
  const limit = Math.min(bytes.length, start + MAX_PLAIN_BYTES);
  let offset = space + 2;
  while (offset < limit && TARGET_BYTE[bytes[offset]!] === 1) offset++;
  if (!isVersionAt(bytes, offset)) return null;
  return { isHead, targetStart: space + 1, targetEnd: offset, endOffset: offset + 11 };
}

/** ` HTTP/1.1` and the line's end. */
function isVersionAt(bytes: Buffer, offset: number): boolean {
  return (
    offset + 11 <= bytes.length &&
    bytes[offset] === SPACE &&
    bytes[offset + 1] === 0x48 &&
    bytes[offset + 2] === 0x54 &&
    bytes[offset + 3] === 0x54 &&
    bytes[offset + 4] === 0x50 &&
    bytes[offset + 5] === 0x2f &&
    bytes[offset + 6] === 0x31 &&
    bytes[offset + 7] === 0x2e &&
    bytes[offset + 8] === 0x31 &&
    bytes[offset + 9] === CR &&
    bytes[offset + 10] === LF
  );
}

function parseFields(bytes: Buffer, start: number, limit: number): Fields | null {
  const places: number[] = [];
  let wantsClose = false;
  let hasHost = false;
  let offset = start;
  while (offset + 1 < limit) {
    if (bytes[offset] === CR) {
      if (bytes[offset + 1] !== LF || !hasHost) return null;
      return { places, wantsClose, endOffset: offset + 2 };
    }
    const nameStart = offset;
    let hash = 0;
    for (let byte = NAME_BYTE[bytes[offset]!]!; byte !== 0; byte = NAME_BYTE[bytes[offset]!]!) {
      hash = (Math.imul(hash, 31) + byte) | 0;
      if (++offset >= limit) return null;
    }
    hash >>>= 2;
    if (offset === nameStart || bytes[offset] !== COLON) return null;
    const valueStart = skipBlanks(bytes, offset + 1, limit);
    offset = valueStart;
    for (
      let byte = bytes[offset]!;
      (byte >= SPACE && byte < 0x7f) || byte === HTAB;
      byte = bytes[offset]!
    ) {
      if (++offset >= limit) return null;
    }
    if (bytes[offset] !== CR || bytes[offset + 1] !== LF || isRefused(places, hash)) return null;
    const valueEnd = trimBlanks(bytes, valueStart, offset);
    if (hash === HOST) {
      hasHost = valueEnd > valueStart && isNameAt(bytes, nameStart, "host");
    } else if (hash === CONNECTION) {
      const connection = bytes.toString("latin1", valueStart, valueEnd).toLowerCase();
      if (connection !== "keep-alive" && connection !== "close") return null;
      wantsClose = connection === "close";
    }
    places.push(hash, nameStart, valueStart, valueEnd);
    offset += 2;
  }
  return null;
}

/** A name that is not plain, or one too many, or one that is there already: what two of a kind mean, others decide. */
function isRefused(places: readonly number[], hash: number): boolean {
  if (NOT_PLAIN.has(hash) || places.length >= MAX_FIELDS * 4) return true;
  for (let i = 0; i < places.length; i += 4) if (places[i] === hash) return true;
  return false;
}

/** Names that share a hash are told apart here: nobody passes a header off as another one. */
function isNameAt(bytes: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++)
    if (NAME_BYTE[bytes[start + i]!] !== name.charCodeAt(i)) return false;
  return bytes[start + name.length] === COLON;
}

function skipBlanks(bytes: Buffer, start: number, limit: number): number {
  let offset = start;
  while (offset < limit && (bytes[offset] === SPACE || bytes[offset] === HTAB)) offset++;
  return offset;
}

function trimBlanks(bytes: Buffer, start: number, end: number): number {
  let offset = end;
  while (offset > start && (bytes[offset - 1] === SPACE || bytes[offset - 1] === HTAB)) offset--;
  return offset;
}

/** Of a lower-case name; 30 bits. Equal for two names by chance or on purpose: such a head is not plain. */
function hashName(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return hash >>> 2;
}

function nameBytes(): Uint8Array {
  const table = new Uint8Array(256);
  for (const other of `${LETTERS}0123456789!#$%&'*+-.^_\`|~`)
    table[other.charCodeAt(0)] = other.charCodeAt(0);
  for (const letter of LETTERS) table[letter.toUpperCase().charCodeAt(0)] = letter.charCodeAt(0);
  return table;
}

function targetBytes(): Uint8Array {
  const table = new Uint8Array(256).fill(1, 0x21, 0x7f);
  table["#".charCodeAt(0)] = 0;
  return table;
}
