import { constants } from "node:fs";
import { mkdir, open, opendir, rename, rmdir, stat, statfs, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf } from "../keep-files.ts";
import type { FileFacts, FolderEntry, KeepFiles, VolumeSpace } from "../keep-files.ts";

/** Entries that the system is asked for at a time: a folder of a hundred thousand is read in pieces. */
const LIST_AT_A_TIME = 128;

const NOT_THERE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);
/** What `rmdir` says of a folder with something in it; which of them depends on the file system. */
const NOT_EMPTY: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST"]);
/** What file systems say that cannot put a folder's names on the disk by themselves. */
const NO_FOLDER_SYNC: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "EISDIR", "EPERM"]);

/**
 * Files of volumes that are mounted: local disks and network file systems.
 *
 * `create` is O_CREAT|O_EXCL, which NFS keeps exclusive since version 3 (Spec: RFC 1813 §3.3.8, mode EXCLUSIVE). `read`
 * opens the file anew, and what was written is there when the file is closed: so one client of NFS sees what another has
 * written (close-to-open consistency).
 */
export const diskKeepFiles: KeepFiles = {
  list,
  facts,
  read,
  create,
  overwrite,
  write,
  append,
  rename: async (from, to) => await unlessAbsent(rename(from, to)),
  remove: async (path) => await unlessAbsent(unlink(path)),
  removeFolder,
  makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
  syncFolder,
  space,
  devices,
};

async function list(folder: string, limit: number): Promise<readonly FolderEntry[] | null> {
  const entries: FolderEntry[] = [];
  const directory = await orAbsent(opendir(folder, { bufferSize: LIST_AT_A_TIME }));
  if (directory === null) return null;
  // Leaving the loop closes the directory, also by an error.
  for await (const entry of directory) {
    if (entries.length >= limit) break;
    entries.push({ name: entry.name, isFolder: entry.isDirectory() });
  }
  return entries;
}

async function facts(path: string): Promise<FileFacts | null> {
  const status = await orAbsent(stat(path));
  return status === null ? null : { bytes: status.size, changedMs: status.mtimeMs };
}

async function read(path: string, maxBytes: number): Promise<Uint8Array | null> {
  return await withFile(path, constants.O_RDONLY, async (handle) => {
    const { size } = await handle.stat();
    const bytes = Buffer.allocUnsafe(Math.min(size, maxBytes));
    let filled = 0;
    while (filled < bytes.byteLength) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.byteLength - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  });
}

async function create(path: string, bytes: Uint8Array): Promise<boolean> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  let handle: FileHandle;
  try {
    handle = await open(path, flags, 0o644);
  } catch (caught) {
    if (systemCodeOf(caught) === "EEXIST") return false;
    throw caught;
  }
  await closing(handle, () => writeAll(handle, 0, bytes));
  return true;
}

async function overwrite(path: string, bytes: Uint8Array): Promise<boolean> {
  const done = await withFile(path, constants.O_WRONLY, async (handle) => {
    await writeAll(handle, 0, bytes);
    return true;
  });
  return done ?? false;
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "w", 0o644);
  await closing(handle, async () => {
    await writeAll(handle, 0, bytes);
    await handle.sync();
  });
}

async function append(path: string, keepBytes: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  await closing(handle, async () => {
    const { size } = await handle.stat();
    if (size > keepBytes) await handle.truncate(keepBytes);
    await writeAll(handle, keepBytes, bytes);
    await handle.sync();
  });
}

async function removeFolder(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (caught) {
    const code = systemCodeOf(caught);
    if (NOT_THERE.has(code) || NOT_EMPTY.has(code)) return false;
    throw caught;
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  await closing(handle, async () => {
    try {
      await handle.sync();
    } catch (caught) {
      if (!NO_FOLDER_SYNC.has(systemCodeOf(caught))) throw caught;
    }
  });
}

async function space(folder: string): Promise<VolumeSpace> {
  const { bsize, blocks, bfree, bavail } = await statfs(folder);
  const usedBytes = (blocks - bfree) * bsize;
  return { totalBytes: usedBytes + bavail * bsize, usedBytes };
}

async function devices(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (let at = folder; ; at = dirname(at)) {
    const status = await orAbsent(stat(at));
    if (status !== null) found.push(status.dev);
    if (at === dirname(at)) return found;
  }
}

async function writeAll(handle: FileHandle, at: number, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, at + written);
    written += bytesWritten;
  }
}

/** Runs with a file that is opened for it; `null` when there is none. */
async function withFile<T>(
  path: string,
  flags: number,
  run: (handle: FileHandle) => Promise<T>,
): Promise<T | null> {
  const handle = await orAbsent(open(path, flags));
  return handle === null ? null : await closing(handle, async () => await run(handle));
}

/** Closes the file behind `run`. What closing says counts: a network volume tells of a failed write only then. */
async function closing<T>(handle: FileHandle, run: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await run();
  } catch (caught) {
    await handle.close().catch(() => {});
    throw caught;
  }
  await handle.close();
  return result;
}

async function orAbsent<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (caught) {
    if (NOT_THERE.has(systemCodeOf(caught))) return null;
    throw caught;
  }
}

async function unlessAbsent(asked: Promise<void>): Promise<boolean> {
  return (await orAbsent(asked.then(() => true))) ?? false;
}
