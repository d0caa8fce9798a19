/** What the archive needs of a file system: a handful of calls, so that tests have one that fails as disks do. */

/** A file that is open for reading, cutting and appending. Calls reject with DVR_DISK_FAILED. */
export type ArchiveFile = {
  readonly path: string;
  /** How long it is now. */
  sizeBytes(): Promise<number>;
  /** Reads into all of `into` from a place on. Returns: bytes read, fewer only where the file ends. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** Writes the pieces behind its end, one behind the other. When it rejects, a part of the bytes may be there. */
  append(pieces: readonly Uint8Array[]): Promise<void>;
  /** Cuts it off; it is never made longer. */
  truncate(sizeBytes: number): Promise<void>;
  /** What was written and cut is on the disk itself when this resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** Where the files of an archive are. Paths are absolute. Calls reject with DVR_DISK_FAILED. */
export type ArchiveFiles = {
  /** Opens a file; `null` when it is not there. */
  open(path: string): Promise<ArchiveFile | null>;
  /** Opens a file that is made, empty, when it is not there; its folders are made too. */
  create(path: string): Promise<ArchiveFile>;
  /** How long a file is; `null` when it is not there. */
  stat(path: string): Promise<number | null>;
  /** The names in a folder; none when it is not there. */
  list(folder: string): Promise<readonly string[]>;
};
