/** A small volume of a test's own, and what fills it up. */
import { spawnSync } from "node:child_process";
import { mkdtemp, open, rmdir, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestEnd } from "../support/program.ts";

/** Why no volume of a test's own can be mounted here; `false` when it can. */
export function noVolume(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root can mount a small volume";
  const tried = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  return tried.status === 0 ? false : "this machine lets nobody mount a small volume";
}

/** How large the volume is, and how much of it is left at first. */
export type BallastOptions = { readonly volumeBytes: number; readonly freeBytes: number };

/** A file that takes most of a volume, and can be made shorter. */
export class Ballast {
  /** Where the volume is. */
  readonly folder: string;
  readonly #path: string;
  readonly #roomBytes: number;

  private constructor(folder: string, roomBytes: number) {
    this.folder = folder;
    this.#path = join(folder, "ballast");
    this.#roomBytes = roomBytes;
  }

  /** Mounts a volume in memory at a folder of its own, and unmounts it when the test ends, whoever uses it. For root. */
  static async mount(t: TestEnd, options: BallastOptions): Promise<Ballast> {
    const { volumeBytes, freeBytes } = options;
    const folder = await mkdtemp(join(tmpdir(), "weir-volume-"));
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${volumeBytes}`, "tmpfs", folder]);
    t.after(async () => {
      if (mounted.status === 0) spawnSync("umount", ["-l", folder]);
      await rmdir(folder);
    });
    if (mounted.status !== 0) throw new Error(`no volume can be mounted: ${String(mounted.stderr)}`);
    const ballast = new Ballast(folder, freeBytes);
    await ballast.fill(freeBytes);
    return ballast;
  }

  /** Takes all of the volume but so much, or what others leave of it. */
  async fill(freeBytes: number): Promise<void> {
    const takenBytes = (await this.freeBytes()) - freeBytes;
    const file = await open(this.#path, "a");
    const block = Buffer.alloc(65_536);
    try {
      for (let left = takenBytes; left > 0; left -= block.byteLength)
        await file.write(block.subarray(0, Math.min(left, block.byteLength)));
    } catch (caught) {
      if (!(caught instanceof Error && "code" in caught && caught.code === "ENOSPC")) throw caught;
    } finally {
      await file.close();
    }
  }

  /** What files may still take. Units: bytes. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  async isFull(): Promise<boolean> {
    return (await this.freeBytes()) < 64 * 1024;
  }

  /** Gives some of the volume back, as long as there is any to give. */
  async makeRoom(): Promise<void> {
    const { size } = await stat(this.#path);
    const file = await open(this.#path, "r+");
    await file.truncate(Math.max(0, size - this.#roomBytes));
    await file.close();
  }
}
