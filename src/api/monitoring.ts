import type { Clock } from "../base/clock.ts";
import { jsonReply } from "../base/http-message.ts";
import type { HttpReply } from "../base/http-message.ts";

/** Who answers: what probes and load balancers see without credentials. */
export type WhoAmI = {
  readonly server_version: string;
  readonly build: string;
  /** UTC in milliseconds. */
  readonly now: number;
  readonly started_at: number;
};

/** What the probes ask of the server. */
export type ProbeTarget = {
  whoAmI(): WhoAmI;
  /** `null` while every event loop turns; else which one does not. */
  stuckReason(): string | null;
  /** `null` when the server can take work; else why not. */
  notReadyReason(): Promise<string | null>;
};

/** What the probes and the API say of a server of this version. `startedAtMs`: milliseconds since 1970. */
export function whoAmI(version: string, startedAtMs: number, clock: Clock): WhoAmI {
  const now = Math.floor(clock.wallUs() / 1000);
  return { server_version: version, build: version, now, started_at: startedAtMs };
}

const PROBE = /^\/(?:streamer|flussonic)\/api\/v3\/monitoring\/(liveness|readiness)$/;

/**
 * Answers the Kubernetes probes, on both base paths, without credentials; `null` for any other path.
 *
 * Liveness is 200 as long as all event loops turn. Readiness is 503 while the server starts, drains or does not answer.
 * Both bodies are the same facts about the server, with a `reason` where the answer is 503.
 */
export function monitoringReply(path: string, target: ProbeTarget): Promise<HttpReply> | HttpReply | null {
  const probe = PROBE.exec(path)?.[1];
  if (probe === undefined) return null;
  if (probe === "liveness") return probeReply(target, target.stuckReason());
  return target.notReadyReason().then((reason) => probeReply(target, reason));
}

function probeReply(target: ProbeTarget, reason: string | null): HttpReply {
  if (reason === null) return jsonReply(200, target.whoAmI());
  return jsonReply(503, { ...target.whoAmI(), reason });
}
