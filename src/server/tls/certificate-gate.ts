import { late } from "../../base/late/late.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { CertificateWatch, CertificateWatchOptions } from "./certificate-watch.ts";
import { tlsPlans } from "./thread-tls.ts";

/**
 * Holds a server back from its Service until the certificates of its TLS listeners are there, and says in the log what
 * is wrong with them. A Secret may come later than the pod: the server waits for it in place of ending.
 *
 * It opens once, for good: a certificate that goes bad while the server runs must not take the streams of all pods off
 * the air. The pair before stays in use.
 */
export class CertificateGate {
  readonly #watch;
  #open: CertificateWatch | null = null;
  #isOpen = false;
  #isStopped = false;

  constructor(options: CertificateWatchOptions) {
    // With what reads certificates, which most servers never do.
    this.#watch = late("certificates", async () => {
      const { CertificateWatch: Watch } = await import("./certificate-watch.ts");
      return new Watch(options);
    });
  }

  /** Which certificate is waited for; `null` once the gate is open. */
  get reason(): string | null {
    const reason = this.#isOpen ? null : (this.#open?.reason ?? null);
    if (reason === null && this.#open !== null) this.#isOpen = true;
    return reason;
  }

  /** These listeners are in force. Resolves when their files have been looked at; never rejects. */
  async configure(listeners: ResolvedConfig["listeners"]): Promise<void> {
    const plans = tlsPlans(listeners);
    if (plans.length === 0 && this.#open === null) {
      this.#isOpen = true;
      return;
    }
    await this.#watch(async (watch) => {
      if (this.#isStopped) return;
      this.#open = watch;
      await watch.configure(plans);
    });
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    this.#open?.stop();
  }
}
