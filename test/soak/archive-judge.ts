/** The files of a recorded stream on a disk, judged. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { archiveFaults } from "../support/archive-judge.ts";
import type { JudgeOptions } from "../support/archive-judge.ts";

/** What is wrong with a stream's archive, one line each; see `archiveFaults`. */
export async function judgeArchive(folder: string, options: JudgeOptions = {}): Promise<string[]> {
  const contents = new Map<string, Uint8Array>();
  for (const name of await readdir(folder, { recursive: true }))
    if (/\.(idx|mp4)$/.test(name)) contents.set(join(folder, name), await readFile(join(folder, name)));
  return archiveFaults(contents, options);
}
