/** A player of HTTP-FLV. */
import { DrainSocket } from "./drain.ts";

const HEAD_LIMIT_BYTES = 8192;
const SIGNATURE = "FLV";

/**
 * Asks for a path of HTTP-FLV and calls `onMedia` with every piece of the body that begins as FLV does. An answer
 * other than 200 ends the connection, as players do.
 */
export function watchFlv(port: number, path: string, onMedia: () => void): DrainSocket {
  let head = "";
  let isBody = false;
  const take = (bytes: Uint8Array): void => {
    if (isBody) return onMedia();
    head += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const verdict = judgeHead(head);
    if (verdict === "refused") wire.socket.destroy();
    isBody = verdict === "media";
    return isBody ? onMedia() : undefined;
  };
  const wire = new DrainSocket(port, take);
  wire.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: soak\r\n\r\n`);
  return wire;
}

/** What the beginning of an answer is; `unknown`: more bytes are needed. */
function judgeHead(head: string): "media" | "refused" | "unknown" {
  const end = head.indexOf("\r\n\r\n");
  if (end < 0) return head.length < HEAD_LIMIT_BYTES ? "unknown" : "refused";
  if (!head.startsWith("HTTP/1.1 200 ")) return "refused";
  const start = head.slice(end + 4, end + 4 + SIGNATURE.length);
  if (start.length < SIGNATURE.length) return "unknown";
  return start === SIGNATURE ? "media" : "refused";
}
