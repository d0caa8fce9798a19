/** A player of HTTP-FLV. */
import { DrainSocket } from "./drain.ts";

const HEAD_LIMIT_BYTES = 8192;
const FLV_START = "FLV";

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
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length < HEAD_LIMIT_BYTES) return undefined;
    if (!head.startsWith("HTTP/1.1 200 ")) {
      wire.socket.destroy();
      return undefined;
    }
    isBody = head.startsWith(FLV_START, end + 4);
    if (isBody) onMedia();
    return undefined;
  };
  const wire = new DrainSocket(port, take);
  wire.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: soak\r\n\r\n`);
  return wire;
}
