/** A volume in memory, shared by any number of processes, that fails, tears writes and loses power where a test says so. */
import type { FileFacts, FolderEntry, KeepFiles, VolumeSpace } from "../../src/dvr/keep/keep-files.ts";

/** One thing that a volume does for a process. An operation of `KeepFiles` is one of them or several. */
export type VolumeStep = {
  readonly kind:
    | ("list" | "facts" | "read" | "make" | "fill" | "cut" | "sync" | "rename" | "remove")
    | ("removeFolder" | "makeFolder" | "syncFolder" | "space");
  readonly path: string;
  /** What a `fill` would write. */
  readonly bytes: number;
};

/** What goes wrong with a step: the error, and for a `fill` how much is written all the same. */
export type StepFault = { readonly error: Error; readonly wroteBytes?: number };

/** What a test has to say about steps: `before` one takes effect, and `after`, before the process hears of it. */
export type VolumeHooks = {
  before?(step: VolumeStep): Promise<StepFault | void> | StepFault | void;
  after?(step: VolumeStep): Promise<void> | void;
};

/** A file: what every process sees, and what of it a loss of power would leave. */
type StoredFile = { bytes: Uint8Array; durableBytes: number; changedMs: number };

/** An error as the system has it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: the test says so`), { code });
}

/** The volume itself; `seenBy` gives processes their files. */
export class MemoryVolume {
  readonly files = new Map<string, StoredFile>();
  readonly folders = new Set<string>();
  /** Room for files; what is beyond is ENOSPC. Units: bytes. */
  capacityBytes = Infinity;
  /** Of each folder and those above it: a second number is that of the disk on which this one is mounted. */
  devices: readonly number[] = [1];
  #changes = 0;

  /** The volume as one process sees it. */
  seenBy(hooks: VolumeHooks = {}): KeepFiles {
    return new ViewOfVolume(this, hooks);
  }

  /** Another volume with the same in it: what a process that starts anew finds. */
  copy(): MemoryVolume {
    const other = new MemoryVolume();
    for (const [path, file] of this.files) other.files.set(path, { ...file, bytes: file.bytes.slice() });
    for (const folder of this.folders) other.folders.add(folder);
    other.capacityBytes = this.capacityBytes;
    return other;
  }

  /** Of every file, what was not put on the disk is lost but for a part that `kept` chooses, from 0 to 1. */
  losePower(kept: () => number): void {
    for (const file of this.files.values()) {
      const lostBytes = Math.max(0, file.bytes.byteLength - file.durableBytes);
      const length = file.bytes.byteLength - lostBytes + Math.floor(kept() * (lostBytes + 1));
      file.bytes = file.bytes.slice(0, Math.min(length, file.bytes.byteLength));
    }
  }

  /** Puts a file there as it is, with the folders above it. */
  put(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.files.set(path, { bytes, durableBytes: bytes.byteLength, changedMs: this.change() });
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
      this.folders.add(path.slice(0, at));
  }

  /** A file as text; `null` when there is none. */
  text(path: string): string | null {
    const file = this.files.get(path);
    return file === undefined ? null : new TextDecoder().decode(file.bytes);
  }

  /** Paths of all files, in alphabetical order. */
  paths(): string[] {
    return [...this.files.keys()].sort();
  }

  /** All files together. Units: bytes. */
  usedBytes(): number {
    let bytes = 0;
    for (const file of this.files.values()) bytes += file.bytes.byteLength;
    return bytes;
  }

  /** A time that no change had before. */
  change(): number {
    return ++this.#changes;
  }

  /** Names of what is directly in a folder, and whether it is a folder. */
  entries(folder: string): FolderEntry[] {
    const below = (paths: Iterable<string>, isFolder: boolean): FolderEntry[] =>
      [...paths]
        .filter((path) => path.startsWith(`${folder}/`) && !path.includes("/", folder.length + 1))
        .map((path) => ({ name: path.slice(folder.length + 1), isFolder }));
    return [...below(this.files.keys(), false), ...below(this.folders, true)];
  }
}

class ViewOfVolume implements KeepFiles {
  readonly #volume: MemoryVolume;
  readonly #hooks: VolumeHooks;

  constructor(volume: MemoryVolume, hooks: VolumeHooks) {
    this.#volume = volume;
    this.#hooks = hooks;
  }

  async list(folder: string, limit: number): Promise<readonly FolderEntry[] | null> {
    return await this.#step("list", folder, () =>
      this.#volume.folders.has(folder) ? this.#volume.entries(folder).slice(0, limit) : null,
    );
  }

  async facts(path: string): Promise<FileFacts | null> {
    return await this.#step("facts", path, () => {
      const file = this.#volume.files.get(path);
      return file === undefined ? null : { bytes: file.bytes.byteLength, changedMs: file.changedMs };
    });
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array | null> {
    return await this.#step(
      "read",
      path,
      () => this.#volume.files.get(path)?.bytes.slice(0, maxBytes) ?? null,
    );
  }

  async create(path: string, bytes: Uint8Array): Promise<boolean> {
    const isMade = await this.#step("make", path, () => {
      if (this.#volume.files.has(path)) return false;
      this.#makeEmpty(path);
      return true;
    });
    if (isMade) await this.#fill(path, 0, bytes);
    return isMade;
  }

  async overwrite(path: string, bytes: Uint8Array): Promise<boolean> {
    if (!this.#volume.files.has(path))
      return await this.#step("fill", path, () => this.#volume.files.has(path));
    return await this.#fill(path, 0, bytes);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#step("make", path, () => this.#makeEmpty(path));
    await this.#fill(path, 0, bytes);
    await this.#sync(path);
  }

  async append(path: string, keepBytes: number, bytes: Uint8Array): Promise<void> {
    await this.#step("make", path, () => {
      if (!this.#volume.files.has(path)) this.#makeEmpty(path);
    });
    const file = this.#volume.files.get(path);
    if (file !== undefined && file.bytes.byteLength > keepBytes) {
      await this.#step("cut", path, () => {
        file.bytes = file.bytes.slice(0, keepBytes);
        file.durableBytes = Math.min(file.durableBytes, keepBytes);
        file.changedMs = this.#volume.change();
      });
    }
    if (bytes.byteLength > 0) await this.#fill(path, keepBytes, bytes);
    await this.#sync(path);
  }

  async rename(from: string, to: string): Promise<boolean> {
    return await this.#step("rename", from, () => {
      const file = this.#volume.files.get(from);
      if (file === undefined) return false;
      this.#volume.files.delete(from);
      this.#volume.files.set(to, file);
      return true;
    });
  }

  async remove(path: string): Promise<boolean> {
    return await this.#step("remove", path, () => this.#volume.files.delete(path));
  }

  async removeFolder(path: string): Promise<boolean> {
    return await this.#step("removeFolder", path, () => {
      if (this.#volume.entries(path).length > 0) return false;
      return this.#volume.folders.delete(path);
    });
  }

  async makeFolder(path: string): Promise<void> {
    await this.#step("makeFolder", path, () => {
      for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1))
        this.#volume.folders.add(path.slice(0, at));
    });
  }

  async syncFolder(path: string): Promise<void> {
    await this.#step("syncFolder", path, () => {});
  }

  async space(folder: string): Promise<VolumeSpace> {
    return await this.#step("space", folder, () => ({
      totalBytes: this.#volume.capacityBytes,
      usedBytes: this.#volume.usedBytes(),
    }));
  }

  async devices(): Promise<readonly number[]> {
    return await Promise.resolve(this.#volume.devices);
  }

  #makeEmpty(path: string): void {
    if (!this.#volume.folders.has(path.slice(0, path.lastIndexOf("/")))) throw systemError("ENOENT");
    const empty = { bytes: new Uint8Array(0), durableBytes: 0, changedMs: this.#volume.change() };
    this.#volume.files.set(path, empty);
  }

  async #sync(path: string): Promise<void> {
    await this.#step("sync", path, () => {
      const file = this.#volume.files.get(path);
      if (file !== undefined) file.durableBytes = file.bytes.byteLength;
    });
  }

  /** Writes where the file was found, which is not where another file of that name is by now. */
  async #fill(path: string, at: number, bytes: Uint8Array): Promise<boolean> {
    const file = this.#volume.files.get(path);
    const write = (length: number): boolean => {
      if (file === undefined) return false;
      const end = Math.max(file.bytes.byteLength, at + length);
      const growsBy = end - file.bytes.byteLength;
      if (this.#volume.usedBytes() + growsBy > this.#volume.capacityBytes) throw systemError("ENOSPC");
      file.bytes = grownTo(file.bytes, end);
      file.bytes.set(bytes.subarray(0, length), at);
      file.changedMs = this.#volume.change();
      return true;
    };
    const step: VolumeStep = { kind: "fill", path, bytes: bytes.byteLength };
    const fault = await this.#hooks.before?.(step);
    if (fault !== undefined) {
      if (fault.wroteBytes !== undefined) write(Math.min(fault.wroteBytes, bytes.byteLength));
      throw fault.error;
    }
    const isThere = write(bytes.byteLength);
    await this.#hooks.after?.(step);
    return isThere;
  }

  async #step<T>(kind: VolumeStep["kind"], path: string, run: () => T): Promise<T> {
    const step: VolumeStep = { kind, path, bytes: 0 };
    const fault = await this.#hooks.before?.(step);
    if (fault !== undefined) throw fault.error;
    const result = run();
    await this.#hooks.after?.(step);
    return result;
  }
}

/** The same bytes and zeros behind them, in place where there is room: what grows in small steps is not copied in each. */
function grownTo(bytes: Uint8Array, length: number): Uint8Array {
  if (length <= bytes.buffer.byteLength - bytes.byteOffset)
    return new Uint8Array(bytes.buffer, bytes.byteOffset, length).fill(0, bytes.byteLength);
  const grown = new Uint8Array(2 * length).subarray(0, length);
  grown.set(bytes);
  return grown;
}
