/** The machine's disk for an archive, until a test lets it fail: then nothing more is changed, as behind a kill. */
import type { ArchiveFile, ArchiveFiles } from "../../src/dvr/archive-files.ts";
import { dvrErrors } from "../../src/dvr/errors.ts";
import type { KeepFiles } from "../../src/dvr/keep/keep-files.ts";
import { diskKeepFiles } from "../../src/dvr/keep/storages/disk-keep-files.ts";
import { diskFiles } from "../../src/dvr/storages/disk-files.ts";

/** Files of both kinds, and how many changes are let through. */
export class FaultyDisk {
  /** Changes that go well before all fail; of the first that fails, a half is written. */
  changesLeft = Infinity;
  /** Changes that went well, `append PATH` and the like. */
  readonly changes: string[] = [];
  readonly files: ArchiveFiles;
  readonly keepFiles: KeepFiles;

  constructor() {
    this.files = {
      ...diskFiles,
      open: async (path) => this.#file(await diskFiles.open(path)),
      create: async (path) => {
        await this.#change("create", path);
        return this.#file(await diskFiles.create(path))!;
      },
    };
    this.keepFiles = {
      ...diskKeepFiles,
      write: async (path, bytes) => {
        const half = async (): Promise<void> =>
          await diskKeepFiles.write(path, bytes.subarray(0, bytes.byteLength / 2));
        await this.#change("write", path, half);
        await diskKeepFiles.write(path, bytes);
      },
      rename: async (from, to) => {
        await this.#change("rename", from);
        return await diskKeepFiles.rename(from, to);
      },
    };
  }

  #file(file: ArchiveFile | null): ArchiveFile | null {
    if (file === null) return null;
    const { path } = file;
    return {
      path,
      sizeBytes: () => file.sizeBytes(),
      read: (offset, into) => file.read(offset, into),
      close: () => file.close(),
      sync: async () => {
        await this.#change("sync", path);
        await file.sync();
      },
      truncate: async (bytes) => {
        await this.#change("truncate", path);
        await file.truncate(bytes);
      },
      append: async (pieces) => {
        const bytes = Buffer.concat(pieces);
        const half = async (): Promise<void> =>
          await file.append([bytes.subarray(0, bytes.byteLength / 2)]);
        await this.#change("append", path, half);
        await file.append([bytes]);
      },
    };
  }

  async #change(action: string, path: string, half: () => Promise<void> = async () => {}): Promise<void> {
    if (this.changesLeft > 0) {
      this.changesLeft--;
      this.changes.push(`${action} ${path}`);
      return;
    }
    if (this.changesLeft === 0) {
      this.changesLeft = -1;
      await half();
    }
    throw dvrErrors.error("DVR_DISK_FAILED", { action, path, reason: "EIO, says the test" });
  }
}
