/** From a time on its own clock, what is to be added for the media clock. Units: microseconds. */
type Piece = { readonly fromUs: number; readonly offsetUs: number };

/** Breaks that are known; of the oldest one more is forgotten with each that comes. */
const MAX_PIECES = 64;

/**
 * The clock of one player of an archive: it runs as the media clock does, but for the gaps that were passed over. Each
 * stretch that was come to is a piece of it, so that a time that was played is found again.
 */
export class PlayClock {
  readonly #pieces: Piece[];

  /** `offsetUs`: what the media clock shows when this one shows 0. */
  constructor(offsetUs: number) {
    this.#pieces = [{ fromUs: -Infinity, offsetUs }];
  }

  /** What is to be added to a time for the media clock. */
  offsetAt(us: number): number {
    return this.#pieceAt(us).offsetUs;
  }

  /** The time at which a time of the media clock is played, or what comes behind the gap in which that lies. */
  timeOf(mediaUs: number): number {
    const behind = this.#pieces.findLastIndex(({ fromUs, offsetUs }) => mediaUs >= fromUs + offsetUs);
    const next = this.#pieces[behind + 1]?.fromUs ?? Infinity;
    return Math.min(mediaUs - this.#pieces[behind]!.offsetUs, next);
  }

  /** What is recorded behind a break plays from a time on; what was known of later times is forgotten. */
  goOn(fromUs: number, offsetUs: number): void {
    while (this.#pieces.length > 1 && this.#pieces.at(-1)!.fromUs >= fromUs) this.#pieces.pop();
    this.#pieces.push({ fromUs, offsetUs });
    if (this.#pieces.length <= MAX_PIECES) return;
    this.#pieces.shift();
    this.#pieces[0] = { ...this.#pieces[0]!, fromUs: -Infinity };
  }

  #pieceAt(us: number): Piece {
    return this.#pieces.findLast(({ fromUs }) => us >= fromUs) ?? this.#pieces[0]!;
  }
}
