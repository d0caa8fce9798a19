/** What a backend is asked, and what its answer means. */
import type { CountedClaim } from "../sessions/session.ts";
import type { SetUpTrace } from "../sessions/set-up-trace.ts";

/** One request to a backend, ready to be sent. Its URL and headers have secrets in them: never log them. */
export type BackendRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of connecting, the reply's headers and its body, all together. */
  readonly timeoutMs: number;
};

/** What came back. Names of headers are in lower case; a header that came twice is joined with ", ". */
export type BackendReply =
  | {
      readonly kind: "replied";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: "failed"; readonly reason: string; readonly isTimeout: boolean };

/** Sends a request to a backend. Never rejects, and is done when `timeoutMs` is over. */
export type AskBackend = (request: BackendRequest) => Promise<BackendReply>;

/** What a backend is told of a session. */
export type Question = {
  readonly claim: CountedClaim;
  readonly country: string | undefined;
  readonly requestType: "new_session" | "update_session";
  /** From 0 on. */
  readonly requestNumber: number;
  readonly sessionId: string;
  /** Who plays this stream, and who plays anything. */
  readonly streamClients: number;
  readonly totalClients: number;
  /** Since the session was opened; with an update only. */
  readonly durationMs?: number;
  readonly bytes?: number;
  /** The server's own name. */
  readonly host?: string;
  /** Follows the set-up that it is asked for. */
  readonly trace?: SetUpTrace;
};

/** What a backend says. "failed": nothing that counts as an answer. */
export type Answer =
  | {
      readonly kind: "allowed";
      /** How long it holds; absent: the server's default. */
      readonly authDurationMs?: number;
      readonly userId?: string;
      /** 0: any number. */
      readonly maxSessions?: number;
    }
  | { readonly kind: "denied"; readonly authDurationMs?: number }
  | { readonly kind: "redirected"; readonly location: string; readonly authDurationMs?: number }
  | { readonly kind: "failed"; readonly reason: string };

/**
 * The request that asks `url`. Login and password of the URL go into a header; what it has as its query stays.
 *
 * Returns: the request, or `null` where `url` is none of http or https.
 * Units: `duration` is in seconds, as backends expect it.
 */
export function buildBackendRequest(
  url: string,
  question: Question,
  timeoutMs: number,
): BackendRequest | null {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (target === null || !/^https?:$/.test(target.protocol)) return null;
  const headers: Record<string, string> = { accept: "*/*", "user-agent": "weir" };
  if (target.username !== "" || target.password !== "") {
    const login = `${decode(target.username)}:${decode(target.password)}`;
    headers["authorization"] = `Basic ${Buffer.from(login).toString("base64")}`;
    target.username = "";
    target.password = "";
  }
  target.hash = "";
  for (const [key, value] of rowsOf(question)) {
    if (value !== undefined && value !== "") target.searchParams.set(key, value);
  }
  return { url: target.href, headers, timeoutMs };
}

function rowsOf(question: Question): [string, string | undefined][] {
  const { claim, durationMs, bytes } = question;
  return [
    ["name", claim.name],
    ["proto", claim.proto],
    ["ip", claim.ip],
    ["token", claim.token],
    ["request_type", question.requestType],
    ["request_number", String(question.requestNumber)],
    ["session_id", question.sessionId],
    ["stream_clients", String(question.streamClients)],
    ["total_clients", String(question.totalClients)],
    ["duration", durationMs === undefined ? undefined : String(Math.floor(durationMs / 1000))],
    ["bytes", bytes === undefined ? undefined : String(bytes)],
    ["qs", claim.queryString],
    ["dvr", claim.isDvr ? "true" : undefined],
    ["user_agent", claim.userAgent],
    ["referer", claim.referer],
    ["host", question.host],
    ["country", question.country],
  ];
}

/** No answer holds longer. Units: seconds. */
const MAX_AUTH_DURATION_S = 30 * 24 * 3600;
/** An answer that holds for less is not worth its request. Units: milliseconds. */
const MIN_AUTH_DURATION_MS = 1000;
const MAX_USER_ID_LENGTH = 256;
const MAX_LOCATION_LENGTH = 2048;

/**
 * What a reply means: 200 allows, 403 denies, 302 with a Location sends the client elsewhere.
 *
 * All else is a failure, also a header that is not what it has to be: a server that lies in one line is not believed in the
 * others. An empty header counts as none, `X-Max-Sessions: 0` as no limit, `X-Unique` as a limit of 1.
 */
export function readBackendReply(reply: BackendReply): Answer {
  if (reply.kind === "failed") return { kind: "failed", reason: reply.reason };
  const header = (name: string): string => (reply.headers[name] ?? "").trim();
  const durationText = header("x-authduration");
  const duration = readAuthDuration(durationText);
  if (duration === null) return { kind: "failed", reason: "its X-AuthDuration is no number of seconds" };
  if (reply.status === 403) return { kind: "denied", ...duration };
  if (reply.status === 302) return readRedirect(header("location"), duration);
  if (reply.status !== 200) return { kind: "failed", reason: `it replied with status ${reply.status}` };
  const userId = header("x-userid");
  if (userId.length > MAX_USER_ID_LENGTH || hasControls(userId))
    return { kind: "failed", reason: "its X-UserId is too long, or has control characters in it" };
  const maxText = header("x-max-sessions");
  if (!/^\d{0,6}$/.test(maxText)) return { kind: "failed", reason: "its X-Max-Sessions is no number" };
  const isUnique = /^(1|true|yes)$/i.test(header("x-unique"));
  const max = maxText === "" ? (isUnique ? 1 : undefined) : Number(maxText);
  return {
    kind: "allowed",
    ...duration,
    ...(userId === "" ? {} : { userId }),
    ...(max === undefined ? {} : { maxSessions: max }),
  };
}

function readAuthDuration(text: string): { authDurationMs?: number } | null {
  if (text === "") return {};
  if (!/^\d{1,12}(\.\d{1,6})?$/.test(text)) return null;
  const ms = Math.round(Math.min(Number(text), MAX_AUTH_DURATION_S) * 1000);
  return { authDurationMs: Math.max(ms, MIN_AUTH_DURATION_MS) };
}

function readRedirect(location: string, duration: { authDurationMs?: number }): Answer {
  if (location === "" || location.length > MAX_LOCATION_LENGTH || hasControls(location))
    return { kind: "failed", reason: "it replied with 302 and no Location that can be used" };
  return { kind: "redirected", location, ...duration };
}

function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
