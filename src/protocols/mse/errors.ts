import { defineErrors } from "../../base/errors.ts";

/** Errors of the MSE-LD socket. */
export const mseErrors = defineErrors({
  MSE_NEEDS_WEBSOCKET: {
    disposition: "reject",
    httpStatus: 426,
    message: "this address is for WebSockets: open it with ws:// or wss://",
    doc: "`/NAME/mse_ld` was asked for like a page. Give it to a player of MSE-LD; proxies in between must pass `Upgrade` and `Connection` on.",
  },
  MSE_BAD_COMMAND: {
    disposition: "skip-unit",
    message: 'a command that is not known or not complete: "{command}"',
    doc: "The commands are `resume`, `pause`, `live`, `play_from=SECONDS` and `set_tracks=v1a1`. The connection stays; a text in braces is a player's figures and is ignored.",
  },
  MSE_TOO_MANY_COMMANDS: {
    disposition: "close-session",
    message: "more than {limit} commands at once",
    doc: "Each command may send a second of media anew; a player that sends them without pause is closed with code 1008.",
  },
  MSE_BAD_TRACKS: {
    disposition: "reject",
    httpStatus: 400,
    message: 'not a choice of tracks: "{tracks}"',
    doc: "`tracks=` names tracks by their ids, such as `v1a1` or `a2`: one of each kind counts.",
  },
});
