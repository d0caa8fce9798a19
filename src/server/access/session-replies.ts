/** Replies in the name of a session: what is sent is counted, and ends when the session does. */
import { totalBytes } from "../../base/bytes.ts";
import type {
  HttpBodySink,
  HttpBodySource,
  HttpFile,
  HttpReply,
  HttpRequest,
  HttpStream,
  WebSocketPeer,
  WebSocketSink,
  WebSocketStart,
} from "../../base/http-message.ts";
import { CLOSE_CODE } from "../../base/web-socket/errors.ts";
import type { Permit } from "../../stream/permit.ts";
import { accessErrors } from "./errors.ts";
import type { ServedSession, ServedSessions } from "./served-sessions.ts";

/** Spec: ISO/IEC 23009-1 section 3.1.22, initialization segment; by the name that it has here. */
const INIT_SEGMENT = /\/init-[^/]*\.mp4$/;

/** The reply to one of a viewer's requests. One whose body is whole is the same object: it may be shared. */
export function countedReply(
  served: ServedSessions,
  session: ServedSession,
  request: HttpRequest,
  reply: HttpReply,
): HttpReply {
  if (request.method === "HEAD") {
    served.count(session, 0);
    return reply;
  }
  const isMedia = hasMedia(request, reply);
  if (isMedia) served.media(session);
  served.count(session, reply.body.length === 0 ? 0 : totalBytes(reply.body), isMedia);
  const count = (bytes: number): void => served.count(session, bytes, isMedia);
  if (reply.file !== undefined) return { ...reply, file: countedFile(reply.file, session, count) };
  if (reply.stream === undefined) return reply;
  return { ...reply, stream: countedStream(reply.stream, session, count) };
}

/** Whether there is media in a reply, a picture too: there is none in playlists, nor in what decoders are set up with before the first segment. */
function hasMedia({ path }: HttpRequest, { status, headers }: HttpReply): boolean {
  if (status !== 200 && status !== 206) return false;
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? "";
  return /^(?:video|audio|image)\//.test(type) && !INIT_SEGMENT.test(path);
}

/**
 * The reply to a request that becomes a connection, as `serve` makes it. The permit ends with the connection, and at once
 * where there is none.
 */
export function permittedReply(
  permit: Permit,
  serve: () => Promise<HttpReply> | HttpReply,
): Promise<HttpReply> | HttpReply {
  const failed = (caught: unknown): never => {
    permit.close("it was not served");
    throw caught;
  };
  try {
    const reply = serve();
    return reply instanceof Promise
      ? reply.then((late) => joined(late, permit), failed)
      : joined(reply, permit);
  } catch (caught) {
    return failed(caught);
  }
}

function joined(reply: HttpReply, permit: Permit): HttpReply {
  const { stream, webSocket, status } = reply;
  if (status < 400 && stream !== undefined)
    return { ...reply, stream: (sink) => startBody(stream, sink, permit, reply.isChunked === true) };
  if (status < 400 && webSocket !== undefined)
    return { ...reply, webSocket: (sink) => startSocket(webSocket, sink, permit) };
  permit.close("it was not served");
  return reply;
}

function startBody(start: HttpStream, sink: HttpBodySink, permit: Permit, hasEnd: boolean): HttpBodySource {
  let isOver = false;
  const over = (reason: string): void => {
    isOver = true;
    permit.close(reason);
  };
  let source: HttpBodySource | null = null;
  const counted: HttpBodySink = {
    write: (bytes) => {
      permit.media();
      permit.count(bytes.byteLength);
      sink.write(bytes);
    },
    queuedBytes: () => sink.queuedBytes(),
    end: (instead) => {
      over("it has ended");
      sink.end(instead);
    },
    abort: () => {
      over("it was cut off");
      sink.abort();
    },
  };
  try {
    source = start(counted);
  } catch (caught) {
    over("it was not served");
    throw caught;
  }
  if (!isOver) permit.begun();
  permit.onEnd(() => {
    if (isOver) return;
    isOver = true;
    source.close();
    // What has an end is to be seen not to have come to it.
    if (hasEnd) sink.abort();
    else sink.end();
  });
  return {
    close: () => {
      over("the client left");
      source.close();
    },
    drained: () => source.drained?.(),
  };
}

function startSocket(start: WebSocketStart, sink: WebSocketSink, permit: Permit): WebSocketPeer {
  let isOver = false;
  const over = (reason: string): void => {
    isOver = true;
    permit.close(reason);
  };
  const counted: WebSocketSink = {
    accept: () => sink.accept(),
    write: (frames) => {
      permit.media();
      permit.count(frames.byteLength);
      sink.write(frames);
    },
    sendText: (text) => sink.sendText(text),
    queuedBytes: () => sink.queuedBytes(),
    close: (code, reason, instead) => {
      over("it has ended");
      sink.close(code, reason, instead);
    },
  };
  let peer: WebSocketPeer;
  try {
    peer = start(counted);
  } catch (caught) {
    over("it was not served");
    throw caught;
  }
  if (!isOver) permit.begun();
  permit.onEnd((reason) => {
    if (isOver) return;
    isOver = true;
    peer.close();
    sink.close(CLOSE_CODE.policy, reason);
  });
  return {
    onText: (text) => peer.onText?.(text),
    drained: () => peer.drained?.(),
    close: () => {
      over("the client left");
      peer.close();
    },
  };
}

function countedFile(file: HttpFile, session: ServedSession, count: (bytes: number) => void): HttpFile {
  return {
    sizeBytes: file.sizeBytes,
    read: async (offset, maxBytes) => {
      if (session.isEnded)
        throw accessErrors.error("ACCESS_DENIED", { name: "the file", reason: "the session was ended" });
      const bytes = await file.read(offset, maxBytes);
      count(bytes.byteLength);
      return bytes;
    },
    onRevoked: (run) => session.onEnd(run),
  };
}

/** A body in chunks, or a long one that is made while it is sent. */
function countedStream(
  start: HttpStream,
  session: ServedSession,
  count: (bytes: number) => void,
): HttpStream {
  return (sink) => {
    let source: HttpBodySource | null = null;
    let isOver = false;
    /** Returns: whether it was not over before. */
    const over = (): boolean => {
      const isFirst = !isOver;
      isOver = true;
      forget();
      return isFirst;
    };
    // Also of a client that takes nothing: its next bytes may be a long time in coming.
    const cut = (): void => {
      if (!over()) return;
      source?.close();
      sink.abort();
    };
    const forget = session.onEnd(cut);
    const counted: HttpBodySink = {
      write: (bytes) => {
        if (isOver) return;
        if (session.isEnded) {
          cut();
          return;
        }
        count(bytes.byteLength);
        sink.write(bytes);
      },
      queuedBytes: () => sink.queuedBytes(),
      end: (instead) => {
        if (over()) sink.end(instead);
      },
      abort: () => {
        if (over()) sink.abort();
      },
    };
    try {
      source = start(counted);
    } catch (caught) {
      forget();
      throw caught;
    }
    const started = source;
    return {
      close: () => {
        over();
        started.close();
      },
      drained: () => started.drained?.(),
    };
  };
}
