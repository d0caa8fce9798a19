/** Client sockets that are read without a buffer each: hundreds of viewers share one. */
import { connect } from "node:net";
import type { Socket } from "node:net";

const SHARED = Buffer.allocUnsafe(256 * 1024);

/** A connection of the load. It never throws: a peer that resets is what a soak is about. */
export class DrainSocket {
  readonly socket: Socket;
  /** Resolves when it is closed, by whomever. */
  readonly closed: Promise<void>;
  bytesIn = 0;
  isOpen = true;

  /** `onBytes`: gets views of a buffer that is reused; valid until it returns. */
  constructor(port: number, onBytes: (bytes: Uint8Array) => void = () => {}) {
    this.socket = connect({
      port,
      host: "127.0.0.1",
      onread: {
        buffer: SHARED,
        callback: (count) => {
          this.bytesIn += count;
          onBytes(SHARED.subarray(0, count));
          return true;
        },
      },
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.socket.once("close", () => {
        this.isOpen = false;
        resolve();
      });
    });
  }

  /** Takes bytes for the server; none when the connection is gone. */
  write(bytes: Uint8Array | string): boolean {
    return this.isOpen && this.socket.writable && this.socket.write(bytes);
  }

  /** Says goodbye to TCP, and is gone a moment later even when the server says nothing. */
  async end(): Promise<void> {
    this.socket.resume();
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), 2000);
    await this.closed;
    clearTimeout(timer);
  }

  /** Leaves with a reset. */
  async reset(): Promise<void> {
    if (this.socket.connecting) this.socket.destroy();
    else this.socket.resetAndDestroy();
    await this.closed;
  }
}
