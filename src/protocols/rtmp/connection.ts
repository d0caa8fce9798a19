import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { plainAddress } from "../../base/plain-address.ts";
import type { SessionId } from "../../media/ids.ts";
import type { RecordedPackets } from "../../stream/recorded-packets.ts";
import { publishPatiently } from "../../stream/patient-publish.ts";
import type { Permit } from "../../stream/permit.ts";
import type { Publisher, StreamDirectory } from "../../stream/directory.ts";
import type { SendWindow } from "../../stream/rules.ts";
import type { ByteSink, SubscriptionEnd } from "../../stream/wire-format.ts";
import { rtmpFormat } from "./from-stream.ts";
import type { RtmpTarget } from "./names.ts";
import type { RtmpCloseReason, RtmpState } from "./session-states.ts";
import type { RtmpNetStream, RtmpPlayback, RtmpPublication } from "./net-stream.ts";
import type { RtmpRecording } from "./recorded-play.ts";
import { READ_BUFFER_BYTES } from "../../base/reused-reads.ts";
import { SendQueue } from "../../base/send-queue.ts";
import type { ReadingRests } from "./reading-rests.ts";
import { RtmpSession } from "./session.ts";
import type { RtmpCaller, RtmpSessionHost, RtmpSessionOptions } from "./session.ts";
import { RtmpIngest } from "./to-stream.ts";

/** The word of the `protocols` directive. */
const PROTOCOL = "rtmp";

/** A shorter rest would not spare a read. */
const LEAST_REST_MS = 20;

/** More than this during a rest might fill the system's receive buffer, which begins with 128 KiB and grows. */
const MAX_BYTES_PER_REST = 256 * 1024;

/** What a connection needs besides its socket. */
export type RtmpConnectionOptions = {
  readonly session: RtmpSessionOptions;
  /** A peer that takes nothing of what waits for it for so long is closed. */
  readonly stallTimeoutMs: number;
  /** While more than this waits to be sent, nothing is read: a peer that asks and never listens stops itself. */
  readonly maxUnsentBytes: number;
  /** With more than this waiting to be sent, the connection is closed. */
  readonly maxQueuedBytes: number;
  /** How long a closing connection may take to send its last words. */
  readonly lingerMs: number;
  /** The window of players whose stream has none of its own. */
  readonly sendWindow: SendWindow;
};

/** What a connection uses of a TCP socket. */
export type RtmpSocket = Duplex & {
  readonly remoteAddress?: string | undefined;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  setNoDelay(isOn: boolean): unknown;
  setKeepAlive(isOn: boolean, delayMs: number): unknown;
};

/**
 * Where a connection finds what is recorded under a name: what opens it, or `null` when the directory is to be asked.
 * Throws a `MediaError` whose message the peer is told.
 */
export type RtmpRecordings = (target: RtmpTarget) => (() => Promise<RecordedPackets>) | null;

/** Who wants what: for who decides whether it may. */
export type RtmpAdmission = RtmpCaller & {
  readonly kind: "publish" | "play";
  readonly target: RtmpTarget;
  readonly remoteAddress: string;
  /** What the client calls itself. */
  readonly flashVersion: string | null;
};

/** Gives leave, at once where nobody has to be asked; throws, or rejects with, a `MediaError` that the peer is told. */
export type RtmpAdmit = (asked: RtmpAdmission) => Permit | Promise<Permit>;

/** What a connection is given. */
export type RtmpConnectionParts = {
  /** What its log lines are found by. */
  readonly id: SessionId;
  readonly socket: RtmpSocket;
  /** When it was accepted, where that was a while ago: its handshake of TLS counts. */
  readonly acceptedUs?: number;
  readonly directory: StreamDirectory;
  readonly clock: Clock;
  /** Of all connections of the listener. */
  readonly rests: ReadingRests<RtmpConnection>;
  readonly logger: Logger;
  readonly options: RtmpConnectionOptions;
  readonly recordings?: RtmpRecordings | undefined;
  /** All may when it is absent. */
  readonly admit?: RtmpAdmit | undefined;
  /** Called once, when the socket is gone. */
  onGone(): void;
};

/**
 * One accepted socket with its session, and the bridge between the session and the core.
 *
 * It writes one line to the log when it ends. Close cascade: session (publication or subscription) → last words →
 * socket ended → socket destroyed after `lingerMs` → `onGone`.
 */
export class RtmpConnection implements RtmpSessionHost {
  readonly #parts: RtmpConnectionParts;
  readonly #socket: RtmpSocket;
  readonly #queue: SendQueue;
  readonly #logger: Logger;
  readonly #session: RtmpSession;
  readonly #remoteAddress: string;
  readonly #startedUs: number;
  #sentBytes = 0;
  #progressUs: number;
  #isReadingPaused = false;
  /** The session reads nothing until it says so. */
  #isHeld = false;
  /** A publisher from which nobody needs anything for a moment. */
  #isResting = false;
  #bytesSinceRest = 0;
  #linger: Timer | null = null;
  /** Of what it publishes or plays, or is about to. */
  #permit: Permit | null = null;
  /** As the permit was last told. */
  #countedBytes = 0;

  constructor(parts: RtmpConnectionParts) {
    this.#parts = parts;
    this.#socket = parts.socket;
    this.#remoteAddress = plainAddress(parts.socket.remoteAddress ?? "");
    this.#startedUs = parts.acceptedUs ?? parts.clock.nowUs();
    this.#progressUs = this.#startedUs;
    this.#queue = new SendQueue(parts.socket, parts.options.maxQueuedBytes);
    this.#logger = parts.logger.child({ session: parts.id, remoteAddress: this.#remoteAddress });
    this.#session = new RtmpSession(this, parts.options.session, this.#logger, this.#startedUs);
    this.#attach();
  }

  /** Bytes received and sent since the connection was made. */
  bytes(): { readonly in: number; readonly out: number } {
    return { in: this.#socket.bytesRead, out: this.#socket.bytesWritten };
  }

  /** What the session does now. */
  role(): "publish" | "play" | null {
    const { state, role } = this.#session.facts();
    return state === "publishing" || state === "playing" || state === "paused" ? role : null;
  }

  /** Whether it plays a recording: the directory knows nothing of such a player. */
  get playsRecording(): boolean {
    return this.#session.stream.isRecorded;
  }

  /** Looks at the time: deadlines of the session, and whether a player still takes what it is sent. */
  tick(nowUs: number): void {
    this.#session.tick(nowUs);
    this.#count();
    const { sentBytes, unsentBytes } = this.#queue;
    if (sentBytes !== this.#sentBytes || unsentBytes === 0) {
      this.#sentBytes = sentBytes;
      this.#progressUs = nowUs;
    } else if (nowUs - this.#progressUs >= this.#parts.options.stallTimeoutMs * 1000) {
      this.#session.close("player-stalled");
    }
  }

  /** Asks a publisher that can to connect again; see `RtmpSession.askToReconnect`. */
  askToReconnect(): boolean {
    return this.#session.askToReconnect();
  }

  /** Ends the connection in order. */
  stop(): void {
    this.#session.close("server-stopping");
  }

  /** Ends it at once, whatever waits. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Takes bytes that were read; they come as `data` events of the socket, or by this call. They are not kept. */
  receive(bytes: Uint8Array): void {
    // All that it is answered, the messages that announce media and the first media too, is one write.
    this.#socket.cork();
    this.#session.feed(bytes, this.#parts.clock.nowUs());
    this.#socket.uncork();
    const patienceMs = this.#session.stream.patienceMs();
    if (patienceMs >= LEAST_REST_MS) this.#rest(bytes.byteLength, patienceMs);
  }

  /** Reads again after a rest. */
  wake(): void {
    this.#isResting = false;
    this.#resumeReading();
  }

  write(bytes: Uint8Array): void {
    const wasOverflowing = this.#queue.isOverflowing;
    if (!this.#queue.write(bytes)) {
      // Later, since the session may be in the middle of a step.
      if (!wasOverflowing) queueMicrotask(() => this.#session.close("player-too-slow"));
      return;
    }
    // A full queue still takes bytes, since the core asks `queuedBytes`; what the peer asks for next has to wait.
    if (this.#isReadingPaused || !this.#socket.writableNeedDrain) return;
    if (this.#queue.unsentBytes <= this.#parts.options.maxUnsentBytes) return;
    this.#isReadingPaused = true;
    this.#socket.pause();
  }

  mediaFlows(): void {
    this.#permit?.media();
  }

  holdReading(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else this.#resumeReading();
  }

  admit(kind: "publish" | "play", target: RtmpTarget): Promise<void> | undefined {
    const { admit } = this.#parts;
    if (admit === undefined) return undefined;
    const { caller, flashVersion } = this.#session.facts();
    const asked = { ...caller, kind, target, flashVersion, remoteAddress: this.#remoteAddress };
    const permit = admit(asked);
    if (permit instanceof Promise) return permit.then((late) => this.#permitted(late));
    this.#permitted(permit);
    return undefined;
  }

  moved(to: RtmpState): void {
    if (to === "publishing" || to === "playing") this.#permit?.begun();
    if (to !== "idle" && to !== "closed") return;
    this.#count();
    this.#permit?.close(to === "idle" ? "the client stopped" : "the connection ended");
    this.#permit = null;
  }

  publish(target: RtmpTarget): RtmpPublication | Promise<RtmpPublication> {
    const request = {
      name: target.name,
      protocol: PROTOCOL,
      remoteAddress: this.#remoteAddress,
      onRevoked: (reason: string) => this.#session.stream.revoke(reason),
      onPlayable: () => this.mediaFlows(),
    };
    const claim = publishPatiently(this.#parts.directory, request, this.#parts.clock);
    return claim instanceof Promise
      ? claim.then((publisher) => this.#ingest(publisher, target))
      : this.#ingest(claim, target);
  }

  play(target: RtmpTarget): RtmpPlayback | RtmpRecording {
    // What is already being closed gets no more.
    if (this.#queue.isOverflowing) return { close: () => {} };
    const open = this.#parts.recordings?.(target) ?? null;
    if (open !== null) {
      return { open, clock: this.#parts.clock, queuedBytes: () => this.#queue.unsentBytes };
    }
    return this.#parts.directory.subscribe({
      name: target.name,
      protocol: PROTOCOL,
      format: rtmpFormat,
      sendWindow: this.#parts.options.sendWindow,
      sink: new PlayerSink(this.#session.stream, this.#queue),
    });
  }

  closed(reason: RtmpCloseReason, error: Error | null): void {
    this.#parts.rests.remove(this);
    this.#logClosing(reason, error);
    this.#queue.end();
    this.#socket.resume();
    if (this.#socket.destroyed) return;
    this.#linger = this.#parts.clock.schedule(this.#parts.options.lingerMs, () => this.#socket.destroy());
  }

  /** A peer that left meanwhile does without. */
  #permitted(permit: Permit): void {
    if (this.#session.facts().state === "closed") {
      permit.close("the client left");
      return;
    }
    const { in: read, out: sent } = this.bytes();
    this.#countedBytes = read + sent;
    this.#permit = permit;
    permit.onEnd((reason) => this.#session.stream.dismiss(reason));
  }

  /** What came and went; of either there is next to nothing in the other direction. */
  #count(): void {
    if (this.#permit === null) return;
    const { in: read, out: sent } = this.bytes();
    this.#permit.count(read + sent - this.#countedBytes);
    this.#countedBytes = read + sent;
  }

  #ingest(publisher: Publisher, target: RtmpTarget): RtmpIngest {
    const logger = this.#logger.child({ stream: target.name });
    logger.info("RTMP publisher started");
    return new RtmpIngest(publisher, logger);
  }

  /**
   * Leaves what comes in the system's buffers for a while: one read of much costs far less than many of little. Not when
   * there is more to read already, nor when so much comes that those buffers might fill.
   */
  #rest(readBytes: number, patienceMs: number): void {
    this.#bytesSinceRest += readBytes;
    // Over TLS every record comes by itself, and of a small write at that: all that are there come before the rest.
    const isMore = readBytes >= READ_BUFFER_BYTES || this.#socket.readableLength > 0;
    if (isMore || this.#isResting) return;
    const isMuch = this.#bytesSinceRest > MAX_BYTES_PER_REST;
    this.#bytesSinceRest = 0;
    if (isMuch) return;
    this.#isResting = true;
    this.#socket.pause();
    this.#parts.rests.add(this, patienceMs);
  }

  #resumeReading(): void {
    if (!this.#isHeld && !this.#isReadingPaused && !this.#isResting) this.#socket.resume();
  }

  #attach(): void {
    const { socket } = this.#parts;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#session.close("peer-closed"));
    socket.on("error", (error) => this.#session.close(this.#reasonOf(error)));
    socket.on("close", () => {
      this.#session.close("connection-lost");
      this.#linger?.cancel();
      this.#queue.discard();
      this.#parts.onGone();
    });
  }

  /** Players and encoders that have said all they had to say often leave with a reset: no accident. */
  #reasonOf(error: Error): RtmpCloseReason {
    const isReset = "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
    return isReset && this.#session.facts().state !== "publishing" ? "peer-closed" : "connection-lost";
  }

  #drained(): void {
    this.#queue.drained();
    this.#session.stream.drained();
    if (!this.#isReadingPaused || this.#socket.writableNeedDrain) return;
    this.#isReadingPaused = false;
    this.#resumeReading();
  }

  #logClosing(reason: RtmpCloseReason, error: Error | null): void {
    const logger = this.#logger;
    const { role, stream, flashVersion } = this.#session.facts();
    const { in: bytesIn, out: bytesOut } = this.bytes();
    const durationMs = Math.round((this.#parts.clock.nowUs() - this.#startedUs) / 1000);
    const code = asMediaError(error)?.code;
    const fields = {
      reason,
      role,
      stream,
      bytesIn,
      bytesOut,
      durationMs,
    };
    const detail = error === null ? {} : { code, error: error.message };
    const client = flashVersion === null ? {} : { client: flashVersion };
    if (reason === "internal-error") {
      logger.error("RTMP connection failed", { ...fields, ...client, ...detail, stack: error?.stack });
    } else logger.info("RTMP connection closed", { ...fields, ...client, ...detail });
  }
}

/** A player's connection as the core sees it. */
class PlayerSink implements ByteSink {
  readonly #stream: RtmpNetStream;
  readonly #queue: SendQueue;

  constructor(stream: RtmpNetStream, queue: SendQueue) {
    this.#stream = stream;
    this.#queue = queue;
  }

  write(bytes: Uint8Array): void {
    this.#stream.media(bytes);
  }

  queuedBytes(): number {
    return this.#queue.unsentBytes;
  }

  end(reason: SubscriptionEnd): void {
    this.#stream.mediaEnd(reason);
  }
}
