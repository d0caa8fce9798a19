import { posix } from "node:path";
import { asMediaError } from "../../base/errors.ts";
import { FILL_NUMBERS_FILE } from "../format/fill-numbers.ts";
import { storedFills } from "../format/fill.ts";
import { isHourIndex, parseHourFileName } from "../format/hour-file-names.ts";
import { HourIndex } from "../format/hour-index.ts";
import { objectErrors } from "./errors.ts";
import { openLocalFile } from "./local-file-storage.ts";
import type { HourFile, HourRef, RecordedHours } from "./hours-storage.ts";
import { MAX_GET_BYTES, compareSums } from "./object-store.ts";
import type { ObjectFacts, ObjectStore, PutResult } from "./object-store.ts";

/** How much of two indexes is compared at a time. */
const COMPARED_BYTES = 2 ** 20;

/** What `copyHour` needs. */
export type HourCopyOptions = {
  readonly store: ObjectStore;
  readonly hours: Pick<RecordedHours, "filesOf" | "numbersOf">;
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

/** Where something is sent. */
type Sending = { readonly store: ObjectStore; readonly signal: AbortSignal; readonly sendsAll: boolean };

/** The key of a file of an hour: the same path as below the root. */
export function keyOf(hour: HourRef, name: string): string {
  return `${hour.stream}/${posix.dirname(hour.path)}/${name}`;
}

/** The key of what says by how much a stream's fills move numbers. */
export function numbersKeyOf(stream: string): string {
  return `${stream}/${FILL_NUMBERS_FILE}`;
}

/**
 * Copies an hour: what is deleted of it, and its media before the index that promises it, each verified before the next one
 * is sent. A file that is there with the right size and sum is not sent again; but an index is, behind new media.
 *
 * Returns: `null` when there is no such hour any more. Throws: OBJECT_HOUR_TAKEN, OBJECT_COPY_DIFFERS, OBJECT_CHECKSUM,
 * OBJECT_FILE_CHANGED, whatever the store and the hours throw.
 */
export async function copyHour(hour: HourRef, options: HourCopyOptions): Promise<HourCopy | null> {
  const { store, hours, signal, sendsAll = false, onProgress } = options;
  const files = await hours.filesOf(hour);
  if (files.length === 0) return null;
  const sending: Sending = { store, signal, sendsAll };
  // What was found to be damaged there is not compared.
  if (!sendsAll) await assertOurs(hour, files, sending);
  const ofBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let sentBytes = 0;
  let doneBytes = 0;
  let hasNewMedia = false;
  for (const file of files) {
    const kind = parseHourFileName(file.name);
    const isIndex = kind !== null && isHourIndex(kind);
    if (kind?.kind === "fills") await sendNumbers(hour.stream, hours, sending);
    const before = doneBytes;
    const onBytes = (bytes: number): void => onProgress?.(before + bytes, ofBytes);
    const isSent = await send(keyOf(hour, file.name), file, {
      ...{ ...sending, onBytes },
      sendsAll: sendsAll || (isIndex && hasNewMedia),
    });
    if (isSent) sentBytes += file.bytes;
    hasNewMedia = !isIndex && (hasNewMedia || isSent);
    doneBytes += file.bytes;
    onProgress?.(doneBytes, ofBytes);
  }
  assertSame(hour, files, await hours.filesOf(hour));
  return { files, sentBytes };
}

/** Before an index of fills is shown: numbers are moved by it. */
async function sendNumbers(
  stream: string,
  hours: HourCopyOptions["hours"],
  sending: Sending,
): Promise<void> {
  const numbers = await hours.numbersOf(stream);
  if (numbers !== null) await send(numbersKeyOf(stream), numbers, sending);
}

/** Returns: `false` when the store had the file. */
async function send(
  key: string,
  file: HourFile,
  { store, signal, sendsAll, onBytes }: Sending & { readonly onBytes?: (bytes: number) => void },
): Promise<boolean> {
  if (!sendsAll && (await isSafe(store, key, file, signal))) return false;
  const result = await store.put(key, file, { signal, onProgress: onBytes });
  await verify(store, key, result, signal);
  return true;
}

/**
 * An index that is there already is this one, or its beginning, or it is of another recording of that hour: one pod with a
 * volume of its own took over from another. To copy would be to take that one's index or media away from under it.
 * Throws: OBJECT_HOUR_TAKEN.
 */
async function assertOurs(hour: HourRef, files: readonly HourFile[], sending: Sending): Promise<void> {
  const index = files.find(({ name }) => name.endsWith(".idx"));
  const fills = files.find(({ name }) => name.endsWith(".fill"));
  await assertBeginning(keyOf(hour, `${hour.path.slice(-2)}.idx`), index ?? null, sending);
  if (fills !== undefined) await assertFills(keyOf(hour, fills.name), fills, sending);
}

/** `index`: `null` where nothing was recorded here. */
async function assertBeginning(
  key: string,
  index: HourFile | null,
  { store, signal }: Sending,
): Promise<void> {
  const facts = await store.head(key, { signal });
  if (facts === null) return;
  const taken = (): Error => objectErrors.error("OBJECT_HOUR_TAKEN", { key, location: store.location });
  if (index === null || facts.bytes > index.bytes) throw taken();
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

/** An index of fills is written anew as it grows: all segments of the one that is there are in ours, at their places. */
async function assertFills(key: string, index: HourFile, { store, signal }: Sending): Promise<void> {
  const facts = await store.head(key, { signal });
  if (facts === null) return;
  const taken = (): Error => objectErrors.error("OBJECT_HOUR_TAKEN", { key, location: store.location });
  if (facts.bytes > Math.min(index.bytes, MAX_GET_BYTES)) throw taken();
  const opened = await openLocalFile(index);
  try {
    const here = Buffer.allocUnsafe(index.bytes);
    await opened.read(0, here);
    const there = await store.get(key, { from: 0, to: facts.bytes }, { signal });
    const ours = placesOf(here);
    if (![...placesOf(there)].every((place) => ours.has(place))) throw taken();
  } catch (caught) {
    // What is no index of ours is left to whoever put it there.
    throw asMediaError(caught)?.code === "DVR_BAD_INDEX" ? taken() : caught;
  } finally {
    await opened.close();
  }
}

/** Where the media of each fill is, as text. Throws: DVR_BAD_INDEX, DVR_INDEX_VERSION. */
function placesOf(index: Uint8Array): Set<string> {
  const fills = storedFills(HourIndex.parse(index));
  return new Set(
    fills.map(({ startUs, file, chunks }) =>
      [startUs, file, ...chunks.map(({ offset, size }) => `${offset}+${size}`)].join(),
    ),
  );
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
