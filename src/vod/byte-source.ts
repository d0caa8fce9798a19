import type { RandomAccess } from "../containers/mp4/random-access.ts";

/** An opened file of a storage. */
export type ByteSource = RandomAccess & {
  /** What the file is called in messages and logs. */
  readonly path: string;
  /** Changes when the bytes may have changed; fit for an entity tag. */
  readonly version: string;
  /** UTC of the last change. Units: milliseconds since 1970. */
  readonly modifiedMs: number;
  /**
   * Reads what lies from `offset` on into the targets, one after the other; where it is left out, `readScattered` copies.
   * Returns: the bytes that were read, fewer than there is room for only where the bytes end. When it rejects, nothing
   * writes to the targets any more.
   */
  readInto?(offset: number, targets: readonly Uint8Array[]): Promise<number>;
  /**
   * Gives descriptors back. The source stays usable: whoever still reads opens the file for that time only.
   * Idempotent.
   */
  release(): void;
  /** The files whose bytes stand in it one behind the other, when it is several qualities of one work. */
  readonly members?: readonly ByteSource[];
  /** Subtitles in files beside it; read when it is opened. */
  readonly sidecars?: readonly Sidecar[];
};

/** A file of subtitles beside a film. */
export type Sidecar = {
  /** BCP 47 tag; `und` when its name says none. */
  readonly language: string;
  readonly isSubRip: boolean;
  /** As that of its source when it was found; `null` when it could not be seen. */
  readonly version: string | null;
  /** Ownership: whoever opens it releases it. `null`: it is gone. */
  open(): Promise<ByteSource | null>;
  readonly path: string;
};

/** A place that has files: a directory, later an HTTP server or a bucket. */
export type Storage = {
  /** Where it is, for logs and to tell storages apart. */
  readonly location: string;
  /**
   * Opens a file by its path below the storage, segments joined by `/`.
   * Returns: `null` when there is no such file. Throws: VOD_BAD_PATH, VOD_UNREADABLE, VOD_READ_FAILED, VOD_BUSY.
   */
  open(path: string): Promise<ByteSource | null>;
  /** The version that `open` would give now, or `null` when there is no such file. Throws like `open`. */
  versionOf(path: string): Promise<string | null>;
  /** Why the storage as a whole cannot give files now, such as a directory that does not exist; `null` when it can. */
  problem(): Promise<string | null>;
  /** Files below the storage whose names end in one of the extensions, at most `limits` of everything. */
  list(extensions: readonly string[], limits: ListLimits): Promise<readonly string[]>;
};

/** A storage whose folders can be looked into one by one. */
export type FolderStorage = Storage & {
  /**
   * Names of the files in a folder that are wanted, in no order; `null` when there is no such folder. Throws like `open`.
   */
  namesIn(folder: string, wanted: WantedNames): Promise<readonly string[] | null>;
};

/** Which names of a folder are wanted. */
export type WantedNames = {
  readonly prefix: string;
  readonly extensions: readonly string[];
  readonly limit: number;
};

/** What a listing may cost. */
export type ListLimits = {
  readonly files: number;
  /** Directory entries that are looked at. */
  readonly entries: number;
  readonly depth: number;
  /** Monotonic microseconds at which the listing stops with what it has. */
  readonly deadlineUs: number;
};
