/** A file in memory as a `ByteSource` that counts what is read of it. */
import type { ByteSource } from "../../src/vod/byte-source.ts";

/** Reads of a `MemorySource`. */
export type SourceRead = { readonly offset: number; readonly length: number };

/** Gives bytes as a storage would; `reads` has every read, `fail` makes the next ones reject. */
export class MemorySource implements ByteSource {
  readonly path: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly modifiedMs = 0;
  readonly reads: SourceRead[] = [];
  released = 0;
  fail: Error | null = null;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, options: { path?: string; version?: string; sizeBytes?: number } = {}) {
    this.#bytes = bytes;
    this.path = options.path ?? "memory.mp4";
    this.version = options.version ?? "1";
    this.sizeBytes = options.sizeBytes ?? bytes.byteLength;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.reads.push({ offset, length });
    await Promise.resolve();
    if (this.fail !== null) throw this.fail;
    return this.#bytes.slice(offset, offset + length);
  }

  release(): void {
    this.released++;
  }
}
