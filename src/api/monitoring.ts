import { jsonReply } from "../base/http-message.ts";
import type { HttpReply } from "../base/http-message.ts";

/** Who answers: what probes and load balancers see without credentials. */
export type WhoAmI = {
  readonly server_version: string;
  readonly build: string;
  /** UTC in milliseconds. */
  readonly now: number;
  readonly started_at: number;
  /** What the server is told from others by, also when its pod and its address are new ones. */
  readonly server_id: string;
};

/** What the probes ask of the server. */
export type ProbeTarget = {
  whoAmI(): WhoAmI;
  /** `null` when the server can take work; else why not. */
  notReadyReason(): string | null;
};

const PROBE = /^\/(?:streamer|flussonic)\/api\/v3\/monitoring\/(liveness|readiness)$/;

/**
 * Answers the Kubernetes probes, on both base paths, without credentials; `null` for any other path.
 *
 * Liveness is 200 as long as the event loop answers. Readiness is 503 with the reason while the server starts or
 * drains. Both bodies are the same facts about the server.
 */
export function monitoringReply(path: string, target: ProbeTarget): HttpReply | null {
  const probe = PROBE.exec(path)?.[1];
  if (probe === undefined) return null;
  const reason = probe === "readiness" ? target.notReadyReason() : null;
  if (reason === null) return jsonReply(200, target.whoAmI());
  return jsonReply(503, { ...target.whoAmI(), reason });
}
