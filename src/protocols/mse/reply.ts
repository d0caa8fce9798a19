import type { Clock } from "../../base/clock.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import { asksForWebSocket } from "../../base/web-socket/handshake.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { StreamDirectory } from "../../stream/directory.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { RecordedPackets } from "../../stream/recorded-packets.ts";
import type { SendWindow } from "../../stream/rules.ts";
import { MseArchiveSession } from "./archive-session.ts";
import type { MseArchive } from "./archive-session.ts";
import { parseSeconds } from "./commands.ts";
import { mseErrors } from "./errors.ts";
import { MseFileSession } from "./file-session.ts";
import { MSE_PROTOCOL } from "./path.ts";
import { parseMseSelection } from "./selection.ts";
import type { MseSelection } from "./selection.ts";
import { MseSession } from "./session.ts";

/** What a reply is made of. */
export type MseReplyParts = {
  readonly directory: StreamDirectory;
  /** Of the listener; `auto` when it says nothing. */
  readonly sendWindow?: SendWindow | undefined;
  /** What opens the file of a name; `null` where the name is none of a file's. Throws STREAM_PROTOCOL_OFF. */
  file(name: string): (() => Promise<RecordedPackets>) | null;
  /** What opens the archive of a stream from a time on; `null` where it has none. Throws STREAM_PROTOCOL_OFF. */
  archive(name: StreamName): MseArchive | null;
  /** A viewer of a file or an archive has come, or is gone. */
  readonly onFileViewer: (change: 1 | -1) => void;
  readonly clock: Clock;
  readonly log: Logger;
};

/** An old player writes `from=` behind the tracks without a `&`. */
const STRAY_FROM = /from=.*$/;

/**
 * Answers a request for MSE-LD: `tracks=v1a1` chooses, `from=` or `play_from=` asks for a time.
 *
 * Throws or rejects with MSE_NEEDS_WEBSOCKET, MSE_BAD_TRACKS, STREAM_BAD_NAME, _NOT_FOUND, _DISABLED, _PROTOCOL_OFF, VOD_*.
 * That nobody publishes is told on the open socket, in an event that players know.
 */
export function mseReply(
  name: string,
  request: HttpRequest,
  parts: MseReplyParts,
): Promise<HttpReply> | HttpReply {
  if (!asksForWebSocket(request)) return needsWebSocket();
  const { query } = request;
  const tracks = (query.get("tracks") ?? "").replace(STRAY_FROM, "");
  const selection = parseMseSelection(tracks);
  if (selection === null) throw mseErrors.error("MSE_BAD_TRACKS", { tracks: tracks.slice(0, 48) });
  const from = parseSeconds(query.get("from") ?? query.get("play_from") ?? "");
  const openFile = parts.file(name);
  return openFile === null
    ? streamReply(name, { selection, from }, parts)
    : fileReply(name, { selection, from, openFile }, parts);
}

type Asked = { readonly selection: MseSelection; readonly from: number | null };

function streamReply(name: string, { selection, from }: Asked, parts: MseReplyParts): HttpReply {
  const streamName = parseStreamName(name);
  if (streamName === null) {
    throw streamErrors.error("STREAM_BAD_NAME", {
      reason: "it has characters or a form that names cannot have",
    });
  }
  const { directory, sendWindow } = parts;
  directory.checkSubscribe({ name: streamName, protocol: MSE_PROTOCOL });
  const open = parts.archive(streamName);
  const live = { name: streamName, directory, selection, sendWindow };
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) => {
      if (open !== null) {
        const session = new MseArchiveSession(socket, { ...parts, live, open });
        socket.accept();
        session.start(from);
        return session;
      }
      const session = new MseSession(socket, live);
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

/** A file is opened before the handshake is accepted: one that is not there is answered as any other address. */
async function fileReply(
  name: string,
  { selection, from, openFile }: Asked & { readonly openFile: () => Promise<RecordedPackets> },
  { clock, log, onFileViewer }: MseReplyParts,
): Promise<HttpReply> {
  const packets = await openFile();
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) => {
      const session = new MseFileSession(socket, {
        ...{ name, packets, selection, fromSeconds: from ?? 0, clock, log },
        over: () => onFileViewer(-1),
      });
      onFileViewer(1);
      socket.accept();
      session.play();
      return session;
    },
  };
}
