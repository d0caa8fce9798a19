/** Viewers and publishers that tell whether they were let in, over every protocol, from whichever address of the loopback. */
import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import {
  SERVER_HANDSHAKE_BYTES,
  clientCommand,
  clientConnect,
  clientHandshake,
  joined,
  serverMessages,
  statusCodes,
} from "../../src/protocols/rtmp/test-client.ts";
import { MESSAGE } from "../../src/protocols/rtmp/wire/messages.ts";

/** How a client asks. */
export type AskOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Of the loopback, as 127.0.0.2: where it comes from. */
  readonly from?: string;
  /** It asks for a WebSocket. */
  readonly isSocket?: boolean;
  /** The body is said to go on for ever; `body` is its beginning. */
  readonly isEndless?: boolean;
};

/** What a client got. */
export type Got = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** All of it, or of a body without end what came first. */
  readonly text: string;
  /** What ends when the connection, or its reply, does. */
  readonly ended: Promise<void>;
  /** Closes the connection. */
  leave(): void;
};

/** Media is known to flow when so much of it has come. */
const ENOUGH_BYTES = 1000;
/** What nobody answers within so long fails. */
const LIMIT_MS = 15_000;

/** Asks over a connection of its own; replies without end are given when some of them has come. */
export function ask(url: string, options: AskOptions = {}): Promise<Got> {
  const { method = "GET", headers = {}, body, from, isSocket = false, isEndless = false } = options;
  const upgrade = {
    ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const make = url.startsWith("https:") ? httpsRequest : httpRequest;
  const request = make(url, {
    ...{ method, agent: false, rejectUnauthorized: false },
    headers: { connection: "close", ...(isSocket ? upgrade : {}), ...lengthOf(options), ...headers },
    ...(from === undefined ? {} : { localAddress: from }),
  });
  const got = gotOf(request, url);
  if (isEndless) request.write(body ?? "");
  else request.end(body);
  return got;
}

/** Node gives no length to the body of a DELETE by itself. */
function lengthOf({ body, isEndless = false }: AskOptions): Record<string, string> {
  return body === undefined || isEndless ? {} : { "content-length": String(Buffer.byteLength(body)) };
}

function gotOf(request: ClientRequest, url: string): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const over = Promise.withResolvers<void>();
  let isSettled = false;
  let upgraded: Duplex | null = null;
  const leave = (): void => {
    request.destroy();
    upgraded?.destroy();
  };
  const timer = setTimeout(() => {
    reject(new Error(`no answer at ${url}`));
    request.destroy();
  }, LIMIT_MS);
  const settle = (response: IncomingMessage, pieces: readonly Buffer[]): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    const { statusCode: status = 0, headers } = response;
    resolve({ status, headers, text: Buffer.concat(pieces).toString(), ended: over.promise, leave });
  };
  request.on("error", (error) => {
    clearTimeout(timer);
    over.resolve();
    reject(new Error(`${url}: ${error.message}`, { cause: error }));
  });
  request.on("upgrade", (response, socket, head) => {
    const pieces: Buffer[] = [head];
    upgraded = socket;
    const look = (piece: Buffer): void => {
      if (isSettled) return;
      pieces.push(piece);
      if (pieces.reduce((sum, { byteLength }) => sum + byteLength, 0) >= ENOUGH_BYTES)
        settle(response, pieces);
    };
    look(Buffer.alloc(0));
    socket.on("data", look);
    socket.on("error", () => {});
    // A server that says goodbye has ended it; it waits for our goodbye no longer than it likes.
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      settle(response, pieces);
      over.resolve();
    });
  });
  request.on("response", (response) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    response.on("data", (piece: Buffer) => {
      bytes += piece.byteLength;
      if (!isSettled && bytes < 1_000_000) pieces.push(piece);
      const isEndless = response.headers["content-length"] === undefined;
      if (isEndless && bytes >= ENOUGH_BYTES && response.headers["content-type"]?.startsWith("video/"))
        settle(response, pieces);
    });
    response.on("error", () => {});
    response.on("close", () => {
      settle(response, pieces);
      over.resolve();
    });
  });
  return promise;
}

/** What an RTMP client does, and where. */
export type RtmpOptions = {
  readonly port: number;
  readonly isTls?: boolean;
  readonly from?: string;
  readonly app: string;
  /** Of the stream, with its query. */
  readonly stream: string;
  readonly does: "play" | "publish";
};

/** What became of an RTMP client; `outcome` is "plays", "publishes", or the code of the refusal. */
export type RtmpGot = { readonly outcome: string; readonly ended: Promise<void>; leave(): void };

/** Plays or publishes over RTMP until it is known whether it may. */
export function rtmp({ port, isTls = false, from, app, stream, does }: RtmpOptions): Promise<RtmpGot> {
  const { promise, resolve, reject } = Promise.withResolvers<RtmpGot>();
  const over = Promise.withResolvers<void>();
  const host = "127.0.0.1";
  const tcp = connectTcp({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
  const socket: Socket = isTls ? connectTls({ socket: tcp, rejectUnauthorized: false }) : tcp;
  const timer = setTimeout(() => {
    reject(new Error(`no answer over RTMP about ${app}/${stream}`));
    socket.destroy();
  }, LIMIT_MS);
  const pieces: Uint8Array[] = [];
  const settle = (outcome: string): void => {
    clearTimeout(timer);
    resolve({ outcome, ended: over.promise, leave: () => void socket.destroy() });
  };
  let isSettled = false;
  socket.on("data", (piece) => {
    if (isSettled) return;
    pieces.push(piece);
    const outcome = outcomeOf(joined(pieces));
    if (outcome === null) return;
    isSettled = true;
    settle(outcome);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    settle("closed");
    over.resolve();
  });
  const command =
    does === "play"
      ? clientCommand("play", 3, null, stream)
      : clientCommand("publish", 3, null, stream, "live");
  const create = clientCommand("createStream", 2, null);
  socket.write(joined([clientHandshake(), clientConnect(app), create, onStream(command)]));
  return promise;
}

/** A command on message stream 1: the id stands in bytes 8 to 11 of a chunk's header of type 0. */
function onStream(command: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(command);
  copy[8] = 1;
  return copy;
}

function outcomeOf(bytes: Uint8Array): string | null {
  if (bytes.byteLength <= SERVER_HANDSHAKE_BYTES) return null;
  const refusal = statusCodes(bytes).find((code) => !/\.(Success|Start|Reset|PublishNotify)$/.test(code));
  if (refusal !== undefined) return refusal;
  if (statusCodes(bytes).includes("NetStream.Publish.Start")) return "publishes";
  const isMedia = ({ typeId }: { typeId: number }): boolean =>
    typeId === MESSAGE.video || typeId === MESSAGE.audio;
  return serverMessages(bytes).some(isMedia) ? "plays" : null;
}
