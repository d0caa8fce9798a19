/**
 * Endless bodies that the control thread gives to clients of media threads. The reply's head crosses as any other, with a
 * number; whoever sends it asks for the body by that number. What was sent and not taken by the client is told back, so that
 * the source can bound it.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import type { HttpBodySink, HttpBodySource, HttpReply, HttpStream } from "../../base/http-message.ts";
import { errorReply } from "../../api/error-reply.ts";
import { packReply, unpackReply } from "./packed-http.ts";
import type { PackedReply } from "./packed-http.ts";

/** What a media thread says of a body. `queuedBytes`: that the client has not taken. */
export type BodyWish =
  | { readonly kind: "begin" | "left"; readonly id: number }
  | {
      readonly kind: "queued";
      readonly id: number;
      readonly queuedBytes: number;
      readonly ofBytes: number;
    };

/** What the control thread sends of a body. */
export type BodyPiece =
  | { readonly kind: "bytes"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly id: number; readonly instead: PackedReply | null }
  | { readonly kind: "abort"; readonly id: number };

/** Bodies of one thread, begun or not. */
const MAX_BODIES = 1000;
/** Who has not asked for a body by then does not want it: its client left, or asked for the head alone. */
const WANTED_MS = 10_000;

type GivenBody = {
  readonly stream: HttpStream;
  timer: Timer | null;
  source: HttpBodySource | null;
  /** Bytes that were sent to the other thread, and of which so many are not taken as it last said. */
  sentBytes: number;
  takenBytes: number;
  isOver: boolean;
};

/** In the control thread: the bodies that it gives to one media thread. */
export class GivenBodies {
  readonly #clock: Clock;
  readonly #send: (piece: BodyPiece) => void;
  readonly #bodies = new Map<number, GivenBody>();
  #nextId = 1;

  constructor(clock: Clock, send: (piece: BodyPiece) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Bodies that are given or wait to be wanted. */
  get size(): number {
    return this.#bodies.size;
  }

  /** Makes data of a reply, and keeps its endless body until that is wanted. */
  pack(reply: HttpReply): PackedReply {
    const { stream } = reply;
    const packed = packReply(reply);
    if (stream === undefined) return packed;
    const id = this.#nextId++;
    const timer = this.#clock.schedule(WANTED_MS, () => this.#bodies.delete(id));
    if (this.#bodies.size >= MAX_BODIES) this.#forgetOneThatWaits();
    this.#bodies.set(id, { stream, timer, source: null, sentBytes: 0, takenBytes: 0, isOver: false });
    return { ...packed, streamId: id };
  }

  /** Does what the other thread says. */
  take(wish: BodyWish): void {
    const body = this.#bodies.get(wish.id);
    if (body === undefined) {
      if (wish.kind === "begin") this.#send({ kind: "abort", id: wish.id });
      return;
    }
    switch (wish.kind) {
      case "begin":
        return this.#begin(wish.id, body);
      case "left":
        return this.#left(wish.id, body);
      case "queued":
        body.takenBytes = wish.ofBytes - wish.queuedBytes;
        body.source?.drained?.();
    }
  }

  /** The thread is gone: so are its clients. */
  close(): void {
    for (const [id, body] of [...this.#bodies]) this.#left(id, body);
  }

  #begin(id: number, body: GivenBody): void {
    if (body.timer === null) return;
    body.timer.cancel();
    body.timer = null;
    try {
      const source = body.stream(this.#sinkOf(id, body));
      if (body.isOver) return;
      body.source = source;
    } catch (caught) {
      const error = asMediaError(caught);
      const instead = error === null || body.sentBytes > 0 ? null : packReply(errorReply(error));
      this.#over(id, body);
      this.#send(instead === null ? { kind: "abort", id } : { kind: "end", id, instead });
    }
  }

  #sinkOf(id: number, body: GivenBody): HttpBodySink {
    return {
      write: (bytes) => {
        if (body.isOver) return;
        body.sentBytes += bytes.byteLength;
        this.#send({ kind: "bytes", id, bytes });
      },
      queuedBytes: () => (body.isOver ? 0 : body.sentBytes - body.takenBytes),
      end: (instead) => {
        if (body.isOver) return;
        this.#over(id, body);
        this.#send({ kind: "end", id, instead: instead === undefined ? null : packReply(instead) });
      },
      abort: () => {
        if (body.isOver) return;
        this.#over(id, body);
        this.#send({ kind: "abort", id });
      },
    };
  }

  #left(id: number, body: GivenBody): void {
    const { source } = body;
    this.#over(id, body);
    source?.close();
  }

  #over(id: number, body: GivenBody): void {
    body.timer?.cancel();
    body.isOver = true;
    body.source = null;
    this.#bodies.delete(id);
  }

  #forgetOneThatWaits(): void {
    for (const [id, body] of this.#bodies) {
      if (body.timer === null) continue;
      this.#over(id, body);
      return;
    }
  }
}

type TakenBody = { readonly sink: HttpBodySink; sentBytes: number };

/** In a media thread: the bodies that it takes from the control thread. */
export class TakenBodies {
  readonly #tell: (wish: BodyWish) => void;
  readonly #bodies = new Map<number, TakenBody>();

  constructor(tell: (wish: BodyWish) => void) {
    this.#tell = tell;
  }

  /** Bodies that are being sent. */
  get size(): number {
    return this.#bodies.size;
  }

  /** Makes a reply of data, whose endless body is asked for when it is sent. */
  unpack(packed: PackedReply): HttpReply {
    const { streamId: id } = packed;
    const reply = unpackReply(packed);
    return id === undefined ? reply : { ...reply, stream: (sink) => this.#begin(id, sink) };
  }

  /** The next piece of a body; one of a body that is over is thrown away. */
  take(piece: BodyPiece): void {
    const body = this.#bodies.get(piece.id);
    if (body === undefined) return;
    switch (piece.kind) {
      case "bytes":
        body.sentBytes += piece.bytes.byteLength;
        body.sink.write(piece.bytes);
        return this.#tellQueued(piece.id, body);
      case "end":
        this.#bodies.delete(piece.id);
        return body.sink.end(piece.instead === null ? undefined : unpackReply(piece.instead));
      case "abort":
        this.#bodies.delete(piece.id);
        body.sink.abort();
    }
  }

  #begin(id: number, sink: HttpBodySink): HttpBodySource {
    const body = { sink, sentBytes: 0 };
    this.#bodies.set(id, body);
    this.#tell({ kind: "begin", id });
    return {
      close: () => {
        if (this.#bodies.delete(id)) this.#tell({ kind: "left", id });
      },
      drained: () => this.#tellQueued(id, body),
    };
  }

  #tellQueued(id: number, { sink, sentBytes }: TakenBody): void {
    if (!this.#bodies.has(id)) return;
    this.#tell({ kind: "queued", id, queuedBytes: sink.queuedBytes(), ofBytes: sentBytes });
  }
}
