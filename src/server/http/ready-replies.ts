import type { HttpFile, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { finishFile, finishReply } from "./finish-reply.ts";
import type { WireReply } from "./finish-reply.ts";
import type { ByteRange } from "./byte-range.ts";
import type { HeadTraits } from "./plain-request.ts";
import { ReplyHeads } from "./reply-head.ts";

/** A reply as bytes. Ownership: shared by all that are sent it, never written to. */
export type WireForm = {
  /** The second whose Date it has. */
  readonly second: number;
  /** The head, and the whole body when it is small. */
  readonly first: Buffer;
  /** The rest of the body. */
  readonly rest: readonly Buffer[];
};

/** Up to here a copy behind the head, once a second, is cheaper than a second buffer in every write. */
const MAX_JOINED_BYTES = 32 * 1024;

/** Forms of one reply: with and without body, connection kept or closed, plain or gzip. */
const FORMS = 8;

/**
 * Turns replies into bytes. A reply object that handlers return again and again, such as that of a playlist, is turned
 * once a second, for its Date; its forms are kept as long as the object itself.
 */
export class ReadyReplies {
  readonly #heads: ReplyHeads;
  readonly #known = new WeakMap<HttpReply, (WireForm | null)[]>();

  constructor(idleTimeoutMs: number) {
    this.#heads = new ReplyHeads(idleTimeoutMs);
  }

  /** What this request is sent. Throws: RangeError when a header cannot be sent. */
  form(request: HttpRequest, traits: HeadTraits, reply: HttpReply, keepsOpen: boolean): WireForm {
    const { second } = this.#heads;
    // A body that is lent is sent once, and its form must not outlive it.
    if (traits.isConditional || reply.release !== undefined || reply.isOnce === true) {
      return this.#make(finishReply(request, reply), keepsOpen, second);
    }
    const isZipped = traits.acceptsGzip && reply.gzip !== undefined;
    const index = (request.method === "HEAD" ? 1 : 0) + (keepsOpen ? 2 : 0) + (isZipped ? 4 : 0);
    const forms = this.#formsOf(reply);
    const found = forms[index];
    if (found !== null && found?.second === second) return found;
    const made = this.#make(finishReply(request, reply), keepsOpen, second);
    forms[index] = made;
    return made;
  }

  /**
   * The head that stands before a body of unknown length: in chunks where the connection is kept or the reply says so,
   * else up to the end of the connection. Throws: RangeError when a header cannot be sent.
   */
  streamHead(request: HttpRequest, reply: HttpReply, keepsOpen: boolean): Buffer {
    const { status, headers } = finishReply(request, reply);
    const coding = reply.isChunked === true ? ["Transfer-Encoding", "chunked"] : [];
    return Buffer.from(this.#heads.write(status, [...headers, ...coding], keepsOpen), "latin1");
  }

  /**
   * The head that makes a connection a WebSocket; `accept`: of its handshake. Throws: RangeError when a header cannot be
   * sent. Spec: RFC 6455 section 4.2.2.
   */
  upgradeHead(reply: HttpReply, accept: string): Buffer {
    const lines = ["upgrade", "websocket", "sec-websocket-accept", accept, ...reply.headers.flat()];
    return Buffer.from(this.#heads.write(101, lines, "upgrade"), "latin1");
  }

  /** The head before a file, and the part of it that follows. Throws: RangeError when a header cannot be sent. */
  fileHead(
    request: HttpRequest,
    reply: HttpReply,
    file: HttpFile,
    keepsOpen: boolean,
  ): { readonly head: Buffer; readonly range: ByteRange | null } {
    const { status, headers, range } = finishFile(request, reply, file);
    return { head: Buffer.from(this.#heads.write(status, headers, keepsOpen), "latin1"), range };
  }

  #formsOf(reply: HttpReply): (WireForm | null)[] {
    let forms = this.#known.get(reply);
    if (forms === undefined) {
      forms = Array.from({ length: FORMS }, () => null);
      this.#known.set(reply, forms);
    }
    return forms;
  }

  #make({ status, headers, body }: WireReply, keepsOpen: boolean, second: number): WireForm {
    const head = Buffer.from(this.#heads.write(status, headers, keepsOpen), "latin1");
    let bodyBytes = 0;
    for (const chunk of body) bodyBytes += chunk.byteLength;
    if (bodyBytes === 0) return { second, first: head, rest: [] };
    if (bodyBytes <= MAX_JOINED_BYTES) return { second, first: Buffer.concat([head, ...body]), rest: [] };
    return { second, first: head, rest: body.map(asBuffer) };
  }
}

/** The same bytes; sockets would make this view anew for every write. */
function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
