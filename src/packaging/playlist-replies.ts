import { gzipSync } from "node:zlib";
import { textReply } from "../base/http-message.ts";
import type { HttpHeaders, HttpReply } from "../base/http-message.ts";
import type { Presentation, Timeline } from "./presentation.ts";

/** Any page may play. */
export const CORS: HttpHeaders = [
  ["access-control-allow-origin", "*"],
  ["access-control-expose-headers", "content-length, content-range, date"],
];
const encoder = new TextEncoder();

/** Stands for the query in what is rendered once for all; no address has it. */
const QUERY_MARK = "\0";
const MARK_BYTE = 0;

const NO_QUERY = new Uint8Array(0);

/** Up to here a playlist with a query is not counted as memory that its reply holds. */
const MAX_UNCOUNTED_BYTES = 64 * 1024;

/** What a playlist is made of. `render` gives `null` where there is none. */
export type PlaylistForm = {
  /** The text with `query` behind every address. */
  render(query: string): string | null;
  /** Of the entity tag. */
  readonly version: string;
  /** The value of `Cache-Control`. */
  readonly cache: string;
  /** What the addresses carry on, as it stands in the text: the client chose it. The empty text for nothing. */
  readonly query: string;
};

/** What was rendered under one key, and the whole replies without a query. */
type Rendered = {
  /** The text, with a mark at each place of the query. */
  readonly marked: Uint8Array;
  readonly marks: number;
  /** By `Cache-Control`. */
  readonly plain: Map<string, HttpReply>;
};

/**
 * Playlists of one protocol rendered of snapshots, kept as long as the snapshot: each is written once per change, for all
 * queries, and zipped once per change where it has no query.
 *
 * Whoever chooses the query chooses how long each line is. So nothing of it is kept, none of it is zipped, a long playlist
 * counts as memory of its reply, and one of more than `MAX_QUERY_BYTES` of queries is refused.
 * Bounded: `MAX_RENDERED` for each snapshot.
 */
export class PlaylistReplies<Snapshot extends object> {
  static readonly MAX_RENDERED = 64;
  static readonly MAX_QUERY_BYTES = 4 * 1024 * 1024;

  readonly #contentType: string;
  readonly #rendered = new WeakMap<Snapshot, Map<string, Rendered>>();

  constructor(contentType: string) {
    this.#contentType = contentType;
  }

  /** The reply under that key of a snapshot; without a query the same object for all who ask. */
  reply(snapshot: Snapshot, key: string, form: PlaylistForm): HttpReply {
    const rendered = this.#renderOnce(snapshot, key, form);
    if (rendered === null) return notFound("playlist of these tracks");
    const { plain } = rendered;
    if (form.query !== "") return replyWithQuery(rendered, encoder.encode(form.query), this.#headers(form));
    const found = plain.get(form.cache);
    if (found !== undefined) return found;
    const reply = zippedReply(withQuery(rendered, NO_QUERY), this.#headers(form));
    if (plain.size >= PlaylistReplies.MAX_RENDERED) plain.clear();
    plain.set(form.cache, reply);
    return reply;
  }

  #renderOnce(snapshot: Snapshot, key: string, form: PlaylistForm): Rendered | null {
    let known = this.#rendered.get(snapshot);
    if (known === undefined) this.#rendered.set(snapshot, (known = new Map()));
    const found = known.get(key);
    if (found !== undefined) return found;
    const text = form.render(QUERY_MARK);
    if (text === null) return null;
    const marked = encoder.encode(text);
    const made: Rendered = { marked, marks: countMarks(marked), plain: new Map() };
    if (known.size >= PlaylistReplies.MAX_RENDERED) known.clear();
    known.set(key, made);
    return made;
  }

  #headers({ cache, version }: PlaylistForm): HttpHeaders {
    return [["content-type", this.#contentType], ["cache-control", cache], ...entityTag(version), ...CORS];
  }
}

function countMarks(marked: Uint8Array): number {
  let marks = 0;
  for (let at = marked.indexOf(MARK_BYTE); at >= 0; at = marked.indexOf(MARK_BYTE, at + 1)) marks++;
  return marks;
}

/**
 * A copy of the text with the query at its places: one chunk, for a playlist of a day has tens of thousands of places, and
 * so many pieces cost a connection more time and memory than the copy.
 */
function withQuery({ marked, marks }: Rendered, query: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(marked.byteLength + marks * (query.byteLength - 1));
  let to = 0;
  for (let at = 0; at < marked.byteLength; at++) {
    const byte = marked[at]!;
    if (byte === MARK_BYTE) {
      bytes.set(query, to);
      to += query.byteLength;
    } else bytes[to++] = byte;
  }
  return bytes;
}

function replyWithQuery(rendered: Rendered, query: Uint8Array, headers: HttpHeaders): HttpReply {
  const { marks } = rendered;
  if (marks * query.byteLength > PlaylistReplies.MAX_QUERY_BYTES) {
    const most = Math.floor(PlaylistReplies.MAX_QUERY_BYTES / marks);
    return textReply(400, `the query is too long for so many addresses: up to ${most} bytes can be`, CORS);
  }
  const bytes = withQuery(rendered, query);
  const isLong = bytes.byteLength > MAX_UNCOUNTED_BYTES;
  return {
    ...{ status: 200, headers, body: [bytes], isOnce: true },
    ...(isLong ? { ownBytes: bytes.byteLength } : {}),
  };
}

function zippedReply(bytes: Uint8Array, headers: HttpHeaders): HttpReply {
  let gzipped: Uint8Array | null = null;
  return { status: 200, headers, body: [bytes], gzip: () => (gzipped ??= gzipSync(bytes)) };
}

/** The header of an entity tag. */
export function entityTag(version: string): HttpHeaders {
  return [["etag", `"${version}"`]];
}

/** What is said of what is not there. */
export function notFound(what: string): HttpReply {
  return textReply(404, `no such ${what}: it is not there yet, no longer there, or never was`, CORS);
}

/** The entity tag of a playlist: what changes with every change of the timeline, or of the file. */
export function playlistVersion({ version }: Pick<Presentation, "version">, timeline: Timeline): string {
  return version ?? liveVersion(timeline);
}

/** What changes with every change of a live timeline. One that is complete now has an end, which it had not before. */
export function liveVersion({ segments, discontinuitySequence, mutability, revision }: Timeline): string {
  const end = mutability === "static" ? "-end" : "";
  const inside = revision === undefined ? "" : `-${revision}`;
  return `${segments[0]!.sequence}-${segments.at(-1)!.name}-${discontinuitySequence}${inside}${end}`;
}

/** Units: seconds. What is recorded is kept for whole hours at least: no segment of it is gone long before its playlist. */
const CACHE_S = { growing: 1, file: 60, recorded: 3600 } as const;

/**
 * How long the playlist of a timeline may be kept: what still changes is fresh for a second; a file may be replaced; what
 * is complete and has no version stays as it is.
 */
export function playlistCaching(
  { version }: Pick<Presentation, "version">,
  { mutability }: Timeline,
): string {
  const complete = version === null ? CACHE_S.recorded : CACHE_S.file;
  return `public, max-age=${mutability === "static" ? complete : CACHE_S.growing}`;
}
