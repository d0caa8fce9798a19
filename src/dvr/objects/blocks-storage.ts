import { mkdir, open, opendir, readFile, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { isBlockName } from "./block-file.ts";
import { systemCodeOf } from "./local-file-storage.ts";

/** A block's file as it was found. */
export type FoundBlock = { readonly name: string; readonly bytes: number; readonly modifiedMs: number };

/** Where blocks are kept. Methods reject with what the system says; what is gone is no error. */
export type BlockDisk = {
  readonly directory: string;
  /** Makes the place ready, removes what is no block, and gives the blocks that are there, in no order. */
  open(): Promise<FoundBlock[]>;
  /** The whole file; `null` when it is gone. */
  read(name: string): Promise<Uint8Array | null>;
  /** Fills `into` with what lies from `offset` on. Returns: the bytes read; 0 when the file is gone. */
  readPart(name: string, offset: number, into: Uint8Array): Promise<number>;
  /** Writes a file that is there as a whole or not at all, as long as the machine does not crash. */
  write(name: string, parts: readonly Uint8Array[]): Promise<void>;
  remove(name: string): Promise<void>;
};

/** Our own folder below the one that is configured: what is no block is removed in it, and nowhere else. */
const FOLDER = "weir-blocks";
/** Behind the name of a file that is being written. */
const UNFINISHED = ".part";

/**
 * Blocks as files in DIRECTORY/weir-blocks/XX/, XX being the first two characters of their names. One cache of one
 * process has a directory for itself.
 */
export class FileBlockDisk implements BlockDisk {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = join(directory, FOLDER);
  }

  async open(): Promise<FoundBlock[]> {
    await mkdir(this.directory, { recursive: true });
    const found: FoundBlock[] = [];
    for (const entry of await entriesOf(this.directory)) {
      const path = join(this.directory, entry.name);
      // Folders that are not ours are left alone: what a person put there is more than a stray file.
      if (!entry.isDirectory) await rm(path, { force: true });
      else if (/^[0-9a-f]{2}$/.test(entry.name)) await openShard(path, entry.name, found);
    }
    return found;
  }

  async read(name: string): Promise<Uint8Array | null> {
    try {
      return await readFile(this.#pathOf(name));
    } catch (caught) {
      if (systemCodeOf(caught) === "ENOENT") return null;
      throw caught;
    }
  }

  async readPart(name: string, offset: number, into: Uint8Array): Promise<number> {
    let handle: FileHandle | null = null;
    try {
      handle = await open(this.#pathOf(name), "r");
      let filled = 0;
      while (filled < into.byteLength) {
        const { bytesRead } = await handle.read(into, filled, into.byteLength - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    } catch (caught) {
      if (systemCodeOf(caught) === "ENOENT") return 0;
      throw caught;
    } finally {
      await handle?.close();
    }
  }

  async write(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const path = this.#pathOf(name);
    const unfinished = path + UNFINISHED;
    try {
      await mkdir(join(this.directory, name.slice(0, 2)), { recursive: true });
      const handle = await open(unfinished, "w");
      try {
        for (const part of parts) await handle.writeFile(part);
      } finally {
        await handle.close();
      }
      await rename(unfinished, path);
    } catch (caught) {
      await rm(unfinished, { force: true }).catch(() => {}); // the next start removes it
      throw caught;
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.#pathOf(name), { force: true });
  }

  #pathOf(name: string): string {
    return join(this.directory, name.slice(0, 2), name);
  }
}

async function openShard(folder: string, shard: string, found: FoundBlock[]): Promise<void> {
  for (const { name, isDirectory } of await entriesOf(folder)) {
    const path = join(folder, name);
    if (isDirectory) continue;
    if (!isBlockName(name) || !name.startsWith(shard)) {
      await rm(path, { force: true });
      continue;
    }
    const status = await stat(path).catch(() => null); // gone meanwhile, or a link that leads nowhere
    if (status?.isFile() === true) found.push({ name, bytes: status.size, modifiedMs: status.mtimeMs });
  }
}

async function entriesOf(folder: string): Promise<{ name: string; isDirectory: boolean }[]> {
  const entries: { name: string; isDirectory: boolean }[] = [];
  for await (const entry of await opendir(folder))
    entries.push({ name: entry.name, isDirectory: entry.isDirectory() });
  return entries;
}
