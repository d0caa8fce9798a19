import { strict as assert } from "node:assert";
import { asMediaError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { SubscriptionEnd } from "../../stream/wire-format.ts";
import { rtmpErrors } from "./errors.ts";
import { PLAY_MESSAGE_STREAM } from "./from-stream.ts";
import { applicationOfUrl, resolveTarget } from "./names.ts";
import type { RtmpTarget } from "./names.ts";
import { RtmpOutbox, WINDOW_BYTES } from "./outbox.ts";
import { isLegal } from "./session-states.ts";
import type { RtmpCloseReason, RtmpState } from "./session-states.ts";
import { enhancedProperties, statusObject } from "./status.ts";
import type { StatusKey } from "./status.ts";
import { amfField, amfObject } from "./wire/amf-value.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { ChunkReader } from "./wire/chunk-reader.ts";
import type { ChunkLimits, RtmpMessage } from "./wire/chunk-reader.ts";
import { ServerHandshake } from "./wire/handshake.ts";
import {
  CONTROL_EVENT,
  MESSAGE,
  parseCommand,
  parseControlNumber,
  parseUserControl,
} from "./wire/messages.ts";
import type { RtmpCommand } from "./wire/messages.ts";

/** Limits of one connection. */
export type RtmpSessionOptions = {
  readonly chunkLimits: ChunkLimits;
  /** From the first byte to `connect`. */
  readonly handshakeTimeoutMs: number;
  /** Connected, but neither publishing nor playing. */
  readonly idleTimeoutMs: number;
  /** A publisher that completes no message. */
  readonly publishTimeoutMs: number;
  /** A player that paused and does not come back. */
  readonly pauseTimeoutMs: number;
};

/** A publisher's way into the core. */
export type RtmpPublication = {
  message(message: RtmpMessage, nowUs: number): void;
  close(reason: string): void;
};

/** A player's subscription. */
export type RtmpPlayback = { close(): void };

/** What a session needs of its connection. Calls are synchronous. */
export type RtmpSessionHost = {
  write(bytes: Uint8Array): void;
  /** Claims the name. Throws a `MediaError` whose message the peer is told. */
  publish(target: RtmpTarget): RtmpPublication;
  /** Subscribes; media then comes through `RtmpSession.media`. Throws a `MediaError` whose message the peer is told. */
  play(target: RtmpTarget): RtmpPlayback;
  /** Once, last. What was written before is still to be sent. */
  closed(reason: RtmpCloseReason, error: Error | null): void;
};

/** What the closing log line tells of a session. */
export type RtmpSessionFacts = {
  readonly state: RtmpState;
  /** What the session last did. */
  readonly role: "publish" | "play" | null;
  readonly stream: string | null;
  readonly flashVersion: string | null;
};

type CommandRunner = (session: RtmpSession, command: RtmpCommand) => void;

/** How errors of the core are told; others by the second row's word. Codes: `stream/errors.ts`. */
const PUBLISH_REFUSALS: ReadonlyMap<string, StatusKey> = new Map([
  ["STREAM_BUSY", "publishBadName"],
  ["STREAM_NOT_FOUND", "publishBadName"],
  ["STREAM_BAD_NAME", "publishBadName"],
]);
const PLAY_REFUSALS: ReadonlyMap<string, StatusKey> = new Map([
  ["STREAM_NOT_FOUND", "playNotFound"],
  ["STREAM_NOT_ON_AIR", "playNotFound"],
  ["STREAM_BAD_NAME", "playNotFound"],
]);

/**
 * The server's side of one RTMP connection as a state machine without a socket: bytes in, bytes and calls out.
 *
 * States and steps are `LEGAL_TRANSITIONS`. One stream a connection: `createStream` always gives 1, so that the bytes
 * of a stream fit every player. `close` may be called in every state, again without effect; it gives up the
 * publication or subscription and calls `host.closed` last.
 * Spec: Adobe RTMP 1.0 sections 5 and 7; Enhanced RTMP v2 for `connect`.
 */
export class RtmpSession {
  readonly #host: RtmpSessionHost;
  readonly #options: RtmpSessionOptions;
  readonly #logger: Logger;
  readonly #handshake = new ServerHandshake();
  readonly #chunks: ChunkReader;
  readonly #out: RtmpOutbox;
  #state: RtmpState = "handshaking";
  #nowUs: number;
  #deadlineUs: number;
  #bytesIn = 0;
  #acknowledgedBytes = 0;
  #peerWindowBytes = WINDOW_BYTES;
  #application = "";
  #flashVersion: string | null = null;
  #role: RtmpSessionFacts["role"] = null;
  #target: RtmpTarget | null = null;
  #publication: RtmpPublication | null = null;
  #playback: RtmpPlayback | null = null;
  /** Media that came while `host.play` ran: it follows the messages that announce it. */
  #early: Uint8Array[] | null = null;
  #earlyEnd: SubscriptionEnd | null = null;

  constructor(host: RtmpSessionHost, options: RtmpSessionOptions, logger: Logger, nowUs: number) {
    this.#host = host;
    this.#options = options;
    this.#logger = logger;
    this.#chunks = new ChunkReader(options.chunkLimits);
    this.#out = new RtmpOutbox((bytes) => host.write(bytes));
    this.#nowUs = nowUs;
    this.#deadlineUs = nowUs + options.handshakeTimeoutMs * 1000;
  }

  /** Where the session stands, for the log and for tests. */
  facts(): RtmpSessionFacts {
    const stream = this.#target?.name ?? null;
    return { state: this.#state, role: this.#role, stream, flashVersion: this.#flashVersion };
  }

  /** Takes the next bytes of the connection. Never throws: what is wrong with them closes the session. */
  feed(bytes: Uint8Array, nowUs: number): void {
    if (this.#state === "closed") return;
    this.#nowUs = nowUs;
    this.#bytesIn += bytes.byteLength;
    try {
      this.#consume(bytes);
      this.#acknowledge();
    } catch (caught) {
      this.#fail(caught);
    }
  }

  /** Closes a session whose time in its state is over. Call it every second or so. */
  tick(nowUs: number): void {
    this.#nowUs = nowUs;
    if (nowUs < this.#deadlineUs) return;
    if (this.#state === "handshaking" || this.#state === "connecting") this.close("handshake-timeout");
    else if (this.#state === "publishing") this.close("publisher-silent");
    else this.close("idle-timeout");
  }

  /** Bytes of the subscription for the player. */
  media(bytes: Uint8Array): void {
    if (this.#early !== null) this.#early.push(bytes);
    else if (this.#state === "playing") this.#host.write(bytes);
  }

  /** The subscription ended from the core's side. */
  mediaEnd(reason: SubscriptionEnd): void {
    if (this.#early !== null) {
      this.#earlyEnd = reason;
      return;
    }
    if (this.#state !== "playing") return;
    this.#playback = null;
    if (reason === "too-slow") {
      this.#out.status("tooSlow");
      this.close("player-too-slow");
    } else if (reason === "not-on-air") {
      this.#out.status("playNotFound", `Stream ${this.#target?.name} is not on air.`);
      this.close("refused");
    } else {
      this.#sayEnded();
      this.#moveTo("idle");
    }
  }

  /** The core takes the name away from this publisher. */
  revoke(reason: string): void {
    if (this.#state !== "publishing") return;
    this.#publication = null;
    this.#out.status("publishBadName", reason);
    this.close("revoked");
  }

  /** Ends the session from any state, once. */
  close(reason: RtmpCloseReason, error: Error | null = null): void {
    if (this.#state === "closed") return;
    if (reason === "server-stopping") this.#sayStopping();
    const publication = this.#publication;
    const playback = this.#playback;
    this.#publication = null;
    this.#playback = null;
    this.#moveTo("closed");
    playback?.close();
    publication?.close(error === null ? reason : `${reason}: ${error.message}`);
    this.#host.closed(reason, error);
  }

  #sayEnded(): void {
    this.#out.status("playUnpublished");
    this.#out.streamEof();
    this.#out.status("playStop");
  }

  #sayStopping(): void {
    if (this.#state === "playing") this.#sayEnded();
    if (this.#state === "publishing") this.#out.status("unpublished", "The server is stopping.");
    const isConnected = this.#state !== "handshaking" && this.#state !== "connecting";
    if (isConnected) this.#out.call("onStatus", statusObject("appShutdown"));
  }

  #moveTo(next: RtmpState): void {
    assert(isLegal(this.#state, next), `${this.#state} to ${next}`);
    this.#logger.debug("RTMP session state", { from: this.#state, to: next });
    this.#state = next;
    if (next !== "connecting") this.#deadlineUs = this.#nowUs + this.#stayUs(next);
  }

  /** How long a session may stay in a state without a step. */
  #stayUs(state: RtmpState): number {
    if (state === "idle") return this.#options.idleTimeoutMs * 1000;
    if (state === "publishing") return this.#options.publishTimeoutMs * 1000;
    if (state === "paused") return this.#options.pauseTimeoutMs * 1000;
    return Infinity;
  }

  #consume(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#state === "handshaking") {
      const { consumed, reply } = this.#handshake.feed(bytes, Math.floor(this.#nowUs / 1000));
      if (reply !== null) this.#host.write(reply);
      if (!this.#handshake.isDone) return;
      this.#moveTo("connecting");
      rest = bytes.subarray(consumed);
    }
    this.#chunks.feed(rest);
    for (;;) {
      const message = this.#chunks.next();
      if (message === null) return;
      this.#message(message);
      if (this.facts().state === "closed") return;
    }
  }

  #acknowledge(): void {
    const isOpen =
      this.#state !== "handshaking" && this.#state !== "connecting" && this.#state !== "closed";
    if (!isOpen || this.#bytesIn - this.#acknowledgedBytes < this.#peerWindowBytes) return;
    this.#acknowledgedBytes = this.#bytesIn;
    this.#out.acknowledge(this.#bytesIn);
  }

  #fail(caught: unknown): void {
    const error = asMediaError(caught);
    if (error !== null) this.close("protocol-error", error);
    else this.close("internal-error", caught instanceof Error ? caught : new Error(String(caught)));
  }

  #message(message: RtmpMessage): void {
    switch (message.typeId) {
      case MESSAGE.commandAmf0:
      case MESSAGE.commandAmf3:
        return this.#command(parseCommand(message));
      case MESSAGE.userControl:
        return this.#userControl(message);
      case MESSAGE.windowAckSize:
        this.#peerWindowBytes = Math.max(1, parseControlNumber(message));
        return undefined;
      case MESSAGE.setPeerBandwidth:
        return parseControlNumber(message) === WINDOW_BYTES ? undefined : this.#out.announceWindow();
      default:
        return this.#media(message);
    }
  }

  #media(message: RtmpMessage): void {
    if (this.#state !== "publishing") return;
    this.#deadlineUs = this.#nowUs + this.#stayUs("publishing");
    this.#publication?.message(message, this.#nowUs);
  }

  #userControl(message: RtmpMessage): void {
    const { event, value } = parseUserControl(message);
    if (event === CONTROL_EVENT.pingRequest) this.#out.pong(value);
  }

  #command(command: RtmpCommand): void {
    const isConnect = command.name === "connect";
    if (isConnect !== (this.#state === "connecting")) {
      const context = { command: command.name.slice(0, 64), state: this.#state };
      throw rtmpErrors.error("RTMP_COMMAND_UNEXPECTED", context);
    }
    const run = RtmpSession.#commands.get(command.name);
    if (run !== undefined) run(this, command);
    else if (!REPLIES.has(command.name)) this.#out.failure(command.transactionId, "callFailed");
  }

  static readonly #commands: ReadonlyMap<string, CommandRunner> = new Map<string, CommandRunner>([
    ["connect", (session, command) => session.#connect(command)],
    ["createStream", (session, command) => session.#createStream(command)],
    ["publish", (session, command) => session.#publish(command)],
    ["play", (session, command) => session.#play(command)],
    ["pause", (session, command) => session.#pause(command)],
    ["releaseStream", (session, { transactionId }) => session.#out.result(transactionId, null, undefined)],
    ["FCPublish", (session, command) => session.#announce(command, "onFCPublish", "publishStart")],
    ["FCUnpublish", (session, command) => session.#stopAndAnnounce(command)],
    ["FCSubscribe", (session, command) => session.#announce(command, "onFCSubscribe", "playStart")],
    ["FCUnsubscribe", (session, { transactionId }) => session.#out.result(transactionId, null)],
    ["getStreamLength", (session, { transactionId }) => session.#out.result(transactionId, null, 0)],
    ["_checkbw", (session, { transactionId }) => session.#out.result(transactionId, null)],
    ["deleteStream", (session) => session.#stop()],
    ["closeStream", (session) => session.#stop()],
    // A live stream has one position and one speed, and everybody gets the same bytes.
    ...["play2", "seek", "receiveAudio", "receiveVideo"].map((name): readonly [string, CommandRunner] => [
      name,
      (session, { transactionId }) => session.#out.result(transactionId, null),
    ]),
  ]);

  #connect({ transactionId, object }: RtmpCommand): void {
    const app = amfField(object, "app");
    const tcUrl = amfField(object, "tcUrl");
    const flashVersion = amfField(object, "flashVer");
    const encoding = amfField(object, "objectEncoding") === 3 ? 3 : 0;
    this.#application =
      typeof app === "string" ? app : applicationOfUrl(typeof tcUrl === "string" ? tcUrl : "");
    this.#flashVersion = typeof flashVersion === "string" ? flashVersion.slice(0, 64) : null;
    this.#out.greet();
    const properties = amfObject({
      fmsVer: "FMS/3,5,7,7009",
      capabilities: 31,
      mode: 1,
      ...enhancedProperties(object),
    });
    this.#moveTo("idle");
    const info = statusObject("connected", undefined, { objectEncoding: encoding });
    this.#out.result(transactionId === 0 ? 1 : transactionId, properties, info);
  }

  #createStream({ transactionId }: RtmpCommand): void {
    if (this.#state === "idle") this.#out.result(transactionId, null, PLAY_MESSAGE_STREAM);
    else this.#out.failure(transactionId, "callFailed", "One stream a connection, and it is in use.");
  }

  #announce({ transactionId, args }: RtmpCommand, call: string, key: StatusKey): void {
    this.#out.result(transactionId, null, undefined);
    const name = args[0];
    this.#out.call(call, statusObject(key, typeof name === "string" ? name : undefined));
  }

  #stopAndAnnounce(command: RtmpCommand): void {
    this.#stop();
    this.#announce(command, "onFCUnpublish", "unpublished");
  }

  #publish(command: RtmpCommand): void {
    if (command.args[0] === false) return this.#stop();
    this.#requireState("idle", command);
    this.#role = "publish";
    try {
      const target = this.#resolve(command.args[0]);
      this.#publication = this.#host.publish(target);
    } catch (caught) {
      return this.#refuse(caught, PUBLISH_REFUSALS, "publishDenied");
    }
    this.#moveTo("publishing");
    this.#out.streamBegin();
    this.#out.status("publishStart", `Publishing ${this.#target?.name}.`);
    return undefined;
  }

  #requireState(state: RtmpState, command: RtmpCommand): void {
    if (this.#state === state) return;
    throw rtmpErrors.error("RTMP_COMMAND_UNEXPECTED", { command: command.name, state: this.#state });
  }

  #resolve(name: AmfValue): RtmpTarget {
    const text = typeof name === "string" ? name : "";
    this.#target = resolveTarget(this.#application, text);
    if (this.#target !== null) return this.#target;
    const reason = `"${`${this.#application}/${text}`.replace(/\?.*/s, "").slice(0, 100)}"`;
    throw streamErrors.error("STREAM_BAD_NAME", { reason });
  }

  /** Tells the peer why, in words, and ends the connection: encoders come back by themselves. */
  #refuse(caught: unknown, words: ReadonlyMap<string, StatusKey>, otherwise: StatusKey): void {
    const error = asMediaError(caught);
    if (error === null) throw caught;
    this.#out.status(words.get(error.code) ?? otherwise, error.message);
    this.close("refused", error);
  }

  #play(command: RtmpCommand): void {
    if (this.#state === "playing" || this.#state === "paused") this.#stop();
    this.#requireState("idle", command);
    this.#role = "play";
    try {
      const target = this.#resolve(command.args[0]);
      this.#subscribe(target);
    } catch (caught) {
      this.#early = null;
      return this.#refuse(caught, PLAY_REFUSALS, "playFailed");
    }
    this.#moveTo("playing");
    this.#out.streamBegin();
    const details = { details: this.#target?.name ?? "" };
    this.#out.status("playReset", undefined, details);
    this.#out.status("playStart", undefined, details);
    return this.#releaseEarly();
  }

  #subscribe(target: RtmpTarget): void {
    this.#early = [];
    this.#earlyEnd = null;
    this.#playback = this.#host.play(target);
  }

  #releaseEarly(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const bytes of early) this.#host.write(bytes);
    if (this.#earlyEnd !== null) this.mediaEnd(this.#earlyEnd);
  }

  /** A pause ends the subscription: live media is not kept for one viewer. Playing goes on from the present. */
  #pause({ args, transactionId }: RtmpCommand): void {
    const wantsPause = args[0] === true;
    if (this.#state === "playing" && wantsPause) {
      this.#playback?.close();
      this.#playback = null;
      this.#moveTo("paused");
      this.#out.streamEof();
      this.#out.status("paused");
    } else if (this.#state === "paused" && !wantsPause && this.#target !== null) this.#resume(this.#target);
    this.#out.result(transactionId, null);
  }

  #resume(target: RtmpTarget): void {
    try {
      this.#subscribe(target);
    } catch (caught) {
      this.#early = null;
      return this.#refuse(caught, PLAY_REFUSALS, "playFailed");
    }
    this.#moveTo("playing");
    this.#out.streamBegin();
    this.#out.status("unpaused");
    return this.#releaseEarly();
  }

  /** Ends publishing or playing at the peer's wish. */
  #stop(): void {
    if (this.#state === "publishing") {
      const publication = this.#publication;
      this.#publication = null;
      this.#moveTo("idle");
      publication?.close("the publisher stopped");
      this.#out.status("unpublished");
    } else if (this.#state === "playing" || this.#state === "paused") {
      this.#playback?.close();
      this.#playback = null;
      this.#moveTo("idle");
      this.#out.status("playStop");
    }
  }
}

/** Answers and calls of the peer that want no answer. */
const REPLIES: ReadonlySet<string> = new Set(["_result", "_error", "onStatus", "onBWDone", "onMetaData"]);
