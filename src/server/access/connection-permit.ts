import type { SessionEnd } from "../../auth/claim.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Permit } from "../../stream/permit.ts";
import type { ServedSession, ServedSessions, SessionUser } from "./served-sessions.ts";

/** Leave for one connection, in the name of a session. */
export class ConnectionPermit implements Permit, SessionUser {
  readonly isConnection = true;
  readonly #served: ServedSessions;
  readonly #id: string;
  readonly #onBegun: () => void;
  #session: ServedSession | null = null;
  #hasBegun = false;
  #hasMedia = false;
  #isOver = false;
  #endedFor: string | null = null;
  #onEnd: ((reason: string) => void) | null = null;
  #takeUp: Timer | null = null;

  /** `onBegun` is called once, when media flows. */
  constructor(served: ServedSessions, id: string, onBegun: () => void) {
    this.#served = served;
    this.#id = id;
    this.#onBegun = onBegun;
  }

  /** The session is the authority's already: it is told when nobody takes the permit up. Who comes later is told that it has ended. */
  hold(clock: Clock, limitMs: number): void {
    this.#session = this.#served.use(this.#id, this);
    this.#takeUp = clock.schedule(limitMs, () => this.#expire());
  }

  begun(): void {
    if (this.#hasBegun || this.#isOver) return;
    this.#hasBegun = true;
    this.#takeUp?.cancel();
    this.#onBegun();
    this.#session ??= this.#served.use(this.#id, this);
    if (this.#hasMedia) this.#served.media(this.#session);
  }

  media(): void {
    if (this.#hasMedia) return;
    this.#hasMedia = true;
    if (this.#session !== null) this.#served.media(this.#session);
  }

  count(bytes: number): void {
    if (this.#session !== null && bytes > 0) this.#served.count(this.#session, bytes);
  }

  onEnd(run: (reason: string) => void): void {
    if (this.#endedFor !== null) run(this.#endedFor);
    else if (!this.#isOver) this.#onEnd = run;
  }

  close(reason: string): void {
    if (this.#isOver) return;
    this.#over();
    if (this.#session !== null) this.#served.leave(this.#session, this, reason);
    this.#session = null;
  }

  ended({ reason }: SessionEnd): void {
    if (this.#isOver) return;
    const run = this.#onEnd;
    this.#endedFor = reason;
    this.#over();
    this.#session = null;
    run?.(reason);
  }

  #expire(): void {
    const run = this.#onEnd;
    const reason = "it was not taken up in time";
    this.close(reason);
    this.#endedFor = reason;
    run?.(reason);
  }

  #over(): void {
    this.#isOver = true;
    this.#takeUp?.cancel();
    this.#onEnd = null;
  }
}
