/**
 * The file of a stream's episodes and locks, ROOT/STREAM/episodes.jsonl: one change a line, each behind its checksum.
 *
 *     CRC32 as 8 hexadecimal digits, a space, JSON, a line feed
 *
 * Lines are only added, and each is on the disk before its change is said to be made. So a line that is not whole can only
 * be the last one, of a change that nobody was told of. A line with a wrong checksum that has good ones behind it is
 * damage.
 */
import { crc32 } from "node:zlib";

/** A part of a stream's time that somebody named. Times are UTC. Units: milliseconds since 1970. */
export type Episode = {
  readonly episodeId: string;
  readonly openedAtMs: number;
  /** `null`: it goes on. */
  readonly closedAtMs: number | null;
  readonly updatedAtMs: number;
  /** What people call it; may be empty. */
  readonly title: string;
  /** Until when it is kept; `null`: until it is deleted. */
  readonly expiresAtMs: number | null;
};

/** One change, a line of the file. `toMs` does not belong to a lock. */
export type LogEntry =
  | { readonly op: "episode"; readonly episode: Episode }
  | { readonly op: "delete"; readonly episodeId: string }
  | { readonly op: "lock" | "unlock"; readonly fromMs: number; readonly toMs: number };

/** What a file of changes has in it. */
export type LogContents = {
  readonly entries: readonly LogEntry[];
  /** Up to where the file is good; what is behind it is to be cut off before more is added. */
  readonly goodBytes: number;
  /** A line, counted from 1, that is not as it was written though good ones follow; `null` when there is none. */
  readonly damagedLine: number | null;
};

/** Latest time that an entry may name, the end of the year 9999. Units: milliseconds since 1970. */
export const LATEST_MS = 253_402_300_800_000;

/** Longest title. Units: UTF-16 code units. */
export const MAX_TITLE_LENGTH = 1000;

const EPISODE_ID = /^[A-Za-z0-9_.:-]{1,64}$/;
const LINE = /^([0-9a-f]{8}) (\{[^]*\})$/;
const LINE_FEED = 0x0a;

/** Builds the lines of changes. */
export function writeLog(entries: Iterable<LogEntry>): Uint8Array {
  const lines: string[] = [];
  for (const entry of entries) {
    const text = JSON.stringify(fieldsOf(entry));
    lines.push(`${crc32(text).toString(16).padStart(8, "0")} ${text}\n`);
  }
  return Buffer.from(lines.join(""));
}

/** Reads a file of changes. Never throws: what is not good is left out, and is either the torn end or damage. */
export function readLog(bytes: Uint8Array): LogContents {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: LogEntry[] = [];
  let [line, start, goodBytes, firstBad] = [0, 0, 0, 0];
  for (let end = text.indexOf(LINE_FEED); end >= 0; end = text.indexOf(LINE_FEED, start)) {
    line++;
    const entry = readLine(text.toString("utf8", start, end));
    start = end + 1;
    if (entry === null) firstBad ||= line;
    else if (firstBad !== 0) return { entries, goodBytes, damagedLine: firstBad };
    else {
      entries.push(entry);
      goodBytes = start;
    }
  }
  return { entries, goodBytes, damagedLine: null };
}

/** Why an episode cannot be written; `null` when it can. */
export function reasonAgainstEpisode(episode: Episode): string | null {
  const { episodeId, openedAtMs, closedAtMs, updatedAtMs, title, expiresAtMs } = episode;
  if (!EPISODE_ID.test(episodeId)) return "episode_id is 1 to 64 letters, digits or _.:-";
  if (!isTime(openedAtMs)) return "opened_at is no time";
  if (closedAtMs !== null && !isTime(closedAtMs)) return "closed_at is no time";
  if (closedAtMs !== null && closedAtMs < openedAtMs) return "closed_at is before opened_at";
  if (!isTime(updatedAtMs)) return "updated_at is no time";
  if (expiresAtMs !== null && !isTime(expiresAtMs)) return "expires_at is no time";
  if (title.length > MAX_TITLE_LENGTH) return `title has more than ${MAX_TITLE_LENGTH} characters`;
  return null;
}

/** Why a lock cannot be written; `null` when it can. */
export function reasonAgainstLock(fromMs: number, toMs: number): string | null {
  if (!isTime(fromMs)) return "from is no time";
  if (!isTime(toMs)) return "from and duration lead to no time";
  return toMs > fromMs ? null : "duration is not above 0";
}

function readLine(line: string): LogEntry | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, checksum, text = ""] = match;
  if (crc32(text) !== Number.parseInt(checksum!, 16)) return null;
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return null;
  }
  return typeof fields === "object" && fields !== null ? entryOf(fields as Fields) : null;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(entry: LogEntry): Fields {
  if (entry.op === "delete") return { op: entry.op, episode_id: entry.episodeId };
  if (entry.op !== "episode") return { op: entry.op, from: entry.fromMs, to: entry.toMs };
  const { episodeId, openedAtMs, closedAtMs, updatedAtMs, title, expiresAtMs } = entry.episode;
  const times = { opened_at: openedAtMs, closed_at: closedAtMs, updated_at: updatedAtMs };
  return { op: entry.op, episode_id: episodeId, ...times, title, expires_at: expiresAtMs };
}

function entryOf(fields: Fields): LogEntry | null {
  const { op } = fields;
  if (op === "delete") {
    const episodeId = fields["episode_id"];
    return typeof episodeId === "string" && EPISODE_ID.test(episodeId) ? { op, episodeId } : null;
  }
  if (op === "lock" || op === "unlock") {
    const { from, to } = fields;
    if (typeof from !== "number" || typeof to !== "number" || reasonAgainstLock(from, to) !== null)
      return null;
    return { op, fromMs: from, toMs: to };
  }
  return op === "episode" ? episodeEntryOf(fields) : null;
}

function episodeEntryOf(fields: Fields): LogEntry | null {
  const { title, episode_id: episodeId, opened_at: openedAtMs, updated_at: updatedAtMs } = fields;
  const { closed_at: closedAtMs, expires_at: expiresAtMs } = fields;
  if (typeof episodeId !== "string" || typeof title !== "string") return null;
  if (typeof openedAtMs !== "number" || typeof updatedAtMs !== "number") return null;
  if (closedAtMs !== null && typeof closedAtMs !== "number") return null;
  if (expiresAtMs !== null && typeof expiresAtMs !== "number") return null;
  const episode = { episodeId, openedAtMs, closedAtMs, updatedAtMs, title, expiresAtMs };
  return reasonAgainstEpisode(episode) === null ? { op: "episode", episode } : null;
}

function isTime(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 0 && ms <= LATEST_MS && !Object.is(ms, -0);
}
