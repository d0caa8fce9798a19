import { systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import type { HttpFile } from "../../base/http-message.ts";
import type { ByteRange } from "./byte-range.ts";

/** Read and sent at a time: what one download holds in memory. */
export const PIECE_BYTES = 256 * 1024;

/** A client that has not taken a piece by then takes nothing, or trickles. Some 4 KiB a second are enough. */
const PIECE_MS = 60_000;

/** The connection that a file goes to. */
export type FileCarrier = {
  /** Sends a piece; calls `onTaken` when it has left. */
  write(piece: Uint8Array, onTaken: () => void): void;
  /** Ends the connection at once: the client sees that the body is not whole. */
  destroy(): void;
};

/** How a file's body ended. */
export type FileEnd = "sent" | "left" | { readonly failure: unknown };

/** Part of a file on its way to one client, piece by piece: the next is read when the one before it has left. */
export class FileBody {
  readonly #file: HttpFile;
  readonly #range: ByteRange;
  readonly #carrier: FileCarrier;
  readonly #clock: Clock;
  #hasLeft = false;
  /** Ends the wait for the piece on its way; one at a time, so that nothing piles up over a long file. */
  #wake: (() => void) | null = null;

  constructor(file: HttpFile, range: ByteRange, carrier: FileCarrier, clock: Clock = systemClock) {
    this.#file = file;
    this.#range = range;
    this.#carrier = carrier;
    this.#clock = clock;
  }

  /** To be called when the connection is gone: nothing more is read. */
  left(): void {
    this.#hasLeft = true;
    this.#wake?.();
  }

  /** Sends it all. Resolves with how it ended; never rejects. After a failure the connection is gone. */
  async run(): Promise<FileEnd> {
    const forget = this.#file.onRevoked?.(() => {
      this.left();
      this.#carrier.destroy();
    });
    try {
      for (let at = this.#range.start; at < this.#range.end;) {
        const piece = await this.#file.read(at, Math.min(PIECE_BYTES, this.#range.end - at));
        if (this.#hasLeft) return "left";
        if (piece.byteLength === 0) throw new Error("the file ended before its size");
        await this.#send(piece);
        if (this.#hasLeft) return "left";
        at += piece.byteLength;
      }
      return "sent";
    } catch (caught) {
      this.#carrier.destroy();
      return { failure: caught };
    } finally {
      forget?.();
    }
  }

  /** Resolves when the piece has left, or nobody is there any more. */
  async #send(piece: Uint8Array): Promise<void> {
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const deadline = this.#clock.schedule(PIECE_MS, () => {
      this.left();
      this.#carrier.destroy();
    });
    this.#carrier.write(piece, resolve);
    await isOver;
    deadline.cancel();
  }
}
