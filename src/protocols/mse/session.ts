import { systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import type { WebSocketPeer, WebSocketSink } from "../../base/http-message.ts";
import { CLOSE_CODE } from "../../base/web-socket/errors.ts";
import type { StreamName } from "../../media/ids.ts";
import { SOCKET_ENDS } from "../../packaging/socket-ends.ts";
import type { StreamDirectory } from "../../stream/directory.ts";
import type { SendWindow } from "../../stream/rules.ts";
import type {
  ByteSink,
  Subscription,
  SubscriptionEnd,
  WireFormatFactory,
} from "../../stream/wire-format.ts";
import { CommandIntake } from "./command-intake.ts";
import type { MseCommand } from "./commands.ts";
import { mseFormat, pausedFormat } from "./from-stream.ts";
import { eventText } from "./messages.ts";
import type { MseEvent } from "./messages.ts";
import { MSE_PROTOCOL } from "./path.ts";
import type { MseSelection } from "./selection.ts";

/** What one viewer's session is made of. */
export type MseSessionParts = {
  readonly name: StreamName;
  readonly directory: StreamDirectory;
  readonly selection: MseSelection;
  /** Of the listener; `auto` when it says nothing. */
  readonly sendWindow?: SendWindow | undefined;
  readonly clock?: Clock;
};

/**
 * One viewer of a live stream over MSE-LD. It plays from its beginning on; `pause` exchanges the subscription for one to
 * nothing, and every command that needs media takes a new one, which begins with an init segment and a key frame.
 */
export class MseSession implements ByteSink, WebSocketPeer {
  readonly #socket: WebSocketSink;
  readonly #parts: MseSessionParts;
  readonly #intake: CommandIntake;
  #selection: MseSelection;
  #subscription: Subscription | null = null;
  #isPlaying = false;
  #isOver = false;

  constructor(socket: WebSocketSink, parts: MseSessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#intake = new CommandIntake(socket, parts.clock ?? systemClock);
    this.#selection = parts.selection;
  }

  /** Begins to play. */
  play(): void {
    this.#isPlaying = true;
    this.#subscribe(mseFormat(this.#selection));
  }

  /** Plays nothing, and says so when the stream ends. */
  wait(): void {
    this.#isPlaying = false;
    this.#subscribe(pausedFormat);
  }

  #subscribe(format: WireFormatFactory): void {
    this.#leave();
    const { name, directory, sendWindow } = this.#parts;
    try {
      const subscription = directory.subscribe({
        name,
        protocol: MSE_PROTOCOL,
        format,
        sink: this,
        waitsForPublisher: false,
        ...(sendWindow === undefined ? {} : { sendWindow }),
      });
      if (this.#isOver) subscription.close();
      else this.#subscription = subscription;
    } catch (caught) {
      const error = asMediaError(caught);
      if (error === null) throw caught;
      this.#finish(CLOSE_CODE.tryAgainLater, error.message);
    }
  }

  /** Says that nothing can be played from a time on, and why. */
  refuseTime(reason = "there is no archive of this stream: it can be watched live"): void {
    this.#say("stream_unavailable", reason);
  }

  onText(text: string): void {
    if (this.#isOver) return;
    const command = this.#intake.take(text);
    if (command === "too-many") return this.#over();
    if (command !== null) this.command(command);
  }

  /** Does what a client says. */
  command(command: MseCommand): void {
    if (this.#isOver) return;
    if (command.type === "resume") {
      this.#say("resumed");
      if (!this.#isPlaying) this.play();
    } else if (command.type === "pause") {
      this.#say("paused");
      if (this.#isPlaying) this.wait();
    } else if (command.type === "live") {
      this.#say("switched_to_live");
      this.play();
    } else if (command.type === "play-from") {
      this.refuseTime();
    } else if (command.type === "set-tracks") {
      this.#selection = command.selection;
      this.#say("tracks_switched");
      if (this.#isPlaying) this.play();
    }
  }

  /** The client left. */
  close(): void {
    this.#over();
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  queuedBytes(): number {
    return this.#socket.queuedBytes();
  }

  end(reason: SubscriptionEnd): void {
    this.#subscription = null;
    const { code, reason: words } = SOCKET_ENDS[reason];
    if (reason !== "too-slow") {
      this.#finish(code, words);
      return;
    }
    this.#over();
    this.#socket.close(code, words);
  }

  #finish(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#over();
    this.#say("stream_unavailable", reason);
    this.#socket.close(code, reason);
  }

  #over(): void {
    this.#isOver = true;
    this.#leave();
  }

  #leave(): void {
    const subscription = this.#subscription;
    this.#subscription = null;
    subscription?.close();
  }

  #say(event: MseEvent, reason?: string): void {
    this.#socket.sendText(eventText(event, reason));
  }
}
