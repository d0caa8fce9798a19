import { dropOldest } from "../../base/oldest.ts";
import type { Verdict } from "../claim.ts";

/** An answer that says no, or elsewhere. */
export type Refusal = Exclude<Verdict, { kind: "allowed" }>;

/** Refusals that are kept so that nobody is asked again, by the identity of the session. The oldest goes when there are too many. */
export class Denials {
  readonly #most: number;
  readonly #kept = new Map<string, { readonly refusal: Refusal; readonly untilMs: number }>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keeps a refusal for as long as it says. */
  keep(identity: string, refusal: Refusal, nowMs: number): void {
    this.#kept.delete(identity);
    if (refusal.forMs <= 0) return;
    this.#kept.set(identity, { refusal, untilMs: nowMs + refusal.forMs });
    dropOldest(this.#kept, this.#most);
  }

  /** The refusal that holds, with the time that is left of it. */
  find(identity: string, nowMs: number): Refusal | undefined {
    const kept = this.#kept.get(identity);
    if (kept === undefined) return undefined;
    const forMs = kept.untilMs - nowMs;
    if (forMs > 0) return { ...kept.refusal, forMs };
    this.#kept.delete(identity);
    return undefined;
  }

  clear(): void {
    this.#kept.clear();
  }
}
