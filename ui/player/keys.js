// @ts-check
/** What keys do, as one table: the player obeys it, and its help shows it. */

/**
 * @typedef {"play" | "mute" | "fullscreen" | "live" | "back" | "ahead" | "louder" | "softer" | "pip" | "settings"
 *   | "help"} KeyAction
 */

/**
 * `keys`: values of `KeyboardEvent.key` in lower case. `shown`: as people read them.
 *
 * @type {readonly { action: KeyAction, keys: readonly string[], shown: string, does: string }[]}
 */
export const KEYS = [
  { action: "play", keys: [" ", "k"], shown: "Space, K", does: "Play or pause" },
  { action: "mute", keys: ["m"], shown: "M", does: "Sound off or on" },
  { action: "louder", keys: ["arrowup"], shown: "Arrow up", does: "Louder" },
  { action: "softer", keys: ["arrowdown"], shown: "Arrow down", does: "Softer" },
  { action: "back", keys: ["arrowleft"], shown: "Arrow left", does: "5 seconds back" },
  { action: "ahead", keys: ["arrowright"], shown: "Arrow right", does: "5 seconds ahead" },
  { action: "live", keys: ["l"], shown: "L", does: "To the newest picture of a live stream" },
  { action: "fullscreen", keys: ["f"], shown: "F", does: "Full screen on or off" },
  { action: "pip", keys: ["p"], shown: "P", does: "Picture in picture on or off" },
  { action: "settings", keys: ["s"], shown: "S", does: "Settings" },
  { action: "help", keys: ["?"], shown: "?", does: "This list" },
];

/** @type {ReadonlyMap<string, KeyAction>} */
const ACTIONS = new Map(KEYS.flatMap(({ action, keys }) => keys.map((key) => [key, action])));

/** Keys that controls need themselves. */
const OF_CONTROLS = /^(?: |arrow|enter|home|end|page)/;

/**
 * What a key asks for, or `null` where it is none of ours, or belongs to what has the focus.
 *
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">} event
 * @param {"select" | "control" | "none"} focused
 * @returns {KeyAction | null}
 */
export function actionOf(event, focused) {
  if (event.ctrlKey || event.metaKey || event.altKey || focused === "select") return null;
  const key = event.key.toLowerCase();
  if (focused === "control" && OF_CONTROLS.test(key)) return null;
  return ACTIONS.get(key) ?? null;
}
