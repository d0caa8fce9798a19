import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { TlsPlan } from "../../config/plan.ts";
import { CertificateFiles } from "./certificate-files.ts";
import type { KeyPair } from "./key-pair.ts";

/** How often the log says again what is wrong, and is asked whether a certificate ends soon. */
const REMIND_MS = 60_000;
const DAY_MS = 86_400_000;
/** A certificate that is renewed by a machine is renewed a month ahead; whoever sees this has days left. */
const EXPIRES_SOON_MS = 7 * DAY_MS;
/** Of one that ends soon the log says so this often. */
const WARN_EVERY_MS = DAY_MS;

/** What the watch is made with. */
export type CertificateWatchOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Brings a new pair to whoever shows it to clients: it counts as there when that resolves. */
  readonly onRead?: () => Promise<void>;
};

type Watched = {
  readonly plan: TlsPlan;
  readonly files: CertificateFiles;
  readonly ready: Promise<void>;
  pair: KeyPair | null;
  warnedUs: number;
};

/** The certificates of all TLS listeners as the control thread sees them: it says for all threads what is wrong. */
export class CertificateWatch {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onRead: () => Promise<void>;
  /** By the files; as many as the configuration has. */
  readonly #watched = new Map<string, Watched>();
  #timer: Timer | null = null;
  #isStopped = false;

  constructor({ clock, log, onRead }: CertificateWatchOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#onRead = onRead ?? (() => Promise.resolve());
  }

  /** Which certificate a listener waits for; `null`: each has had one. */
  get reason(): string | null {
    for (const { pair, files, plan } of this.#watched.values()) {
      if (pair === null) return `a TLS listener has no certificate: ${files.problem ?? plan.certificate}`;
    }
    return null;
  }

  /** Looks at the files of these plans, and at no others. Resolves when they have been looked at; never rejects. */
  async configure(plans: readonly TlsPlan[]): Promise<void> {
    const wanted = new Map(plans.map((plan) => [keyOf(plan), plan]));
    for (const [key, { files }] of this.#watched) {
      if (wanted.has(key)) continue;
      files.stop();
      this.#watched.delete(key);
    }
    const looks = [...wanted].map(([key, plan]) => {
      const known = this.#watched.get(key);
      return known === undefined ? this.#watchOne(key, plan).ready : known.files.look();
    });
    this.#schedule();
    await Promise.all(looks);
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const { files } of this.#watched.values()) files.stop();
  }

  #watchOne(key: string, plan: TlsPlan): Watched {
    const files: CertificateFiles = new CertificateFiles({
      plan,
      clock: this.#clock,
      onPair: (pair) => this.#taken(watched, pair),
      onProblem: (problem) => this.#complain(watched, problem),
    });
    const watched: Watched = { plan, files, pair: null, warnedUs: -Infinity, ready: files.start() };
    this.#watched.set(key, watched);
    return watched;
  }

  #taken(watched: Watched, pair: KeyPair): void {
    const show = (): void => void (watched.pair = pair);
    void this.#onRead().then(show, show);
    watched.warnedUs = -Infinity;
    this.#log.info("TLS certificate read", {
      file: watched.plan.certificate,
      expires: new Date(pair.expiresMs).toISOString(),
    });
    this.#checkDates(watched, pair);
  }

  #complain({ pair }: Watched, problem: string): void {
    if (pair === null) {
      this.#log.error("a TLS listener waits for its certificate, connections are closed until it comes", {
        reason: problem,
      });
    } else this.#log.error("a new TLS certificate is no good, the one before stays", { reason: problem });
  }

  /** A client may not accept it; the clock of this machine may be wrong, too: it is served all the same. */
  #checkDates(watched: Watched, { validFromMs, expiresMs }: KeyPair): void {
    const nowUs = this.#clock.nowUs();
    const wallMs = this.#clock.wallUs() / 1000;
    if (nowUs - watched.warnedUs < WARN_EVERY_MS * 1000) return;
    const fields = { file: watched.plan.certificate, expires: new Date(expiresMs).toISOString() };
    if (wallMs > expiresMs) this.#log.error("a TLS certificate has expired: clients refuse it", fields);
    else if (wallMs > expiresMs - EXPIRES_SOON_MS) this.#log.warn("a TLS certificate expires soon", fields);
    else if (wallMs < validFromMs) this.#log.warn("a TLS certificate is not valid yet", fields);
    else return;
    watched.warnedUs = nowUs;
  }

  #schedule(): void {
    if (this.#isStopped || this.#timer !== null) return;
    this.#timer = this.#clock.schedule(REMIND_MS, () => {
      this.#timer = null;
      for (const watched of this.#watched.values()) {
        const { files, pair } = watched;
        if (files.problem !== null) this.#complain(watched, files.problem);
        if (pair !== null) this.#checkDates(watched, pair);
      }
      this.#schedule();
    });
  }
}

function keyOf({ certificate, key, ca, passphrase }: TlsPlan): string {
  return JSON.stringify([certificate, key, ca, passphrase]);
}
