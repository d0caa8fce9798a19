import { asMediaError, messageOf } from "../base/errors.ts";
import { late } from "../base/late/late.ts";
import type { Late } from "../base/late/late.ts";
import type { Presentation } from "../packaging/presentation.ts";
import type { RecordedPackets } from "../stream/recorded-packets.ts";
import { findVod } from "./find-vod.ts";
import type { MediaFile } from "./media-file.ts";
import type { DownloadedFile, VodLibrary, VodLibraryOptions, VodOptions } from "./vod.ts";

/** What others may do with a library, loaded or not. */
export type Vods = Pick<
  VodLibrary,
  "find" | "open" | "openMedia" | "openPackets" | "download" | "list" | "setVods" | "close"
>;

/** The part of the room that does the work. */
type Loaded = { readonly VodLibrary: new (options: VodLibraryOptions) => Vods };

/**
 * A `VodLibrary` that is loaded when a file is first asked for, or as soon as `setVods` gives it something to serve: most
 * servers have no files, and what reads them is a third of what a media thread would load.
 */
export class LateVodLibrary implements Vods {
  readonly #options: VodLibraryOptions;
  readonly #library: Late<Vods>;
  #vods: readonly VodOptions[];
  #isAsked = false;

  /** `load`: for tests. */
  constructor(options: VodLibraryOptions, load: () => Promise<Loaded> = () => import("./vod.ts")) {
    this.#options = options;
    this.#vods = options.vods;
    this.#library = late("files on demand", async () => {
      const loaded = await load();
      return new loaded.VodLibrary({ ...options, vods: this.#vods });
    });
  }

  /** See `VodLibrary.find`. */
  find(path: string): { vod: string; rest: string } | null {
    const found = findVod(this.#vods, path);
    return found === null ? null : { vod: found.vod.name, rest: found.rest };
  }

  /** See `VodLibrary.open`. Rejects with LATE_NOT_LOADED too, as all that follow. */
  open(path: string): Promise<Presentation> {
    return this.#ask((library) => library.open(path));
  }

  /** See `VodLibrary.openMedia`. */
  openMedia(path: string): Promise<MediaFile> {
    return this.#ask((library) => library.openMedia(path));
  }

  /** See `VodLibrary.openPackets`. */
  openPackets(path: string): Promise<RecordedPackets> {
    return this.#ask((library) => library.openPackets(path));
  }

  /** See `VodLibrary.download`. */
  download(path: string): Promise<DownloadedFile> {
    return this.#ask((library) => library.download(path));
  }

  /** See `VodLibrary.list`. Without a `vod` there is nothing to load. */
  list(limit: number): Promise<readonly string[]> {
    if (this.#vods.length === 0) return Promise.resolve([]);
    return this.#ask((library) => library.list(limit));
  }

  /** See `VodLibrary.setVods`. While it is being loaded, what it serves in the end is what was set last. */
  setVods(vods: readonly VodOptions[]): void {
    this.#vods = vods;
    if (vods.length === 0 && !this.#isAsked) return;
    this.#ask((library) => library.setVods(this.#vods)).catch((caught: unknown) => {
      this.#options.log.error("vods are not served", { reason: messageOf(caught) });
    });
  }

  /** See `VodLibrary.close`. What was never loaded has nothing open. */
  async close(): Promise<void> {
    if (!this.#isAsked) return;
    try {
      await this.#ask((library) => library.close());
    } catch (caught) {
      if (asMediaError(caught)?.code !== "LATE_NOT_LOADED") throw caught;
    }
  }

  #ask<Result>(use: (library: Vods) => Promise<Result> | Result): Promise<Result> {
    this.#isAsked = true;
    const result = this.#library(use);
    return result instanceof Promise ? result : Promise.resolve(result);
  }
}
