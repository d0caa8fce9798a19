import { textReply } from "../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import { allowsProtocol } from "../config/plan.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import type { StreamName } from "../media/ids.ts";
import type { Presentation } from "../packaging/presentation.ts";
import { parseHlsPath } from "../protocols/hls/path.ts";
import type { HlsResource } from "../protocols/hls/path.ts";
import { hlsReply } from "../protocols/hls/reply.ts";
import { parseFlvPath } from "../protocols/http-flv/path.ts";
import { flvReply } from "../protocols/http-flv/reply.ts";
import type { StreamDirectory } from "../stream/directory.ts";
import { streamErrors } from "../stream/errors.ts";
import type { SendWindow } from "../stream/rules.ts";
import type { VodLibrary } from "../vod/vod.ts";
import { rulesOf, vodProtocols } from "./stream-rules.ts";

/** What playback over HTTP needs. */
export type PlaybackParts = {
  readonly directory: StreamDirectory;
  readonly vods: VodLibrary;
  /** The configuration in force. */
  config(): ResolvedConfig;
  /** The live window of a stream, wherever it lives. Throws or rejects with STREAM_STARTING, STREAM_NOT_ON_AIR. */
  window(name: StreamName): Promise<Presentation> | Presentation;
};

/** Paths whose meaning is kept; none is longer than 2048 characters. */
const MAX_KEPT_PATHS = 1024;

/** It stands behind every address of a playlist. */
const MAX_TOKEN_LENGTH = 512;

/** What an HLS path means. */
type HlsAddress = {
  readonly name: string;
  readonly streamName: StreamName | null;
  readonly resource: HlsResource;
};

/** Answers HTTP requests for media: live streams and files. */
export class Playback {
  readonly #parts: PlaybackParts;
  readonly #addresses = new Map<string, HlsAddress>();

  constructor(parts: PlaybackParts) {
    this.#parts = parts;
  }

  /**
   * Answers a request for media, at once where nothing has to be waited for; `null` when the path is none of any
   * protocol's. `sendWindow`: its listener's. Throws or rejects with STREAM_*, VOD_*, MP4_*.
   */
  handle(request: HttpRequest, sendWindow?: SendWindow): Promise<HttpReply> | HttpReply | null {
    const flv = parseFlvPath(request.path);
    if (flv !== null) return flvReply(flv, { directory: this.#parts.directory, sendWindow });
    const hls = this.#parsePath(request.path);
    if (hls === null) return null;
    const token = request.query.size === 0 ? null : request.query.get("token");
    if (token !== null && token.length > MAX_TOKEN_LENGTH)
      return textReply(400, `the token is longer than ${MAX_TOKEN_LENGTH} characters`);
    const query = token === null ? "" : `?token=${encodeURIComponent(token)}`;
    const presentation = this.#presentation(hls.name, hls.streamName);
    return presentation instanceof Promise
      ? presentation.then((ready) => hlsReply(hls.resource, ready, query))
      : hlsReply(hls.resource, presentation, query);
  }

  /** What `parseHlsPath` says; kept for paths that were asked for lately, for players ask for few, again and again. */
  #parsePath(path: string): HlsAddress | null {
    const known = this.#addresses.get(path);
    if (known !== undefined) return known;
    const parsed = parseHlsPath(path);
    if (parsed === null) return null;
    const address = { ...parsed, streamName: parseStreamName(parsed.name) };
    if (this.#addresses.size >= MAX_KEPT_PATHS) this.#addresses.clear();
    this.#addresses.set(path, address);
    return address;
  }

  /** What plays under a name: a file of a vod, a stream, or the reason why neither does. Throws STREAM_*, VOD_*. */
  #presentation(name: string, streamName: StreamName | null): Promise<Presentation> | Presentation {
    const config = this.#parts.config();
    const rules = streamName === null ? null : rulesOf(config, streamName, "play");
    if (rules === null && this.#parts.vods.find(name) !== null) return this.#file(config, name);
    if (streamName === null) {
      throw streamErrors.error("STREAM_BAD_NAME", {
        reason: "it has characters or a form that names cannot have",
      });
    }
    if (rules === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
    if (rules.disabled) throw streamErrors.error("STREAM_DISABLED", { name });
    if (!rules.allowsProtocol("hls"))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "hls" });
    return this.#parts.window(streamName);
  }

  #file(config: ResolvedConfig, name: string): Promise<Presentation> {
    if (!allowsProtocol(vodProtocols(config, name), "hls"))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "hls" });
    return this.#parts.vods.open(name);
  }
}
