// @ts-check
/** Decides what is to be said, from facts alone. */

/**
 * `idle`: waits for a click. `starting`: no picture yet. `playing`: had a picture since it started, may be paused.
 * `absent`: the server is asked again and again. `unplayable`: no decoder. `broken`: failed too often.
 * `finished`: a file came to its end.
 * @typedef {"idle" | "starting" | "playing" | "absent" | "unplayable" | "broken" | "finished"} Phase
 */

/** Without a new picture for this long, the page says so. */
const STUCK_MS = 3000;
/** Before the first picture there is more patience. */
const SLOW_START_MS = 8000;

/**
 * @typedef {object} Facts
 * @property {Phase} phase
 * @property {import("./findings.js").Finding | null} finding what the server said last, in this phase
 * @property {number} stuckMs since the picture moved, or since there was a reason for it to move
 * @property {boolean} isMoving the picture moves
 * @property {boolean} isOnline
 * @property {boolean} isOverdue the live playlist does not grow
 */

/**
 * What the page says now. `null`: nothing. `"same"`: what it said before, so that a message stays until there is a
 * picture or another message.
 *
 * @param {Facts} facts
 * @returns {import("./messages.js").Situation | null | "same"}
 */
export function situationOf(facts) {
  switch (facts.phase) {
    case "absent":
      return absence(facts);
    case "playing":
      return facts.stuckMs > STUCK_MS ? stillness(facts) : null;
    case "starting":
      return facts.stuckMs > SLOW_START_MS ? slowness(facts) : "same";
    case "unplayable":
      // The server is asked for the codecs first, so that the words can name them.
      return facts.finding === null ? "same" : "unplayable";
    case "broken":
      return "broken";
    case "idle":
    case "finished":
      return null;
  }
}

/**
 * @param {Facts} facts
 * @returns {import("./messages.js").Situation | null | "same"}
 */
function absence({ finding, isMoving, isOnline }) {
  // What is buffered still plays: the words come when the picture stops.
  if (isMoving) return null;
  if (finding === null) return "same";
  if (finding === "unreachable" && !isOnline) return "offline";
  if (finding === "ended") return "ended-live";
  // The server has it still, and waits for its publisher.
  return finding === "there" ? "stalled" : finding;
}

/**
 * @param {Facts} facts
 * @returns {import("./messages.js").Situation}
 */
function slowness({ isOnline }) {
  return isOnline ? "slow" : "offline";
}

/**
 * @param {Facts} facts
 * @returns {import("./messages.js").Situation}
 */
function stillness({ isOnline, isOverdue }) {
  if (!isOnline) return "offline";
  return isOverdue ? "stalled" : "behind";
}
