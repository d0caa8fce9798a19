import { constants } from "node:fs";
import type { BigIntStats, Dirent } from "node:fs";
import { open, opendir, realpath, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { ByteSource, FolderStorage, ListLimits, WantedNames } from "../byte-source.ts";
import { vodErrors } from "../errors.ts";
import { partOfTargets, roomOf } from "../scattered-read.ts";
import { FolderNames } from "./folder-names.ts";

/** Longest path below a storage, in characters; more is not a file but a mistake. */
const MAX_PATH_LENGTH = 1024;

/** Places that the system reads into at one go; some systems take no more. */
const MAX_TARGETS = 1024;

/** Errors of the file system that mean that there is no such file. */
const NOT_THERE: ReadonlySet<string | undefined> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "ENXIO",
]);
const NO_DESCRIPTORS: ReadonlySet<string | undefined> = new Set(["EMFILE", "ENFILE"]);

/** O_NONBLOCK: opening a named pipe must not wait for its other end. O_NOFOLLOW: links are resolved before. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Files below one directory. A path that names or links to anything outside of it is refused, and only regular files
 * are opened.
 */
export class DiskStorage implements FolderStorage {
  readonly location: string;
  readonly #clock: Clock;
  readonly #names: FolderNames;

  /** `root`: an absolute path; it need not exist yet. */
  constructor(root: string, clock: Clock) {
    this.location = root;
    this.#clock = clock;
    this.#names = new FolderNames(clock);
  }

  async open(path: string): Promise<ByteSource | null> {
    return await this.#attempt(path, async () => {
      const real = await this.#resolve(path);
      const { handle, identity } = await openRegularFile(real);
      if (handle === null) return null;
      return new DiskByteSource({ path, realPath: real, handle, identity });
    });
  }

  async versionOf(path: string): Promise<string | null> {
    return await this.#attempt(path, async () => {
      const status = await stat(await this.#resolve(path), { bigint: true });
      return status.isFile() ? versionOfStatus(status) : null;
    });
  }

  async problem(): Promise<string | null> {
    try {
      return (await stat(this.location)).isDirectory() ? null : "it is not a directory";
    } catch (caught) {
      const code = systemCodeOf(caught);
      return code === "ENOENT" ? "it does not exist" : (code ?? messageOf(caught));
    }
  }

  async list(extensions: readonly string[], limits: ListLimits): Promise<readonly string[]> {
    const found: string[] = [];
    const pending: { path: string; depth: number }[] = [{ path: "", depth: 0 }];
    let entries = 0;
    for (let i = 0; i < pending.length; i++) {
      const { path, depth } = pending[i]!;
      for await (const entry of openDirectory(join(this.location, path))) {
        const isEnough = ++entries > limits.entries || found.length >= limits.files;
        if (isEnough || this.#clock.nowUs() > limits.deadlineUs) return found.sort();
        const below = path === "" ? entry.name : `${path}/${entry.name}`;
        if (entry.name.startsWith(".") || reasonAgainst(below) !== null) continue;
        // Links are not followed: a listing must not lead out of the storage, nor in circles.
        if (entry.isDirectory() && depth < limits.depth) pending.push({ path: below, depth: depth + 1 });
        if (entry.isFile() && hasExtension(entry.name, extensions)) found.push(below);
      }
    }
    return found.sort();
  }

  async namesIn(folder: string, wanted: WantedNames): Promise<readonly string[] | null> {
    const { prefix, extensions, limit } = wanted;
    return await this.#attempt(folder, async () => {
      const place = folder === "" ? this.location : await this.#resolve(folder);
      const names = (await this.#names.of(place)).filter(
        (name) => name.startsWith(prefix) && hasExtension(name, extensions),
      );
      return names.length > limit ? names.slice(0, limit) : names;
    });
  }

  /** The real path of a file. Throws: VOD_BAD_PATH when it is not below the root. */
  async #resolve(path: string): Promise<string> {
    const reason = reasonAgainst(path);
    if (reason !== null) throw vodErrors.error("VOD_BAD_PATH", { reason });
    const root = await realpath(this.location);
    const real = await realpath(join(root, path));
    const prefix = root.endsWith(sep) ? root : root + sep;
    if (!real.startsWith(prefix))
      throw vodErrors.error("VOD_BAD_PATH", { reason: "a link leads out of the storage" });
    return real;
  }

  /** Runs what touches the file system, with its errors put into ours. */
  async #attempt<T>(path: string, run: () => Promise<T>): Promise<T | null> {
    try {
      return await run();
    } catch (caught) {
      if (asMediaError(caught) === null && NOT_THERE.has(systemCodeOf(caught))) return null;
      throw storageError(path, caught);
    }
  }
}

/** The entries of a directory, one by one; none of one that cannot be read. */
async function* openDirectory(path: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path);
  } catch {
    // A listing shows what can be seen.
  }
}

/** Why a path cannot be one below a storage, or `null`. */
function reasonAgainst(path: string): string | null {
  if (path.length > MAX_PATH_LENGTH) return `it is longer than ${MAX_PATH_LENGTH} characters`;
  if (path.includes("\0")) return "it has a NUL";
  if (path.includes("\\")) return "it has a backslash";
  for (const segment of path.split("/")) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has a segment "${segment}"`;
  }
  return null;
}

function hasExtension(name: string, extensions: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return extensions.some((extension) => lower.endsWith(extension));
}

function systemCodeOf(caught: unknown): string | undefined {
  return caught instanceof Error && "code" in caught ? String(caught.code) : undefined;
}

function storageError(path: string, caught: unknown): Error {
  const known = asMediaError(caught);
  if (known !== null) return known;
  const code = systemCodeOf(caught);
  if (code === "EACCES" || code === "EPERM") return vodErrors.error("VOD_UNREADABLE", { path }, caught);
  if (NO_DESCRIPTORS.has(code))
    return vodErrors.error("VOD_BUSY", { reason: "no descriptors are left" }, caught);
  return vodErrors.error("VOD_READ_FAILED", { path, reason: code ?? messageOf(caught) }, caught);
}

type Identity = { readonly version: string; readonly sizeBytes: number; readonly modifiedMs: number };

async function openRegularFile(real: string): Promise<{ handle: FileHandle | null; identity: Identity }> {
  const handle = await open(real, OPEN_FLAGS);
  try {
    const status = await handle.stat({ bigint: true });
    const identity = {
      version: versionOfStatus(status),
      sizeBytes: Number(status.size),
      modifiedMs: Number(status.mtimeMs),
    };
    if (status.isFile()) return { handle, identity };
    await handle.close();
    return { handle: null, identity };
  } catch (caught) {
    await handle.close();
    throw caught;
  }
}

/** Size, time of the last change in nanoseconds, and inode: whichever changes, the bytes may be others. */
function versionOfStatus(status: BigIntStats): string {
  return `${status.size.toString(36)}-${status.mtimeNs.toString(36)}-${status.ino.toString(36)}`;
}

/** A file of which a descriptor is kept open until `release`; after that one is opened for the time of each read. */
class DiskByteSource implements ByteSource {
  readonly path: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #realPath: string;
  #handle: FileHandle | null;
  #opening: Promise<FileHandle> | null = null;
  #readers = 0;
  #isReleased = false;

  constructor(options: { path: string; realPath: string; handle: FileHandle; identity: Identity }) {
    this.path = options.path;
    this.version = options.identity.version;
    this.sizeBytes = options.identity.sizeBytes;
    this.modifiedMs = options.identity.modifiedMs;
    this.#realPath = options.realPath;
    this.#handle = options.handle;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    return bytes.subarray(0, await this.readInto(offset, [bytes]));
  }

  async readInto(offset: number, targets: readonly Uint8Array[]): Promise<number> {
    this.#readers++;
    try {
      const handle = this.#handle ?? (await this.#reopen());
      return await readAt(handle, offset, targets);
    } catch (caught) {
      const isGone = NOT_THERE.has(systemCodeOf(caught)) && asMediaError(caught) === null;
      throw isGone
        ? vodErrors.error("VOD_CHANGED", { path: this.path }, caught)
        : storageError(this.path, caught);
    } finally {
      this.#readers--;
      this.#closeWhenIdle();
    }
  }

  release(): void {
    this.#isReleased = true;
    this.#closeWhenIdle();
  }

  async #reopen(): Promise<FileHandle> {
    this.#opening ??= this.#openAgain();
    try {
      return await this.#opening;
    } finally {
      this.#opening = null;
    }
  }

  async #openAgain(): Promise<FileHandle> {
    const { handle, identity } = await openRegularFile(this.#realPath);
    if (handle === null || identity.version !== this.version) {
      await handle?.close();
      throw vodErrors.error("VOD_CHANGED", { path: this.path });
    }
    this.#handle = handle;
    return handle;
  }

  #closeWhenIdle(): void {
    if (!this.#isReleased || this.#readers > 0 || this.#handle === null) return;
    const handle = this.#handle;
    this.#handle = null;
    handle.close().catch(() => {}); // nothing was written, so nothing is lost
  }
}

/** Returns: the bytes that were read. */
async function readAt(handle: FileHandle, offset: number, targets: readonly Uint8Array[]): Promise<number> {
  const room = roomOf(targets);
  let rest = targets;
  let filled = 0;
  while (filled < room) {
    // One buffer goes a shorter way than a list of one.
    const { bytesRead } =
      rest.length === 1
        ? await handle.read(rest[0]!, 0, rest[0]!.byteLength, offset + filled)
        : await handle.readv(rest.slice(0, MAX_TARGETS), offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
    if (filled < room) rest = partOfTargets(targets, filled, room);
  }
  return filled;
}
