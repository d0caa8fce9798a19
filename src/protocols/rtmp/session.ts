import { strict as assert } from "node:assert";
import { asMediaError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { SlabAllocator } from "../../base/slab-allocator.ts";
import { rtmpErrors } from "./errors.ts";
import { PLAY_MESSAGE_STREAM } from "./from-stream.ts";
import { applicationOfUrl, passwordOfUrl, withQueryOf } from "./names.ts";
import { RtmpNetStream } from "./net-stream.ts";
import type { RtmpNetStreamHost } from "./net-stream.ts";
import { RtmpOutbox, WINDOW_BYTES } from "./outbox.ts";
import { isLegal } from "./session-states.ts";
import type { RtmpCloseReason, RtmpState } from "./session-states.ts";
import { canReconnect, enhancedProperties, statusObject } from "./status.ts";
import type { StatusKey } from "./status.ts";
import { amfField, amfObject } from "./wire/amf-value.ts";
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
  /** Makes what one publisher's audio and video are put into; each message has memory of its own when absent. */
  readonly payloadMemory?: () => SlabAllocator;
  /** From the first byte to `connect`. */
  readonly handshakeTimeoutMs: number;
  /** Connected, but neither publishing nor playing. */
  readonly idleTimeoutMs: number;
  /** A publisher that completes no message of media or data; commands and pings do not count. */
  readonly publishTimeoutMs: number;
  /** A player that paused and does not come back. */
  readonly pauseTimeoutMs: number;
};

/** What a session needs of its connection. */
export type RtmpSessionHost = RtmpNetStreamHost & {
  /** Stops reading from the peer, and goes on; what is on its way may still be fed. */
  holdReading(isHeld: boolean): void;
  /** The session is in another state. */
  moved(to: RtmpState): void;
  /** Once, last. What was written before is still to be sent. */
  closed(reason: RtmpCloseReason, error: Error | null): void;
};

/** Who a client says that it is. */
export type RtmpCaller = {
  /** In front of the host of the address that it was given; `null`: none. */
  readonly password: string | null;
  /** Of the page that plays; `null`: none. */
  readonly pageUrl: string | null;
};

/** What the closing log line tells of a session. */
export type RtmpSessionFacts = {
  readonly state: RtmpState;
  /** What it said of itself in `connect`. */
  readonly caller: RtmpCaller;
  /** What the session last did. */
  readonly role: "publish" | "play" | null;
  readonly stream: string | null;
  readonly flashVersion: string | null;
};

type CommandRunner = (session: RtmpSession, command: RtmpCommand) => void;

/** Answers and calls of the peer that want no answer. */
const UNANSWERED: ReadonlySet<string> = new Set([
  "_result",
  "_error",
  "onStatus",
  "onBWDone",
  "onMetaData",
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
  /** The stream that this connection publishes or plays. */
  readonly stream: RtmpNetStream;
  readonly #host: RtmpSessionHost;
  readonly #options: RtmpSessionOptions;
  readonly #logger: Logger;
  /** `null` once it is done: its buffer is a good part of what a player costs. */
  #handshake: ServerHandshake | null = new ServerHandshake();
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
  #canReconnect = false;
  #caller: RtmpCaller = { password: null, pageUrl: null };

  constructor(host: RtmpSessionHost, options: RtmpSessionOptions, logger: Logger, nowUs: number) {
    this.#host = host;
    this.#options = options;
    this.#logger = logger;
    this.#chunks = new ChunkReader(options.chunkLimits, options.payloadMemory?.() ?? null);
    this.#out = new RtmpOutbox((bytes) => host.write(bytes));
    this.#nowUs = nowUs;
    this.#deadlineUs = nowUs + options.handshakeTimeoutMs * 1000;
    this.stream = new RtmpNetStream({
      host,
      out: this.#out,
      state: () => this.#state,
      moveTo: (next) => this.#moveTo(next),
      proceed: () => this.#proceed(),
      close: (reason, error) => this.close(reason, error),
    });
  }

  /** Where the session stands, for the log and for tests. */
  facts(): RtmpSessionFacts {
    const { role, name } = this.stream;
    const [state, flashVersion, caller] = [this.#state, this.#flashVersion, this.#caller];
    return { state, role, stream: name, flashVersion, caller };
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

  /**
   * Asks a publisher to connect again, to whoever answers at the same address then; it goes on here until it has.
   * Returns: false when it does not publish, or said in `connect` nothing of being able to.
   * Spec: Enhanced RTMP v2, Reconnect Request; without `tcUrl` the address stays the same.
   */
  askToReconnect(): boolean {
    if (this.#state !== "publishing" || !this.#canReconnect) return false;
    this.#out.call("onStatus", statusObject("reconnectRequest"));
    return true;
  }

  /** Ends the session from any state, once. */
  close(reason: RtmpCloseReason, error: Error | null = null): void {
    if (this.#state === "closed") return;
    if (reason === "server-stopping") this.#sayStopping();
    this.#moveTo("closed");
    this.stream.release(error === null ? reason : `${reason}: ${error.message}`);
    this.#host.closed(reason, error);
  }

  #isClaiming(): boolean {
    return this.#state === "claiming";
  }

  #isOpen(): boolean {
    return this.#state !== "closed";
  }

  #isConnected(): boolean {
    return this.#state !== "handshaking" && this.#state !== "connecting" && this.#state !== "closed";
  }

  #sayStopping(): void {
    if (!this.#isConnected()) return;
    this.stream.sayStopping();
    this.#out.call("onStatus", statusObject("appShutdown"));
  }

  #moveTo(next: RtmpState): void {
    assert(isLegal(this.#state, next), `${this.#state} to ${next}`);
    const { name } = this.stream;
    const fields = name === null ? {} : { stream: name };
    this.#logger.debug("RTMP session state", { from: this.#state, to: next, ...fields });
    this.#state = next;
    this.#host.moved(next);
    if (next === "claiming") this.#host.holdReading(true);
    // The time for the handshake runs on until `connect`.
    if (next !== "connecting") this.#deadlineUs = this.#nowUs + this.#stayUs(next);
  }

  /** How long a session may stay in a state without a step. */
  #stayUs(state: RtmpState): number {
    if (state === "idle" || state === "claiming") return this.#options.idleTimeoutMs * 1000;
    if (state === "publishing") return this.#options.publishTimeoutMs * 1000;
    if (state === "paused") return this.#options.pauseTimeoutMs * 1000;
    return Infinity;
  }

  #consume(bytes: Uint8Array): void {
    let rest = bytes;
    const handshake = this.#handshake;
    if (handshake !== null) {
      const { consumed, reply } = handshake.feed(bytes, Math.floor(this.#nowUs / 1000));
      if (reply !== null) this.#host.write(reply);
      if (!handshake.isDone) return;
      this.#handshake = null;
      this.#moveTo("connecting");
      rest = bytes.subarray(consumed);
    }
    if (this.#state === "claiming") this.#chunks.keep(rest);
    else {
      this.#chunks.feed(rest);
      this.#readMessages();
    }
  }

  #readMessages(): void {
    for (let message = this.#chunks.next(); message !== null; message = this.#chunks.next()) {
      this.#message(message);
      message.slab?.release();
      if (!this.#isOpen()) return;
      if (this.#isClaiming()) return this.#chunks.keep();
    }
  }

  /** The claim is decided: what came meanwhile is read. */
  #proceed(): void {
    this.#host.holdReading(false);
    try {
      this.#readMessages();
    } catch (caught) {
      this.#fail(caught);
    }
  }

  #acknowledge(): void {
    if (!this.#isConnected() || this.#bytesIn - this.#acknowledgedBytes < this.#peerWindowBytes) return;
    this.#acknowledgedBytes = this.#bytesIn;
    this.#out.acknowledge(this.#bytesIn);
  }

  #fail(caught: unknown): void {
    const error = asMediaError(caught);
    if (error !== null) this.close("protocol-error", error);
    else this.close("internal-error", caught instanceof Error ? caught : new Error(String(caught)));
  }

  #message(message: RtmpMessage): void {
    // dispatch
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
    this.stream.message(message, this.#nowUs);
  }

  #userControl(message: RtmpMessage): void {
    const { event, value, bufferMs } = parseUserControl(message);
    if (event === CONTROL_EVENT.pingRequest) this.#out.pong(value);
    if (event === CONTROL_EVENT.setBufferLength) this.stream.setBuffer(bufferMs);
  }

  #command(command: RtmpCommand): void {
    const isConnect = command.name === "connect";
    if (isConnect !== (this.#state === "connecting")) {
      const context = { command: command.name.slice(0, 64), state: this.#state };
      throw rtmpErrors.error("RTMP_COMMAND_UNEXPECTED", context);
    }
    const run = RtmpSession.#commands.get(command.name);
    if (run !== undefined) run(this, command);
    else if (!UNANSWERED.has(command.name)) this.#out.failure(command.transactionId, "callFailed");
  }

  static readonly #acknowledged: CommandRunner = (session, { transactionId }) =>
    session.#out.result(transactionId, null);

  static readonly #commands: ReadonlyMap<string, CommandRunner> = new Map<string, CommandRunner>([
    ["connect", (session, command) => session.#connect(command)],
    ["createStream", (session, command) => session.#createStream(command)],
    ["publish", (session, command) => session.stream.publish(command, session.#application)],
    ["play", (session, command) => session.stream.play(command, session.#application)],
    ["pause", (session, command) => session.#pause(command)],
    ["deleteStream", (session) => session.stream.stop()],
    ["closeStream", (session) => session.stream.stop()],
    ["releaseStream", (session, { transactionId }) => session.#out.result(transactionId, null, undefined)],
    ["FCPublish", (session, command) => session.#announce(command, "onFCPublish", "publishStart")],
    ["FCUnpublish", (session, command) => session.#stopAndAnnounce(command)],
    ["FCSubscribe", (session, command) => session.#announce(command, "onFCSubscribe", "playStart")],
    ["getStreamLength", (session, { transactionId }) => session.#out.result(transactionId, null, 0)],
    ["FCUnsubscribe", RtmpSession.#acknowledged],
    ["_checkbw", RtmpSession.#acknowledged],
    ["seek", (session, command) => session.#seek(command)],
    // A stream has one speed and one set of tracks for everybody.
    ["play2", RtmpSession.#acknowledged],
    ["receiveAudio", RtmpSession.#acknowledged],
    ["receiveVideo", RtmpSession.#acknowledged],
  ]);

  #connect({ transactionId, object }: RtmpCommand): void {
    const app = amfField(object, "app");
    const tcUrl = amfField(object, "tcUrl");
    const flashVersion = amfField(object, "flashVer");
    const pageUrl = amfField(object, "pageUrl");
    const encoding = amfField(object, "objectEncoding") === 3 ? 3 : 0;
    const url = typeof tcUrl === "string" ? tcUrl : "";
    this.#application = typeof app === "string" ? withQueryOf(app, url) : applicationOfUrl(url);
    this.#caller = {
      password: passwordOfUrl(url),
      pageUrl: typeof pageUrl === "string" && pageUrl !== "" ? pageUrl.slice(0, 1024) : null,
    };
    this.#flashVersion = typeof flashVersion === "string" ? flashVersion.slice(0, 64) : null;
    this.#canReconnect = canReconnect(object);
    this.#out.greet();
    // The version that clients know how to deal with; some read nothing from servers that call themselves otherwise.
    const identity = { fmsVer: "FMS/3,5,7,7009", capabilities: 31, mode: 1 };
    const properties = amfObject({ ...identity, ...enhancedProperties(object) });
    this.#moveTo("idle");
    const info = statusObject("connected", undefined, { objectEncoding: encoding });
    this.#out.result(transactionId === 0 ? 1 : transactionId, properties, info);
  }

  #createStream({ transactionId }: RtmpCommand): void {
    if (this.#state === "idle") this.#out.result(transactionId, null, PLAY_MESSAGE_STREAM);
    else this.#out.failure(transactionId, "callFailed", "One stream a connection, and it is in use.");
  }

  #pause(command: RtmpCommand): void {
    this.stream.pause(command);
    this.#out.result(command.transactionId, null);
  }

  #seek(command: RtmpCommand): void {
    this.#out.result(command.transactionId, null);
    this.stream.seek(command);
  }

  #announce({ transactionId, args }: RtmpCommand, call: string, key: StatusKey): void {
    this.#out.result(transactionId, null, undefined);
    const name = args[0];
    this.#out.call(call, statusObject(key, typeof name === "string" ? name : undefined));
  }

  #stopAndAnnounce(command: RtmpCommand): void {
    this.stream.stop();
    this.#announce(command, "onFCUnpublish", "unpublished");
  }
}
