import { dropOldest } from "../../base/oldest.ts";
import type { SessionKind, Verdict } from "../claim.ts";
import type { AccessRules } from "../rules.ts";
import { isJudged } from "./judge.ts";
import type { Session } from "./session.ts";

/** An answer that says no, or elsewhere. */
export type Refusal = Exclude<Verdict, { kind: "allowed" }>;

/** What was refused, and by which rules: others may let it in. */
export type RefusedOf = { readonly kind: SessionKind; readonly name: string; readonly rules: AccessRules };

type Kept = { readonly refusal: Refusal; readonly untilMs: number; readonly of: RefusedOf | null };

/** What a refusal of a session is of; `null` of the server's own. */
export function refusedOf({ claim, rules }: Pick<Session, "claim" | "rules">): RefusedOf | null {
  return isJudged(claim) ? { kind: claim.kind, name: claim.name, rules } : null;
}

/** The longest name that is kept with a refusal: the longest of streams. Of files there are longer ones, which anybody makes up. */
const MAX_KEPT_NAME = 255;

/** A name as refusals keep it; "" for one that is too long: with it they are forgotten by any change of the rules. */
export function keptName(name: string): string {
  return name.length <= MAX_KEPT_NAME ? name : "";
}

/** Refusals that are kept so that nobody is asked again, by the identity of the session. The oldest goes when there are too many. */
export class Denials {
  readonly #most: number;
  readonly #kept = new Map<string, Kept>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keeps a refusal for as long as it says; of `null`, whatever the rules are. */
  keep(identity: string, refusal: Refusal, nowMs: number, of: RefusedOf | null): void {
    this.#kept.delete(identity);
    if (refusal.forMs <= 0) return;
    const short = of === null ? null : { ...of, name: keptName(of.name) };
    this.#kept.set(identity, { refusal, untilMs: nowMs + refusal.forMs, of: short });
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

  /** Forgets those whose rules count no more. */
  keepOnly(stillCounts: (of: RefusedOf) => boolean): void {
    for (const [identity, { of }] of this.#kept)
      if (of !== null && (of.name === "" || !stillCounts(of))) this.#kept.delete(identity);
  }
}
