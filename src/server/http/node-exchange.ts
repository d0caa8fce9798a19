import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpFile, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { plainAddress } from "../../base/plain-address.ts";
import type { Answers } from "./answers.ts";
import type { EndlessBodies } from "./endless-body.ts";
import { sendResponse, streamToResponse } from "./endless-replies.ts";
import { FileBody, PIECE_BYTES } from "./file-body.ts";
import { forwardedRequest } from "./forwarded-request.ts";
import { finishFile, finishReply } from "./finish-reply.ts";
import type { WireReply } from "./finish-reply.ts";
import { totalBytes } from "../../base/bytes.ts";
import { LARGE_BODY_BYTES, ReplyHold } from "./reply-budget.ts";
import type { ReplyBudget } from "./reply-budget.ts";
import { readTarget } from "./request-target.ts";
import type { RequestTarget } from "./request-target.ts";
import { boundBody, takeUpload } from "./upload.ts";
import { isTlsSocket } from "./tls-socket.ts";

const NO_HANDSHAKE = "a WebSocket begins with GET over HTTP/1.1 and the header Connection: Upgrade";

/**
 * How long a client may go on sending behind a reply that came before its body's end. Closed at once, with bytes of it
 * unread, the connection would be reset, and the client might never see the reply. Less than a listener gives replies when
 * it stops.
 */
const LINGER_MS = 1500;

/** What answering the requests of `node:http` needs. */
export type NodeExchangeParts = {
  readonly answers: Answers;
  readonly budget: ReplyBudget;
  readonly bodies: EndlessBodies;
  /** Those in force; `null`: there are none. */
  proxies(): TrustedProxies | null;
  /** True once the listener ends: no connection is kept open behind its reply. */
  isStopping(): boolean;
  /** Says in the log that the budget is spent. */
  onBusy(): void;
};

/** Answers a request that `node:http` has read, at once where the reply is there at once. */
export function answerNode(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  parts: NodeExchangeParts,
): void {
  const target = readTarget(incoming.url ?? "/");
  const request = readRequest(incoming, outgoing, target, parts.proxies());
  const reply = parts.answers.reply(request, target);
  if (!(reply instanceof Promise) && reply.upload !== undefined) {
    takeUpload(incoming, reply.upload, {
      answer: (last) => sendOrFail(request, last, outgoing, { ...parts, rawPath: target.rawPath }),
      answerEarly: (last) => answerEarly(incoming, outgoing, finishReply(request, last)),
      failure: (caught) => parts.answers.failure(caught, target.rawPath),
      outgoing,
    });
    return;
  }
  boundBody(incoming);
  const finish = (found: HttpReply): void => {
    if (outgoing.destroyed) found.release?.();
    else sendOrFail(request, found, outgoing, { ...parts, rawPath: target.rawPath });
  };
  if (reply instanceof Promise) void reply.then(finish);
  else finish(reply);
}

/** `node:http` closes a connection at the end of a reply that says so; with a body unread that would reset it. */
function answerEarly(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, headers, body }: WireReply,
): void {
  outgoing.writeHead(status, [...headers, "Connection", "close"]);
  outgoing.flushHeaders();
  for (const chunk of body) outgoing.write(chunk);
  boundBody(incoming, LINGER_MS);
  incoming.once("end", () => outgoing.end());
}

function sendOrFail(
  request: HttpRequest,
  reply: HttpReply,
  outgoing: ServerResponse,
  parts: NodeExchangeParts & { readonly rawPath: string },
): void {
  // Not when it was asked: a request may be held for long.
  if (parts.isStopping()) outgoing.shouldKeepAlive = false;
  try {
    send(request, reply, outgoing, parts);
  } catch (caught) {
    const failure = parts.answers.failure(caught, parts.rawPath);
    // The words of the status that failed would stay.
    outgoing.statusMessage = "";
    if (outgoing.headersSent) outgoing.destroy();
    else sendResponse(outgoing, finishReply(request, failure));
  }
}

function send(
  request: HttpRequest,
  reply: HttpReply,
  outgoing: ServerResponse,
  parts: NodeExchangeParts & { readonly rawPath: string },
): void {
  const instead = (other: HttpReply): WireReply => finishReply(request, other);
  if (reply.webSocket !== undefined) {
    sendResponse(outgoing, instead(textReply(400, NO_HANDSHAKE)));
    return;
  }
  if (reply.stream !== undefined && request.method === "GET") {
    const { stream } = reply;
    const head = finishReply(request, reply);
    const isChunked = reply.isChunked === true;
    streamToResponse(outgoing, parts.bodies, {
      ...{ head, stream, instead, isChunked },
      isStopping: () => parts.isStopping(),
    });
    return;
  }
  if (reply.file !== undefined) {
    sendFile(request, reply, reply.file, outgoing, parts);
    return;
  }
  const ownBytes = request.method === "HEAD" ? 0 : (reply.ownBytes ?? 0);
  if (ownBytes > 0 && !parts.budget.take(ownBytes)) {
    reply.release?.();
    parts.onBusy();
    sendResponse(outgoing, instead(parts.answers.busy()));
    return;
  }
  const sentBytes = request.method === "HEAD" ? 0 : totalBytes(reply.body);
  if (ownBytes > 0 || sentBytes >= LARGE_BODY_BYTES || reply.release !== undefined) {
    const held = { ownBytes, sentBytes, reply };
    const hold = new ReplyHold(parts.budget, held, () => outgoing.destroy());
    outgoing.once("close", () => hold.release());
  }
  sendResponse(outgoing, finishReply(request, reply));
}

function sendFile(
  request: HttpRequest,
  reply: HttpReply,
  file: HttpFile,
  outgoing: ServerResponse,
  parts: NodeExchangeParts & { readonly rawPath: string },
): void {
  const { status, headers, range } = finishFile(request, reply, file);
  if (range === null) {
    sendResponse(outgoing, { status, headers, body: [] });
    return;
  }
  if (!parts.budget.take(PIECE_BYTES)) {
    parts.onBusy();
    sendResponse(outgoing, finishReply(request, parts.answers.busy()));
    return;
  }
  outgoing.writeHead(status, headers);
  const body = new FileBody(file, range, {
    write: (piece, onTaken) => void outgoing.write(piece, onTaken),
    destroy: () => outgoing.destroy(),
  });
  outgoing.once("close", () => body.left());
  void body.run().then((end) => {
    parts.budget.give(PIECE_BYTES);
    if (typeof end === "object") parts.answers.failure(end.failure, parts.rawPath);
    if (end === "sent") outgoing.end();
    return end;
  });
}

/** A request that `node:http` has read, as handlers see it; `leaver`: what closes when the client leaves. */
export function readRequest(
  incoming: IncomingMessage,
  leaver: Pick<Writable, "once" | "writableEnded">,
  target: RequestTarget,
  proxies: TrustedProxies | null,
): HttpRequest {
  return forwardedRequest(proxies, {
    method: incoming.method ?? "GET",
    path: typeof target.path === "string" ? target.path : "/",
    query: target.query,
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    remoteAddress: plainAddress(incoming.socket.remoteAddress ?? ""),
    isTls: isTlsSocket(incoming.socket),
    takesChunks: incoming.httpVersion !== "1.0",
    onLeave: (run) =>
      void leaver.once("close", () => {
        if (!leaver.writableEnded) run();
      }),
  });
}
