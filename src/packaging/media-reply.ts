import { totalBytes } from "../base/bytes.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import { growingReply } from "./growing-reply.ts";
import type { MediaFile, PartFile } from "./media-path.ts";
import { CORS, entityTag, notFound } from "./playlist-replies.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { LentBody, MediaBody, Presentation } from "./presentation.ts";

/** Replies to bodies that lie in memory, so that what is made of a reply is made once for all who ask. */
const mediaReplies = new WeakMap<MediaBody, HttpReply>();

/** Answers when the edge of the presentation is known here, if it has one. */
export function onceFollowed(
  { edge }: Presentation,
  answer: () => Promise<HttpReply> | HttpReply,
): Promise<HttpReply> | HttpReply {
  const coming = edge?.follow?.() ?? null;
  return coming === null ? answer() : coming.then(answer);
}

/**
 * Answers a request for an init segment or a segment, at once where the presentation has the bytes at once; the same
 * object again for the same bytes in memory. They never change under their name, except those of a file, whose entity
 * tag is the file's version. A segment that still grows is sent as it grows; without a `request` it is not there yet.
 * Throws or rejects with the storage's `MediaError`.
 */
export function mediaFileReply(
  file: MediaFile,
  presentation: Presentation,
  request: HttpRequest | null = null,
): Promise<HttpReply> | HttpReply {
  const { kind, name, selection } = file;
  if (kind === "init") return initReply(file, presentation);
  const lent = presentation.lendSegment?.(name, selection);
  if (lent !== undefined) return lent.then((found) => lentReply(file, found, presentation));
  const body = presentation.segment(name, selection);
  const whole = (): Promise<HttpReply> | HttpReply => mediaFileReply(file, presentation);
  const reply = (found: MediaBody | null): Promise<HttpReply> | HttpReply => {
    const mayGrow = found === null && request !== null && isNews(name, presentation);
    if (!mayGrow) return bodyReply(file, found, presentation);
    return onceFollowed(
      presentation,
      () => growingReply(file, presentation, request, whole) ?? bodyReply(file, null, presentation),
    );
  };
  return body instanceof Promise ? body.then(reply) : reply(body);
}

/** One that is not known may be that of the segment that grows elsewhere. Its name cannot tell, so it is a short look. */
function initReply(file: MediaFile, presentation: Presentation): Promise<HttpReply> | HttpReply {
  const { name, selection } = file;
  const find = (): MediaBody | null => presentation.initSegment(name, selection);
  const body = find();
  const looked = body === null ? (presentation.edge?.look?.() ?? null) : null;
  if (looked === null) return bodyReply(file, body, presentation);
  return looked.then(() => bodyReply(file, find(), presentation));
}

function lentReply(file: MediaFile, lent: LentBody | null, presentation: Presentation): HttpReply {
  if (lent === null) return bodyReply(file, null, presentation);
  return { ...bodyReply(file, lent.body, presentation), release: () => lent.release() };
}

/** How far behind the newest segment one may begin that is asked for before it is complete. */
const NEWS_TARGETS = 3;

/** Whether a segment of that name may come soon: who asks for any other one makes nobody follow the edge. */
function isNews(name: string, presentation: Presentation): boolean {
  if (presentation.edge === undefined) return false;
  const { segments, targetDurationUs } = presentation.timeline();
  const ahead = Number(name) - Number(segments.at(-1)!.name);
  return ahead > 0 && ahead <= (targetDurationUs / 1000) * NEWS_TARGETS;
}

/**
 * Whether a segment of that name may be one that grows, or one that was there a while ago: who asks for parts of any
 * other one makes nobody follow the edge, and nobody look for them.
 */
export function mayHaveParts(name: string, presentation: Presentation): boolean {
  const { edge } = presentation;
  if (edge === undefined) return false;
  const { segments, targetDurationUs } = presentation.timeline();
  const [oldest, newest] = [segments[0]!, segments.at(-1)!];
  const lengthMs = Number(newest.name) - Number(oldest.name) + targetDurationUs / 1000;
  const isKept = Number(name) >= Number(oldest.name) - lengthMs && Number(name) <= Number(newest.name);
  // Behind a pause the next segment begins far away.
  return isKept || isNews(name, presentation) || edge.now()?.open?.name === name;
}

/** The reply with the bytes of a file, or that says that there are none. */
export function bodyReply(
  file: MediaFile | PartFile,
  body: MediaBody | null,
  presentation: Presentation,
): HttpReply {
  if (body === null) return notFound(file.kind === "init" ? "init segment" : file.kind);
  if (presentation.isResident !== true) return makeBodyReply(file, body, presentation);
  const known = mediaReplies.get(body);
  if (known !== undefined) return known;
  const made = makeBodyReply(file, body, presentation);
  mediaReplies.set(body, made);
  return made;
}

function makeBodyReply(file: MediaFile | PartFile, body: MediaBody, presentation: Presentation): HttpReply {
  const { name, selection } = file;
  const kind = selection.some((id) => id.startsWith("v")) ? "video" : "audio";
  const { version } = presentation;
  const caching = version === null ? "public, max-age=31536000, immutable" : "public, max-age=60";
  const part = file.kind === "part" ? `.${file.index}` : "";
  const tag = entityTag(version ?? `${name}${part}-${formatTrackSelection(selection)}`);
  return {
    status: 200,
    headers: [["content-type", `${kind}/mp4`], ["cache-control", caching], ...tag, ...CORS],
    body,
    ...(presentation.isResident === true ? {} : { ownBytes: totalBytes(body) }),
  };
}
