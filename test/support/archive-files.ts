/** A file system in memory for the archive, which fails and tears as disks do. */
import { asMediaError } from "../../src/base/errors.ts";
import type { ArchiveFile, ArchiveFiles } from "../../src/dvr/archive-files.ts";
import { dvrErrors } from "../../src/dvr/errors.ts";

/** Files by their paths; folders are there as long as something is in them. */
export class MemoryFiles implements ArchiveFiles {
  readonly contents = new Map<string, Uint8Array>();
  /** What changed a file: `append PATH BYTES`, `truncate PATH BYTES`, `create PATH`. */
  readonly changes: string[] = [];
  /** Every call that reads, `list PATH` and the like. */
  readonly looks: string[] = [];
  /** Every call of any kind, in order: `append PATH BYTES`, `sync PATH` and the like. */
  readonly calls: string[] = [];
  /** What a loss of power would leave of each file at least: its bytes when it was synced last. */
  readonly durable = new Map<string, Uint8Array>();
  /** Calls wait for this: a disk that stands still. */
  gate: Promise<void> = Promise.resolve();
  /** Syncs wait for this, and reject with what it rejects with. */
  syncGate: Promise<void> = Promise.resolve();
  /** Called before each append takes effect; what it throws is what the call rejects with. */
  onAppend: (path: string, bytes: Uint8Array) => void = () => {};
  /** Calls that go well before one fails with EIO, and each one after it; Infinity unless set. */
  callsLeft = Infinity;
  /** Bytes that can still be appended; what goes beyond is torn off there, and the call fails with ENOSPC. */
  freeBytes = Infinity;
  /** Files that are open. */
  openFiles = 0;

  constructor(contents: Readonly<Record<string, Uint8Array>> = {}) {
    for (const [path, bytes] of Object.entries(contents)) this.contents.set(path, new Uint8Array(bytes));
  }

  async open(path: string): Promise<ArchiveFile | null> {
    await this.call(this.looks, "open", path);
    return this.contents.has(path) ? this.#file(path) : null;
  }

  async create(path: string): Promise<ArchiveFile> {
    await this.call(this.changes, "create", path);
    if (!this.contents.has(path)) this.contents.set(path, new Uint8Array(0));
    return this.#file(path);
  }

  async stat(path: string): Promise<number | null> {
    await this.call(this.looks, "stat", path);
    return this.contents.get(path)?.byteLength ?? null;
  }

  async list(folder: string): Promise<readonly string[]> {
    await this.call(this.looks, "list", folder);
    const below = [...this.contents.keys()].filter((path) => path.startsWith(`${folder}/`));
    return [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0]!))];
  }

  /** Counts a call, and fails when its turn has come. */
  async call(log: string[], action: string, path: string, bytes?: number): Promise<void> {
    await this.gate;
    const line = bytes === undefined ? `${action} ${path}` : `${action} ${path} ${bytes}`;
    this.calls.push(line);
    if (this.callsLeft-- <= 0)
      throw dvrErrors.error("DVR_DISK_FAILED", { action, path, reason: "EIO" }, systemError("EIO"));
    log.push(line);
  }

  /**
   * What is left when the power fails: of each file what was synced, and of what was written since then a part, in which
   * blocks that never arrived are zeros or noise. Files that were never synced may be gone.
   *
   * `random`: a number from 0 to 1, anew with each call. `isOrdered`: nothing is zeros or noise, files just end early.
   */
  afterPowerLoss(random: () => number, isOrdered = false): MemoryFiles {
    const left = new MemoryFiles();
    for (const [path, bytes] of this.contents) {
      const durable = this.durable.get(path);
      if (durable === undefined && random() < 0.2) continue;
      left.contents.set(path, tear(bytes, sameBytes(durable, bytes), random, isOrdered));
    }
    return left;
  }

  #file(path: string): ArchiveFile {
    this.openFiles++;
    return new MemoryFile(this, path);
  }
}

class MemoryFile implements ArchiveFile {
  readonly path: string;
  readonly #files: MemoryFiles;

  constructor(files: MemoryFiles, path: string) {
    this.#files = files;
    this.path = path;
  }

  async sizeBytes(): Promise<number> {
    await this.#files.call(this.#files.looks, "size", this.path);
    return this.#bytes.byteLength;
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    await this.#files.call(this.#files.looks, "read", this.path, into.byteLength);
    const part = this.#bytes.subarray(offset, offset + into.byteLength);
    into.set(part);
    return part.byteLength;
  }

  async append(pieces: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(pieces);
    await this.#files.call(this.#files.changes, "append", this.path, bytes.byteLength);
    this.#files.onAppend(this.path, bytes);
    const fits = bytes.subarray(0, this.#files.freeBytes);
    this.#files.freeBytes -= fits.byteLength;
    this.#files.contents.set(this.path, Buffer.concat([this.#bytes, fits]));
    if (fits.byteLength === bytes.byteLength) return;
    const context = { action: "write to", path: this.path, reason: "ENOSPC" };
    throw dvrErrors.error("DVR_DISK_FAILED", context, systemError("ENOSPC"));
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#files.call(this.#files.changes, "truncate", this.path, sizeBytes);
    this.#files.contents.set(this.path, new Uint8Array(this.#bytes.subarray(0, sizeBytes)));
  }

  async sync(): Promise<void> {
    await this.#files.call(this.#files.looks, "sync", this.path);
    await this.#files.syncGate;
    this.#files.durable.set(this.path, this.#bytes);
  }

  async close(): Promise<void> {
    this.#files.openFiles--;
    await Promise.resolve();
  }

  get #bytes(): Uint8Array {
    return this.#files.contents.get(this.path) ?? new Uint8Array(0);
  }
}

/** Bytes that two begin with. */
function sameBytes(durable: Uint8Array | undefined, bytes: Uint8Array): number {
  const other = (durable ?? new Uint8Array(0)).findIndex((byte, i) => byte !== bytes[i]);
  return other === -1 ? (durable?.byteLength ?? 0) : other;
}

/** What a disk takes at a time. */
const BLOCK_BYTES = 512;

function tear(bytes: Uint8Array, from: number, random: () => number, isOrdered: boolean): Uint8Array {
  const endBytes = from + Math.floor(random() * (bytes.byteLength - from + 1));
  const torn = bytes.slice(0, random() < 0.3 ? bytes.byteLength : endBytes);
  if (isOrdered) return torn;
  for (let at = from; at < torn.byteLength; at += BLOCK_BYTES) {
    const fate = random();
    const block = torn.subarray(at, at + BLOCK_BYTES);
    if (fate < 0.2) block.fill(0);
    else if (fate < 0.3) for (let i = 0; i < block.byteLength; i++) block[i] = Math.floor(random() * 256);
  }
  return torn;
}

/** What the system said to a call that failed: `ENOSPC`, `EIO`; `null` when it did not come from there. */
export function systemCodeOf(caught: unknown): string | null {
  const cause = asMediaError(caught)?.cause ?? caught;
  return cause instanceof Error && "code" in cause ? String(cause.code) : null;
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by a test`), { code });
}
