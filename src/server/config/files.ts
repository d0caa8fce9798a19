import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { problem } from "../../config/problem.ts";
import { wholeFile } from "../../config/place.ts";
import type { FileHandle } from "node:fs/promises";
import type { SourceFile } from "../../config/place.ts";
import type { Problem, ProblemCode } from "../../config/problem.ts";
import { ConfigVolumes } from "./volumes.ts";

/** Biggest file of a config, in bytes: what a Kubernetes ConfigMap can hold. */
export const MAX_CONFIG_FILE_BYTES = 1024 * 1024;

/** Most files of one config. */
export const MAX_CONFIG_FILES = 1000;

/** Most bytes of all files of one config. */
export const MAX_CONFIG_BYTES = 32 * 1024 * 1024;

/** The main file of a config directory; its parts stand in the directory of the same name with ".d". */
export const MAIN_FILE = "flussonic.conf";

/**
 * The files of a config in the order they are read, and what could not be read. `found` is false when there is
 * nothing at the path: for a default path that need not be an error.
 */
export type ConfigFiles = {
  readonly found: boolean;
  readonly files: readonly SourceFile[];
  readonly problems: readonly Problem[];
  /** The state of the volumes that they were read from, as `volumesState` tells it. */
  readonly volumes: string;
};

/** Readings in a row that a volume written anew may spoil. */
const MAX_READINGS = 20;

/** What reading needs of the system; tests have their own. */
export type ConfigFilesOptions = { readonly open: typeof open };

/**
 * Reads the files of the config at `path`; messages name them by `path` as it was given, joined with their name.
 *
 * A file: that file, then every `*.conf` of the directory beside it that is called the same with `.d` behind. A
 * directory with `flussonic.conf` or `flussonic.conf.d`: as for that file. Any other directory: its `*.conf`.
 * Parts come in the order of their names (by code unit, so digits before letters). Names that begin with a dot
 * are passed over, links are followed: Kubernetes mounts a ConfigMap as links into `..data`.
 *
 * Bounds: `MAX_CONFIG_FILE_BYTES`, `MAX_CONFIG_FILES`, `MAX_CONFIG_BYTES`; past them is a problem, and no more is
 * read. Never rejects for what is on the disk: a file that cannot be read is a problem that names it.
 *
 * Volumes that Kubernetes writes anew meanwhile are read anew: no reading has files of two of their states.
 */
export async function readConfigFiles(
  path: string,
  options: ConfigFilesOptions = { open },
): Promise<ConfigFiles> {
  let volumes = await ConfigVolumes.look(volumeDirectories(path));
  for (let readings = 1; readings <= MAX_READINGS; readings++) {
    const read = await new Reading(volumes, options).read(path);
    const later = await ConfigVolumes.look(volumeDirectories(path));
    if (later.state === volumes.state) return { ...read, volumes: volumes.state };
    volumes = later;
  }
  const message = "cannot be read: it is written anew again and again meanwhile";
  const problems = [failure("CONFIG_FILE_UNREADABLE", path, message)];
  // Not the last state: whoever watches the volumes sees that there is something to be read.
  return { found: true, files: [], problems, volumes: "" };
}

/**
 * The folder of the config at `path`, which certificates are looked for in: of a file, and of a directory of parts
 * (`NAME.conf.d`), the one that it is in.
 */
export function configFolder(path: string): string {
  const whole = resolve(path);
  return /\.conf(\.d)?$/.test(whole) ? dirname(whole) : whole;
}

/** The present state of the volumes that a configuration may lie in: another one when one of them was written anew. */
export async function volumesState(path: string): Promise<string> {
  return (await ConfigVolumes.look(volumeDirectories(path))).state;
}

function volumeDirectories(path: string): string[] {
  return [path, dirname(path), `${path}.d`, join(path, `${MAIN_FILE}.d`)];
}

/** `others`: files that are passed over for their names. */
type Listing = {
  readonly paths: readonly string[];
  readonly problems: readonly Problem[];
  readonly others: readonly string[];
};

/** Files that are passed over, as many as a message names. */
const MAX_NAMED_OTHERS = 3;

/** One reading of all files, as the volumes were at one moment. */
class Reading {
  readonly #volumes: ConfigVolumes;
  readonly #open: typeof open;

  constructor(volumes: ConfigVolumes, options: ConfigFilesOptions) {
    this.#volumes = volumes;
    this.#open = options.open;
  }

  async read(path: string): Promise<Omit<ConfigFiles, "volumes">> {
    const kind = await this.#kindOf(path);
    if (kind === "missing") {
      const problems = [failure("CONFIG_FILE_UNREADABLE", path, "no such file or directory")];
      return { found: false, files: [], problems };
    }
    if (typeof kind === "object") return { found: true, files: [], problems: [kind] };
    const { paths, problems } = await this.#listFiles(path, kind);
    const read = await this.#readAll(paths);
    return { found: true, files: read.files, problems: [...problems, ...read.problems] };
  }

  async #listFiles(path: string, kind: "file" | "directory"): Promise<Listing> {
    if (kind === "file") return this.#withParts(path);
    const main = join(path, MAIN_FILE);
    if ((await this.#kindOf(main)) !== "missing") return this.#withParts(main);
    const parts = `${main}.d`;
    const hasParts = (await this.#kindOf(parts)) !== "missing";
    return orEmpty(path, await this.#partsOf(hasParts ? parts : path));
  }

  /** The main file first: what it says is what parts are read after. */
  async #withParts(main: string): Promise<Listing> {
    const directory = join(dirname(main), `${basename(main)}.d`);
    const kind = await this.#kindOf(directory);
    if (kind !== "directory")
      return { paths: [main], problems: typeof kind === "object" ? [kind] : [], others: [] };
    const { paths, ...rest } = await this.#partsOf(directory);
    return { paths: [main, ...paths], ...rest };
  }

  async #partsOf(directory: string): Promise<Listing> {
    try {
      const names = await this.#volumes.namesIn(directory);
      const seen = names.filter((name) => !name.startsWith(".")).toSorted();
      const parts = seen.filter((name) => name.endsWith(".conf"));
      const others = seen.filter((name) => !name.endsWith(".conf"));
      return { paths: parts.map((name) => join(directory, name)), problems: [], others };
    } catch (error) {
      const problems = [failure("CONFIG_FILE_UNREADABLE", directory, reasonOf(error))];
      return { paths: [], problems, others: [] };
    }
  }

  async #readAll(paths: readonly string[]): Promise<{ files: SourceFile[]; problems: Problem[] }> {
    const files: SourceFile[] = [];
    const problems: Problem[] = [];
    let bytes = 0;
    for (const path of paths.slice(0, MAX_CONFIG_FILES)) {
      const read = await this.#readOne(path);
      if ("severity" in read) {
        problems.push(read);
        continue;
      }
      bytes += read.bytes;
      if (bytes > MAX_CONFIG_BYTES) {
        const message = `the files up to this one are bigger than ${MAX_CONFIG_BYTES} bytes; no more was read`;
        problems.push(failure("CONFIG_FILE_TOO_BIG", path, message));
        return { files, problems };
      }
      files.push({ file: path, text: read.text });
    }
    const next = paths[MAX_CONFIG_FILES];
    if (next !== undefined) {
      const message = `the config has ${paths.length} files; from this one on they were not read (at most ${MAX_CONFIG_FILES})`;
      problems.push(failure("CONFIG_TOO_MANY_FILES", next, message));
    }
    return { files, problems };
  }

  async #readOne(path: string): Promise<{ text: string; bytes: number } | Problem> {
    let handle: FileHandle | undefined;
    try {
      const place = await this.#volumes.placeOf(path);
      // Without O_NONBLOCK, opening a named pipe would wait for its writer for ever.
      handle = await this.#open(place, constants.O_RDONLY | constants.O_NONBLOCK);
      const status = await handle.stat();
      if (!status.isFile()) return failure("CONFIG_FILE_UNREADABLE", path, "this is not a file");
      const bytes = await readUpTo(handle, MAX_CONFIG_FILE_BYTES + 1);
      if (bytes.byteLength > MAX_CONFIG_FILE_BYTES) {
        const message = `the file is bigger than ${MAX_CONFIG_FILE_BYTES} bytes`;
        return failure("CONFIG_FILE_TOO_BIG", path, message);
      }
      return decode(path, bytes);
    } catch (error) {
      return failure("CONFIG_FILE_UNREADABLE", path, reasonOf(error));
    } finally {
      await handle?.close();
    }
  }

  async #kindOf(path: string): Promise<"file" | "directory" | "missing" | Problem> {
    try {
      const status = await stat(await this.#volumes.placeOf(path));
      return status.isDirectory() ? "directory" : "file";
    } catch (error) {
      const isMissing = codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
      return isMissing ? "missing" : failure("CONFIG_FILE_UNREADABLE", path, reasonOf(error));
    }
  }
}

function orEmpty(path: string, listing: Listing): Listing {
  if (listing.paths.length > 0 || listing.problems.length > 0) return listing;
  const message = "the directory has no *.conf in it";
  const others = listing.others.slice(0, MAX_NAMED_OTHERS).map((name) => `"${name}"`);
  const hint =
    others.length === 0
      ? undefined
      : `files are read when their names end in ".conf", and ${others.join(", ")} do not: name the keys of a ConfigMap so, or mount them with items`;
  return {
    paths: [],
    problems: [problem("warning", "CONFIG_NO_FILES", wholeFile(path), message, { hint })],
    others: [],
  };
}

/** The size that `stat` tells is not believed: the file may grow, and files of the kernel have size 0. */
async function readUpTo(handle: FileHandle, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  while (total < maxBytes) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(65_536, maxBytes - total)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks, total);
}

function decode(path: string, bytes: Uint8Array): { text: string; bytes: number } | Problem {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return failure("CONFIG_FILE_NOT_TEXT", path, `the file is not UTF-8 text${whatInstead(bytes)}`);
  }
  if (!isEncoded(text)) return { text, bytes: bytes.byteLength };
  const hint = "put the text itself into a ConfigMap; under `data` of a Secret encode it once";
  return problem(
    "error",
    "CONFIG_FILE_NOT_TEXT",
    wholeFile(path),
    "the file is base64 of a configuration",
    { hint },
  );
}

/** Spec: The Unicode Standard, section 2.6 (byte order marks); RFC 1952 section 2.3.1. */
function whatInstead([first, second]: Uint8Array): string {
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return ": it is UTF-16, save it as UTF-8";
  return first === 0x1f && second === 0x8b ? ": it is compressed by gzip" : "";
}

/** A Secret's `data` is base64 already; who encodes a file as well gets base64. What it hides is not for the log. */
function isEncoded(text: string): boolean {
  const coded = text.trim();
  if (!/^[A-Za-z0-9+/\s]{8,}={0,2}$/.test(coded)) return false;
  try {
    const decoded = new TextDecoder("utf-8", { fatal: true }).decode(
      Buffer.from(coded.replaceAll(/\s/g, ""), "base64"),
    );
    return /[;{]/.test(decoded) && !/[^\P{Cc}\t\r\n]/u.test(decoded);
  } catch {
    return false;
  }
}

function failure(code: ProblemCode, path: string, message: string): Problem {
  return problem("error", code, wholeFile(path), message);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** In words where the code is a common one. */
function reasonOf(error: unknown): string {
  const words: Readonly<Record<string, string>> = {
    EACCES: "there is no permission to read it",
    EISDIR: "this is not a file",
    ELOOP: "its links go round in a circle",
    ENOENT: "it is not there, or is a link to what is not there",
    ENXIO: "this is not a file",
  };
  return `cannot be read: ${words[codeOf(error)] ?? String(error)}`;
}
