import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { vodErrors } from "./errors.ts";
import { readMediaFile } from "./media-file.ts";
import type { MediaFile } from "./media-file.ts";
import { DiskStorage } from "./storages/disk-storage.ts";

/**
 * Opens a file by its absolute path, for inputs that the configuration names (`file:///PATH`), never for a path that
 * came over the network. The caller calls `source.release()` when it is done.
 * Throws: VOD_*, MP4_*.
 */
export async function openMediaPath(path: string, clock: Clock): Promise<MediaFile> {
  const real = await realpath(path).catch(() => path);
  const source = await new DiskStorage(dirname(real), clock).open(basename(real));
  if (source === null) throw vodErrors.error("VOD_NOT_FOUND", { path });
  try {
    return await readMediaFile(source);
  } catch (caught) {
    source.release();
    throw caught;
  }
}
