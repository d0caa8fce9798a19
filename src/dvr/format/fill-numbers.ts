/**
 * How many segments of a stream's archive are fills, hour by hour: what playlists need so that the numbers of segments count
 * fills too, and no file of the recorder is changed for it. docs/archive-format.md is the specification.
 */

/** The file below the stream's folder. */
export const FILL_NUMBERS_FILE = ".fills";

/** What one hour's fills are counted as. */
export type HourFills = {
  /** In hours since 1970. */
  readonly hour: number;
  /** Fills that are shown, and those of them before which the timeline breaks. */
  readonly segments: number;
  readonly breaks: number;
  /** Of the last segment that was recorded here before the hour; 0 where there is none. */
  readonly ordinal: number;
  readonly discontinuities: number;
};

/** By how much numbers are moved. */
export type NumberShift = Pick<HourFills, "segments" | "breaks">;

/** Hours with fills that are told apart: over two years without a pause. Of more, the oldest are counted together. */
export const MAX_FILLED_HOURS = 20_000;

/** What a file of so many hours has at most. Units: bytes. */
export const MAX_FILL_NUMBERS_BYTES = MAX_FILLED_HOURS * 100;

const FIELDS = ["hour", "segments", "breaks", "ordinal", "discontinuities"] as const;

/** The fills of a stream, by hours. Immutable. */
export class FillNumbers {
  static readonly NONE = new FillNumbers([]);

  /** In order. */
  readonly #hours: readonly HourFills[];
  /** Sums of all hours in front of each place. */
  readonly #shifts: readonly NumberShift[];

  private constructor(hours: readonly HourFills[]) {
    this.#hours = hours;
    const shifts: NumberShift[] = [{ segments: 0, breaks: 0 }];
    for (const { segments, breaks } of hours) {
      const last = shifts.at(-1)!;
      shifts.push({ segments: last.segments + segments, breaks: last.breaks + breaks });
    }
    this.#shifts = shifts;
  }

  /** Reads the file. What is none is as if there were no fills: numbers are then smaller, and nothing else is wrong. */
  static parse(bytes: Uint8Array): FillNumbers {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return FillNumbers.NONE;
    }
    if (typeof value !== "object" || value === null || !("version" in value) || value.version !== 1)
      return FillNumbers.NONE;
    if (!("hours" in value) || !Array.isArray(value.hours) || value.hours.length > MAX_FILLED_HOURS)
      return FillNumbers.NONE;
    const hours: HourFills[] = [];
    for (const row of value.hours as unknown[]) {
      const read = readRow(row);
      if (read === null || read.hour <= (hours.at(-1)?.hour ?? -1)) return FillNumbers.NONE;
      hours.push(read);
    }
    return new FillNumbers(hours);
  }

  build(): Uint8Array {
    const hours = this.#hours.map((row) => FIELDS.map((field) => row[field]));
    return new TextEncoder().encode(`${JSON.stringify({ version: 1, hours })}\n`);
  }

  /** Hours that are told apart. */
  get size(): number {
    return this.#hours.length;
  }

  /** What is said of an hour; `null` where it has no fills. */
  of(hour: number): HourFills | null {
    const row = this.#hours[this.#placeFrom(hour)];
    return row?.hour === hour ? row : null;
  }

  /** All fills of earlier hours. */
  before(hour: number): NumberShift {
    return this.#shifts[this.#placeFrom(hour)]!;
  }

  /** The same with an hour said anew. */
  with(row: HourFills): FillNumbers {
    const hours = this.#hours.filter(({ hour }) => hour !== row.hour);
    const place = hours.findIndex(({ hour }) => hour > row.hour);
    hours.splice(place < 0 ? hours.length : place, 0, row);
    while (hours.length > MAX_FILLED_HOURS) {
      const [oldest, next] = hours.splice(0, 2) as [HourFills, HourFills];
      const segments = oldest.segments + next.segments;
      hours.unshift({ ...next, segments, breaks: oldest.breaks + next.breaks });
    }
    return new FillNumbers(hours);
  }

  #placeFrom(hour: number): number {
    let [low, high] = [0, this.#hours.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#hours[middle]!.hour < hour) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function readRow(row: unknown): HourFills | null {
  if (!Array.isArray(row) || row.length !== FIELDS.length) return null;
  const numbers = row as unknown[];
  if (!numbers.every((one): one is number => Number.isSafeInteger(one) && Number(one) >= 0)) return null;
  const [hour, segments, breaks, ordinal, discontinuities] = numbers as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { hour, segments, breaks, ordinal, discontinuities };
}
