/**
 * What the keeping of an archive needs of a file system: leases, protections, retention and probes see files through
 * this alone. `storages/disk-keep-files.ts` is the real one; tests have one in memory that fails where it is told to.
 */
import { asMediaError } from "../../base/errors.ts";

/** What a folder has in it. A link is neither followed nor a folder. */
export type FolderEntry = { readonly name: string; readonly isFolder: boolean };

/** What is known of a file without reading it. */
export type FileFacts = {
  readonly bytes: number;
  /** UTC of the last change. Units: milliseconds since 1970, with a fraction where the file system has one. */
  readonly changedMs: number;
};

/** What a volume has room for, as `df` counts it: what only the administrator may use is in neither number. */
export type VolumeSpace = { readonly totalBytes: number; readonly usedBytes: number };

/**
 * Small files on a volume.
 *
 * Paths are absolute, their segments joined by `/`. What is not there is a value, `null` or `false`; everything else that
 * goes wrong is thrown as the system's error, with its `code`.
 */
export type KeepFiles = {
  /** At most `limit` entries, in no order; `null` when there is no such folder. */
  list(folder: string, limit: number): Promise<readonly FolderEntry[] | null>;
  /** `null` when there is no such file. */
  facts(path: string): Promise<FileFacts | null>;
  /** The file's first `maxBytes`; `null` when there is no such file. Asks the server of a network volume, not a cache. */
  read(path: string, maxBytes: number): Promise<Uint8Array | null>;
  /**
   * Makes a file that was not there, of all processes in one only; then fills it. `false`: there was one. When it throws,
   * there may be a file, with a part of the bytes.
   */
  create(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Writes over the beginning of a file and makes none; every process sees it when it resolves. `false`: there is none. */
  overwrite(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Makes or empties a file and fills it; it is on the disk when it resolves. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Cuts a file, made if need be, to `keepBytes` and writes behind them; on the disk when it resolves. When it throws,
   * any part of the bytes may stand behind the first `keepBytes`.
   */
  append(path: string, keepBytes: number, bytes: Uint8Array): Promise<void>;
  /** Puts a file in another's place, in one step. `false`: there is no such file. */
  rename(from: string, to: string): Promise<boolean>;
  /** `false`: there is no such file. */
  remove(path: string): Promise<boolean>;
  /** Removes a folder that is empty. `false`: it is not empty, or not there. */
  removeFolder(path: string): Promise<boolean>;
  /** Makes a folder and those above it; one that is there already is as good. */
  makeFolder(path: string): Promise<void>;
  /** Puts the names in a folder on the disk, where the file system can. */
  syncFolder(path: string): Promise<void>;
  space(folder: string): Promise<VolumeSpace>;
  /**
   * The devices of a folder and of those above it, up to the topmost, as numbers of the system: where one differs from the
   * next, something is mounted. Folders that are not there are passed over.
   */
  devices(folder: string): Promise<readonly number[]>;
};

/**
 * The system's word for what went wrong, such as `ENOSPC`, also where an error of ours has it as its cause; the empty text
 * when there is none.
 */
export function systemCodeOf(caught: unknown): string {
  const error = asMediaError(caught) === null ? caught : (caught as Error).cause;
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}
