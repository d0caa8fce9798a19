import { textReply } from "../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import { allowsProtocol } from "../config/plan.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import type { StreamName } from "../media/ids.ts";
import type { HttpOutput, OutputAddress } from "../packaging/http-output.ts";
import type { Presentation } from "../packaging/presentation.ts";
import { hlsOutput } from "../protocols/hls/output.ts";
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

/** Who plays presentations, in the order in which they are asked whether a path is theirs. */
const OUTPUTS: readonly HttpOutput[] = [hlsOutput];

/** What a path means. */
type PlayAddress = {
  readonly protocol: string;
  readonly streamName: StreamName | null;
  readonly parsed: OutputAddress;
};

/** Answers HTTP requests for media: live streams and files. */
export class Playback {
  readonly #parts: PlaybackParts;
  readonly #addresses = new Map<string, PlayAddress>();

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
    const address = this.#parsePath(request.path);
    if (address === null) return null;
    const token = request.query.size === 0 ? null : request.query.get("token");
    if (token !== null && token.length > MAX_TOKEN_LENGTH)
      return textReply(400, `the token is longer than ${MAX_TOKEN_LENGTH} characters`);
    const asked = { request, carriedQuery: token === null ? "" : `?token=${encodeURIComponent(token)}` };
    const presentation = this.#presentation(address);
    return presentation instanceof Promise
      ? presentation.then((ready) => address.parsed.reply(ready, asked))
      : address.parsed.reply(presentation, asked);
  }

  /** What a path means to the first output that knows it; kept, for players ask for few, again and again. */
  #parsePath(path: string): PlayAddress | null {
    const known = this.#addresses.get(path);
    if (known !== undefined) return known;
    for (const output of OUTPUTS) {
      const parsed = output.parse(path);
      if (parsed === null) continue;
      const address = { protocol: output.protocol, streamName: parseStreamName(parsed.name), parsed };
      if (this.#addresses.size >= MAX_KEPT_PATHS) this.#addresses.clear();
      this.#addresses.set(path, address);
      return address;
    }
    return null;
  }

  /** What plays under a name: a file of a vod, a stream, or the reason why neither does. Throws STREAM_*, VOD_*. */
  #presentation({ protocol, streamName, parsed }: PlayAddress): Promise<Presentation> | Presentation {
    const { name } = parsed;
    const config = this.#parts.config();
    const rules = streamName === null ? null : rulesOf(config, streamName, "play");
    if (rules === null && this.#parts.vods.find(name) !== null) {
      if (allowsProtocol(vodProtocols(config, name), protocol)) return this.#parts.vods.open(name);
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
    }
    if (streamName === null) {
      throw streamErrors.error("STREAM_BAD_NAME", {
        reason: "it has characters or a form that names cannot have",
      });
    }
    if (rules === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
    if (rules.disabled) throw streamErrors.error("STREAM_DISABLED", { name });
    if (!rules.allowsProtocol(protocol))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
    return this.#parts.window(streamName);
  }
}
