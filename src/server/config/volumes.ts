import { readdir, readlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** The link that Kubernetes swaps when what a volume shows has changed: all files of the volume change at once. */
const SWAPPED_LINK = "..data";

/**
 * The volumes that a configuration may lie in, as they were at one moment.
 *
 * What a volume shows are links through `..data`, which points to a directory that never changes. The kubelet swaps that
 * one link first, makes links for new names then, and takes old ones away last; so names and files are looked for in the
 * directory that `..data` pointed to at that moment, and the links to them count for nothing.
 * Spec: Kubernetes documentation, "ConfigMaps", "Mounted ConfigMaps are updated automatically".
 */
export class ConfigVolumes {
  /** Tells one moment from another: the same as long as no volume was written anew. */
  readonly state: string;
  /** By directory: where its `..data` pointed to; `null` for one that is no volume. */
  readonly #payloads: ReadonlyMap<string, string | null>;

  private constructor(payloads: ReadonlyMap<string, string | null>) {
    this.#payloads = payloads;
    this.state = [...payloads.values()].map((payload) => payload ?? "").join("\n");
  }

  /** Looks at these directories. Never rejects: one that is no volume, or is not there, is no volume. */
  static async look(directories: readonly string[]): Promise<ConfigVolumes> {
    const payloads = await Promise.all(
      directories.map(async (directory) => {
        const target = await readlink(join(directory, SWAPPED_LINK)).catch(() => null);
        return [resolve(directory), target] as const;
      }),
    );
    return new ConfigVolumes(new Map(payloads));
  }

  /** Where the file or directory that is shown at `path` lay at that moment. */
  async placeOf(path: string): Promise<string> {
    const directory = dirname(path);
    const payload = this.#payloads.get(resolve(directory));
    if (payload === undefined || resolve(directory) === resolve(path)) return path;
    if (payload === null) return join(await this.placeOf(directory), basename(path));
    return (await isOwn(path)) ? path : resolve(directory, payload, basename(path));
  }

  /** Names in a directory at that moment. Rejects with the system's error. */
  async namesIn(directory: string): Promise<string[]> {
    const payload = this.#payloads.get(resolve(directory)) ?? null;
    if (payload === null) return readdir(await this.placeOf(directory));
    const names = new Set(await readdir(resolve(directory, payload)));
    for (const name of await readdir(directory)) if (await isOwn(join(directory, name))) names.add(name);
    return [...names];
  }
}

/** Whether something in a volume's directory is there by itself, such as a file mounted over it: no link of the volume. */
async function isOwn(path: string): Promise<boolean> {
  try {
    return !(await readlink(path)).startsWith(`${SWAPPED_LINK}/`);
  } catch (caught) {
    return caught instanceof Error && "code" in caught && caught.code === "EINVAL";
  }
}

/** Whether a file, there or not, is what a volume of Kubernetes shows. Never rejects. */
export async function isInVolume(file: string): Promise<boolean> {
  const payload = await readlink(join(dirname(file), SWAPPED_LINK)).catch(() => null);
  if (payload === null) return false;
  const link = await readlink(file).catch((caught: unknown) => codeOf(caught));
  // No link: mounted over the volume by itself, or made by somebody. Not there: the volume takes no files.
  return link === "ENOENT" || link.startsWith(`${SWAPPED_LINK}/`);
}

function codeOf(caught: unknown): string {
  return caught instanceof Error && "code" in caught ? String(caught.code) : "";
}
