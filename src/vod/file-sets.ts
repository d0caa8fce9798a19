import type { ByteSource, FolderStorage, Sidecar, Storage } from "./byte-source.ts";
import { LISTED_EXTENSIONS } from "./catalogue.ts";
import { vodErrors } from "./errors.ts";
import { JoinedSource, joinVersions } from "./joined-source.ts";
import { findSetSidecars, findSidecars, versionWith, withSidecars } from "./sidecars.ts";

/** Files of one set: no ladder of qualities is longer, and each of them costs a descriptor and an index. */
export const MAX_SET_FILES = 12;

/** Names of one folder that are sorted before the first of them are taken. */
const MAX_NAMES = 1000;

/**
 * The files that a path with commas in its last part names: `film,-360p,-720p,.mp4` is `film-360p.mp4` and
 * `film-720p.mp4`, with what stands before the first comma and behind the last one around each of the others.
 *
 * Returns: `null` when it is no such path, names a file twice, or more than `MAX_SET_FILES`.
 */
export function parseFileSet(path: string): readonly string[] | null {
  const slash = path.lastIndexOf("/");
  const [before = "", ...rest] = path.slice(slash + 1).split(",");
  const after = rest.pop() ?? "";
  if (rest.length < 2 || rest.length > MAX_SET_FILES) return null;
  const files = rest.map((part) => `${path.slice(0, slash + 1)}${before}${part}${after}`);
  return new Set(files).size === files.length ? files : null;
}

/** What may stand between the name of a work and that of a quality. */
const SEPARATORS = /[-_. ]+$/;

/**
 * The path that a set has as a whole, without an extension: `film` of `film,-360p,-720p,.mp4` and of `film.,1,2,.mp4`; of
 * a folder its own, whatever dots are in it.
 */
function wholeOf(path: string): string {
  if (parseFileSet(path) === null) return path;
  const [before = ""] = path.slice(path.lastIndexOf("/") + 1).split(",");
  return path.slice(0, path.lastIndexOf("/") + 1) + before.replace(SEPARATORS, "");
}

/**
 * A storage in which paths may also name several qualities of one work: by commas (see `parseFileSet`), or, where
 * `folders` says so, by the folder that they are in. A file that is called so itself comes first.
 */
export class FileSets implements Storage {
  readonly location: string;
  readonly #storage: FolderStorage;
  readonly #folders: boolean;

  constructor(storage: FolderStorage, options: { readonly folders: boolean }) {
    this.location = storage.location;
    this.#storage = storage;
    this.#folders = options.folders;
  }

  async open(path: string): Promise<ByteSource | null> {
    const plain = await this.#storage.open(path);
    if (plain !== null) return withSidecars(plain, await this.#sidecarsOf(path, null));
    const files = await this.#filesOf(path);
    if (files === null) return null;
    const opened: ByteSource[] = [];
    try {
      for (const file of files) {
        const source = await this.#storage.open(file);
        if (source === null) throw vodErrors.error("VOD_NOT_FOUND", { path: file });
        opened.push(source);
      }
    } catch (caught) {
      for (const source of opened) source.release();
      throw caught;
    }
    return withSidecars(new JoinedSource(path, opened), await this.#sidecarsOf(path, files));
  }

  async versionOf(path: string): Promise<string | null> {
    const plain = await this.#storage.versionOf(path);
    if (plain !== null) return versionWith(plain, await this.#sidecarsOf(path, null));
    const files = (await this.#filesOf(path)) ?? [];
    const versions: string[] = [];
    for (const file of files) {
      const version = await this.#storage.versionOf(file);
      if (version === null) return null;
      versions.push(version);
    }
    if (versions.length === 0) return null;
    return versionWith(joinVersions(versions), await this.#sidecarsOf(path, files));
  }

  problem(): Promise<string | null> {
    return this.#storage.problem();
  }

  list(...wanted: Parameters<Storage["list"]>): Promise<readonly string[]> {
    return this.#storage.list(...wanted);
  }

  /** Subtitles beside a file, or beside the files of a set. A film plays without those that cannot be seen now. */
  async #sidecarsOf(path: string, files: readonly string[] | null): Promise<readonly Sidecar[]> {
    try {
      if (files === null) return await findSidecars(this.#storage, path);
      return await findSetSidecars(this.#storage, { whole: wholeOf(path), files });
    } catch {
      return [];
    }
  }

  async #filesOf(path: string): Promise<readonly string[] | null> {
    const named = parseFileSet(path);
    if (named !== null || !this.#folders) return named;
    const wanted = { prefix: "", extensions: LISTED_EXTENSIONS, limit: MAX_NAMES };
    const names = await this.#storage.namesIn(path, wanted);
    if (names === null || names.length === 0) return null;
    const chosen = names.toSorted(byNumbers().compare).slice(0, MAX_SET_FILES);
    return chosen.map((name) => `${path}/${name}`);
  }
}

let collator: Intl.Collator | null = null;

/** 360p comes before 1080p. Made when it is first needed: with the tables of languages behind it, it takes some 5 MB. */
function byNumbers(): Intl.Collator {
  return (collator ??= new Intl.Collator("en", { numeric: true }));
}
