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
