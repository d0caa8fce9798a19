import { stat } from "node:fs/promises";
import type { CountryOf } from "../../auth/geo/country.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { readBytes } from "./outside-text.ts";

/** How often the file is looked at: such files change once a week. */
export const GEOIP_LOOK_MS = 60_000;

/**
 * The file that `geoip` names, read anew when it changes. One that cannot be read leaves the one before in force, and the
 * log says so once for each reason; where there is none before, no address has a country.
 */
export class GeoipFile {
  readonly path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #countryOf: CountryOf | null = null;
  #seen = "";
  #complaint = "";
  #timer: Timer | null = null;
  #closed = false;

  constructor(path: string, options: { readonly clock: Clock; readonly log: Logger }) {
    this.path = path;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Two letters, upper case; absent: nobody knows. */
  countryOf(ip: string): string | undefined {
    return this.#countryOf?.(ip);
  }

  /** Resolves when the file was read for the first time, or could not be; from now on it is looked at. Never rejects. */
  async start(): Promise<void> {
    await this.#look();
    if (this.#closed) return;
    this.#timer = this.#clock.schedule(GEOIP_LOOK_MS, () => void this.start());
  }

  /** Not looked at any more; idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    try {
      const { dev, ino, size, mtimeMs } = await stat(this.path);
      const seen = [dev, ino, size, mtimeMs].join();
      if (seen === this.#seen || this.#closed) return;
      // Loaded where it is used only.
      const { MAX_GEOIP_BYTES, openCountries } = await import("../../auth/geo/country.ts");
      this.#countryOf = openCountries(await readBytes(this.path, MAX_GEOIP_BYTES));
      this.#seen = seen;
      this.#complaint = "";
      this.#log.info("the file of countries was read", { file: this.path });
    } catch (caught) {
      this.#complain(messageOf(caught));
    }
  }

  #complain(reason: string): void {
    if (reason === this.#complaint || this.#closed) return;
    this.#complaint = reason;
    const state = this.#countryOf === null ? "no address has a country" : "the one before stays in force";
    this.#log.error(`the file of countries cannot be taken; ${state}`, { file: this.path, reason });
  }
}
