import { constants } from "node:http2";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { totalBytes } from "../../base/bytes.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpFile, HttpReply, HttpRequest, HttpStream } from "../../base/http-message.ts";
import type { SendSocket } from "../../base/send-queue.ts";
import { EndlessBody } from "./endless-body.ts";
import type { BodyCarrier } from "./endless-body.ts";
import { FileBody, PIECE_BYTES } from "./file-body.ts";
import { finishFile, finishReply } from "./finish-reply.ts";
import type { WireReply } from "./finish-reply.ts";
import { forwardedRequest } from "./forwarded-request.ts";
import type { Http2Parts } from "./https-parts.ts";
import { isHeaderValue } from "./reply-head.ts";
import { ReplyHold } from "./reply-budget.ts";
import { readTarget } from "./request-target.ts";
import type { RequestTarget } from "./request-target.ts";
import { takeUpload } from "./upload.ts";
import type { UploadSource } from "./upload.ts";

const NO_WEB_SOCKET = "a WebSocket begins with GET over HTTP/1.1 and the header Connection: Upgrade";

const { NGHTTP2_NO_ERROR } = constants;

/**
 * Answers one request of an HTTP/2 connection.
 *
 * A stream on which nothing moves for the idle time is reset, but for endless bodies, which are watched together with
 * those of HTTP/1.1. Spec: RFC 9113 section 8.
 */
export function answerHttp2(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  remoteAddress: string,
  parts: Http2Parts,
): void {
  // A stream that breaks is an error of it; that it closes is all that anybody wants to know.
  stream.on("error", () => {});
  const target = readTarget(headers[":path"] ?? "/");
  new Exchange(stream, headers, { remoteAddress, target, parts }).start();
}

class Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #parts: Http2Parts;
  readonly #target: RequestTarget;
  readonly #request: HttpRequest;
  #isAnswered = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    about: { readonly remoteAddress: string; readonly target: RequestTarget; readonly parts: Http2Parts },
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#parts = about.parts;
    this.#target = about.target;
    this.#request = this.#read(about.remoteAddress);
    const { idleTimeoutMs } = about.parts;
    stream.setTimeout(idleTimeoutMs, () => breakOff(stream));
  }

  start(): void {
    const { answers } = this.#parts;
    const reply = this.#hasTwoHosts()
      ? textReply(400, "the request has two hosts: :authority and Host")
      : answers.reply(this.#request, this.#target);
    if (!(reply instanceof Promise) && reply.upload !== undefined) {
      takeUpload(new Http2Body(this.#stream), reply.upload, {
        answer: (last) => this.#sendOrFail(last),
        answerEarly: (last) => this.#sendOrFail(last),
        failure: (caught) => answers.failure(caught, this.#target.rawPath),
        outgoing: this.#stream,
      });
      return;
    }
    // A body that nobody wants is dropped, and cut off behind the reply.
    this.#stream.resume();
    if (reply instanceof Promise) void reply.then((late) => this.#finish(late));
    else this.#finish(reply);
  }

  #finish(reply: HttpReply): void {
    if (this.#isGone()) reply.release?.();
    else this.#sendOrFail(reply);
  }

  #read(remoteAddress: string): HttpRequest {
    const { method, query, path } = { method: this.#headers[":method"] ?? "GET", ...this.#target };
    return forwardedRequest(this.#parts.proxies(), {
      method,
      path: typeof path === "string" ? path : "/",
      query,
      header: (name) => this.#header(name),
      remoteAddress,
      isTls: true,
      takesChunks: true,
      onLeave: (run) =>
        void this.#stream.once("close", () => {
          if (!this.#isAnswered) run();
        }),
    });
  }

  /** The host is `:authority` here. Spec: RFC 9113 section 8.3.1. */
  #header(name: string): string | undefined {
    const value =
      name === "host" ? (this.#headers[":authority"] ?? this.#headers.host) : this.#headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  #hasTwoHosts(): boolean {
    const { ":authority": authority, host } = this.#headers;
    return authority !== undefined && host !== undefined && authority !== host;
  }

  #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #sendOrFail(reply: HttpReply): void {
    this.#isAnswered = true;
    const stream = this.#stream;
    // A request may have come before its body's end; what is left of that is not waited for. Spec: section 8.1.
    stream.once("finish", () => {
      if (!stream.readableEnded && !stream.endAfterHeaders) stream.close(NGHTTP2_NO_ERROR);
    });
    try {
      this.#send(reply);
    } catch (caught) {
      const failure = this.#parts.answers.failure(caught, this.#target.rawPath);
      if (stream.headersSent) breakOff(stream);
      else this.#respond(finishReply(this.#request, failure));
    }
  }

  #send(reply: HttpReply): void {
    const { budget, answers } = this.#parts;
    const isHead = this.#request.method === "HEAD";
    if (reply.webSocket !== undefined) {
      this.#respond(finishReply(this.#request, textReply(400, NO_WEB_SOCKET)));
    } else if (reply.stream !== undefined && this.#request.method === "GET") {
      this.#sendEndless(reply, reply.stream);
    } else if (reply.file !== undefined) {
      this.#sendFile(reply, reply.file);
    } else {
      const ownBytes = isHead ? 0 : (reply.ownBytes ?? 0);
      if (ownBytes > 0 && !budget.take(ownBytes)) {
        reply.release?.();
        this.#parts.onBusy();
        this.#respond(finishReply(this.#request, answers.busy()));
        return;
      }
      this.#hold(reply, ownBytes, isHead ? 0 : totalBytes(reply.body));
      this.#respond(finishReply(this.#request, reply));
    }
  }

  #hold(reply: HttpReply, ownBytes: number, sentBytes: number): void {
    // The stream's own time goes on with every frame of its neighbours: nothing else ends a reader that stopped.
    if (sentBytes < UNWATCHED_BYTES && ownBytes === 0 && reply.release === undefined) return;
    const stream = this.#stream;
    const held = { ownBytes, sentBytes, reply };
    const hold = new ReplyHold(this.#parts.budget, held, () => breakOff(stream));
    stream.once("close", () => hold.release());
  }

  #respond({ status, headers, body }: WireReply): void {
    const stream = this.#stream;
    if (this.#isGone()) return;
    const isEmpty = body.every(({ byteLength }) => byteLength === 0);
    stream.respond(fieldsOf(status, headers), { endStream: isEmpty });
    if (isEmpty) return;
    stream.cork();
    for (const chunk of body) stream.write(chunk);
    stream.end();
    stream.uncork();
  }

  #sendEndless(reply: HttpReply, start: HttpStream): void {
    const stream = this.#stream;
    const { bodies } = this.#parts;
    const head = finishReply(this.#request, reply);
    const body = new EndlessBody(
      new StreamCarrier(stream, {
        sendHead: () => stream.respond(fieldsOf(head.status, head.headers)),
        sendInstead: (other) => this.#respond(finishReply(this.#request, other)),
      }),
    );
    body.start(start);
    stream.setTimeout(0);
    stream.on("drain", () => body.drained());
    bodies.add(body);
    stream.once("close", () => {
      bodies.delete(body);
      body.left();
    });
  }

  #sendFile(reply: HttpReply, file: HttpFile): void {
    const { budget, answers } = this.#parts;
    const stream = this.#stream;
    const { status, headers, range } = finishFile(this.#request, reply, file);
    if (range === null) {
      this.#respond({ status, headers, body: [] });
      return;
    }
    if (!budget.take(PIECE_BYTES)) {
      this.#parts.onBusy();
      this.#respond(finishReply(this.#request, answers.busy()));
      return;
    }
    stream.respond(fieldsOf(status, headers));
    const body = new FileBody(file, range, {
      write: (piece, onTaken) => void stream.write(piece, () => onTaken()),
      destroy: () => breakOff(stream),
    });
    stream.once("close", () => body.left());
    void body.run().then((end) => {
      budget.give(PIECE_BYTES);
      if (typeof end === "object") answers.failure(end.failure, this.#target.rawPath);
      if (end === "sent") stream.end();
      return end;
    });
  }
}

/** Resets a stream. `close` would end the body first, and the client would take what it has for the whole. */
function breakOff(stream: ServerHttp2Stream): void {
  stream.destroy(new Error("the reply is broken off"));
}

/** Names and values as the library takes them. Throws: RangeError for a value that would not stay one. */
function fieldsOf(status: number, headers: readonly string[]): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    const value = headers[i + 1]!;
    if (!isHeaderValue(value)) throw new RangeError(`header ${name} has a control character`);
    const known = fields[name];
    fields[name] = known === undefined ? value : [known, value].flat();
  }
  return { ":status": status, ...fields };
}

/** Carries an endless body: its end is the stream's, whether it is chunked over HTTP/1.1 or not. */
class StreamCarrier implements BodyCarrier {
  readonly socket: SendSocket;
  readonly #stream: ServerHttp2Stream;
  readonly #replies: { sendHead(): void; sendInstead(reply: HttpReply): void };

  constructor(
    stream: ServerHttp2Stream,
    replies: { sendHead(): void; sendInstead(reply: HttpReply): void },
  ) {
    this.#stream = stream;
    this.#replies = replies;
    this.socket = new StreamSocket(stream);
  }

  sendHead(): void {
    if (!this.#stream.destroyed && !this.#stream.closed) this.#replies.sendHead();
  }

  sendInstead(reply: HttpReply): void {
    this.#replies.sendInstead(reply);
  }

  /** The queue ends the stream behind what it holds; what is stuck then has the stream's own time. */
  finish(): void {
    const stream = this.#stream;
    stream.setTimeout(FINISH_MS, () => breakOff(stream));
  }

  destroy(): void {
    breakOff(this.#stream);
  }
}

/** So little the system takes at once, in most cases: it is not worth a timer. */
const UNWATCHED_BYTES = 16 * 1024;

/** A client that takes nothing of the end of a body for so long is cut off. */
const FINISH_MS = 30_000;

/** A stream as a send queue sees it. */
class StreamSocket implements SendSocket {
  readonly #stream: ServerHttp2Stream;
  bytesWritten = 0;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  get writable(): boolean {
    return this.#stream.writable && !this.#stream.closed;
  }

  get writableLength(): number {
    return this.#stream.writableLength;
  }

  get writableNeedDrain(): boolean {
    return this.#stream.writableNeedDrain;
  }

  write(bytes: Uint8Array): boolean {
    this.bytesWritten += bytes.byteLength;
    return this.#stream.write(bytes);
  }

  cork(): void {
    this.#stream.cork();
  }

  uncork(): void {
    this.#stream.uncork();
  }

  end(): void {
    this.#stream.end();
  }
}

/** The body of a request; one that the client broke off has no end. */
class Http2Body implements UploadSource {
  readonly #stream: ServerHttp2Stream;
  complete = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  on(event: "data" | "end" | "error" | "close", run: (chunk: Buffer) => void): void {
    if (event === "end") this.#stream.on("end", (): void => this.#end(run));
    else this.#stream.on(event, run);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  #end(run: (chunk: Buffer) => void): void {
    if (this.#stream.aborted || this.#stream.destroyed) return;
    this.complete = true;
    run(Buffer.alloc(0));
  }
}
