import { totalBytes } from "../../base/bytes.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { MediaBody, Presentation, Timeline } from "../../packaging/presentation.ts";
import type { HlsResource } from "./path.ts";
import { CORS, PlaylistReplies, entityTag, notFound } from "./playlist-replies.ts";
import { heldPart, lowLatencyReply } from "./ll-reply.ts";
import { renderMediaPlaylist } from "./media-playlist.ts";
import { renderMultivariantPlaylist } from "./playlist.ts";

/** Playlists rendered of a timeline. */
const rendered = new PlaylistReplies<Timeline>();

/** Replies to bodies that lie in memory, so that what is made of a reply is made once for all who ask. */
const mediaReplies = new WeakMap<MediaBody, HttpReply>();

/**
 * Answers one HLS request from a presentation, at once where the presentation has the bytes at once. `query`: what the
 * URLs inside a playlist carry on, such as a token. `request`: whose directives say what is waited for; without one,
 * nothing is. The same object is given again for the same bytes in memory.
 *
 * Playlists of what still changes are fresh for a second; init segments and segments never change under their name,
 * except those of a file, whose entity tag is the file's version.
 * Throws or rejects with HLS_* and the storage's `MediaError`.
 */
export function hlsReply(
  resource: HlsResource,
  presentation: Presentation,
  query = "",
  request: HttpRequest | null = null,
): Promise<HttpReply> | HttpReply {
  switch (resource.kind) {
    case "media":
      if (!resource.isLowLatency || request === null) return playlistReply(resource, presentation, query);
      return onceFollowed(
        presentation,
        () =>
          lowLatencyReply(resource.selection, presentation, query, request) ??
          playlistReply(resource, presentation, query),
      );
    case "multivariant":
      return playlistReply(resource, presentation, query);
    case "part":
      return onceFollowed(presentation, () => {
        const body = heldPart(resource, presentation, request);
        return body instanceof Promise
          ? body.then((made) => mediaReply(resource, made, presentation))
          : mediaReply(resource, body, presentation);
      });
    case "init":
      return initReply(resource, presentation);
    case "segment": {
      const body = presentation.segment(resource.name, resource.selection);
      return body instanceof Promise
        ? body.then((read) => mediaReply(resource, read, presentation))
        : mediaReply(resource, body, presentation);
    }
  }
}

/** One that is not known may be that of the segment that grows elsewhere. */
function initReply(
  resource: HlsResource & { kind: "init" },
  presentation: Presentation,
): Promise<HttpReply> | HttpReply {
  const { name, selection } = resource;
  const body = presentation.initSegment(name, selection);
  if (body !== null) return mediaReply(resource, body, presentation);
  return onceFollowed(presentation, () =>
    mediaReply(resource, presentation.initSegment(name, selection), presentation),
  );
}

/** Answers when the edge of the presentation is known here, if it has one. */
function onceFollowed(
  { edge }: Presentation,
  answer: () => Promise<HttpReply> | HttpReply,
): Promise<HttpReply> | HttpReply {
  const coming = edge?.follow?.() ?? null;
  return coming === null ? answer() : coming.then(answer);
}

function playlistReply(
  resource: HlsResource & { kind: "multivariant" | "media" },
  presentation: Presentation,
  query: string,
): HttpReply {
  const timeline = presentation.timeline();
  const isMedia = resource.kind === "media";
  const { isLowLatency } = resource;
  const key = `${isMedia ? formatTrackSelection(resource.selection) : ""} ${isLowLatency} ${query}`;
  const render = (): string | null =>
    isMedia
      ? renderMediaPlaylist({ presentation, timeline, selection: resource.selection, query })
      : renderMultivariantPlaylist(timeline, query, isLowLatency);
  const version = presentation.version ?? liveVersion(timeline);
  const cache = `public, max-age=${timeline.mutability === "static" ? 60 : 1}`;
  return rendered.reply(timeline, key, { render, version, cache, hasQuery: query !== "" });
}

/** What changes with every change of a live timeline. */
function liveVersion({ segments, discontinuitySequence }: Timeline): string {
  return `${segments[0]!.sequence}-${segments.at(-1)!.name}-${discontinuitySequence}`;
}

type MediaResource = HlsResource & { kind: "init" | "segment" | "part" };

function mediaReply(
  resource: MediaResource,
  body: MediaBody | null,
  presentation: Presentation,
): HttpReply {
  if (body === null) return notFound(resource.kind === "init" ? "init segment" : resource.kind);
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
  const part = resource.kind === "part" ? `.${resource.index}` : "";
  const tag = entityTag(version ?? `${name}${part}-${formatTrackSelection(selection)}`);
  return {
    status: 200,
    headers: [["content-type", `${kind}/mp4`], ["cache-control", caching], ...tag, ...CORS],
    body,
    ...(presentation.isResident === true ? {} : { ownBytes: totalBytes(body) }),
  };
}
