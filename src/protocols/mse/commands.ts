import { parseMseSelection } from "./selection.ts";
import type { MseSelection } from "./selection.ts";

/** What a client says. */
export type MseCommand =
  | { readonly type: "resume" | "pause" | "live" }
  /** `utcSeconds`: since 1970, for a file since its beginning. */
  | { readonly type: "play-from"; readonly utcSeconds: number }
  | { readonly type: "set-tracks"; readonly selection: MseSelection }
  /** A player's figures, as JSON. */
  | { readonly type: "statistics" };

const SECONDS = /^\d{1,12}(?:\.\d{1,9})?$/;

/** Reads a text command; `null` when it is none. */
export function parseMseCommand(text: string): MseCommand | null {
  if (text === "resume" || text === "pause" || text === "live") return { type: text };
  if (text.startsWith("{")) return { type: "statistics" };
  const equals = text.indexOf("=");
  const [word, value] = [text.slice(0, equals), text.slice(equals + 1)];
  if (equals > 0 && word === "play_from") {
    const utcSeconds = parseSeconds(value);
    return utcSeconds === null ? null : { type: "play-from", utcSeconds };
  }
  if (equals > 0 && word === "set_tracks") {
    const selection = parseMseSelection(value);
    return selection === null ? null : { type: "set-tracks", selection };
  }
  return null;
}

/** Seconds as clients write them; `null` for anything else. */
export function parseSeconds(text: string): number | null {
  return SECONDS.test(text) ? Number(text) : null;
}
