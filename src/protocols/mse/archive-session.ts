import type { Clock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { WebSocketPeer, WebSocketSink } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import type { RecordedPackets } from "../../stream/recorded-packets.ts";
import { CommandIntake } from "./command-intake.ts";
import { MseFileSession } from "./file-session.ts";
import { eventText } from "./messages.ts";
import type { MseSelection } from "./selection.ts";
import { MseSession } from "./session.ts";
import type { MseSessionParts } from "./session.ts";

/** Opens an archive at a time, in seconds since 1970. Its clock is UTC. Rejects with a `MediaError`. */
export type MseArchive = (utcSeconds: number) => Promise<RecordedPackets>;

/** What the session of one viewer of a recorded stream is made of. */
export type MseArchiveSessionParts = {
  /** What its live session is made of; the selection is that of the beginning. */
  readonly live: MseSessionParts;
  readonly open: MseArchive;
  /** A viewer has come to the archive, or has left it. */
  readonly onFileViewer: (change: 1 | -1) => void;
  readonly clock: Clock;
  readonly log: Logger;
};

/**
 * One viewer of a stream that is recorded: live, or from any time on, and from one to the other as `play_from` and `live`
 * say. The archive is opened while what plays goes on.
 */
export class MseArchiveSession implements WebSocketPeer {
  readonly #socket: WebSocketSink;
  readonly #parts: MseArchiveSessionParts;
  readonly #intake: CommandIntake;
  #selection: MseSelection;
  #live: MseSession | null = null;
  #recorded: MseFileSession | null = null;
  /** Counts what the viewer went to: an archive that comes after the viewer has gone elsewhere is of no use. */
  #places = 0;
  #isPaused = false;
  #isOver = false;

  constructor(socket: WebSocketSink, parts: MseArchiveSessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#intake = new CommandIntake(socket, parts.clock);
    this.#selection = parts.live.selection;
  }

  /** Begins to play at a time, in seconds since 1970; `null`: live. */
  start(utcSeconds: number | null): void {
    if (utcSeconds === null) this.#goLive().play();
    else void this.#goTo(utcSeconds, false);
  }

  onText(text: string): void {
    if (this.#isOver) return;
    const command = this.#intake.take(text);
    if (command === "too-many") return this.close();
    if (command === null) return;
    if (command.type === "play-from" && this.#recorded === null) {
      void this.#goTo(command.utcSeconds, true);
      return;
    }
    if (command.type === "pause" || command.type === "resume") this.#isPaused = command.type === "pause";
    if (command.type === "set-tracks") this.#selection = command.selection;
    if (command.type === "live") {
      this.#isPaused = false;
      this.#goLive().command(command);
    } else if (this.#recorded !== null || this.#live !== null)
      (this.#recorded ?? this.#live)?.command(command);
    // The archive that is being opened begins as is said now.
    else if (command.type === "pause" || command.type === "resume")
      this.#socket.sendText(eventText(this.#isPaused ? "paused" : "resumed"));
  }

  drained(): void {
    this.#recorded?.drained();
  }

  /** The client left. */
  close(): void {
    this.#isOver = true;
    this.#leave();
  }

  #goLive(): MseSession {
    if (this.#live !== null) return this.#live;
    this.#leave();
    const { live, clock } = this.#parts;
    this.#live = new MseSession(this.#socket, { ...live, clock, selection: this.#selection });
    return this.#live;
  }

  /** Never rejects. */
  async #goTo(utcSeconds: number, isSeek: boolean): Promise<void> {
    const place = ++this.#places;
    try {
      const packets = await this.#parts.open(utcSeconds);
      if (place === this.#places && !this.#isOver) this.#playRecorded(packets, utcSeconds, isSeek);
    } catch (caught) {
      if (place === this.#places && !this.#isOver) this.#refuse(caught);
    }
  }

  #playRecorded(packets: RecordedPackets, fromSeconds: number, isSeek: boolean): void {
    this.#leave();
    const { live, clock, log, onFileViewer } = this.#parts;
    onFileViewer(1);
    this.#recorded = new MseFileSession(this.#socket, {
      ...{ name: live.name, packets, fromSeconds, clock, log },
      selection: this.#selection,
      isPaused: this.#isPaused,
      over: () => onFileViewer(-1),
    });
    if (isSeek) this.#socket.sendText(eventText("seeked"));
    this.#recorded.play();
  }

  /** What plays goes on; where nothing does yet, the viewer may still choose another time, or what is live. */
  #refuse(caught: unknown): void {
    const error = asMediaError(caught);
    const { live, log } = this.#parts;
    if (error?.disposition !== "reject")
      log.warn("an archive cannot be played over MSE-LD", { name: live.name, error: messageOf(caught) });
    const hasNothing = this.#live === null;
    const session = this.#goLive();
    session.refuseTime(error?.message ?? "the server failed");
    if (hasNothing) session.wait();
  }

  #leave(): void {
    this.#places++;
    this.#live?.close();
    this.#recorded?.close();
    this.#live = null;
    this.#recorded = null;
  }
}
