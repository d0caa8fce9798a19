import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { MediaFile } from "./media-path.ts";
import type { Presentation } from "./presentation.ts";
import type { Spanned, TimeSpan } from "./time-span.ts";

/** A protocol that plays presentations over HTTP, such as HLS: what its room gives to the server. */
export type HttpOutput = {
  /** The word of the `protocols` directive. */
  readonly protocol: string;
  /** What a decoded path asks for; `null` when it is none of this protocol's. Pure: answers may be kept. */
  parse(path: string): OutputAddress | null;
};

/** What one path means. */
export type OutputAddress = {
  /** Of the stream or file that is played; may hold slashes, and may be no valid name at all. */
  readonly name: string;
  /** Given: what plays is that stretch of the recording, which its presentation is, and not what is live. */
  readonly span?: TimeSpan;
  /** Given: what is asked for is this segment or init segment, in whatever form. */
  readonly media?: MediaFile;
  /** It only tells players something, whatever protocol they play: it is no session of its own. */
  readonly isTold?: boolean;
  /**
   * Answers from the presentation of that name, at once where it has the bytes at once. Throws or rejects with the
   * storage's `MediaError`.
   */
  reply(presentation: Presentation, asked: OutputRequest): Promise<HttpReply> | HttpReply;
};

/** What an output may know of who asks. */
export type OutputRequest = {
  readonly request: HttpRequest;
  /** What every address inside a playlist carries on, such as a token: with its `?`, or the empty text. */
  readonly carriedQuery: string;
  /** Says something of what plays in the log, once however often it is said. */
  notice?(message: string): void;
  /** Whether a choice of qualities is to have one without video; not unless told. */
  readonly addsAudioOnly?: () => boolean;
};

/** The span of an address of which the resource may be one of a stretch of the recording. */
export function spanOf({ span }: Spanned & { readonly kind: string }): Spanned {
  return span === undefined ? {} : { span };
}

/** The segment or init segment that a resource is, if it is one. */
export function mediaOf(resource: MediaFile | { readonly kind: string }): { readonly media?: MediaFile } {
  if (resource.kind !== "segment" && resource.kind !== "init") return {};
  return "selection" in resource ? { media: resource } : {};
}
