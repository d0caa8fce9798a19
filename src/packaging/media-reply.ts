/** Replies that are the same for every protocol that plays presentations over HTTP. */
import { gzipSync } from "node:zlib";
import { totalBytes } from "../base/bytes.ts";
import { textReply } from "../base/http-message.ts";
import type { HttpHeaders, HttpReply } from "../base/http-message.ts";
import type { MediaFile } from "./media-path.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { MediaBody, Presentation, Timeline } from "./presentation.ts";

/** Any page may play what is served. */
export const PLAYBACK_CORS: HttpHeaders = [
  ["access-control-allow-origin", "*"],
  ["access-control-expose-headers", "content-length, content-range, date"],
];

const MAX_RENDERED = 64;
const MAX_KEPT_WITH_QUERY_BYTES = 64 * 1024;
const encoder = new TextEncoder();

/** Replies to bodies that lie in memory, so that what is made of a reply is made once for all who ask. */
const mediaReplies = new WeakMap<MediaBody, HttpReply>();

/**
 * The playlists of one protocol, kept as long as the timelines that they were rendered of: each is written once per
 * change. Bounded: 64 for each timeline.
 */
export class RenderedPlaylists {
  readonly #contentType: string;
  readonly #kept = new WeakMap<Timeline, Map<string, HttpReply>>();

  constructor(contentType: string) {
    this.#contentType = contentType;
  }

  /**
   * The reply with the playlist that `render` writes of the presentation's timeline. `kind` tells the playlists of one
   * timeline apart; `query` is what the URLs inside carry on. The same object for the same timeline.
   * Returns: `null` when `render` has none.
   */
  reply(
    presentation: Presentation,
    asked: { readonly kind: string; readonly query: string },
    render: (timeline: Timeline) => string | null,
  ): HttpReply | null {
    const timeline = presentation.timeline();
    const { kind, query } = asked;
    const key = `${kind} ${query}`;
    let known = this.#kept.get(timeline);
    if (known === undefined) this.#kept.set(timeline, (known = new Map()));
    const found = known.get(key);
    if (found !== undefined) return found;
    const text = render(timeline);
    if (text === null) return null;
    const bytes = encoder.encode(text);
    const headers = this.#headers(timeline, presentation.version);
    // Whoever chooses the query chooses how long each line is: nothing of it is kept, and none of our time goes into it.
    if (query !== "" && bytes.byteLength > MAX_KEPT_WITH_QUERY_BYTES)
      return { status: 200, headers, body: [bytes], ownBytes: bytes.byteLength };
    const reply = zippedOnce(bytes, headers);
    if (known.size >= MAX_RENDERED) known.clear();
    known.set(key, reply);
    return reply;
  }

  /** Playlists of what still changes are fresh for a second. */
  #headers(timeline: Timeline, version: string | null): HttpHeaders {
    const maxAge = timeline.mutability === "static" ? 60 : 1;
    return [
      ["content-type", this.#contentType],
      ["cache-control", `public, max-age=${maxAge}`],
      ...entityTag(version ?? liveVersion(timeline)),
      ...PLAYBACK_CORS,
    ];
  }
}

/** What changes with every change of a live timeline. */
function liveVersion({ segments, discontinuitySequence }: Timeline): string {
  return `${segments[0]!.sequence}-${segments.at(-1)!.name}-${discontinuitySequence}`;
}

function zippedOnce(bytes: Uint8Array, headers: HttpHeaders): HttpReply {
  let gzipped: Uint8Array | null = null;
  return { status: 200, headers, body: [bytes], gzip: () => (gzipped ??= gzipSync(bytes)) };
}

/**
 * Answers a request for an init segment or a segment, at once where the presentation has the bytes at once; the same
 * object again for the same bytes in memory. They never change under their name, except those of a file, whose entity
 * tag is the file's version.
 * Throws or rejects with the storage's `MediaError`.
 */
export function mediaFileReply(
  file: MediaFile,
  presentation: Presentation,
): Promise<HttpReply> | HttpReply {
  const { kind, name, selection } = file;
  const body =
    kind === "init" ? presentation.initSegment(name, selection) : presentation.segment(name, selection);
  return body instanceof Promise
    ? body.then((read) => bodyReply(file, read, presentation))
    : bodyReply(file, body, presentation);
}

function bodyReply(file: MediaFile, body: MediaBody | null, presentation: Presentation): HttpReply {
  if (body === null) return notThere(file.kind === "init" ? "init segment" : "segment");
  if (presentation.isResident !== true) return makeBodyReply(file, body, presentation);
  const known = mediaReplies.get(body);
  if (known !== undefined) return known;
  const made = makeBodyReply(file, body, presentation);
  mediaReplies.set(body, made);
  return made;
}

function makeBodyReply(file: MediaFile, body: MediaBody, presentation: Presentation): HttpReply {
  const { name, selection } = file;
  const kind = selection.some((id) => id.startsWith("v")) ? "video" : "audio";
  const { version } = presentation;
  const caching = version === null ? "public, max-age=31536000, immutable" : "public, max-age=60";
  const tag = entityTag(version ?? `${name}-${formatTrackSelection(selection)}`);
  return {
    status: 200,
    headers: [["content-type", `${kind}/mp4`], ["cache-control", caching], ...tag, ...PLAYBACK_CORS],
    body,
    ...(presentation.isResident === true ? {} : { ownBytes: totalBytes(body) }),
  };
}

function entityTag(version: string): HttpHeaders {
  return [["etag", `"${version}"`]];
}

/** The reply to who asks for what a presentation does not have. */
export function notThere(what: string): HttpReply {
  return textReply(
    404,
    `no such ${what}: it is not there yet, no longer there, or never was`,
    PLAYBACK_CORS,
  );
}
