import { randomBytes } from "node:crypto";
import type { SessionClaim } from "../../auth/claim.ts";
import { isTold } from "../../auth/sessions/session-index.ts";
import type { AskTrace, SetUpTrace } from "../../auth/sessions/set-up-trace.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { FIRST_MEDIA_LIMIT_MS } from "./set-up.ts";
import type { Asked, FirstMedia, SetUp } from "./set-up.ts";

/** Who hears of set-ups. */
export type SetUpWatcher = {
  /** It waits for its first media. */
  waits(setUp: TracedSetUp): void;
  /** It is over; called once. */
  over(setUp: TracedSetUp, how: SetUp): void;
};

type Judged = Parameters<SetUpTrace["judged"]>[0] & { readonly atUs: number };

/**
 * Follows the set-up of one session, and says how it went when its first media has flowed, or is not waited for any more. Servers
 * that have not answered when it is judged, as where another one has allowed it, are told of as asked until then.
 */
export class TracedSetUp implements SetUpTrace {
  readonly #clock: Clock;
  readonly #claim: SessionClaim;
  readonly #watcher: SetUpWatcher;
  readonly #claimedUs: number;
  readonly #traceId = randomBytes(16).toString("hex");
  readonly #spanId = makeSpanId();
  readonly #asked: { -readonly [Key in keyof Asked]: Asked[Key] }[] = [];
  #judged: Judged | null = null;
  #timer: Timer | null = null;
  #isOver = false;

  constructor(clock: Clock, claim: SessionClaim, watcher: SetUpWatcher) {
    this.#clock = clock;
    this.#claim = claim;
    this.#watcher = watcher;
    this.#claimedUs = clock.wallUs();
  }

  asked(host: string): AskTrace {
    const spanId = makeSpanId();
    const startUs = this.#clock.wallUs();
    const asked = { spanId, host, startUs, endUs: 0, outcome: "failed" as Asked["outcome"] };
    this.#asked.push(asked);
    return {
      traceparent: `00-${this.#traceId}-${spanId}-01`,
      ended: (outcome) => {
        if (this.#judged !== null) return;
        asked.endUs = this.#clock.wallUs();
        asked.outcome = outcome;
      },
    };
  }

  judged(end: Parameters<SetUpTrace["judged"]>[0]): void {
    const atUs = this.#clock.wallUs();
    this.#judged = { ...end, atUs };
    for (const asked of this.#asked) if (asked.endUs === 0) asked.endUs = atUs;
    if (end.outcome !== "allowed" || isTold(this.#claim)) {
      this.#over(null);
      return;
    }
    this.#timer = this.#clock.schedule(FIRST_MEDIA_LIMIT_MS, () => this.gone());
    this.#watcher.waits(this);
  }

  media(atUs: number): void {
    this.#endWith("flows", atUs);
  }

  gone(): void {
    this.#endWith("none", this.#clock.wallUs());
  }

  /** Waits no more. */
  giveUp(): void {
    this.#endWith("unknown", 0);
  }

  #endWith(outcome: FirstMedia["outcome"], atUs: number): void {
    // A session that nobody judges is told of when its first media is there already.
    const judgedUs = this.#judged?.atUs ?? 0;
    this.#over({ spanId: makeSpanId(), outcome, atUs: Math.max(atUs, judgedUs) });
  }

  #over(media: FirstMedia | null): void {
    if (this.#isOver || this.#judged === null) return;
    this.#isOver = true;
    this.#timer?.cancel();
    const { kind, name, proto } = this.#claim;
    const { outcome, sessionId, reason, atUs: judgedUs } = this.#judged;
    this.#watcher.over(this, {
      ...{ traceId: this.#traceId, spanId: this.#spanId, kind, name, proto, outcome, judgedUs, media },
      claimedUs: this.#claimedUs,
      sessionId: sessionId ?? null,
      ...(reason === undefined ? {} : { reason }),
      asked: this.#asked.map((asked) => ({ ...asked })),
    });
  }
}

function makeSpanId(): string {
  return randomBytes(8).toString("hex");
}
