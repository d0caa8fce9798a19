/** What is recorded of a stream, as `recording_status.json` tells it. */
import type { Clock } from "../../base/clock.ts";
import { jsonReply, textReply } from "../../base/http-message.ts";
import type { HttpHeaders, HttpReply } from "../../base/http-message.ts";
import { dropOldest } from "../../base/oldest.ts";
import type { RecordedExtent } from "../../dvr/reader/recorded-ranges.ts";

/** The document. All times in whole seconds of UTC. */
export type RecordingStatus = {
  /** Begin of the oldest range; `null` when nothing is recorded. */
  readonly from: number | null;
  /** From there to the end of the newest range, gaps included. */
  readonly depth: number;
  /** Without the gaps. */
  readonly duration: number;
  readonly ranges: readonly { readonly from: number; readonly duration: number }[];
  /** Of the media files of all hours that are told of. */
  readonly bytes: number;
  readonly disk_size: number;
  /** There are more ranges than these; ask from the end of the last one on. */
  readonly is_cut?: true;
};

/** A span of time, in microseconds of UTC. */
export type AskedSpan = { readonly fromUs: number; readonly toUs: number };

const SECOND_US = 1_000_000;
/** The last whole second whose microseconds are counted exactly, in the year 2255. */
const LAST_S = 9_007_199_254;
const CORS: HttpHeaders = [["access-control-allow-origin", "*"]];

/** What `from` and `to` ask for; words where they make no sense. */
export function readAskedSpan(query: URLSearchParams): AskedSpan | string {
  const fromS = readSeconds(query.get("from"), 0);
  const toS = readSeconds(query.get("to"), LAST_S);
  if (fromS === null || toS === null) return "from and to are seconds since 1970, whole numbers";
  if (fromS >= toS) return "from must be before to";
  return { fromUs: fromS * SECOND_US, toUs: toS * SECOND_US };
}

/** The document of an extent. Ranges that are not a second apart are one. */
export function statusOf({ ranges, mediaBytes, isCut }: RecordedExtent): RecordingStatus {
  const told: { from: number; duration: number }[] = [];
  for (const { fromUs, toUs } of ranges) {
    const [from, to] = [Math.floor(fromUs / SECOND_US), Math.ceil(toUs / SECOND_US)];
    const last = told.at(-1);
    if (last !== undefined && from <= last.from + last.duration) last.duration = to - last.from;
    else told.push({ from, duration: to - from });
  }
  const [first, last] = [told[0], told.at(-1)];
  return {
    from: first?.from ?? null,
    depth: first === undefined || last === undefined ? 0 : last.from + last.duration - first.from,
    duration: told.reduce((sum, { duration }) => sum + duration, 0),
    ranges: told,
    bytes: mediaBytes,
    disk_size: mediaBytes,
    ...(isCut ? { is_cut: true as const } : {}),
  };
}

/** Reads what is recorded in a folder. Rejects with DVR_*. */
export type ReadExtent = (folder: string, span: AskedSpan) => Promise<RecordedExtent>;

/** An answer is good for so long: pages ask every few seconds, and many pages at a time. Units: microseconds. */
const FRESH_US = 1_000_000;
/** Answers that are kept. */
const MAX_KEPT = 256;

type Kept = { readonly readUs: number; readonly extent: Promise<RecordedExtent> };

/** Answers for all who ask about recordings in one thread. */
export class RecordingStatuses {
  readonly #clock: Clock;
  readonly #read: ReadExtent;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock, read: ReadExtent) {
    this.#clock = clock;
    this.#read = read;
  }

  /** Answers that are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** The reply about what is recorded in a folder. Rejects with DVR_*. */
  async reply(folder: string, query: URLSearchParams): Promise<HttpReply> {
    const span = readAskedSpan(query);
    if (typeof span === "string") return textReply(400, span, CORS);
    return jsonReply(200, statusOf(await this.#extent(folder, span)), CORS);
  }

  #extent(folder: string, span: AskedSpan): Promise<RecordedExtent> {
    const key = `${folder} ${span.fromUs} ${span.toUs}`;
    const nowUs = this.#clock.nowUs();
    const kept = this.#kept.get(key);
    if (kept !== undefined && nowUs - kept.readUs < FRESH_US) return kept.extent;
    const extent = this.#read(folder, span);
    extent.catch(() => this.#kept.delete(key));
    this.#kept.delete(key);
    this.#kept.set(key, { readUs: nowUs, extent });
    dropOldest(this.#kept, MAX_KEPT);
    return extent;
  }
}

function readSeconds(text: string | null, otherwise: number): number | null {
  if (text === null) return otherwise;
  if (!/^\d{1,12}$/.test(text)) return null;
  return Math.min(Number(text), LAST_S);
}
