// @ts-check
/** Decides what is to be done about a picture that stands, from facts alone. */

/** Stuck for this long at the end of a live stream, it is over, even where the browser waits for a last frame. */
const STUCK_END_MS = 2000;
/** Stuck for this long and far behind, it jumps to the live edge; not more often than the pause says. */
const STUCK_JUMP_MS = 6000;
const JUMP_PAUSE_MS = 15_000;
/** A jump that brought no picture for this long was in vain. */
const JUMP_VAIN_MS = 8000;
/** The jump itself moves the video's clock: that is seen so much later at most. */
const JUMP_LOOK_MS = 1000;
/** Without a picture for this long while the stream grows, a live player begins anew. */
const LIVE_START_MS = 15_000;
const LIVE_STUCK_MS = 20_000;
/** The same where it is not known yet what is played: the server holds a young stream's playlist for a while. */
const UNKNOWN_MS = 30_000;
/** A file is not gone on from sooner by another player. */
const FILE_MS = 60_000;

/**
 * @typedef {object} StandFacts
 * @property {"starting" | "playing"} phase
 * @property {number} stuckMs for how long there was a reason to move, and no movement
 * @property {number} growingMs for how long nothing was overdue
 * @property {number} jumpedMs since the last jump to the live edge
 * @property {boolean | null} isLive
 * @property {boolean} isOver
 * @property {boolean} isFarBehind
 */

/**
 * `wait`: nothing yet. `over`: the stream has ended. `jump`: to the live edge. `anew`: another engine.
 *
 * @param {StandFacts} facts
 * @returns {"wait" | "over" | "jump" | "anew"}
 */
export function rescueOf({ phase, stuckMs, growingMs, jumpedMs, isLive, isOver, isFarBehind }) {
  const idleMs = Math.min(stuckMs, growingMs);
  if (phase === "playing") {
    if (stuckMs > STUCK_END_MS && isOver) return "over";
    const isVain = jumpedMs > JUMP_VAIN_MS && jumpedMs < stuckMs + JUMP_LOOK_MS;
    if (isVain && growingMs > JUMP_VAIN_MS) return "anew";
    // At the edge of a stream that has just come back there is nothing yet.
    if (idleMs > STUCK_JUMP_MS && jumpedMs > JUMP_PAUSE_MS && isFarBehind) return "jump";
  }
  return idleMs > patienceMs(phase, isLive) ? "anew" : "wait";
}

/**
 * @param {StandFacts["phase"]} phase
 * @param {boolean | null} isLive
 */
function patienceMs(phase, isLive) {
  if (isLive === null) return UNKNOWN_MS;
  if (!isLive) return FILE_MS;
  return phase === "starting" ? LIVE_START_MS : LIVE_STUCK_MS;
}
