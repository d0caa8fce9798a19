/**
 * The image's HEALTHCHECK: exit code 0 when the server in this container is alive. Plain JavaScript and bare sockets,
 * since a check starts node anew each time: types to strip, or an HTTP client to load, would double what it costs.
 *
 * `node health.js [PORT...]` asks these ports. Without any it asks those that processes of its own user listen on, as the
 * kernel lists them, one after the other until one answers 200: what answered last time first, and the port of RTMP last,
 * since there each question is a line in the log. A server none of whose listeners has the API (`api false`) is alive when
 * one of them speaks HTTP.
 */
import { closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";

const PATH = "/streamer/api/v3/monitoring/liveness";
const TIMEOUT_MS = 2000;
/** For all questions together: less than the timeout of the image. */
const DEADLINE_MS = 4000;
const PAGE_BYTES = 64 * 1024;
const LISTEN = "0A";
const ALIVE = 200;
/** An event loop of the server is. */
const STUCK = 503;
const RTMP_PORT = 1935;
/** In memory, and writable in a container whose file system is not. Without it each check begins anew. */
const MEMORY = `/dev/shm/weir-health-${process.getuid()}`;

/** Where processes of this user listen, by one of the kernel's tables. Spec: proc(5), /proc/net/tcp. */
function listeners(table) {
  return listeningRows(table)
    .filter((fields) => Number(fields[7]) === process.getuid())
    .map((fields) => fields[1].split(":"))
    .map(([address, port]) => ({ host: hostOf(address), port: Number.parseInt(port, 16) }));
}

/** Listening sockets stand in front of the connections, of which there may be thousands: those are not read. */
function listeningRows(table) {
  const rows = [];
  const bytes = Buffer.alloc(PAGE_BYTES);
  let file;
  try {
    file = openSync(table, "r");
  } catch {
    return rows; // a kernel without IPv6 has no table for it
  }
  let rest = "";
  let isHead = true;
  for (let length = readSync(file, bytes); length > 0; length = readSync(file, bytes)) {
    const lines = (rest + bytes.toString("latin1", 0, length)).split("\n");
    rest = lines.pop();
    const fields = lines.slice(isHead ? 1 : 0).map((line) => line.trim().split(/\s+/));
    isHead &&= lines.length === 0;
    rows.push(...fields.filter((one) => one[3] === LISTEN));
    if (fields.some((one) => one[3] !== LISTEN)) break;
  }
  closeSync(file);
  return rows;
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
function ask({ host, port }, timeoutMs) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (status) => {
      socket.destroy();
      resolve(status);
    };
    let head = "";
    socket.setTimeout(timeoutMs, () => end(0));
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

function keyOf({ host, port }) {
  return `${host} ${port}`;
}

/** Each address once, however many sockets share it, in the order in which they are asked. */
function inOrder(found, remembered) {
  const rank = (one) => (keyOf(one) === remembered ? 0 : one.port === RTMP_PORT ? 2 : 1);
  const unique = [...new Map(found.map((one) => [keyOf(one), one])).values()];
  return unique.toSorted((a, b) => rank(a) - rank(b) || a.port - b.port);
}

function recalled() {
  try {
    return readFileSync(MEMORY, "latin1");
  } catch {
    return "";
  }
}

/** Made anew each time: what somebody else has put there, such as a link, is not written through. */
function remember(key) {
  try {
    rmSync(MEMORY, { force: true });
    writeFileSync(MEMORY, key, { flag: "wx", mode: 0o600 });
  } catch {
    // The next check asks as this one has.
  }
}

/** The status that counts, and who gave it; what speaks HTTP and knows no probe counts where nobody does. */
async function answerOf(found, remembered) {
  const deadline = performance.now() + DEADLINE_MS;
  let answer = { status: 0, from: null };
  for (const one of inOrder(found, remembered)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) break;
    const status = await ask(one, Math.min(TIMEOUT_MS, leftMs));
    if (status > 0 && answer.status !== STUCK) answer = { status, from: one };
    if (status === ALIVE) return { status, from: one };
    if (status > 0 && status !== STUCK && keyOf(one) === remembered) break;
  }
  return answer;
}

const given = process.argv.slice(2).map((port) => ({ host: "127.0.0.1", port: Number(port) }));
const remembered = given.length > 0 ? "" : recalled();
const found = given.length > 0 ? given : ["/proc/net/tcp", "/proc/net/tcp6"].flatMap(listeners);
const { status, from } = await answerOf(found, remembered);
if (given.length === 0 && from !== null && keyOf(from) !== remembered) remember(keyOf(from));
process.exitCode = status > 0 && status !== STUCK ? 0 : 1;
