import type { Socket } from "node:net";
import { Allowance } from "../../base/allowance.ts";
import { systemClock } from "../../base/clock.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { HttpReply, WebSocketPeer, WebSocketSink, WebSocketStart } from "../../base/http-message.ts";
import { CLOSE_CODE, closeCodeOf } from "../../base/web-socket/errors.ts";
import { WebSocketReader } from "../../base/web-socket/frame-reader.ts";
import type { WebSocketMessage } from "../../base/web-socket/frame-reader.ts";
import { OPCODE, buildCloseFrame, buildFrame, buildTextFrame } from "../../base/web-socket/frame-writer.ts";
import { EndlessBody } from "./endless-body.ts";
import type { BodyCarrier } from "./endless-body.ts";
import type { WireForm } from "./ready-replies.ts";

/** What goes out in front of the frames, and in place of them. */
export type WebSocketParts = {
  /** The head that accepts the handshake. */
  readonly head: Buffer;
  readonly start: WebSocketStart;
  /** Another reply, for a connection that is closed behind it. */
  instead(reply: HttpReply): WireForm;
  /** How long a client may take to close after it was told to. */
  readonly closeTimeoutMs: number;
  /** Of pings. */
  readonly clock?: Clock;
  /** The client broke the protocol. */
  onBroken(reason: string): void;
};

/** Answers to pings are left out while so much waits: only the last one asks for one. Spec: RFC 6455 section 5.5.3. */
const MAX_PONG_QUEUE_BYTES = 64 * 1024;

/** Of what a client says that nobody hears, so much is dropped before it is closed: as where it only has to read. */
const MAX_UNHEARD_BYTES = 64 * 1024;
/**
 * Pings and pongs that a client may send at once, and a second: one in some seconds is usual, and a proxy that comes back
 * may send some together. Each costs a read, and a ping a write, that nobody watches for.
 */
const CONTROL_LIMITS = { burst: 100, perSecond: 10 };
/** After so much silence a client is asked whether it is there: proxies close what is silent, and so do we. */
const PING_AFTER_MS = 20_000;
/** Silent for so long, it is not. */
const GONE_AFTER_MS = 60_000;

const NOTHING = new Uint8Array(0);

const PING = buildFrame(OPCODE.ping, NOTHING);

/** One WebSocket: its frames go out as they are given, in the way of an endless body; what the client says is read here. */
export class WebSocketConnection implements WebSocketSink {
  /** The way out; whoever bounds endless bodies bounds it too. */
  readonly body: EndlessBody;
  readonly #socket: Socket;
  readonly #parts: WebSocketParts;
  readonly #carrier: Carrier;
  readonly #reader = new WebSocketReader();
  #peer: WebSocketPeer | null = null;
  #isClosing = false;
  readonly #clock: Clock;
  #heardUs: number;
  #silenceTimer: Timer | null = null;
  #unheardBytes = 0;
  readonly #controlFrames: Allowance;

  constructor(socket: Socket, parts: WebSocketParts) {
    this.#clock = parts.clock ?? systemClock;
    this.#heardUs = this.#clock.nowUs();
    this.#controlFrames = new Allowance(this.#clock, CONTROL_LIMITS);
    this.#socket = socket;
    this.#parts = parts;
    this.#carrier = new Carrier(socket, parts);
    this.body = new EndlessBody(this.#carrier);
  }

  /** Begins. Throws what the start throws, when nothing has been sent. */
  open(): void {
    const socket = this.#socket;
    this.body.start(() => {
      const peer = this.#parts.start(this);
      if (!this.#isClosing) this.#peer = peer;
      return { close: () => this.#left() };
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("drain", () => {
      this.body.drained();
      this.#peer?.drained?.();
    });
    socket.on("end", () => this.body.destroy());
    socket.on("close", () => {
      this.#silenceTimer?.cancel();
      this.body.left();
    });
    this.#silenceTimer = this.#clock.schedule(PING_AFTER_MS, () => this.#watchSilence());
    socket.resume();
  }

  accept(): void {
    this.body.write(NOTHING);
  }

  write(frames: Uint8Array): void {
    if (!this.#isClosing) this.body.write(frames);
  }

  sendText(text: string): void {
    this.write(buildTextFrame(text));
  }

  queuedBytes(): number {
    return this.body.queuedBytes();
  }

  close(code: number, reason: string, instead?: HttpReply): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#peer = null;
    if (instead === undefined || this.#carrier.isHeadSent) this.body.write(buildCloseFrame(code, reason));
    this.body.end(instead);
  }

  /** Closes it from the server's side; whoever feeds it is told. */
  shut(code: number, reason: string): void {
    const peer = this.#peer;
    this.close(code, reason);
    peer?.close();
  }

  #left(): void {
    const peer = this.#peer;
    this.#isClosing = true;
    this.#peer = null;
    peer?.close();
  }

  #watchSilence(): void {
    if (this.#isClosing) return;
    const silentMs = (this.#clock.nowUs() - this.#heardUs) / 1000;
    if (silentMs >= GONE_AFTER_MS) {
      this.shut(CLOSE_CODE.tryAgainLater, `no answer to pings for ${GONE_AFTER_MS / 1000} s`);
      return;
    }
    // Before the handshake is accepted it would be that.
    if (silentMs >= PING_AFTER_MS && this.#carrier.isHeadSent) this.write(PING);
    const nextMs = silentMs >= PING_AFTER_MS ? PING_AFTER_MS : PING_AFTER_MS - silentMs;
    this.#silenceTimer = this.#clock.schedule(nextMs, () => this.#watchSilence());
  }

  #read(chunk: Buffer): void {
    if (this.#isClosing) return;
    this.#heardUs = this.#clock.nowUs();
    try {
      this.#reader.feed(chunk);
      for (let message = this.#next(); message !== null; message = this.#next()) this.#hear(message);
    } catch (caught) {
      const error = asMediaError(caught);
      if (error === null) throw caught;
      this.#parts.onBroken(messageOf(error));
      this.shut(closeCodeOf(error), error.message);
    }
  }

  /** What follows a close frame is not looked at. */
  #next(): WebSocketMessage | null {
    return this.#isClosing ? null : this.#reader.next();
  }

  #hear(message: WebSocketMessage): void {
    if (message.type === "text" && this.#peer?.onText !== undefined) this.#peer.onText(message.text);
    else if (message.type === "text") this.#drop(Buffer.byteLength(message.text));
    else if (message.type === "binary") this.#drop(message.bytes.byteLength);
    else if (message.type === "close") this.shut(answerTo(message.code), "");
    else if (!this.#controlFrames.take()) this.#refuseFlood();
    else if (message.type === "ping") this.#pong(message.bytes);
  }

  #refuseFlood(): void {
    const { burst, perSecond } = CONTROL_LIMITS;
    const reason = `more pings and pongs than ${burst} at once and ${perSecond} a second`;
    this.#parts.onBroken(reason);
    this.shut(CLOSE_CODE.policy, reason);
  }

  #drop(lengthBytes: number): void {
    this.#unheardBytes += Math.max(1, lengthBytes);
    if (this.#unheardBytes <= MAX_UNHEARD_BYTES) return;
    const reason = `more than ${MAX_UNHEARD_BYTES} bytes that nobody here wants`;
    this.#parts.onBroken(reason);
    this.shut(CLOSE_CODE.policy, reason);
  }

  #pong(bytes: Uint8Array): void {
    if (this.queuedBytes() <= MAX_PONG_QUEUE_BYTES) this.write(buildFrame(OPCODE.pong, bytes));
  }
}

/** A close frame is answered with its own code; 1005 is never sent. Spec: RFC 6455 sections 5.5.1, 7.4.1. */
function answerTo(code: number): number {
  return code === 1005 ? CLOSE_CODE.normal : code;
}

class Carrier implements BodyCarrier {
  readonly socket: Socket;
  isHeadSent = false;
  readonly #parts: WebSocketParts;

  constructor(socket: Socket, parts: WebSocketParts) {
    this.socket = socket;
    this.#parts = parts;
  }

  sendHead(): void {
    this.isHeadSent = true;
    this.socket.write(this.#parts.head);
  }

  sendInstead(reply: HttpReply): void {
    const { first, rest } = this.#parts.instead(reply);
    this.socket.write(first);
    for (const chunk of rest) this.socket.write(chunk);
    this.socket.end();
    this.finish();
  }

  /** The client closes first, so that it has read the close frame; who does not is cut off. */
  finish(): void {
    const { socket } = this;
    const timer: Timer = systemClock.schedule(this.#parts.closeTimeoutMs, () => socket.destroy());
    socket.once("close", () => timer.cancel());
  }

  destroy(): void {
    this.socket.destroy();
  }
}
