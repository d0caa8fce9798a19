/** What the files of an hour are called in their day's folder, and in what order they are copied elsewhere. */
import { MAX_MEDIA_FILES } from "./hour.ts";

/**
 * `deleted`: HH.del. `media`: HH.mp4, HH.1.mp4 ... `index`: HH.idx. `fill-media`: HH.fill.mp4, HH.fill.1.mp4 ...
 * `fills`: HH.fill, the index of those.
 */
export type HourFileKind = "deleted" | "media" | "index" | "fill-media" | "fills";

/** A file of an hour, by its name. */
export type HourFileName = {
  /** Two digits. */
  readonly hourOfDay: string;
  readonly kind: HourFileKind;
  /** Of a media file, among those of its kind; 0 of others. */
  readonly number: number;
};

const NAME = /^((?:[01][0-9]|2[0-3]))\.(?:(del|idx|fill)|(fill\.)?(?:([1-9][0-9]{0,2})\.)?mp4)$/;

const KINDS: Readonly<Record<string, HourFileKind>> = { del: "deleted", idx: "index", fill: "fills" };

/**
 * Who reads while files come one after the other: what is deleted is not shown for a moment, media is there before an index
 * promises it, and fills come to what was recorded.
 */
const ORDER: Readonly<Record<HourFileKind, number>> = {
  deleted: 0,
  media: 1,
  index: 2,
  "fill-media": 3,
  fills: 4,
};

/** What a name in a day's folder stands for; `null` for what is no file of an hour, as notes about it are not. */
export function parseHourFileName(name: string): HourFileName | null {
  const [, hourOfDay, plain, fill, digits] = NAME.exec(name) ?? [];
  if (hourOfDay === undefined) return null;
  if (plain !== undefined) return { hourOfDay, kind: KINDS[plain]!, number: 0 };
  const number = Number(digits ?? 0);
  if (number >= MAX_MEDIA_FILES) return null;
  return { hourOfDay, kind: fill === undefined ? "media" : "fill-media", number };
}

/** Whether a file is an index, without which an hour has nothing of its kind. */
export function isHourIndex({ kind }: HourFileName): boolean {
  return kind === "index" || kind === "fills";
}

/** Whether a file has media in it. */
export function isHourMedia({ kind }: HourFileName): boolean {
  return kind === "media" || kind === "fill-media";
}

/** Whether a file may change when the hour is long over: somebody deletes something, or a peer has what was missing. */
export function mayHourFileChange({ kind }: HourFileName): boolean {
  return kind === "deleted" || kind === "fills" || kind === "fill-media";
}

/** Compares two files of one hour by the order in which they are copied; who deletes goes the other way. */
export function compareHourFiles(a: HourFileName, b: HourFileName): number {
  return ORDER[a.kind] - ORDER[b.kind] || a.number - b.number;
}
