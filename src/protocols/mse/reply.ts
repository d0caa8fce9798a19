import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { CLOSE_CODE } from "../../base/web-socket/errors.ts";
import { asksForWebSocket } from "../../base/web-socket/handshake.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamDirectory } from "../../stream/directory.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { SendWindow } from "../../stream/rules.ts";
import { parseSeconds } from "./commands.ts";
import { mseErrors } from "./errors.ts";
import { eventText } from "./messages.ts";
import { parseMseSelection } from "./selection.ts";
import { MSE_PROTOCOL, MseSession } from "./session.ts";

/** What a reply is made of. */
export type MseReplyParts = {
  readonly directory: StreamDirectory;
  /** Of the listener; `auto` when it says nothing. */
  readonly sendWindow?: SendWindow | undefined;
  /** Whether a name that is no stream's is that of a file. */
  isFile(name: string): boolean;
};

/** An old player writes `from=` behind the tracks without a `&`. */
const STRAY_FROM = /from=.*$/;

/**
 * Answers a request for MSE-LD: `tracks=v1a1` chooses, `from=` asks for a time.
 *
 * Throws: MSE_NEEDS_WEBSOCKET, MSE_BAD_TRACKS, STREAM_BAD_NAME, _NOT_FOUND, _DISABLED, _PROTOCOL_OFF. That nobody
 * publishes is told on the open socket, in an event that players know.
 */
export function mseReply(name: string, request: HttpRequest, parts: MseReplyParts): HttpReply {
  if (!asksForWebSocket(request)) return needsWebSocket();
  const tracks = (request.query.get("tracks") ?? "").replace(STRAY_FROM, "");
  const selection = parseMseSelection(tracks);
  if (selection === null) throw mseErrors.error("MSE_BAD_TRACKS", { tracks: tracks.slice(0, 48) });
  const from = parseSeconds(request.query.get("from") ?? "");
  const streamName = parseStreamName(name);
  if (parts.isFile(name)) return fileReply();
  if (streamName === null) {
    throw streamErrors.error("STREAM_BAD_NAME", {
      reason: "it has characters or a form that names cannot have",
    });
  }
  const { directory, sendWindow } = parts;
  directory.checkSubscribe({ name: streamName, protocol: MSE_PROTOCOL });
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) => {
      const session = new MseSession(socket, { name: streamName, directory, selection, sendWindow });
      socket.accept();
      if (from === null) session.play();
      else {
        session.refuseTime();
        session.wait();
      }
      return session;
    },
  };
}

/** Spec: RFC 9110 section 15.5.22. */
function needsWebSocket(): HttpReply {
  const { code, message, httpStatus } = mseErrors.error("MSE_NEEDS_WEBSOCKET");
  return textReply(httpStatus, message, [
    ["upgrade", "websocket"],
    ["x-error-code", code],
    ["access-control-allow-origin", "*"],
  ]);
}

/** Files have other ways to be played, and players that ask in vain are told which. */
function fileReply(): HttpReply {
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) => {
      const reason = "a file is not played over MSE-LD: open it over HLS";
      socket.sendText(eventText("stream_unavailable", reason));
      socket.close(CLOSE_CODE.normal, reason);
      return { close: () => {} };
    },
  };
}
