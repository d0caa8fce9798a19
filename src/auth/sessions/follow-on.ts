import type { Refusal } from "./denials.ts";
import type { Session } from "./session.ts";
import type { SetUpTrace } from "./set-up-trace.ts";

/** What became of a claim that was judged. */
export type Outcome = { readonly session: Session } | { readonly refusal: Refusal };

/** Tells a trace how a claim was judged; that of a session goes on to its first media. */
export function followOn(trace: SetUpTrace, outcome: Outcome): void {
  if ("session" in outcome) {
    const { session } = outcome;
    trace.judged({ outcome: "allowed", sessionId: session.id });
    if (session.state === "finished") trace.gone();
    else session.trace = trace;
    return;
  }
  const { refusal } = outcome;
  if (refusal.kind === "redirected") trace.judged({ outcome: "redirected" });
  else trace.judged({ outcome: refusal.status === 503 ? "failed" : "denied", reason: refusal.reason });
}
