import type { CallHandlers, Channel } from "../../base/channel.ts";
import type { SessionAuthority, SessionControl } from "../access/session-authority.ts";
import type { ControlCalls, MediaThreadCalls } from "./messages.ts";

type SessionCalls = Pick<
  ControlCalls,
  "session-open" | "session-begun" | "session-report" | "session-closed"
>;

/** What the control thread answers to a media thread about sessions. */
export function sessionAnswers(authority: SessionAuthority, thread: number): CallHandlers<SessionCalls> {
  return {
    "session-open": (claim) => authority.open(thread, claim),
    "session-begun": (session) => {
      authority.begun(thread, session);
      return null;
    },
    "session-report": (progress) => {
      authority.report(thread, progress);
      return null;
    },
    "session-closed": (session) => {
      authority.closed(thread, session);
      return null;
    },
  };
}

/** The authority as a media thread reaches it. */
export function sessionsThrough(control: Channel<ControlCalls, MediaThreadCalls>): SessionControl {
  return {
    open: (claim) => control.ask("session-open", claim),
    begun: (session) => control.tell("session-begun", session),
    report: (progress) => control.tell("session-report", progress),
    closed: (session) => control.tell("session-closed", session),
  };
}
