/**
 * Viewers of low-latency HLS: each follows a playlist by blocking reloads and fetches every new part, over two kept
 * connections, as players do. `node bench/ll-viewers.ts PORT /NAME/tracks-v1a1 VIEWERS SECONDS` prints one line of JSON.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What viewers have seen together. */
export type Viewed = {
  readonly viewers: number;
  readonly playlists: number;
  readonly parts: number;
  readonly bytes: number;
  readonly errors: number;
  /** From the end of a part, by its programme date, to its last byte here. Units: milliseconds. */
  readonly lateMs: { readonly p50: number; readonly p99: number };
};

/** What viewers are to do. `folder`: of the media playlist, such as `/NAME/tracks-v1a1`. */
export type ViewOptions = {
  readonly port: number;
  readonly folder: string;
  readonly viewers: number;
  readonly seconds: number;
};

type Reply = { readonly status: number; readonly body: Buffer };

/** A kept connection: one request at a time. */
class Connection {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #wanted = -1;
  #bodyAt = 0;
  #answer: PromiseWithResolvers<Reply> | null = null;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.on("error", (error) => this.#answer?.reject(error));
    this.#socket.on("close", () => this.#answer?.reject(new Error("closed")));
  }

  get(path: string): Promise<Reply> {
    this.#answer = Promise.withResolvers<Reply>();
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    return this.#answer.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#wanted < 0) {
      const head = Buffer.concat(this.#chunks);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = /content-length: (\d+)/i.exec(head.toString("latin1", 0, end));
      this.#bodyAt = end + 4;
      this.#wanted = this.#bodyAt + Number(length?.[1] ?? 0);
    }
    if (this.#bytes < this.#wanted) return;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    this.#wanted = -1;
    const answer = this.#answer;
    this.#answer = null;
    answer?.resolve({
      status: Number(whole.toString("latin1", 9, 12)),
      body: whole.subarray(this.#bodyAt),
    });
  }
}

type Tally = { playlists: number; parts: number; bytes: number; errors: number; readonly lateMs: number[] };

/** Runs viewers for a while. */
export async function viewLowLatency({ port, folder, viewers, seconds }: ViewOptions): Promise<Viewed> {
  const tally: Tally = { playlists: 0, parts: 0, bytes: 0, errors: 0, lateMs: [] };
  const untilMs = Date.now() + seconds * 1000;
  const one = async (): Promise<void> => {
    await sleep(Math.random() * 1000);
    const connections = [new Connection(port), new Connection(port)] as const;
    try {
      await view(connections, folder, untilMs, tally);
    } catch {
      tally.errors++;
    }
    for (const connection of connections) connection.close();
  };
  await Promise.all(Array.from({ length: viewers }, one));
  const sorted = tally.lateMs.toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0);
  const { playlists, parts, bytes, errors } = tally;
  return { viewers, playlists, parts, bytes, errors, lateMs: { p50: at(0.5), p99: at(0.99) } };
}

async function view(
  [lists, media]: readonly [Connection, Connection],
  folder: string,
  untilMs: number,
  tally: Tally,
): Promise<void> {
  let query = "";
  let isFirst = true;
  while (Date.now() < untilMs) {
    const { status, body } = await lists.get(`${folder}/mono.ll.m3u8${query}`);
    if (status !== 200) throw new Error(`status ${status}`);
    tally.playlists++;
    const newest = newestPart(body.toString("latin1"));
    query = newest.nextQuery;
    if (newest.uri === null) continue;
    const part = await media.get(`${folder}/${newest.uri}`);
    if (part.status !== 200) throw new Error(`status ${part.status}`);
    tally.parts++;
    tally.bytes += body.byteLength + part.body.byteLength;
    if (!isFirst) tally.lateMs.push(Date.now() - newest.endMs);
    isFirst = false;
  }
}

/** The last part of a playlist, and what to ask for next. */
function newestPart(text: string): {
  readonly uri: string | null;
  readonly endMs: number;
  readonly nextQuery: string;
} {
  const lines = text.split("\n");
  let msn = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
  let [parts, endMs] = [0, 0];
  let uri: string | null = null;
  for (const line of lines) {
    if (line.startsWith("#EXT-X-PROGRAM-DATE-TIME:")) endMs = Date.parse(line.slice(25));
    else if (line.startsWith("#EXT-X-PART:")) {
      parts++;
      endMs += Number(/DURATION=([\d.]+)/.exec(line)?.[1] ?? 0) * 1000;
      uri = /URI="([^"]+)"/.exec(line)?.[1] ?? null;
    } else if (line !== "" && !line.startsWith("#")) {
      msn++;
      parts = 0;
    }
  }
  return { uri, endMs, nextQuery: `?_HLS_msn=${msn}&_HLS_part=${parts}` };
}

if (import.meta.main) {
  const [port, folder = "", viewers, seconds] = process.argv.slice(2);
  const seen = await viewLowLatency({
    port: Number(port),
    folder,
    viewers: Number(viewers),
    seconds: Number(seconds),
  });
  console.log(JSON.stringify(seen));
}
