import { lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One of the media threads of this process, each of which has a cache of its own. */
export type CacheOwner = { readonly index: number; readonly count: number };

const OF_PROCESS = /^\d{1,10}$/;
const OF_THREAD = /^thread-(\d{1,4})$/;

/**
 * Where a thread keeps what it reads from buckets when nothing is said of that: a folder of its process among the system's
 * temporary ones, which are a container's own. Folders of processes that are gone are removed. Rejects with the system's error.
 */
export async function temporaryCacheFolder(owner: CacheOwner, temporary = tmpdir()): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  let base = join(temporary, `weir-archive-cache-${uid}`);
  await mkdir(base, { recursive: true, mode: 0o700 });
  const status = await lstat(base);
  // Anybody may make folders there: one that is somebody else's is not used.
  if (!status.isDirectory() || status.uid !== uid) base = await mkdtemp(`${base}-`);
  for (const name of await readdir(base)) {
    const isOld = OF_PROCESS.test(name) && Number(name) !== process.pid && !isRunning(Number(name));
    if (isOld) await rm(join(base, name), { recursive: true, force: true });
  }
  return await threadCacheFolder(join(base, String(process.pid)), owner);
}

/** The folder of a thread below one that is configured. One thread removes those of threads that are not there any more. */
export async function threadCacheFolder(folder: string, { index, count }: CacheOwner): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of index === 0 ? await readdir(folder) : []) {
    const thread = OF_THREAD.exec(name)?.[1];
    if (thread !== undefined && Number(thread) >= count)
      await rm(join(folder, name), { recursive: true, force: true });
  }
  return join(folder, `thread-${index}`);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (caught) {
    return caught instanceof Error && "code" in caught && caught.code === "EPERM";
  }
}
