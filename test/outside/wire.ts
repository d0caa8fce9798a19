/** Bytes to a server as nobody's HTTP library would write them, and what comes back. */
import { connect } from "node:net";

/** A reply as it came. */
export type RawReply = {
  readonly status: number;
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

/** All that came back on a connection until it was closed, or until the time was up. */
export type Answer = { readonly text: string; readonly isClosed: boolean; readonly elapsedMs: number };

/** Where the server listens. */
export type Target = { readonly host: string; readonly port: number };

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Sends pieces, `gapMs` apart, and waits for the connection to be closed, for `limitMs` at most. Never rejects: a server
 * that refuses the connection has answered nothing.
 */
export async function send(
  { host, port }: Target,
  pieces: readonly (string | Uint8Array)[],
  { limitMs = 5000, gapMs = 0 }: { readonly limitMs?: number; readonly gapMs?: number } = {},
): Promise<Answer> {
  const startedMs = performance.now();
  const socket = connect(port, host);
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    if (text.length < MAX_ANSWER_BYTES) text += bytes.toString("latin1");
  });
  const closed = new Promise<boolean>((resolve) => socket.once("close", () => resolve(true)));
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, limitMs, false).unref());
  const sending = (async () => {
    for (const piece of pieces) {
      if (socket.destroyed) return;
      socket.write(piece);
      if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
  })();
  const isClosed = await Promise.race([closed, late]);
  socket.destroy();
  await sending;
  return { text, isClosed, elapsedMs: performance.now() - startedMs };
}

/** One request on a connection of its own. `head`: its first line, then headers, as they are to be sent. */
export async function ask(target: Target, head: readonly string[], body = ""): Promise<RawReply> {
  const lines = [...head, "host: example.com", "connection: close", "", body];
  const { text } = await send(target, [lines.join("\r\n")]);
  return repliesIn(text)[0] ?? { status: 0, headers: new Map(), body: "" };
}

/** GET of a path, as it stands. */
export function get(target: Target, path: string, headers: readonly string[] = []): Promise<RawReply> {
  return ask(target, [`GET ${path} HTTP/1.1`, ...headers]);
}

/** The replies in what a connection gave, as far as their lengths are told; what is behind the last is its body. */
export function repliesIn(text: string): RawReply[] {
  const replies: RawReply[] = [];
  for (let rest = text; rest.startsWith("HTTP/1.1 ");) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) break;
    const [first, ...lines] = rest.slice(0, end).split("\r\n");
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
    }
    const length = headers.get("content-length");
    const status = Number(first!.split(" ")[1]);
    const bodyEnd = length === undefined ? rest.length : end + 4 + Number(length);
    replies.push({ status, headers, body: rest.slice(end + 4, bodyEnd) });
    rest = rest.slice(bodyEnd);
  }
  return replies;
}
