/** A server that recordings are copied from, as we ask it. Nothing that it says is believed before it is checked. */
import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { StreamName } from "../../media/ids.ts";
import { MAX_DELETED_BYTES, NOTHING_DELETED } from "../format/deleted-spans.ts";
import { deletedFile, readDeletedSpans } from "../format/deleted-spans.ts";
import type { DeletedSpans } from "../format/deleted-spans.ts";
import { HourIndex, MAX_HOUR_RECORDS } from "../format/hour-index.ts";
import { INDEX_HEADER_BYTES } from "../format/index-header.ts";
import { INDEX_RECORD_BYTES } from "../format/index-record.ts";
import { parseContentRange } from "../objects/content-range.ts";
import { replicateErrors } from "./errors.ts";
import { MAX_LISTING_BYTES, parseHourListing, parseStreamListing } from "./peer-listing.ts";
import type { OfferedHour } from "./peer-listing.ts";
import { STREAMS_PATH, fileTarget, hoursTarget } from "./peer-paths.ts";
import { signRequest } from "./signature.ts";

/** Most bytes of one reply with a part of a file. */
export const MAX_RANGE_BYTES = 4 * 1024 * 1024;

/** A request as it is sent. */
export type PeerRequest = {
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A body that is longer ends the request. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
};

/** A reply, whole. */
export type PeerReply = {
  readonly status: number;
  /** By lower-case name. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
};

/** Sends requests to one server. Rejects with any error where no whole reply comes, and ends by the signal. */
export type PeerTransport = { get(request: PeerRequest): Promise<PeerReply>; close(): void };

/** Where a server is, and what proves to it who asks. */
export type PeerAddress = {
  /** `http://host:port`, without a slash at its end. */
  readonly origin: string;
  readonly key: string;
};

/** What asking needs. */
export type PeerOptions = {
  readonly address: PeerAddress;
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

const MAX_INDEX_BYTES = INDEX_HEADER_BYTES + MAX_HOUR_RECORDS * INDEX_RECORD_BYTES;
/** The statuses of a file that is not there, and of one that has nothing. */
const NO_BYTES: ReadonlySet<number> = new Set([404, 416]);
/** What of an error's text is told. */
const MAX_REASON = 200;

/** One peer. All calls reject with DVR_PEER_*. */
export class Peer {
  readonly #options: PeerOptions;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** For messages. */
  get name(): string {
    return this.#options.address.origin;
  }

  /** The streams of which it has recordings. */
  async streams(): Promise<StreamName[]> {
    const { body } = await this.#get(STREAMS_PATH, { maxBytes: MAX_LISTING_BYTES });
    const names = parseStreamListing(body);
    if (names === null) throw this.#badReply(STREAMS_PATH, "it is no list of streams");
    return names;
  }

  /** What it has of a stream, from an hour up to another one. */
  async hours(stream: string, from: number, to: number): Promise<OfferedHour[]> {
    const target = hoursTarget(stream, from, to);
    const { body } = await this.#get(target, { maxBytes: MAX_LISTING_BYTES });
    const hours = parseHourListing(body);
    if (hours === null) throw this.#badReply(target, "it is no list of hours");
    return hours.filter(({ hour }) => hour >= from && hour <= to);
  }

  /** What is deleted of an hour there. */
  async deleted(stream: string, hour: number): Promise<DeletedSpans> {
    try {
      return readDeletedSpans(await this.#file(stream, deletedFile(hour), MAX_DELETED_BYTES));
    } catch (caught) {
      const error = asMediaError(caught);
      // 416: it is empty, as one whose first record was not written whole may be.
      const isNone = error?.code === "DVR_PEER_REFUSED" && NO_BYTES.has(Number(error.context["status"]));
      if (isNone) return NOTHING_DELETED;
      throw caught;
    }
  }

  async #file(stream: string, file: string, maxBytes: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let [at, totalBytes] = [0, Infinity];
    while (at < Math.min(totalBytes, maxBytes)) {
      const piece = await this.range(stream, file, at, MAX_RANGE_BYTES);
      pieces.push(piece.bytes);
      at += piece.bytes.byteLength;
      totalBytes = piece.totalBytes;
    }
    return Buffer.concat(pieces);
  }

  /** An index, as far as its groups are whole, without what is deleted. `file`: its path below the stream's folder. */
  async index(
    stream: string,
    file: string,
    { hour, deleted }: { readonly hour: number; readonly deleted: DeletedSpans },
  ): Promise<HourIndex> {
    const target = fileTarget(stream, file);
    const bytes = await this.#file(stream, file, MAX_INDEX_BYTES);
    try {
      const index = HourIndex.parse(bytes, { path: target, deleted });
      if (index.hour === hour) return index;
    } catch (caught) {
      throw this.#badReply(target, messageOf(caught));
    }
    throw this.#badReply(target, "it is the index of another hour");
  }

  /** Bytes of a file from a place on, at least one and at most as many as are asked for. */
  async range(
    stream: string,
    file: string,
    offset: number,
    maxBytes: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly totalBytes: number }> {
    const target = fileTarget(stream, file);
    const most = Math.min(maxBytes, MAX_RANGE_BYTES);
    const reply = await this.#get(target, {
      maxBytes: most,
      headers: { range: `bytes=${offset}-${offset + most - 1}` },
    });
    const { status, body } = reply;
    const range = parseContentRange(reply.header("content-range") ?? "");
    if (status !== 206 || range === null || range.totalBytes === null)
      throw this.#badReply(target, "it does not say which bytes it has");
    const { from, to, totalBytes } = range;
    if (from !== offset || to !== Math.min(offset + most, totalBytes) || to - from !== body.byteLength)
      throw this.#badReply(target, `it has ${body.byteLength} bytes as ${from} to ${to} of ${totalBytes}`);
    return { bytes: body, totalBytes };
  }

  /** An error of what the peer has in its files. */
  badMedia(stream: string, file: string, reason: string): Error {
    return replicateErrors.error("DVR_PEER_BAD_MEDIA", {
      peer: this.name,
      target: fileTarget(stream, file),
      reason,
    });
  }

  async #get(
    target: string,
    { maxBytes, headers = {} }: { readonly maxBytes: number; readonly headers?: Record<string, string> },
  ): Promise<PeerReply> {
    const { clock, address, signal } = this.#options;
    const nowS = Math.floor(clock.wallUs() / 1_000_000);
    const authorization = signRequest({ key: address.key, target, nowS });
    const reply = await this.#send({ target, headers: { ...headers, authorization }, maxBytes, signal });
    const { status, body } = reply;
    if (status !== 200 && status !== 206) {
      const reason = new TextDecoder().decode(body.subarray(0, MAX_REASON)).trim();
      throw replicateErrors.error("DVR_PEER_REFUSED", { peer: this.name, status, target, reason });
    }
    const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
    if (reply.header("content-digest") !== digest)
      throw replicateErrors.error("DVR_PEER_CHECKSUM", { peer: this.name, target });
    return reply;
  }

  async #send(request: PeerRequest): Promise<PeerReply> {
    try {
      return await this.#options.transport.get(request);
    } catch (caught) {
      if (asMediaError(caught) !== null) throw caught;
      const context = { peer: this.name, reason: messageOf(caught) };
      throw replicateErrors.error("DVR_PEER_UNREACHABLE", context, caught);
    }
  }

  #badReply(target: string, reason: string): Error {
    return replicateErrors.error("DVR_PEER_BAD_REPLY", { peer: this.name, target, reason });
  }
}
