import type { CountedClaim } from "./session.ts";

/** Protocols of one connection from begin to end: its thread says when it closes. */
const CONNECTION_PROTOCOLS: ReadonlySet<string> = new Set([
  "rtmp",
  "rtmps",
  "rtsp",
  "rtsps",
  "tshttp",
  "flv",
  "mseld",
  "m4s",
  "m4f",
  "webrtc",
  "srt",
  "shoutcast",
]);

/** Protocols whose players ask again every few seconds. */
const POLLED_PROTOCOLS: ReadonlySet<string> = new Set(["hls", "dash", "mss", "player"]);

/** Without a sign for so long a session is over: one whose player asks every few seconds, and any other of requests. */
const POLLED_IDLE_MS = 30_000;
const OTHER_IDLE_MS = 60_000;

/** Whether a session lasts as long as its connections: those protocols, and all that is no playing. */
export function isOfConnection({ kind, proto }: Pick<CountedClaim, "kind" | "proto">): boolean {
  return kind !== "play" || CONNECTION_PROTOCOLS.has(proto);
}

const CONNECTION_STALL_MS = 10_000;
const REQUEST_STALL_MS = 20_000;

/**
 * Without a sign for so long a session is over. Units: milliseconds; Infinity: it ends with its connections.
 *
 * Live players ask for a playlist with every segment, of 15 s at most: 30 s. One of recordings may have a minute in its buffer, and
 * a download stand still for as long: 60 s.
 */
export function idleMsOf(claim: CountedClaim): number {
  if (isOfConnection(claim)) return Infinity;
  return POLLED_PROTOCOLS.has(claim.proto) && !claim.isDvr ? POLLED_IDLE_MS : OTHER_IDLE_MS;
}

/**
 * A running session without media for so long stalls. Units: milliseconds.
 *
 * What asks piece by piece has nothing between two segments of up to 15 s.
 */
export function stallMsOf(claim: CountedClaim): number {
  return isOfConnection(claim) ? CONNECTION_STALL_MS : REQUEST_STALL_MS;
}
