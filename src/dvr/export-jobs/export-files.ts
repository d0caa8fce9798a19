/** What exports need of a file system. Folders and paths: see `ExportPlace`. Calls reject with DVR_EXPORT_*. */
export type ExportFiles = {
  /** Makes a file that nobody sees, where there is room for so many bytes. Rejects with DVR_EXPORT_NO_ROOM too. */
  begin(folder: string, id: string, bytes: number): Promise<PartFile>;
  /** Whether there is a file. */
  exists(folder: string, path: string): Promise<boolean>;
  /** Removes what exports of a process that was killed have left. Never rejects. */
  sweep(folder: string, olderThanMs: number): Promise<void>;
};

/** An export that is being written. */
export type PartFile = {
  readonly path: string;
  write(bytes: Uint8Array): Promise<void>;
  /** All of it is on the disk when this resolves. */
  finish(): Promise<void>;
  /** Gives it its name, in one step; no folder on the way may be a link. Rejects with DVR_EXPORT_EXISTS too. */
  publish(path: string, overwrites: boolean): Promise<void>;
  /** Removes it, wherever it stands; nothing happens where it has its name already. Never rejects. */
  discard(): Promise<void>;
};
