import { gzipSync } from "node:zlib";
import { totalBytes } from "../../base/bytes.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpHeaders, HttpReply } from "../../base/http-message.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { MediaBody, Presentation, Timeline } from "../../packaging/presentation.ts";
import type { HlsResource } from "./path.ts";
import { renderMultivariantPlaylist } from "./multivariant.ts";
import { renderMediaPlaylist } from "./playlist.ts";

const CORS: HttpHeaders = [
  ["access-control-allow-origin", "*"],
  ["access-control-expose-headers", "content-length, content-range, date"],
];
const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
const encoder = new TextEncoder();

/** Playlists rendered of a timeline, kept as long as the timeline: each is written once per change. */
const rendered = new WeakMap<Timeline, Map<string, HttpReply>>();
const MAX_RENDERED = 64;
const MAX_KEPT_WITH_QUERY_BYTES = 64 * 1024;

/** Replies to bodies that lie in memory, so that what is made of a reply is made once for all who ask. */
const mediaReplies = new WeakMap<MediaBody, HttpReply>();

/**
 * Answers one HLS request from a presentation, at once where the presentation has the bytes at once. `query`: what the
 * URLs inside a playlist carry on, such as a token. The same object is given again for the same bytes in memory.
 *
 * Playlists of what still changes are fresh for a second; init segments and segments never change under their name,
 * except those of a file, whose entity tag is the file's version.
 * Throws or rejects with the storage's `MediaError`.
 */
export function hlsReply(
  resource: HlsResource,
  presentation: Presentation,
  query = "",
): Promise<HttpReply> | HttpReply {
  switch (resource.kind) {
    case "multivariant":
    case "media":
      return playlistReply(resource, presentation, query);
    case "init": {
      const body = presentation.initSegment(resource.name, resource.selection);
      return mediaReply(resource, body, presentation);
    }
    case "segment": {
      const body = presentation.segment(resource.name, resource.selection);
      return body instanceof Promise
        ? body.then((read) => mediaReply(resource, read, presentation))
        : mediaReply(resource, body, presentation);
    }
  }
}

function playlistReply(
  resource: HlsResource & { kind: "multivariant" | "media" },
  presentation: Presentation,
  query: string,
): HttpReply {
  const timeline = presentation.timeline();
  const key = `${resource.kind === "media" ? formatTrackSelection(resource.selection) : ""} ${query}`;
  let known = rendered.get(timeline);
  if (known === undefined) rendered.set(timeline, (known = new Map()));
  const found = known.get(key);
  if (found !== undefined) return found;
  const text =
    resource.kind === "media"
      ? renderMediaPlaylist(presentation, timeline, resource.selection, query)
      : renderMultivariantPlaylist(timeline, query);
  if (text === null) return notFound("playlist of these tracks");
  const bytes = encoder.encode(text);
  const headers = playlistHeaders(timeline, presentation.version);
  // Whoever chooses the query chooses how long each line is: nothing of it is kept, and none of our time goes into it.
  if (query !== "" && bytes.byteLength > MAX_KEPT_WITH_QUERY_BYTES)
    return { status: 200, headers, body: [bytes], ownBytes: bytes.byteLength };
  const reply = keptPlaylist(bytes, headers);
  if (known.size >= MAX_RENDERED) known.clear();
  known.set(key, reply);
  return reply;
}

function playlistHeaders(timeline: Timeline, version: string | null): HttpHeaders {
  const maxAge = timeline.mutability === "static" ? 60 : 1;
  return [
    ["content-type", PLAYLIST_TYPE],
    ["cache-control", `public, max-age=${maxAge}`],
    ...entityTag(version ?? liveVersion(timeline)),
    ...CORS,
  ];
}

/** What changes with every change of a live timeline. */
function liveVersion({ segments, discontinuitySequence }: Timeline): string {
  return `${segments[0]!.sequence}-${segments.at(-1)!.name}-${discontinuitySequence}`;
}

function keptPlaylist(bytes: Uint8Array, headers: HttpHeaders): HttpReply {
  let gzipped: Uint8Array | null = null;
  return { status: 200, headers, body: [bytes], gzip: () => (gzipped ??= gzipSync(bytes)) };
}

type MediaResource = HlsResource & { kind: "init" | "segment" };

function mediaReply(
  resource: MediaResource,
  body: MediaBody | null,
  presentation: Presentation,
): HttpReply {
  if (body === null) return notFound(resource.kind === "init" ? "init segment" : "segment");
  if (presentation.isResident !== true) return makeMediaReply(resource, body, presentation);
  const known = mediaReplies.get(body);
  if (known !== undefined) return known;
  const made = makeMediaReply(resource, body, presentation);
  mediaReplies.set(body, made);
  return made;
}

function makeMediaReply(resource: MediaResource, body: MediaBody, presentation: Presentation): HttpReply {
  const { name, selection } = resource;
  const kind = selection.some((id) => id.startsWith("v")) ? "video" : "audio";
  const { version } = presentation;
  const caching = version === null ? "public, max-age=31536000, immutable" : "public, max-age=60";
  const tag = entityTag(version ?? `${name}-${formatTrackSelection(selection)}`);
  return {
    status: 200,
    headers: [["content-type", `${kind}/mp4`], ["cache-control", caching], ...tag, ...CORS],
    body,
    ...(presentation.isResident === true ? {} : { ownBytes: totalBytes(body) }),
  };
}

function entityTag(version: string): HttpHeaders {
  return [["etag", `"${version}"`]];
}

function notFound(what: string): HttpReply {
  return textReply(404, `no such ${what}: it is not there yet, no longer there, or never was`, CORS);
}
