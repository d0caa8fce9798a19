import type { Clock } from "../../base/clock.ts";
import type { KeepFiles } from "../keep/keep-files.ts";

/** Folders that are looked into for one list. */
const MAX_FOLDERS = 50_000;
/** Entries of one folder. */
const MAX_ENTRIES = 20_000;
/** A list is taken for right so long. Units: microseconds. */
const FRESH_US = 10_000_000;
/** Longest name of a stream, as `parseStreamName` has it. */
const MAX_NAME = 255;

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const YEAR = /^[0-9]{4}$/;
const MONTH = /^[0-9]{2}$/;

type Listed = { readonly atUs: number; readonly streams: Promise<readonly string[]> };

/** The streams of which there is an archive below a root, also those that nobody configures any more. */
export class RootStreams {
  readonly #files: KeepFiles;
  readonly #clock: Clock;
  readonly #maxFolders: number;
  readonly #listed = new Map<string, Listed>();

  /** `maxFolders`: 50 000 unless given. */
  constructor(files: KeepFiles, clock: Clock, maxFolders = MAX_FOLDERS) {
    this.#files = files;
    this.#clock = clock;
    this.#maxFolders = maxFolders;
  }

  /** Their names; of an archive with very many folders not all. Rejects with the system's error. */
  of(root: string): Promise<readonly string[]> {
    const nowUs = this.#clock.nowUs();
    const known = this.#listed.get(root);
    if (known !== undefined && nowUs - known.atUs < FRESH_US) return known.streams;
    const listed = { atUs: nowUs, streams: this.#find(root) };
    this.#listed.set(root, listed);
    listed.streams.catch(() => this.#listed.delete(root));
    return listed.streams;
  }

  async #find(root: string): Promise<readonly string[]> {
    const streams: string[] = [];
    const pending = [""];
    let left = this.#maxFolders;
    for (let place = pending.pop(); place !== undefined && left-- > 0; place = pending.pop()) {
      const folders = await this.#folders(place === "" ? root : `${root}/${place}`);
      const years = folders.filter((name) => YEAR.test(name));
      let isStream = false;
      for (const name of folders) {
        const below = place === "" ? name : `${place}/${name}`;
        const isCalendar =
          years.includes(name) &&
          (await this.#folders(`${root}/${below}`)).some((each) => MONTH.test(each));
        if (isCalendar) isStream = true;
        else if (below.length <= MAX_NAME) pending.push(below);
      }
      if (isStream && place !== "") streams.push(place);
    }
    return streams.sort();
  }

  async #folders(path: string): Promise<string[]> {
    const entries = (await this.#files.list(path, MAX_ENTRIES)) ?? [];
    return entries.filter(({ name, isFolder }) => isFolder && SEGMENT.test(name)).map(({ name }) => name);
  }
}
