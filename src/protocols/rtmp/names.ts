import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";

/** What a client's application and stream name mean here. */
export type RtmpTarget = {
  readonly name: StreamName;
  /** The query strings of stream name and application as sent, joined with `&`; empty when there are none. */
  readonly query: string;
  /**
   * The container that the player put in front of the name, e.g. `mp4`; `null` for none. Some take the file's extension
   * off then: `mp4:film` for `film.mp4`.
   */
  readonly container: string | null;
};

/** The application name that stands for "no prefix": `rtmp://host/static/pub/camera` is `pub/camera`. */
const RESERVED_APPLICATION = "static";
/** The instance that Flash Media Server names when the URL names none. */
const DEFAULT_INSTANCE = "_definst_";
/** What players put in front of a stream name to tell a server the container. */
const CONTAINER_PREFIX = /^(mp4|flv|mp3|m4v|f4v):/;

/**
 * Joins the application of `connect` and the name of `publish` or `play` into the name of a stream.
 *
 * Encoders cut a URL in different places (`chats/my` + `room`, `chats` + `my/room`), so the cut means nothing. Slashes
 * at the ends, a container prefix, the instance `_definst_` and the reserved application `static` are taken off.
 * Names are not percent-decoded: a name that needs encoding is not a legal name.
 * Returns: `null` when what is left is not a stream's name.
 */
export function resolveTarget(application: string, stream: string): RtmpTarget | null {
  const [appPath, appQuery] = splitQuery(application);
  const [streamPath, streamQuery] = splitQuery(stream);
  const segments = [...segmentsOf(appPath), ...segmentsOf(streamPath.replace(CONTAINER_PREFIX, ""))];
  const kept = segments.filter((segment) => segment !== DEFAULT_INSTANCE);
  if (kept[0] === RESERVED_APPLICATION && kept.length > 1) kept.shift();
  const name = parseStreamName(kept.join("/"));
  if (name === null) return null;
  const container = CONTAINER_PREFIX.exec(streamPath)?.[1] ?? null;
  return { name, query: [streamQuery, appQuery].filter((part) => part !== "").join("&"), container };
}

/** The application in a `tcUrl`, for clients that send no `app`: the path after the host, with its query. */
export function applicationOfUrl(tcUrl: string): string {
  return /^[a-z]+:\/\/[^/]*\/(.*)$/i.exec(tcUrl)?.[1] ?? "";
}

/** An application with the query of the `tcUrl`, for clients that take it off: tokens stand there. */
export function withQueryOf(application: string, tcUrl: string): string {
  const [, query] = splitQuery(tcUrl);
  return query === "" || application.includes("?") ? application : `${application}?${query}`;
}

/** The password in front of a `tcUrl`'s host, as in `rtmp://user:password@host/app`; `null`: none. */
export function passwordOfUrl(tcUrl: string): string | null {
  const start = tcUrl.indexOf("://");
  if (start < 0) return null;
  const slash = tcUrl.indexOf("/", start + 3);
  const authority = tcUrl.slice(start + 3, slash < 0 ? undefined : slash);
  const at = authority.lastIndexOf("@");
  const colon = authority.indexOf(":");
  if (colon < 0 || colon > at) return null;
  const written = authority.slice(colon + 1, at);
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

function splitQuery(text: string): readonly [path: string, query: string] {
  const at = text.indexOf("?");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** Segments between the outer slashes; empty ones in the middle stay, and make the name illegal. */
function segmentsOf(path: string): string[] {
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  return trimmed === "" ? [] : trimmed.split("/");
}
