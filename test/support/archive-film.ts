/** A film as an archive gives one: points are looked for, tracks change, and times of day are known. */
import type { TrackSet } from "../../src/media/track.ts";
import { makeTrackSet } from "../../src/media/track.ts";
import type { PacketRun, RecordedPackets } from "../../src/stream/recorded-packets.ts";
import { Film } from "./film.ts";

/** When the film was recorded, in seconds since 1970. */
export const FILM_UTC_S = 1_767_225_600;

/** From here on there are other tracks. Units: microseconds. */
const CHANGE_US = 5_000_000;

/** Ten seconds like those of `Film`, whose second half has a set of tracks of its own; how long it is nobody knows. */
export class ArchiveFilm implements RecordedPackets {
  readonly film = new Film();
  readonly endUs = Infinity;
  readonly reorderUs = 0;
  readonly sets: readonly TrackSet[] = [
    makeTrackSet(1, this.film.tracks.tracks),
    makeTrackSet(2, this.film.tracks.tracks),
  ];
  /** Looking for points waits for this. */
  gate: Promise<void> = Promise.resolve();
  /** Thrown by the next look, when set. */
  failure: Error | null = null;
  #startUs = 0;

  get tracks(): TrackSet {
    return this.#setAt(this.#startUs);
  }

  async startAt(us: number): Promise<number> {
    await this.gate;
    if (this.failure !== null) throw this.failure;
    this.#startUs = this.film.startAt(Math.min(us, this.film.endUs));
    return this.#startUs;
  }

  atUtc(utcUs: number): number {
    return utcUs - FILM_UTC_S * 1_000_000;
  }

  async read(fromUs: number): Promise<PacketRun> {
    const run = await this.film.read(fromUs);
    return { ...run, tracks: this.#setAt(fromUs), utcOffsetUs: FILM_UTC_S * 1_000_000 };
  }

  #setAt(us: number): TrackSet {
    return this.sets[us < CHANGE_US ? 0 : 1]!;
  }
}
