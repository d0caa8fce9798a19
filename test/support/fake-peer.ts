/** A server that recordings are copied from, without a network: its archive, and what goes wrong with its replies. */
import { createHash } from "node:crypto";
import { asMediaError } from "../../src/base/errors.ts";
import { offeredHours, offeredRange } from "../../src/dvr/replicate/offered-archive.ts";
import type { PeerReply, PeerRequest, PeerTransport } from "../../src/dvr/replicate/peer.ts";
import { buildHourListing, buildStreamListing } from "../../src/dvr/replicate/peer-listing.ts";
import { parsePeerPath } from "../../src/dvr/replicate/peer-paths.ts";
import { checkSignature } from "../../src/dvr/replicate/signature.ts";
import { diskFiles } from "../../src/dvr/storages/disk-files.ts";

/** A reply as data. */
export type FakeReply = { status: number; headers: Record<string, string>; body: Uint8Array };

/** What a test makes of a reply, if anything. */
export type PeerFault = (reply: FakeReply, request: PeerRequest) => FakeReply | Promise<FakeReply>;

/** Gives what lies below a root, for those who have the key. */
export class FakePeer implements PeerTransport {
  fault: PeerFault = (reply) => reply;
  readonly asked: string[] = [];
  /** Most requests that were under way at a time. */
  mostAtOnce = 0;
  #running = 0;
  readonly #root: string;
  readonly #streams: readonly string[];
  readonly #options: { readonly key: string; readonly nowS: () => number };

  constructor(
    root: string,
    streams: readonly string[],
    options: { readonly key: string; readonly nowS: () => number },
  ) {
    this.#root = root;
    this.#streams = streams;
    this.#options = options;
  }

  async get(request: PeerRequest): Promise<PeerReply> {
    request.signal.throwIfAborted();
    this.asked.push(request.target);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#running);
    try {
      const { status, headers, body } = await this.fault(await this.#answer(request), request);
      if (status < 300 && body.byteLength > request.maxBytes) throw new Error("the reply is too long");
      return { status, body, header: (name) => headers[name] };
    } finally {
      this.#running--;
    }
  }

  close(): void {}

  async #answer({ target, headers }: PeerRequest): Promise<FakeReply> {
    const { key, nowS } = this.#options;
    const url = new URL(target, "http://peer");
    try {
      checkSignature(headers["authorization"], { key, target, nowS: nowS() });
      const wanted = parsePeerPath(url.pathname);
      if (wanted === null) return replyOf(404, new Uint8Array(0));
      if (wanted.kind === "streams") return jsonOf(buildStreamListing(this.#streams));
      const folder = `${this.#root}/${wanted.name}`;
      if (wanted.kind === "hours") {
        const from = Number(url.searchParams.get("from"));
        const to = Number(url.searchParams.get("to"));
        return jsonOf(buildHourListing(await offeredHours(diskFiles, folder, { from, to })));
      }
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "")!;
      const offset = Number(first);
      const asked = { offset, maxBytes: Number(last) + 1 - offset };
      const { bytes, totalBytes } = await offeredRange(diskFiles, { folder, ...wanted }, asked);
      const range = `bytes ${offset}-${offset + bytes.byteLength - 1}/${totalBytes}`;
      return replyOf(206, bytes, { "content-range": range });
    } catch (caught) {
      const error = asMediaError(caught);
      if (error === null) throw caught;
      return replyOf(error.httpStatus, new TextEncoder().encode(error.message));
    }
  }
}

/** A reply with its checksum. */
export function replyOf(status: number, body: Uint8Array, headers: Record<string, string> = {}): FakeReply {
  const digest = createHash("sha256").update(body).digest("base64");
  return { status, headers: { ...headers, "content-digest": `sha-256=:${digest}:` }, body };
}

function jsonOf(value: unknown): FakeReply {
  return replyOf(200, new TextEncoder().encode(JSON.stringify(value)));
}
