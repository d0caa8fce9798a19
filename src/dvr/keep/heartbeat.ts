import type { Clock, Timer } from "../../base/clock.ts";
import { keepErrors } from "./errors.ts";
import type { KeepFiles } from "./keep-files.ts";
import { writeLifeRecord } from "./writer-records.ts";
import type { WriterIdentity } from "./writer-records.ts";

/** Where writers give their signs of life, below a root. Names of streams have no segment that begins with a dot. */
export const WRITERS_FOLDER = ".writers";

/** Why a writer may write no more whose file is not there. */
const GONE =
  "its sign of life is gone: another process took this one for dead, or the volume is not mounted any more";

/** What a sign of life is given with. */
export type HeartbeatOptions = {
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly identity: WriterIdentity;
  /** An id that nobody had before: lower case letters, digits and `-`, 8 to 64 characters. */
  newWriter(): string;
  /** What others wait without a change of the file before they take the writer for dead. Units: milliseconds. */
  readonly leaseMs: number;
  /** How long the writer itself trusts one renewal, from the moment at which that began; less than `leaseMs`. */
  readonly validMs: number;
  /** The writer may write no more, from this moment on. */
  onLost(loss: HeartbeatLoss): void;
};

/** The writer's old id, which it never uses again, and why. */
export type HeartbeatLoss = {
  readonly writer: string;
  readonly reason: string;
  /** Another process took this one for dead, while it lived. */
  readonly isBuried: boolean;
};

/**
 * One process's sign of life in one root: the file ROOT/.writers/WRITER, written anew with every `beat`.
 *
 * A renewal counts from the moment at which it began, and only when it is through before the last one has run out: so
 * whoever saw the file stand still for `leaseMs` knows that its writer has stopped, however long writes take to arrive.
 * A writer that ran out, or whose file somebody took away, is dead for good: its next `beat` makes another, with an id of
 * its own, and late writes of the dead one touch nobody else's file.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #writer: string | null = null;
  #validUntilUs = -Infinity;
  #expiry: Timer | null = null;
  #isBeating = false;
  /** Of the folder in which the volume was mounted; `null` as long as none was. */
  #deviceBelow: number | null = null;
  #isEnded = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** The id under which this process writes; `null` while it may not. */
  get writer(): string | null {
    return this.isValid() ? this.#writer : null;
  }

  /** Whether the process may write at this moment. It is the clock that decides, not a timer that may come late. */
  isValid(): boolean {
    return this.#writer !== null && this.#options.clock.nowUs() < this.#validUntilUs;
  }

  /**
   * Renews the sign of life, or gives the first one of a new writer; does nothing while one is under way.
   * Throws: the system's error, when the file cannot be written.
   */
  async beat(): Promise<void> {
    if (this.#isBeating || this.#isEnded) return;
    this.#isBeating = true;
    try {
      if (this.#writer === null) await this.#begin();
      else await this.#renew(this.#writer);
    } finally {
      this.#isBeating = false;
    }
  }

  /**
   * The writer is gone for good: its claims are free for others at once. To be called when its files are closed. Throws:
   * the system's error; others then wait until the lease has run out.
   */
  async end(): Promise<void> {
    const writer = this.#writer;
    this.#isEnded = true;
    this.#forget();
    if (writer !== null) await this.#options.files.remove(this.#pathOf(writer));
  }

  async #begin(): Promise<void> {
    const { root, files, clock } = this.#options;
    const startUs = clock.nowUs();
    await this.#assertMounted();
    const writer = this.#options.newWriter();
    await files.makeFolder(`${root}/${WRITERS_FOLDER}`);
    if (!(await this.#create(writer))) return;
    if (this.#isEnded || clock.nowUs() >= this.#untilUs(startUs)) {
      // Too late to be trusted or of use; nobody has seen a claim of it.
      await files.remove(this.#pathOf(writer));
      return;
    }
    this.#writer = writer;
    this.#trustUntil(this.#untilUs(startUs));
  }

  /**
   * A volume that is not mounted any more leaves a folder behind, and what was recorded there would fill another disk and be
   * hidden when it is mounted again. Throws: DVR_NOT_MOUNTED.
   */
  async #assertMounted(): Promise<void> {
    const { root, files } = this.#options;
    const devices = await files.devices(root);
    if (devices[0] !== undefined && devices[0] === this.#deviceBelow)
      throw keepErrors.error("DVR_NOT_MOUNTED", { root });
    this.#deviceBelow ??= devices.find((device) => device !== devices[0]) ?? null;
  }

  async #create(writer: string): Promise<boolean> {
    const { files } = this.#options;
    try {
      return await files.create(this.#pathOf(writer), this.#record(writer));
    } catch (caught) {
      // A volume that is full takes empty files, one with each attempt.
      await files.remove(this.#pathOf(writer)).catch(() => false);
      throw caught;
    }
  }

  async #renew(writer: string): Promise<void> {
    const { files, clock } = this.#options;
    const startUs = clock.nowUs();
    const isThere = await files.overwrite(this.#pathOf(writer), this.#record(writer));
    if (this.#writer !== writer) return;
    if (!isThere) this.#lose(GONE, true);
    else if (clock.nowUs() >= this.#validUntilUs) this.#loseByTime();
    else this.#trustUntil(this.#untilUs(startUs));
  }

  #trustUntil(untilUs: number): void {
    const { clock } = this.#options;
    this.#expiry?.cancel();
    this.#validUntilUs = untilUs;
    this.#expiry = clock.schedule((untilUs - clock.nowUs()) / 1000, () => this.#loseByTime());
  }

  #loseByTime(): void {
    this.#lose(`the volume took no sign of life for ${this.#options.validMs} ms`, false);
  }

  #lose(reason: string, isBuried: boolean): void {
    const writer = this.#writer;
    this.#forget();
    if (writer !== null) this.#options.onLost({ writer, reason, isBuried });
  }

  #forget(): void {
    this.#expiry?.cancel();
    this.#expiry = null;
    this.#writer = null;
    this.#validUntilUs = -Infinity;
  }

  #untilUs(startUs: number): number {
    return startUs + this.#options.validMs * 1000;
  }

  #pathOf(writer: string): string {
    return `${this.#options.root}/${WRITERS_FOLDER}/${writer}`;
  }

  #record(writer: string): Uint8Array {
    const { clock, identity, leaseMs } = this.#options;
    return writeLifeRecord({ writer, identity, leaseMs, renewedAt: Math.floor(clock.wallUs() / 1000) });
  }
}
