import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { needsRecovery } from "./format/recover.ts";
import { ArchiveWalk } from "./keep/archive-walk.ts";
import type { DayFolder } from "./keep/archive-walk.ts";
import type { KeepFiles } from "./keep/keep-files.ts";
import { LAST_HOURS } from "./writer/archive-writer.ts";
import { HourWriter } from "./writer/hour-writer.ts";
import type { RecordingRoots } from "./writer/write-access.ts";

/** What putting archives in order needs. */
export type StartRecoveryOptions = {
  readonly files: ArchiveFiles;
  readonly keepFiles: KeepFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly roots: Pick<RecordingRoots, "access">;
};

/** Streams whose last hours are looked at at a time. */
const AT_A_TIME = 8;
/** Who holds a stream for longer records it, and puts it in order himself. Units: milliseconds. */
const PATIENCE_MS = 2000;
/** The same, where it was waited for so many in vain that a start would take long: one attempt, on a slow volume. */
const LEAST_PATIENCE_MS = 100;
const HOURS_A_DAY = 24;

/** What is left of the time that may be waited in vain, for all streams of a root. */
type Patience = { leftMs: number };

/** The newest first. */
type LastHours = { readonly stream: string; readonly hours: readonly number[] };

/**
 * Puts the last hour of every stream below a root in order, as it has to be when the process that recorded it was killed: what
 * was recorded of the segment that was growing is there to be played, also when the stream never comes back, and what did
 * not reach the disk when the power failed is not promised. Hours that are in order are only looked at, and streams that
 * another process records are left alone.
 *
 * Returns: how many were put in order. Never rejects.
 */
export async function recoverRoot(root: string, options: StartRecoveryOptions): Promise<number> {
  const { keepFiles: files, clock, log } = options;
  const walk = new ArchiveWalk({
    ...{ root, files, clock, isMeasuring: false },
    onFailure: (path, caught) =>
      log.warn("a folder of the archive cannot be read", { path, error: messageOf(caught) }),
    onLimit: (what, limit) =>
      log.warn("the archive is too large to be looked at as a whole", { root, what, limit }),
  });
  const pending = lastHours(await walk.days(() => false));
  const patience: Patience = { leftMs: PATIENCE_MS };
  let recovered = 0;
  const work = async (): Promise<void> => {
    for (let last = pending.pop(); last !== undefined; last = pending.pop())
      if (await recoverStream(root, last, options, patience)) recovered++;
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return recovered;
}

function lastHours(days: readonly DayFolder[]): LastHours[] {
  const last = new Map<string, number[]>();
  for (const { stream, day, hours: found } of days) {
    const hours = last.get(stream) ?? [];
    last.set(stream, hours);
    for (const { hourOfDay, names } of found)
      if (names.some((name) => name.endsWith(".idx"))) hours.push(day * HOURS_A_DAY + hourOfDay);
    hours.sort((a, b) => b - a);
    hours.length = Math.min(hours.length, LAST_HOURS);
  }
  return [...last].map(([stream, hours]) => ({ stream, hours }));
}

async function recoverStream(
  root: string,
  { stream, hours }: LastHours,
  { files, clock, log, roots }: StartRecoveryOptions,
  patience: Patience,
): Promise<boolean> {
  const folder = `${root}/${stream}`;
  try {
    const torn: number[] = [];
    for (const hour of hours) if (await needsRecovery(files, folder, hour)) torn.push(hour);
    if (torn.length === 0) return false;
    const access = roots.access(root, stream, () => {});
    try {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const waitMs = Math.max(LEAST_PATIENCE_MS, patience.leftMs);
      const timer = clock.schedule(waitMs, resolve);
      await Promise.race([access.whenHeld(), late]);
      timer.cancel();
      if (!access.mayWrite()) {
        patience.leftMs -= waitMs;
        return false;
      }
      for (const hour of torn) await (await HourWriter.open(files, folder, hour)).writer.close();
      return true;
    } finally {
      await access.release();
    }
  } catch (caught) {
    log.warn("the last hour of an archive was not put in order", { folder, error: messageOf(caught) });
    return false;
  }
}
