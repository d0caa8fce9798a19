import { constants } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { SinkTransport } from "./sink-delivery.ts";

/** What writing to a file needs. */
export type FileSinkOptions = {
  /** Absolute. */
  readonly path: string;
  /** The line of an event, without a line feed; given its JSON. */
  lineOf(json: string): string;
  /** 64 MiB unless given. */
  readonly maxBytes?: number;
  /** Files that are kept beside the one that is written: `PATH.1` is the youngest. 5 unless given. */
  readonly keptFiles?: number;
};

const MAX_BYTES = 64 * 1024 * 1024;
const KEPT_FILES = 5;

/**
 * Adds events to a file, which is begun anew above a size, and opened anew when somebody else has moved it away. A link is
 * not followed.
 */
export class FileSink implements SinkTransport {
  readonly #options: FileSinkOptions;
  #file: FileHandle | null = null;
  #inode = 0;
  #bytes = 0;

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  /** Rejects with the system's error; nothing of the batch is in the file then. */
  async send(events: readonly string[]): Promise<void> {
    const text = Buffer.from(events.map((json) => `${this.#options.lineOf(json)}\n`).join(""));
    if (await this.#isMoved()) await this.close();
    const { maxBytes = MAX_BYTES } = this.#options;
    if (this.#file !== null && this.#bytes > 0 && this.#bytes + text.byteLength > maxBytes)
      await this.#rotate();
    const file = await this.#opened();
    try {
      for (let at = 0; at < text.byteLength;) {
        const { bytesWritten } = await file.write(text, at, text.byteLength - at);
        at += bytesWritten;
      }
      this.#bytes += text.byteLength;
    } catch (caught) {
      await file.truncate(this.#bytes).catch(() => undefined);
      await this.close();
      throw caught;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => undefined);
  }

  async #opened(): Promise<FileHandle> {
    if (this.#file !== null) return this.#file;
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
    const file = await open(this.#options.path, flags, 0o640);
    const status = await file.stat();
    if (!status.isFile()) {
      await file.close();
      throw new Error("it is not a file");
    }
    this.#file = file;
    this.#inode = status.ino;
    this.#bytes = status.size;
    return file;
  }

  async #isMoved(): Promise<boolean> {
    if (this.#file === null) return false;
    const there = await stat(this.#options.path).catch(() => null);
    return there === null || there.ino !== this.#inode;
  }

  async #rotate(): Promise<void> {
    const { path, keptFiles = KEPT_FILES } = this.#options;
    await this.close();
    for (let n = keptFiles; n > 0; n--) {
      const from = n === 1 ? path : `${path}.${n - 1}`;
      await rename(from, `${path}.${n}`).catch((caught: unknown) => {
        if (!(caught instanceof Error && "code" in caught && caught.code === "ENOENT")) throw caught;
      });
    }
  }
}
