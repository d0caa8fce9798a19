import { totalBytes } from "../../base/bytes.ts";
import type { HttpFile, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { parseByteRange, sliceBody } from "./byte-range.ts";
import type { ByteRange } from "./byte-range.ts";

/** A reply as it goes onto the wire. */
export type WireReply = {
  readonly status: number;
  readonly headers: string[];
  readonly body: readonly Uint8Array[];
};

/**
 * Turns a handler's reply into what this client is sent: 304 for what it has, a range, gzip, no body for HEAD. Of an
 * endless body only the head: its length is not known.
 *
 * Spec: RFC 9110 sections 9.3.2 (HEAD), 13.1.2 (If-None-Match), 13.1.5 (If-Range), 14 (ranges), 12.5.3
 * (Accept-Encoding).
 */
export function finishReply(request: HttpRequest, reply: HttpReply): WireReply {
  const headers: string[] = [];
  let etag: string | null = null;
  for (const [name, value] of reply.headers) {
    if (name === "etag") etag = value;
    else headers.push(name, value);
  }
  if (reply.stream !== undefined) return { status: reply.status, headers, body: [] };
  if (reply.gzip !== undefined) headers.push("vary", "accept-encoding");
  if (etag !== null && reply.status === 200 && isKnown(request.header("if-none-match"), etag)) {
    return { status: 304, headers: [...headers, "etag", etag], body: [] };
  }
  if (reply.gzip !== undefined && reply.status === 200 && acceptsGzip(request.header("accept-encoding"))) {
    const body = [reply.gzip()];
    headers.push("content-encoding", "gzip");
    if (etag !== null) headers.push("etag", `W/${etag}`);
    return withBody(request, reply.status, headers, body);
  }
  if (etag !== null) headers.push("etag", etag);
  if (reply.status !== 200 || reply.gzip !== undefined)
    return withBody(request, reply.status, headers, reply.body);
  return ranged(request, reply, headers, etag);
}

/** The head of a reply with a file, and which part of it this client is sent; `null` for nothing. */
export type WireFile = {
  readonly status: number;
  readonly headers: string[];
  readonly range: ByteRange | null;
};

/** Does for a reply with a file what `finishReply` does for one in memory. */
export function finishFile(request: HttpRequest, reply: HttpReply, { sizeBytes }: HttpFile): WireFile {
  const headers = reply.headers.flat();
  const etag = reply.headers.find(([name]) => name === "etag")?.[1] ?? null;
  const modified = reply.headers.find(([name]) => name === "last-modified")?.[1] ?? null;
  if (isUnchanged(request, etag, modified)) return { status: 304, headers, range: null };
  headers.push("accept-ranges", "bytes");
  const asked = askedRange(request, [etag, modified], sizeBytes);
  if (asked === "unsatisfiable") {
    headers.push("content-range", `bytes */${sizeBytes}`, "content-length", "0");
    return { status: 416, headers, range: null };
  }
  const range = asked ?? { start: 0, end: sizeBytes };
  if (asked !== null) headers.push("content-range", `bytes ${range.start}-${range.end - 1}/${sizeBytes}`);
  headers.push("content-length", String(range.end - range.start));
  return { status: asked === null ? 200 : 206, headers, range: request.method === "HEAD" ? null : range };
}

/** The range that is asked for, as long as the body is the one that the client has a part of by either validator. */
function askedRange(
  request: HttpRequest,
  validators: readonly (string | null)[],
  sizeBytes: number,
): ByteRange | "unsatisfiable" | null {
  const ifRange = request.header("if-range");
  const isSame = ifRange === undefined || validators.includes(ifRange);
  const header = isSame ? request.header("range") : undefined;
  return request.method === "GET" ? parseByteRange(header, sizeBytes) : null;
}

function ranged(request: HttpRequest, reply: HttpReply, headers: string[], etag: string | null): WireReply {
  headers.push("accept-ranges", "bytes");
  const sizeBytes = totalBytes(reply.body);
  const range = askedRange(request, [etag], sizeBytes);
  if (range === null) return withBody(request, 200, headers, reply.body);
  if (range === "unsatisfiable") {
    return withBody(request, 416, [...headers, "content-range", `bytes */${sizeBytes}`], []);
  }
  headers.push("content-range", `bytes ${range.start}-${range.end - 1}/${sizeBytes}`);
  return withBody(request, 206, headers, sliceBody(reply.body, range));
}

function withBody(
  request: HttpRequest,
  status: number,
  headers: string[],
  body: readonly Uint8Array[],
): WireReply {
  // RFC 9110 section 8.6: a reply without content says no length.
  if (status !== 204) headers.push("content-length", String(totalBytes(body)));
  return { status, headers, body: request.method === "HEAD" ? [] : body };
}

/** Whether the client has it already, by its tag or else by its date. Spec: RFC 9110 sections 13.1.2, 13.1.3. */
function isUnchanged(request: HttpRequest, etag: string | null, modified: string | null): boolean {
  const ifNoneMatch = request.header("if-none-match");
  if (ifNoneMatch !== undefined) return etag !== null && isKnown(ifNoneMatch, etag);
  const since = Date.parse(request.header("if-modified-since") ?? "");
  return modified !== null && Date.parse(modified) <= since;
}

function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

/** Whether a client takes gzip. Spec: RFC 9110 section 12.5.3. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  return acceptEncoding
    .split(",")
    .some((part) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(part));
}
