import { constants } from "node:fs";
import { access, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { MAIN_FILE } from "./files.ts";
import { isInVolume } from "./volumes.ts";

/** The part that changes by API go into where the main file may not be written. */
export const OWN_PART = "weir.conf";

/** A file of the configuration, and why it cannot be written; `reason` `null`: it can. */
export type OwnFile = { readonly file: string; readonly reason: string | null };

/**
 * The file that new objects are written into: of those that `path` is read from, the first that can be written.
 *
 * A file: that file. A directory with `flussonic.conf` or `flussonic.conf.d`: `flussonic.conf`. Each else `weir.conf` among
 * its parts. Any other directory: `weir.conf` in it. Files that are not there yet may be among them. Where none can be
 * written, the first with its reason.
 */
export async function ownFileOf(path: string): Promise<OwnFile> {
  const candidates = await candidatesOf(path);
  const refused: OwnFile[] = [];
  for (const file of candidates) {
    const reason = await readOnlyReason(file);
    if (reason === null) return { file, reason };
    refused.push({ file, reason });
  }
  return refused[0]!;
}

/** Why the server cannot write a file anew; `null` when it seems to be able to. Never rejects. */
export async function readOnlyReason(file: string): Promise<string | null> {
  if (await isInVolume(file)) {
    return `it is the key "${basename(file)}" of a ConfigMap or Secret that Kubernetes mounts, and is changed there`;
  }
  try {
    const place = await placeToWrite(file);
    await access(dirname(place), constants.W_OK);
    const status = await stat(place).catch(() => null);
    if (status === null) return null;
    if (!status.isFile()) return "it is not a file";
    await access(place, constants.W_OK);
    if (status.dev !== (await stat(dirname(place))).dev) return MOUNTED;
    return null;
  } catch (caught) {
    return reasonNotToWrite(caught);
  }
}

/** A file mounted by itself can be neither swapped nor changed in one step. */
const MOUNTED = "it is mounted by itself: mount the folder that it lies in";

/** Where the bytes of a file lie: behind links that somebody made. */
export async function placeToWrite(file: string): Promise<string> {
  const target = await readlink(file).catch(() => null);
  return target === null ? join(await realpath(dirname(file)), basename(file)) : realpath(file);
}

/** The system's error in words. */
export function reasonNotToWrite(caught: unknown): string {
  const code = caught instanceof Error && "code" in caught ? String(caught.code) : "";
  const words: Readonly<Record<string, string>> = {
    EACCES: "the server has no permission to write there",
    EPERM: "the server has no permission to write there",
    EROFS: "the file system is read-only",
    ENOENT: "there is no such folder",
    EBUSY: MOUNTED,
    EXDEV: MOUNTED,
    ENOSPC: "the disk is full",
  };
  return words[code] ?? String(caught);
}

async function candidatesOf(path: string): Promise<string[]> {
  const isDirectory = (await stat(path).catch(() => null))?.isDirectory() ?? !path.endsWith(".conf");
  if (!isDirectory) return withPart(path);
  const main = join(path, MAIN_FILE);
  const found = await Promise.all([main, `${main}.d`].map((one) => stat(one).catch(() => null)));
  if (found.some((one) => one !== null)) return withPart(main);
  return [join(path, OWN_PART)];
}

async function withPart(main: string): Promise<string[]> {
  const parts = `${main}.d`;
  const hasParts = (await stat(parts).catch(() => null))?.isDirectory() === true;
  return hasParts ? [main, join(parts, OWN_PART)] : [main];
}
