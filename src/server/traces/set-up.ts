import type { SetUpOutcome } from "../../auth/sessions/set-up-trace.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import type { TracesPlan } from "../../config/plan.ts";

/** What spans say of the server. */
export type TraceService = { readonly version: string; readonly serverId: string };

/** Who sends traces out. */
export type TraceSender = { note(setUp: SetUp): void; close(): Promise<void> };

/** Opens who sends traces out, to where `hosts` lets. */
export type OpenExport = (
  plan: TracesPlan,
  service: TraceService,
  hosts: OutsideHosts,
) => Promise<TraceSender>;

/**
 * How a session was set up, as plain data. Units of times: microseconds UTC. Ids are hexadecimal, of 16 bytes for the trace and
 * 8 for a span. Spec: W3C Trace Context section 3.2.2.
 */
export type SetUp = {
  readonly traceId: string;
  readonly spanId: string;
  readonly kind: "play" | "publish";
  readonly name: string;
  readonly proto: string;
  /** `null` for a session that was not let in. */
  readonly sessionId: string | null;
  readonly claimedUs: number;
  /** When it was known whether it may. */
  readonly judgedUs: number;
  /** What became of it then; `null` where it was not let in, or brings no media. */
  readonly media: FirstMedia | null;
  /** `allowed`, or why not. */
  readonly outcome: SetUpOutcome;
  readonly reason?: string;
  /** Servers that were asked, by their hosts, without anything else of their addresses. */
  readonly asked: readonly Asked[];
};

/**
 * The first media of a session. `flows`: a viewer was sent it, or viewers of a publisher could begin. `none`: it did not come before
 * the session's end, or within `FIRST_MEDIA_LIMIT_MS`. `unknown`: it was not waited for, since too many were, or the server stopped.
 */
export type FirstMedia = {
  readonly spanId: string;
  readonly outcome: "flows" | "none" | "unknown";
  readonly atUs: number;
};

/** Media is waited for so long. */
export const FIRST_MEDIA_LIMIT_MS = 30_000;

/** A server that was asked. */
export type Asked = {
  readonly spanId: string;
  readonly host: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly outcome: SetUpOutcome;
};
