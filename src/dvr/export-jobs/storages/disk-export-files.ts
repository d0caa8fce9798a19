import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, stat, statfs, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { asMediaError, messageOf } from "../../../base/errors.ts";
import { systemCodeOf } from "../../keep/keep-files.ts";
import { exportJobErrors } from "../errors.ts";
import type { ExportFiles, PartFile } from "../export-files.ts";

/** Where files are until they are whole, below the folder of exports. No path of an export begins with a dot. */
const PARTS = ".part";

/** Of a volume, what exports leave free. */
const KEPT_PART = 50;

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** What file systems say that have no second names for a file. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Exports on a disk. */
export const diskExportFiles: ExportFiles = { begin, exists, sweep };

async function begin(folder: string, id: string, bytes: number): Promise<PartFile> {
  return await attempt(folder, async () => {
    await mkdir(`${folder}/${PARTS}`, { recursive: true });
    const { bsize, blocks, bavail } = await statfs(folder);
    const [freeBytes, keptBytes] = [bavail * bsize, Math.floor((blocks * bsize) / KEPT_PART)];
    if (freeBytes - bytes < keptBytes)
      throw exportJobErrors.error("DVR_EXPORT_NO_ROOM", { folder, bytes, freeBytes, keptBytes });
    const path = `${folder}/${PARTS}/${id}.mp4`;
    return new DiskPart(folder, path, await open(path, FLAGS, 0o644));
  });
}

async function exists(folder: string, path: string): Promise<boolean> {
  return await attempt(folder, () => isThere(`${folder}/${path}`));
}

async function sweep(folder: string, olderThanMs: number): Promise<void> {
  const names = await readdir(`${folder}/${PARTS}`).catch(() => []);
  for (const name of names) {
    const path = `${folder}/${PARTS}/${name}`;
    const facts = await stat(path).catch(() => null);
    if (facts !== null && facts.mtimeMs < olderThanMs) await unlink(path).catch(() => {});
  }
}

class DiskPart implements PartFile {
  readonly path: string;
  readonly #folder: string;
  readonly #handle: FileHandle;
  #isOpen = true;

  constructor(folder: string, path: string, handle: FileHandle) {
    this.#folder = folder;
    this.path = path;
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await attempt(this.#folder, async () => {
      for (let at = 0; at < bytes.byteLength;)
        at += (await this.#handle.write(bytes, at, bytes.byteLength - at)).bytesWritten;
    });
  }

  async finish(): Promise<void> {
    await attempt(this.#folder, async () => {
      await this.#handle.sync();
      this.#isOpen = false;
      await this.#handle.close();
    });
  }

  async publish(path: string, overwrites: boolean): Promise<void> {
    await attempt(this.#folder, async () => {
      const day = await makeFolders(this.#folder, path.split("/").slice(0, -1));
      const target = `${this.#folder}/${path}`;
      if (overwrites) await rename(this.path, target);
      else await takePlace(this.path, target, path);
      const handle = await open(day, constants.O_RDONLY);
      // Some file systems cannot put the names of a folder on the disk by themselves.
      await handle.sync().catch(() => {});
      await handle.close();
    });
  }

  async discard(): Promise<void> {
    if (this.#isOpen) await this.#handle.close().catch(() => {});
    this.#isOpen = false;
    await unlink(this.path).catch(() => {});
  }
}

/** Gives a file a name that nobody has. */
async function takePlace(from: string, to: string, path: string): Promise<void> {
  try {
    await link(from, to);
  } catch (caught) {
    const code = systemCodeOf(caught);
    const isTaken = code === "EEXIST" || (NO_LINKS.has(code) && (await isThere(to)));
    if (isTaken) throw exportJobErrors.error("DVR_EXPORT_EXISTS", { path });
    if (!NO_LINKS.has(code)) throw caught;
    await rename(from, to);
    return;
  }
  await unlink(from);
}

/** Makes folders one in the other, none of which is a link that leads elsewhere. Returns: the innermost. */
async function makeFolders(folder: string, names: readonly string[]): Promise<string> {
  let path = folder;
  for (const name of names) {
    path = `${path}/${name}`;
    await mkdir(path).catch((caught: unknown) => {
      if (systemCodeOf(caught) !== "EEXIST") throw caught;
    });
    if ((await lstat(path)).isDirectory()) continue;
    throw exportJobErrors.error("DVR_EXPORT_BAD_PATH", { reason: `"${name}" is no folder` });
  }
  return path;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (caught) {
    if (["ENOENT", "ENOTDIR"].includes(systemCodeOf(caught))) return false;
    throw caught;
  }
}

async function attempt<T>(folder: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (caught) {
    if (asMediaError(caught) !== null) throw caught;
    const reason = systemCodeOf(caught) || messageOf(caught);
    throw exportJobErrors.error("DVR_EXPORT_UNWRITABLE", { folder, reason }, caught);
  }
}
