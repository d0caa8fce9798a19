/**
 * The image's HEALTHCHECK: exit code 0 when the server in this container is alive. Plain JavaScript and bare sockets,
 * since a check starts node anew each time: types to strip, or an HTTP client to load, would double what it costs.
 *
 * `node health.js [PORT...]` asks these ports. Without any it asks those that processes of its own user listen on, as the
 * kernel lists them, until one answers for the probe. A server none of whose listeners has the API (`api false`) is alive
 * when one of them speaks HTTP.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { connect } from "node:net";

const PATH = "/streamer/api/v3/monitoring/liveness";
const TIMEOUT_MS = 2000;
/** Listening sockets stand in front of the connections, of which there may be thousands. */
const TABLE_BYTES = 16 * 1024;
const LISTEN = "0A";

/** Where processes of this user listen, by one of the kernel's tables. Spec: proc(5), /proc/net/tcp. */
function listeners(table) {
  const bytes = Buffer.alloc(TABLE_BYTES);
  let length = 0;
  try {
    const file = openSync(table, "r");
    length = readSync(file, bytes);
    closeSync(file);
  } catch {
    return []; // a kernel without IPv6 has no table for it
  }
  const rows = bytes.toString("latin1", 0, length).split("\n").slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && Number(fields[7]) === process.getuid())
    .map((fields) => fields[1].split(":"))
    .map(([address, port]) => ({ host: hostOf(address), port: Number.parseInt(port, 16) }));
}

/**
 * The kernel writes an address as 32-bit words in the machine's own order, which is taken to be little-endian. What
 * listens everywhere is asked at home.
 */
function hostOf(address) {
  const bytes = address.match(/.{8}/g).flatMap((word) => [...Buffer.from(word, "hex")].toReversed());
  const isAny = bytes.every((byte) => byte === 0);
  if (bytes.length === 4) return isAny ? "127.0.0.1" : bytes.join(".");
  return isAny ? "::1" : Buffer.from(bytes).toString("hex").match(/.{4}/g).join(":");
}

/** The HTTP status of the probe at an address; 0 when it is not answered with one. */
function ask({ host, port }) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (status) => {
      socket.destroy();
      resolve(status);
    };
    let head = "";
    socket.setTimeout(TIMEOUT_MS, () => end(0));
    socket.on("error", () => end(0));
    socket.on("close", () => end(0));
    socket.on("data", (bytes) => {
      head += bytes.toString("latin1");
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head);
      if (status !== null || head.length >= 12) end(Number(status?.[1] ?? 0));
    });
    socket.write(`GET ${PATH} HTTP/1.0\r\nHost: localhost\r\n\r\n`);
  });
}

const given = process.argv.slice(2).map((port) => ({ host: "127.0.0.1", port: Number(port) }));
const found = given.length > 0 ? given : ["/proc/net/tcp", "/proc/net/tcp6"].flatMap(listeners);
const statuses = await Promise.all(found.map(ask));
const isAlive =
  statuses.includes(200) || (!statuses.includes(503) && statuses.some((status) => status > 0));
process.exitCode = isAlive ? 0 : 1;
