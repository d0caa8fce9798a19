/** A directory that changes as volumes of Kubernetes do: all files at once, by one rename. */
import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * What the kubelet makes of a ConfigMap or a Secret: files in a directory of their own (`..2026_...`), a link `..data`
 * to it, and for each file a link through `..data`. A change is another such directory and a rename of the link.
 */
export class ProjectedVolume {
  readonly folder: string;
  #writes = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Puts these files in place of those that are there. `gap` runs where the kubelet is slow: the link is swapped, but new
   * names have no links yet, and old ones still have theirs.
   */
  async write(files: Readonly<Record<string, string>>, gap?: () => Promise<void>): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const payload = `..2026_01_01_00_00_${String(this.#writes++).padStart(2, "0")}.1`;
    await mkdir(join(this.folder, payload));
    for (const [name, text] of Object.entries(files))
      await writeFile(join(this.folder, payload, name), text);
    await symlink(payload, join(this.folder, "..data_tmp"));
    await rename(join(this.folder, "..data_tmp"), join(this.folder, "..data"));
    await gap?.();
    const there = await readdir(this.folder);
    for (const name of Object.keys(files)) {
      if (!there.includes(name)) await symlink(join("..data", name), join(this.folder, name));
    }
    for (const name of there) {
      const isOld = name.startsWith("..2026")
        ? name !== payload
        : !(name in files) && (await this.#isLink(name));
      if (isOld) await rm(join(this.folder, name), { recursive: true, force: true });
    }
  }

  /** What else is mounted in the directory stays. */
  async #isLink(name: string): Promise<boolean> {
    const target = await readlink(join(this.folder, name)).catch(() => "");
    return target.startsWith("..data/");
  }
}
