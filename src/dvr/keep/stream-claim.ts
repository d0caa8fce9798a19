import type { Clock } from "../../base/clock.ts";
import type { KeepFiles } from "./keep-files.ts";
import { readClaimRecord, RECORD_BYTES, writeClaimRecord } from "./writer-records.ts";
import type { ClaimRecord } from "./writer-records.ts";
import type { WriterWatch } from "./writer-watch.ts";

/** Where claims of a stream lie, below its folder. */
export const CLAIMS_FOLDER = ".writer";

/** Old claims that stay: a process that read the folder long ago must not find a number free that was used. */
const KEPT_CLAIMS = 3;

/** Claims of one stream that are looked at: a healthy folder has no more than five. */
const MAX_CLAIMS = 1000;

/** What claims are laid with; the same for all streams of a root. */
export type ClaimContext = {
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly watch: WriterWatch;
  readonly host: string;
  readonly leaseMs: number;
  readonly validMs: number;
  /** This process's id, as long as it may write. */
  writer(): string | null;
};

/** A claim of a stream: its number and whose it is. */
export type Claim = { readonly number: number; readonly writer: string };

/**
 * What an attempt came to: a claim that holds; somebody else who has the stream; or neither for now. What is left of a
 * claim that failed, and could not be withdrawn, keeps others out until it is released.
 */
export type ClaimOutcome =
  | { readonly kind: "held"; readonly claim: Claim }
  | { readonly kind: "taken"; readonly by: ClaimRecord | null }
  | { readonly kind: "missed"; readonly left: Claim | null }
  | { readonly kind: "failed"; readonly left: Claim | null; readonly caught: unknown };

const MISSED: ClaimOutcome = { kind: "missed", left: null };

/**
 * Tries once to claim a stream.
 *
 * Claims are numbered, and the highest number is the one that counts. To take a stream over is to make the file with the
 * next number, which the file system lets one process do; no file is ever renamed or replaced, nor removed while its
 * number could still count, so an operation that arrives late, as on a network volume that was away, changes nobody
 * else's claim. A claim holds only when its number was the highest still after it was made, and when that took less time
 * than others wait before they pass over an unfinished one.
 *
 * Never rejects. What was made of a claim that does not hold is withdrawn, where that still works.
 */
export async function claimStream(stream: string, context: ClaimContext): Promise<ClaimOutcome> {
  const writer = context.writer();
  if (writer === null) return MISSED;
  let claim: Claim | null = null;
  try {
    const free = await nextNumber(stream, context, writer);
    if (typeof free !== "number") return free;
    claim = { number: free, writer };
    const made = await makeClaim(stream, claim, context);
    if (made === "holds") return { kind: "held", claim };
    return made === "is another's"
      ? MISSED
      : { kind: "missed", left: await withdraw(stream, claim, context) };
  } catch (caught) {
    return { kind: "failed", left: claim === null ? null : await withdraw(stream, claim, context), caught };
  }
}

/** The number that a new claim would have, or what stands against one. Removes claims that have long not counted. */
async function nextNumber(
  stream: string,
  context: ClaimContext,
  writer: string,
): Promise<number | ClaimOutcome> {
  const { files, root } = context;
  const folder = `${root}/${stream}/${CLAIMS_FOLDER}`;
  const numbers = await numbersIn(folder, files);
  const highest = Math.max(0, ...numbers);
  const holder = highest === 0 ? null : await holderOf(`${folder}/${highest}`, context, writer);
  if (holder !== null) return { kind: "taken", by: holder === "unfinished" ? null : holder };
  for (const old of numbers) if (old < highest - KEPT_CLAIMS) await files.remove(`${folder}/${old}`);
  return context.writer() === writer ? highest + 1 : MISSED;
}

/** Makes the file of a claim, and looks whether it holds. Throws: the system's error; there may be a file. */
async function makeClaim(
  stream: string,
  { number, writer }: Claim,
  context: ClaimContext,
): Promise<"holds" | "is another's" | "does not hold"> {
  const { files, clock, root } = context;
  const folder = `${root}/${stream}/${CLAIMS_FOLDER}`;
  const startUs = clock.nowUs();
  await files.makeFolder(folder);
  if (!(await files.create(`${folder}/${number}`, recordOf(context, writer, false)))) return "is another's";
  const now = await numbersIn(folder, files);
  const isHighest = now.length < MAX_CLAIMS && Math.max(...now) === number;
  const isInTime = clock.nowUs() - startUs < context.validMs * 1000;
  return isHighest && isInTime && context.writer() === writer ? "holds" : "does not hold";
}

/**
 * Says in the file of a claim that it is over: the next process need not wait. A file that is another's, as it may be
 * when making one's own failed, is not touched; for a claim that is not the highest any more, nothing comes of it.
 * Throws: the system's error.
 */
export async function releaseClaim(stream: string, claim: Claim, context: ClaimContext): Promise<void> {
  const path = `${context.root}/${stream}/${CLAIMS_FOLDER}/${claim.number}`;
  const bytes = await context.files.read(path, RECORD_BYTES);
  // One that is unfinished is passed over when it has stood still.
  const isOwn = bytes !== null && readClaimRecord(bytes)?.writer === claim.writer;
  if (isOwn) await context.files.overwrite(path, recordOf(context, claim.writer, true));
}

/** Who holds the stream by the claim that counts; `null` when nobody does any more. Buries a holder that is dead. */
async function holderOf(
  path: string,
  context: ClaimContext,
  writer: string,
): Promise<ClaimRecord | "unfinished" | null> {
  const claim = await readClaim(path, context);
  if (claim === null || claim === "unfinished") return claim;
  // One's own, unreleased, is what is left of an attempt that failed: a process claims a stream once at a time.
  if (claim.isReleased || claim.writer === writer) return null;
  if (!(await context.watch.isDead(claim.writer))) return claim;
  await context.watch.bury(claim.writer);
  return null;
}

/** The claim in a file: `null` when it can be passed over, `"unfinished"` when it may still be made. */
async function readClaim(path: string, context: ClaimContext): Promise<ClaimRecord | "unfinished" | null> {
  const { files, clock, watch, leaseMs } = context;
  const startUs = clock.nowUs();
  const bytes = await files.read(path, RECORD_BYTES);
  // The folder was read before a change of it was to be seen: making the next number will show that.
  if (bytes === null) return null;
  const claim = readClaimRecord(bytes);
  if (claim !== null) return claim;
  return watch.hasStoodStill(path, bytes, { startUs, leaseMs }) ? null : "unfinished";
}

/** Releases a claim that came to nothing. Returns: the claim, when that failed too and has to be tried again. */
async function withdraw(stream: string, claim: Claim, context: ClaimContext): Promise<Claim | null> {
  try {
    await releaseClaim(stream, claim, context);
    return null;
  } catch {
    return claim;
  }
}

function recordOf(context: ClaimContext, writer: string, isReleased: boolean): Uint8Array {
  const claimedAt = Math.floor(context.clock.wallUs() / 1000);
  return writeClaimRecord({ writer, host: context.host, claimedAt, isReleased });
}

async function numbersIn(folder: string, files: KeepFiles): Promise<number[]> {
  const entries = await files.list(folder, MAX_CLAIMS);
  return (entries ?? []).filter(({ name }) => /^[1-9]\d{0,14}$/.test(name)).map(({ name }) => Number(name));
}
