import type { HttpHeaders, HttpReply, HttpRequest } from "../../base/http-message.ts";

/** A request on its way to the control thread. */
export type PackedRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly body: Uint8Array | null;
};

/** A reply on its way back. */
export type PackedReply = {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: readonly Uint8Array[];
  readonly gzip: Uint8Array | null;
  /** The body has no end yet and comes by itself: the number that it is asked for by. See `StreamedBodies`. */
  readonly streamId?: number;
};

/**
 * Headers that pages and the API look at. Conditions, ranges and encodings are dealt with where the connection is, in
 * the media thread.
 */
const FORWARDED = [
  "authorization",
  "accept",
  "content-type",
  "cookie",
  "host",
  "last-event-id",
  "origin",
  "referer",
  "sec-fetch-site",
] as const;

/** Makes data of a request. */
export function packRequest(request: HttpRequest): PackedRequest {
  const headers: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = request.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const { method, path, query, remoteAddress } = request;
  const body = request.body ?? null;
  return { method, path, query: query.toString(), headers, remoteAddress, body };
}

/** Makes a request of data. */
export function unpackRequest(packed: PackedRequest): HttpRequest {
  const { method, path, query, headers, remoteAddress, body } = packed;
  return {
    ...(body === null ? {} : { body }),
    method,
    path,
    query: new URLSearchParams(query),
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    remoteAddress,
  };
}

/** Makes data of a reply, but for an endless body, which `StreamedBodies` keeps. */
export function packReply(reply: HttpReply): PackedReply {
  const { status, headers, body } = reply;
  return { status, headers, body, gzip: reply.gzip?.() ?? null };
}

/** Makes a reply of data. */
export function unpackReply({ status, headers, body, gzip }: PackedReply): HttpReply {
  return gzip === null ? { status, headers, body } : { status, headers, body, gzip: () => gzip };
}
