import { constants } from "node:fs";
import { mkdir, open, readdir, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../../base/errors.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";

/** O_NOFOLLOW: an archive has no links, so one that stands there leads where somebody else wants it to. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0);

/** Pieces that the system writes at one go; some systems take no more. */
const MAX_PIECES = 1024;

const NOT_THERE: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR"]);

/** The files of an archive on a disk. */
export const diskFiles: ArchiveFiles = {
  async open(path) {
    const handle = await attempt("open", path, () => orNull(open(path, FLAGS)));
    return handle === null ? null : new DiskFile(path, handle, null);
  },

  async create(path) {
    return await attempt("create", path, async () => {
      const made = (await mkdir(dirname(path), { recursive: true })) ?? null;
      return new DiskFile(path, await open(path, FLAGS | constants.O_CREAT, 0o644), made ?? path);
    });
  },

  async stat(path) {
    return await attempt("look at", path, async () => (await orNull(stat(path)))?.size ?? null);
  },

  async list(folder) {
    return await attempt("list", folder, async () => (await orNull(readdir(folder))) ?? []);
  },
};

class DiskFile implements ArchiveFile {
  readonly path: string;
  readonly #handle: FileHandle;
  /** The file, or the first of its folders, that may not be in its own folder on the disk itself; `null`: it is. */
  #made: string | null;

  constructor(path: string, handle: FileHandle, made: string | null) {
    this.path = path;
    this.#handle = handle;
    this.#made = made;
  }

  async sizeBytes(): Promise<number> {
    return await attempt("look at", this.path, async () => (await this.#handle.stat()).size);
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    return await attempt("read", this.path, async () => {
      let filled = 0;
      while (filled < into.byteLength) {
        const left = into.byteLength - filled;
        const { bytesRead } = await this.#handle.read(into, filled, left, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    });
  }

  async append(pieces: readonly Uint8Array[]): Promise<void> {
    await attempt("write to", this.path, async () => {
      let rest = piecesBehind(pieces, 0);
      while (rest.length > 0) {
        const { bytesWritten } = await this.#handle.writev(rest.slice(0, MAX_PIECES));
        rest = piecesBehind(rest, bytesWritten);
      }
    });
  }

  async truncate(sizeBytes: number): Promise<void> {
    await attempt("cut", this.path, async () => {
      if ((await this.#handle.stat()).size > sizeBytes) await this.#handle.truncate(sizeBytes);
    });
  }

  async sync(): Promise<void> {
    await attempt("sync", this.path, async () => {
      await this.#handle.datasync();
      if (this.#made === null) return;
      await syncFolders(dirname(this.path), dirname(this.#made));
      this.#made = null;
    });
  }

  async close(): Promise<void> {
    await attempt("close", this.path, async () => await this.#handle.close());
  }
}

/**
 * What a folder has in it is on the disk itself then, and that of the folders above it, up to one of them. Folders that are
 * not ours to open, and systems that sync none, are passed over: files that were synced are there all the same on most.
 */
async function syncFolders(from: string, to: string): Promise<void> {
  for (let folder = from; ; folder = dirname(folder)) {
    try {
      const handle = await open(folder, constants.O_RDONLY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (caught) {
      if (codeOf(caught) === "EIO") throw caught;
    }
    if (folder === to || folder === dirname(folder)) return;
  }
}

/** What is left of pieces, without empty ones, when so many bytes of them were written. */
function piecesBehind(pieces: readonly Uint8Array[], writtenBytes: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = writtenBytes;
  for (const piece of pieces) {
    if (skip < piece.byteLength) rest.push(skip === 0 ? piece : piece.subarray(skip));
    skip = Math.max(0, skip - piece.byteLength);
  }
  return rest;
}

/** `null` where the file or folder is not there. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (caught) {
    if (NOT_THERE.has(codeOf(caught))) return null;
    throw caught;
  }
}

/** Runs what touches the file system, with its errors put into ours. */
async function attempt<T>(action: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (caught) {
    const reason = codeOf(caught) ?? messageOf(caught);
    throw dvrErrors.error("DVR_DISK_FAILED", { action, path, reason }, caught);
  }
}

function codeOf(caught: unknown): string | undefined {
  return caught instanceof Error && "code" in caught ? String(caught.code) : undefined;
}
