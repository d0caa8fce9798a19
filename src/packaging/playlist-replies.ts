import { gzipSync } from "node:zlib";
import { textReply } from "../base/http-message.ts";
import type { HttpHeaders, HttpReply } from "../base/http-message.ts";
import type { Timeline } from "./presentation.ts";

/** Any page may play. */
export const CORS: HttpHeaders = [
  ["access-control-allow-origin", "*"],
  ["access-control-expose-headers", "content-length, content-range, date"],
];
const MAX_RENDERED = 64;
const MAX_KEPT_WITH_QUERY_BYTES = 64 * 1024;
const encoder = new TextEncoder();

/** What a reply is made of. `render` gives `null` where there is no such playlist. */
export type PlaylistForm = {
  render(): string | null;
  /** Of the entity tag. */
  readonly version: string;
  /** The value of `Cache-Control`. */
  readonly cache: string;
  /** Its addresses carry something on that the client chose. */
  readonly hasQuery: boolean;
};

/**
 * Playlists of one protocol rendered of snapshots, kept as long as the snapshot: each is written, and zipped, once per change.
 * Bounded: `MAX_RENDERED` for each snapshot.
 */
export class PlaylistReplies<Snapshot extends object> {
  readonly #contentType: string;
  readonly #rendered = new WeakMap<Snapshot, Map<string, HttpReply>>();

  constructor(contentType: string) {
    this.#contentType = contentType;
  }

  /** The reply under that key of a snapshot, the same object for all who ask. */
  reply(snapshot: Snapshot, key: string, form: PlaylistForm): HttpReply {
    let known = this.#rendered.get(snapshot);
    if (known === undefined) this.#rendered.set(snapshot, (known = new Map()));
    const found = known.get(key);
    if (found !== undefined) return found;
    const text = form.render();
    if (text === null) return notFound("playlist of these tracks");
    const bytes = encoder.encode(text);
    const headers: HttpHeaders = [
      ["content-type", this.#contentType],
      ["cache-control", form.cache],
      ...entityTag(form.version),
      ...CORS,
    ];
    // Whoever chooses the query chooses how long each line is: nothing of it is kept, and none of our time goes into it.
    if (form.hasQuery && bytes.byteLength > MAX_KEPT_WITH_QUERY_BYTES)
      return { status: 200, headers, body: [bytes], ownBytes: bytes.byteLength };
    const reply = keptPlaylist(bytes, headers);
    if (known.size >= MAX_RENDERED) known.clear();
    known.set(key, reply);
    return reply;
  }
}

function keptPlaylist(bytes: Uint8Array, headers: HttpHeaders): HttpReply {
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

/** What changes with every change of a live timeline. */
export function liveVersion({ segments, discontinuitySequence }: Timeline): string {
  return `${segments[0]!.sequence}-${segments.at(-1)!.name}-${discontinuitySequence}`;
}

/** How long the playlist of a timeline may be kept: what still changes is fresh for a second. */
export function playlistCaching({ mutability }: Timeline): string {
  return `public, max-age=${mutability === "static" ? 60 : 1}`;
}
