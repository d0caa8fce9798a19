import type { Clock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { WebSocketPeer, WebSocketSink } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import { CLOSE_CODE } from "../../base/web-socket/errors.ts";
import { PacedPackets } from "../../stream/paced-packets.ts";
import type { PacketRun, RecordedPackets } from "../../stream/recorded-packets.ts";
import type { TrackSet } from "../../media/track.ts";
import { CommandIntake } from "./command-intake.ts";
import type { MseCommand } from "./commands.ts";
import { mseFileFormat } from "./from-stream.ts";
import type { MseFileFormat } from "./from-stream.ts";
import { eventText } from "./messages.ts";
import type { MseEvent } from "./messages.ts";
import { selectedTracks } from "./selection.ts";
import type { MseSelection } from "./selection.ts";

/** What the session of one viewer of a file or an archive is made of. */
export type MseFileSessionParts = {
  /** What it is called in the log. */
  readonly name: string;
  readonly packets: RecordedPackets;
  readonly selection: MseSelection;
  /** Where it begins, in seconds from the file's beginning, or since 1970. */
  readonly fromSeconds: number;
  /** The viewer has paused already. */
  readonly isPaused?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** The session is over. Called once. */
  over(): void;
};

/**
 * So much is sent ahead of the player's clock: enough for a network that stands still for a moment, and little that is
 * sent in vain when the viewer seeks.
 */
const HEAD_START_US = 3_000_000;

/**
 * One viewer of a file, or of an archive, over MSE-LD. A seek goes to the key frame at or before the time and sends at once what is between,
 * so that the picture of that time is shown, even while the viewer has paused; a pause stops the clock by which fragments
 * are sent. The socket stays open behind the file's end: it can be sought in.
 */
export class MseFileSession implements WebSocketPeer {
  readonly #socket: WebSocketSink;
  readonly #parts: MseFileSessionParts;
  readonly #intake: CommandIntake;
  readonly #paced: PacedPackets;
  #selection: MseSelection;
  #format: MseFileFormat;
  /** What the viewer was told of last. */
  #tracks: TrackSet | null = null;
  #isPaused: boolean;
  /** Counts seeks: only the last one counts. */
  #seeks = 0;
  /** The file has none of the tracks that are chosen. */
  #hasNothing = false;
  #isOver = false;

  constructor(socket: WebSocketSink, parts: MseFileSessionParts) {
    const { packets, clock, selection } = parts;
    this.#socket = socket;
    this.#parts = parts;
    this.#intake = new CommandIntake(socket, clock);
    this.#selection = selection;
    this.#isPaused = parts.isPaused ?? false;
    this.#format = mseFileFormat(selection, packets.endUs);
    this.#paced = new PacedPackets(
      { packets, clock, bufferUs: HEAD_START_US, stopUs: Infinity, pauseStops: "clock" },
      {
        begin: (run) => this.#begin(run),
        packet: (packet, room) => this.#format.packet(packet, room),
        write: (bytes) => socket.write(bytes),
        queuedBytes: () => socket.queuedBytes(),
        ended: () => this.#say("recordings_ended"),
        failed: (caught) => this.#fail(caught),
      },
    );
  }

  /** Begins to play. */
  play(): void {
    this.#playFrom(this.#timeOf(this.#parts.fromSeconds), null);
  }

  onText(text: string): void {
    if (this.#isOver) return;
    const command = this.#intake.take(text);
    if (command === "too-many") return this.#end();
    if (command !== null) this.command(command);
  }

  /** Does what a client says. */
  command(command: MseCommand): void {
    if (this.#isOver) return;
    if (command.type === "resume") this.#resume();
    else if (command.type === "pause") this.#pause();
    else if (command.type === "live")
      this.#say("stream_unavailable", "a file is not live: play_from=0 begins anew");
    else if (command.type === "play-from") this.#playFrom(this.#timeOf(command.utcSeconds), "seeked");
    else if (command.type === "set-tracks") {
      this.#selection = command.selection;
      this.#playFrom(this.#paced.playedUs, "tracks_switched");
    }
  }

  drained(): void {
    this.#pump();
  }

  /** The client left. */
  close(): void {
    this.#end();
  }

  #timeOf(seconds: number): number {
    const us = Math.round(seconds * 1_000_000);
    return this.#parts.packets.atUtc?.(us) ?? us;
  }

  /**
   * An init message, and the fragments from the last key frame on that is shown at or before a time. `event`: what is said in
   * front of it.
   */
  #playFrom(us: number, event: MseEvent | null): void {
    const { packets } = this.#parts;
    const toUs = Math.min(us, packets.endUs);
    this.#seeks++;
    const start = packets.startAt(Math.max(0, toUs - packets.reorderUs));
    if (start instanceof Promise) void this.#jumpLater(start, toUs, event);
    else this.#jump(start, toUs, event);
  }

  /** Never rejects. */
  async #jumpLater(start: Promise<number>, toUs: number, event: MseEvent | null): Promise<void> {
    const seek = this.#seeks;
    try {
      const startUs = await start;
      if (seek === this.#seeks && !this.#isOver) this.#jump(startUs, toUs, event);
    } catch (caught) {
      this.#fail(caught);
    }
  }

  #jump(startUs: number, toUs: number, event: MseEvent | null): void {
    const { packets } = this.#parts;
    if (event !== null) this.#say(event);
    this.#format = mseFileFormat(this.#selection, packets.endUs);
    this.#hasNothing = selectedTracks(packets.tracks, this.#selection).length === 0;
    this.#tell(packets.tracks);
    this.#paced.jump(startUs, Math.max(startUs, toUs));
    if (this.#isPaused) this.#paced.pause();
    this.#pump();
  }

  #begin({ tracks, utcOffsetUs = 0 }: PacketRun): void {
    this.#format.utcOffsetUs = utcOffsetUs;
    if (tracks !== undefined && tracks !== this.#tracks) this.#tell(tracks);
  }

  #tell(tracks: TrackSet): void {
    this.#tracks = tracks;
    this.#socket.write(this.#format.tracks(tracks, 0));
  }

  #pause(): void {
    this.#isPaused = true;
    this.#say("paused");
    this.#paced.pause();
    this.#pump();
  }

  /** Goes on with the next fragment: there is no new init message. */
  #resume(): void {
    this.#isPaused = false;
    this.#say("resumed");
    this.#paced.resume();
    if (this.#paced.state === "ended") this.#say("recordings_ended");
    this.#pump();
  }

  #pump(): void {
    if (!this.#hasNothing) this.#paced.pump();
  }

  #fail(caught: unknown): void {
    if (this.#isOver) return;
    const error = asMediaError(caught);
    const { name, log } = this.#parts;
    log.warn("a file cannot be played on over MSE-LD", {
      name,
      error: messageOf(caught),
      code: error?.code,
    });
    const reason = error?.message ?? "the server failed";
    this.#end();
    this.#say("stream_unavailable", reason);
    this.#socket.close(error === null ? CLOSE_CODE.internalError : CLOSE_CODE.tryAgainLater, reason);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#paced.close();
    this.#parts.over();
  }

  #say(event: MseEvent, reason?: string): void {
    this.#socket.sendText(eventText(event, reason));
  }
}
