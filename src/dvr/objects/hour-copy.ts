import { posix } from "node:path";
import { objectErrors } from "./errors.ts";
import { openLocalFile } from "./local-file-storage.ts";
import type { HourFile, HourRef, RecordedHours } from "./hours-storage.ts";
import { compareSums } from "./object-store.ts";
import type { ObjectFacts, ObjectStore, PutResult } from "./object-store.ts";

/** How much of two indexes is compared at a time. */
const COMPARED_BYTES = 2 ** 20;

/** What `copyHour` needs. */
export type HourCopyOptions = {
  readonly store: ObjectStore;
  readonly hours: Pick<RecordedHours, "filesOf">;
  readonly signal: AbortSignal;
  /** Also what is there with the right size: it was found to be damaged. */
  readonly sendsAll?: boolean;
  /** Bytes of the hour that the store has so far, and that it is to have. */
  readonly onProgress?: (bytes: number, ofBytes: number) => void;
};

/** What a copied hour took. */
export type HourCopy = {
  readonly files: readonly HourFile[];
  /** Bytes that were sent; what was there already is not among them. */
  readonly sentBytes: number;
};

/** The key of a file of an hour: the same path as below the root. */
export function keyOf(hour: HourRef, name: string): string {
  return `${hour.stream}/${posix.dirname(hour.path)}/${name}`;
}

/**
 * Copies an hour: its media, then its index, each verified before the next one is sent. A file that is there with the
 * right size and sum is not sent again; but an index is, behind new media.
 *
 * Returns: `null` when there is no such hour any more. Throws: OBJECT_HOUR_TAKEN, OBJECT_COPY_DIFFERS, OBJECT_CHECKSUM,
 * OBJECT_FILE_CHANGED, whatever the store and the hours throw.
 */
export async function copyHour(hour: HourRef, options: HourCopyOptions): Promise<HourCopy | null> {
  const { store, hours, signal, sendsAll = false, onProgress } = options;
  const files = await hours.filesOf(hour);
  if (files.length === 0) return null;
  // What was found to be damaged there is not compared.
  if (!sendsAll) await assertOurs(hour, files.at(-1)!, { store, signal });
  const ofBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let sentBytes = 0;
  let doneBytes = 0;
  for (const [i, file] of files.entries()) {
    const key = keyOf(hour, file.name);
    const isIndexOfNewMedia = i === files.length - 1 && sentBytes > 0;
    const isThere = !sendsAll && !isIndexOfNewMedia && (await isSafe(store, key, file, signal));
    if (!isThere) {
      const before = doneBytes;
      const onBytes = (bytes: number): void => onProgress?.(before + bytes, ofBytes);
      const result = await store.put(key, file, { signal, onProgress: onBytes });
      await verify(store, key, result, signal);
      sentBytes += file.bytes;
    }
    doneBytes += file.bytes;
    onProgress?.(doneBytes, ofBytes);
  }
  assertSame(hour, files, await hours.filesOf(hour));
  return { files, sentBytes };
}

/**
 * An index that is there already is this one, or its beginning, or it is of another recording of that hour: one pod with a
 * volume of its own took over from another. To copy would be to take that one's index or media away from under it.
 * Throws: OBJECT_HOUR_TAKEN.
 */
async function assertOurs(
  hour: HourRef,
  index: HourFile,
  { store, signal }: { readonly store: ObjectStore; readonly signal: AbortSignal },
): Promise<void> {
  const key = keyOf(hour, index.name);
  const facts = await store.head(key, { signal });
  if (facts === null) return;
  const taken = (): Error => objectErrors.error("OBJECT_HOUR_TAKEN", { key, location: store.location });
  if (facts.bytes > index.bytes) throw taken();
  const opened = await openLocalFile(index);
  try {
    for (let from = 0; from < facts.bytes; from += COMPARED_BYTES) {
      const to = Math.min(facts.bytes, from + COMPARED_BYTES);
      const there = await store.get(key, { from, to }, { signal });
      const here = Buffer.allocUnsafe(to - from);
      await opened.read(from, here);
      if (!here.equals(there)) throw taken();
    }
  } finally {
    await opened.close();
  }
}

/** An hour that grew is not copied, whatever was; one that is gone meanwhile is. Throws: OBJECT_FILE_CHANGED. */
function assertSame(hour: HourRef, before: readonly HourFile[], now: readonly HourFile[]): void {
  if (now.length === 0 || sizesOf(before) === sizesOf(now)) return;
  const reason = `its files were "${sizesOf(before)}" in bytes, and are "${sizesOf(now)}"`;
  throw objectErrors.error("OBJECT_FILE_CHANGED", { path: `${hour.stream}/${hour.path}`, reason });
}

function sizesOf(files: readonly HourFile[]): string {
  return files.map(({ name, bytes }) => `${name} ${bytes}`).join();
}

/** Whether the store has the file: it says nothing of it that is not so, of its size at least. */
async function isSafe(
  store: ObjectStore,
  key: string,
  file: HourFile,
  signal: AbortSignal,
): Promise<boolean> {
  const facts = await store.head(key, { signal });
  if (facts?.bytes !== file.bytes) return false;
  const { expected, actual } = compareSums(await store.sumsOf(file, { signal }), facts);
  return expected === actual;
}

/** What is not right does not stay, as far as the store lets it be deleted. */
async function verify(
  store: ObjectStore,
  key: string,
  sent: PutResult,
  signal: AbortSignal,
): Promise<void> {
  const facts = await store.head(key, { signal });
  const defect = defectOf(store.location, key, sent, facts);
  if (defect === null) return;
  await store.delete(key, { signal }).catch(() => {}); // the defect is what is told
  throw defect;
}

function defectOf(location: string, key: string, sent: PutResult, facts: ObjectFacts | null): Error | null {
  const differs = (reason: string): Error =>
    objectErrors.error("OBJECT_COPY_DIFFERS", { key, location, reason });
  if (facts === null) return differs("it was written, and is not there");
  if (facts.bytes !== sent.bytes)
    return differs(`it has ${facts.bytes} bytes, and ${sent.bytes} were sent`);
  const { by, expected, actual } = compareSums(sent.sums, facts);
  if (expected === actual) return null;
  const kind = by === "crc32" ? "the CRC-32" : "the entity tag";
  return objectErrors.error("OBJECT_CHECKSUM", { location, key, kind, expected, actual });
}
