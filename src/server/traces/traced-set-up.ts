import { randomBytes } from "node:crypto";
import type { SessionClaim } from "../../auth/claim.ts";
import type { AskTrace, SetUpTrace } from "../../auth/sessions/set-up-trace.ts";
import type { Clock } from "../../base/clock.ts";
import type { Asked, SetUp } from "./set-up.ts";

/**
 * Follows the set-up of one session, and says how it went when it is known. Servers that have not answered by then, as where
 * another one has allowed it, are told of as asked until then.
 */
export class TracedSetUp implements SetUpTrace {
  readonly #clock: Clock;
  readonly #claim: SessionClaim;
  readonly #note: (setUp: SetUp) => void;
  readonly #claimedUs: number;
  readonly #traceId = randomBytes(16).toString("hex");
  readonly #spanId = makeSpanId();
  readonly #asked: { -readonly [Key in keyof Asked]: Asked[Key] }[] = [];

  constructor(clock: Clock, claim: SessionClaim, note: (setUp: SetUp) => void) {
    this.#clock = clock;
    this.#claim = claim;
    this.#note = note;
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
        asked.endUs = this.#clock.wallUs();
        asked.outcome = outcome;
      },
    };
  }

  ended({ outcome, sessionId, reason }: Parameters<SetUpTrace["ended"]>[0]): void {
    const { kind, name, proto } = this.#claim;
    const judgedUs = this.#clock.wallUs();
    this.#note({
      ...{ traceId: this.#traceId, spanId: this.#spanId, kind, name, proto, outcome, judgedUs },
      claimedUs: this.#claimedUs,
      sessionId: sessionId ?? null,
      ...(reason === undefined ? {} : { reason }),
      asked: this.#asked.map((one) => (one.endUs === 0 ? { ...one, endUs: judgedUs } : { ...one })),
    });
  }
}

function makeSpanId(): string {
  return randomBytes(8).toString("hex");
}
