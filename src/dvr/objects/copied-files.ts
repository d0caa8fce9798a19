import type { Clock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { FILL_NUMBERS_FILE } from "../format/fill-numbers.ts";
import { HOUR_US, parseHourPath } from "../format/hour.ts";
import { isHourIndex, isHourMedia, mayHourFileChange } from "../format/hour-file-names.ts";
import { parseHourFileName } from "../format/hour-file-names.ts";
import type { HourFileName } from "../format/hour-file-names.ts";
import { BucketFolders } from "./bucket-folders.ts";
import { BucketFile, HEAD_BYTES } from "./bucket-file.ts";
import type { CopyCaches } from "./copy-caches.ts";
import type { CopyRule, CopyRules } from "./copy-rules.ts";
import type { CopyStores } from "./copy-stores.ts";
import { numbersKeyOf } from "./hour-copy.ts";
import type { ObjectFacts, ObjectStore } from "./object-store.ts";

/** What reading archives that are on a disk, in a bucket, or partly in each, needs. */
export type CopiedFilesOptions = {
  readonly disk: ArchiveFiles;
  readonly rules: CopyRules;
  readonly stores: CopyStores;
  readonly caches: CopyCaches;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A path below a stream's folder, as both have it. */
type Place = {
  readonly rule: CopyRule;
  /** The stream's folder on the disk. */
  readonly folder: string;
  readonly stream: string;
  /** Below the stream's folder; empty for that itself. */
  readonly inside: string;
};

/** An object that stands for a file. */
type Found = {
  readonly facts: ObjectFacts;
  readonly bucket: Bucket;
  readonly rule: CopyRule;
  /** What is known of it is not so. */
  readonly onGone: () => void;
};

type Bucket = { readonly store: ObjectStore; readonly folders: BucketFolders };

/**
 * How long a folder that the disk has something of waits for what the bucket has: a playlist that lacks hours is worse than
 * one that is late. Units: milliseconds.
 */
const PATIENCE_MS = 4000;
/** What is missing in a bucket is asked for again after so long. Units: microseconds. */
const MISSING_US = 2_000_000;
/** How soon it is said again that a bucket does not answer. Units: microseconds. */
const TELL_US = 60_000_000;
const DAY = /^\d{4}\/\d{2}\/\d{2}$/;
const FOLDER = /^\d{4}(\/\d{2}){0,2}$/;
/** How long it is taken for right what a stream's object of numbers is like. Units: microseconds. */
const NUMBERS_US = 5_000_000;
/** Streams of which it is known. */
const MAX_NUMBERS = 4096;
const MAX_BUCKETS = 64;

/**
 * The files of archives for those who play them: on the disk, and what is not there, in the bucket that its stream is copied
 * to. The disk is asked first, and is enough wherever it has the file; the bucket is read through a cache. A bucket that does
 * not answer hides what is there alone.
 */
export class CopiedFiles implements ArchiveFiles {
  readonly #options: CopiedFilesOptions;
  /** In order of use. */
  readonly #buckets = new Map<ObjectStore, Bucket>();
  /** By store and stream. */
  readonly #numbers = new Map<string, { readonly facts: ObjectFacts | null; readonly askedUs: number }>();
  #toldUs = -Infinity;

  constructor(options: CopiedFilesOptions) {
    this.#options = options;
  }

  async open(path: string): Promise<ArchiveFile | null> {
    const file = await this.#options.disk.open(path);
    if (file !== null) return file;
    const found = await this.#find(path);
    if (found === null) return null;
    const { facts, bucket, rule, onGone } = found;
    const cache = await this.#options.caches.get(rule.cache);
    const object = cache.object(bucket.store, facts);
    const head = cache.object(bucket.store, facts, HEAD_BYTES);
    return new BucketFile(path, { object, head }, onGone);
  }

  async create(path: string): Promise<ArchiveFile> {
    return await this.#options.disk.create(path);
  }

  async stat(path: string): Promise<number | null> {
    return (await this.#options.disk.stat(path)) ?? (await this.#find(path))?.facts.bytes ?? null;
  }

  async list(path: string): Promise<readonly string[]> {
    const names = await this.#options.disk.list(path);
    const place = this.#placeOf(path);
    if (place === null || this.#isWhole(place, names)) return names;
    const dropped = new Set(names.filter(isDroppedNote).map((name) => name.slice(0, 2)));
    const copied = (await this.#copiedNames(place, names.length > 0)).filter(
      (name) => !DAY.test(place.inside) || !dropped.has(name.slice(0, 2)),
    );
    return copied.length === 0 ? names : [...new Set([...names, ...copied])];
  }

  /** What an object is called, if it is one of an hour; `null` when the bucket has none. */
  async #find(path: string): Promise<Found | null> {
    const place = this.#placeOf(path);
    if (place === null) return null;
    if (place.inside === FILL_NUMBERS_FILE) return await this.#findNumbers(place);
    const end = place.inside.lastIndexOf("/");
    const name = place.inside.slice(end + 1);
    const parsed = parseHourFileName(name);
    if (parsed === null || !(await this.#mayBeFar(place, parsed))) return null;
    const bucket = await this.#bucket(place.rule);
    const { folders } = bucket;
    const day = { stream: place.stream, inside: place.inside.slice(0, end) };
    let { files, askedUs } = await folders.folder(day);
    // That media is there was promised by an index: it may have left the disk just now.
    const againUs = this.#options.clock.nowUs() - MISSING_US;
    if (!files.has(name) && isHourMedia(parsed) && askedUs < againUs)
      ({ files, askedUs } = await folders.folder(day, againUs));
    const facts = files.get(name);
    const onGone = (): void => folders.forget(day);
    return facts === undefined ? null : { facts, bucket, rule: place.rule, onGone };
  }

  /**
   * Whether a file that the disk has not may be in the bucket: not when the hour was deleted here, though it may still be in
   * the bucket for a while; and where the disk has an index of the hour, it knows all of what may change of it.
   */
  async #mayBeFar({ folder, inside }: Place, file: HourFileName): Promise<boolean> {
    const { disk } = this.#options;
    const stem = `${folder}/${inside.slice(0, inside.lastIndexOf("/"))}/${file.hourOfDay}`;
    if ((await disk.stat(`${stem}.dropped`)) !== null) return false;
    if (!mayHourFileChange(file) || isHourMedia(file)) return true;
    return (await disk.stat(`${stem}.idx`)) === null && (await disk.stat(`${stem}.fill`)) === null;
  }

  /** What says by how much fills move the numbers of a stream. Where the store does not answer, as it was before. */
  async #findNumbers({ stream, rule }: Place): Promise<Found | null> {
    const bucket = await this.#bucket(rule);
    const { store } = bucket;
    const key = `${store.location} ${stream}`;
    const nowUs = this.#options.clock.nowUs();
    const onGone = (): void => void this.#numbers.delete(key);
    const found = (facts: ObjectFacts | null): Found | null =>
      facts === null ? null : { facts, bucket, rule, onGone };
    const known = this.#numbers.get(key);
    if (known !== undefined && nowUs - known.askedUs < NUMBERS_US) return found(known.facts);
    let facts = known?.facts ?? null;
    try {
      facts = await store.head(numbersKeyOf(stream));
    } catch (caught) {
      this.#tell(caught);
    }
    this.#numbers.delete(key);
    this.#numbers.set(key, { facts, askedUs: nowUs });
    dropOldest(this.#numbers, MAX_NUMBERS);
    return found(facts);
  }

  /** Rejects only where nothing of the stream is on the disk: nobody knows then what there is. */
  async #copiedNames(place: Place, hasMore: boolean): Promise<readonly string[]> {
    const { stream, inside, rule, folder } = place;
    const asked = (async () => {
      const { folders } = await this.#bucket(rule);
      const found = await folders.folder({ stream, inside });
      return DAY.test(inside) ? wholeHours([...found.files.keys()]) : [...found.folders];
    })();
    try {
      return await (hasMore ? this.#notForLong(asked) : asked);
    } catch (caught) {
      this.#tell(caught);
      const isKnown =
        hasMore || (await this.#options.disk.list(folder)).some((name) => /^\d{4}$/.test(name));
      if (isKnown) return [];
      throw caught;
    }
  }

  async #notForLong(asked: Promise<readonly string[]>): Promise<readonly string[]> {
    const { promise: late, resolve } = Promise.withResolvers<readonly string[]>();
    const timer = this.#options.clock.schedule(PATIENCE_MS, () => resolve([]));
    asked.catch(() => {}); // when it comes too late it is told by who asks next
    try {
      return await Promise.race([asked, late]);
    } finally {
      timer.cancel();
    }
  }

  #tell(caught: unknown): void {
    const { clock, log } = this.#options;
    if (clock.nowUs() - this.#toldUs < TELL_US) return;
    this.#toldUs = clock.nowUs();
    const code = asMediaError(caught)?.code ?? "unexpected";
    log.warn("what the archive has in its bucket is not known for now", {
      code,
      reason: messageOf(caught),
    });
  }

  /** Whether the disk has every hour of a day that there can be. */
  #isWhole({ inside }: Place, names: readonly string[]): boolean {
    const first = DAY.test(inside) ? parseHourPath(`${inside}/00`) : null;
    if (first === null) return false;
    const hoursSoFar = Math.floor(this.#options.clock.wallUs() / HOUR_US) - first + 1;
    return hoursWithIndex(names).size >= Math.min(24, hoursSoFar);
  }

  /** Where a path belongs; `null` when it is none of a stream that is copied, or of none of its files. */
  #placeOf(path: string): Place | null {
    const { rules } = this.#options;
    for (const root of rules.roots()) {
      if (!path.startsWith(`${root}/`)) continue;
      const below = path.slice(root.length + 1).split("/");
      for (let deep = Math.min(4, below.length - 1); deep >= 0; deep--) {
        const inside = below.slice(below.length - deep).join("/");
        if (deep > 0 && !isArchivePath(inside)) continue;
        const stream = below.slice(0, below.length - deep).join("/");
        const rule = rules.of(root, stream);
        if (rule !== null) return { rule, folder: `${root}/${stream}`, stream, inside };
      }
    }
    return null;
  }

  async #bucket({ place }: CopyRule): Promise<Bucket> {
    const store = await this.#options.stores.get(place);
    const bucket = this.#buckets.get(store) ?? {
      store,
      folders: new BucketFolders(store, this.#options.clock),
    };
    this.#buckets.delete(store);
    this.#buckets.set(store, bucket);
    dropOldest(this.#buckets, MAX_BUCKETS);
    return bucket;
  }
}

function isDroppedNote(name: string): boolean {
  return name.endsWith(".dropped");
}

/** Whether something of a stream's archive is called so below its folder. */
function isArchivePath(inside: string): boolean {
  if (FOLDER.test(inside) || inside === FILL_NUMBERS_FILE) return true;
  const end = inside.lastIndexOf("/");
  return DAY.test(inside.slice(0, end)) && parseHourFileName(inside.slice(end + 1)) !== null;
}

/** Names of those hours of which all is there: an index is copied behind the media that it promises. */
function wholeHours(names: readonly string[]): string[] {
  const whole = hoursWithIndex(names);
  return names.filter((name) => whole.has(name.slice(0, 2)));
}

/** Two digits each. */
function hoursWithIndex(names: readonly string[]): ReadonlySet<string> {
  const hours = names.flatMap((name) => {
    const parsed = parseHourFileName(name);
    return parsed !== null && isHourIndex(parsed) ? [parsed.hourOfDay] : [];
  });
  return new Set(hours);
}
