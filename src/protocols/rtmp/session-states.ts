/** Where a connection stands. */
export type RtmpState =
  /** Versions and random bytes are exchanged. */
  | "handshaking"
  /** Chunks flow; `connect` has not come. */
  | "connecting"
  /** Connected; neither publishing nor playing. */
  | "idle"
  /**
   * It is found out whether the peer may play or publish, and whether the name is free for a publisher; nothing is read
   * meanwhile.
   */
  | "claiming"
  | "publishing"
  | "playing"
  /** A player that said `pause`; it is subscribed to nothing. */
  | "paused"
  | "closed";

/** Which state may follow which. */
export const LEGAL_TRANSITIONS = {
  handshaking: ["connecting", "closed"],
  connecting: ["idle", "closed"],
  idle: ["claiming", "publishing", "playing", "closed"],
  claiming: ["publishing", "playing", "closed"],
  publishing: ["idle", "closed"],
  playing: ["paused", "idle", "closed"],
  paused: ["playing", "idle", "closed"],
  closed: [],
} as const satisfies Record<RtmpState, readonly RtmpState[]>;

/** True when the table allows the step. */
export function isLegal(from: RtmpState, to: RtmpState): boolean {
  return (LEGAL_TRANSITIONS[from] as readonly RtmpState[]).includes(to);
}

/** Why a connection ended; one of them stands in its closing log line. */
export type RtmpCloseReason =
  | "peer-closed"
  | "connection-lost"
  | "handshake-timeout"
  | "idle-timeout"
  | "publisher-silent"
  | "player-stalled"
  | "player-too-slow"
  | "protocol-error"
  | "refused"
  | "revoked"
  /** Its session was ended. */
  | "dismissed"
  | "internal-error"
  | "server-stopping";
