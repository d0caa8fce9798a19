import { dropOldest } from "../../base/oldest.ts";
import type { SessionEnded } from "./table-options.ts";

/** Sessions that are over and were told of, so that who goes on with one can be told again. */
const MAX_KEPT = 10_000;

/** Tells the threads of sessions that are over, all that end in one turn together. Bounded: `MAX_KEPT` reasons. */
export class EndedSessions {
  static readonly MAX_KEPT = MAX_KEPT;

  readonly #reasons = new Map<string, string>();
  #tell: (ends: readonly SessionEnded[]) => void = () => {};
  #ends: SessionEnded[] = [];

  /** Who is told; called once. */
  onEnds(tell: (ends: readonly SessionEnded[]) => void): void {
    this.#tell = tell;
  }

  /** A session is over: those that serve it hear of it, and all threads where it is refused for some time. */
  ended(end: SessionEnded): void {
    if (end.threads.length === 0 && end.forMs === 0) return;
    this.#reasons.set(end.id, end.reason);
    dropOldest(this.#reasons, MAX_KEPT);
    this.say(end);
  }

  /** A session with this id is open again. */
  opened(id: string): void {
    this.#reasons.delete(id);
  }

  /** A thread goes on with a session: it hears once more that it is over, if that is remembered. */
  sayAgain(id: string, thread: number): void {
    const reason = this.#reasons.get(id);
    if (reason !== undefined) this.say({ id, reason, forMs: 0, threads: [thread] });
  }

  /** Tells of an end that is not kept in mind. */
  say(end: SessionEnded): void {
    this.#ends.push(end);
    if (this.#ends.length > 1) return;
    queueMicrotask(() => {
      const ends = this.#ends;
      this.#ends = [];
      this.#tell(ends);
    });
  }
}
