import { TOLD_PROTOCOLS } from "../auth/claim.ts";
import type { Clock } from "../base/clock.ts";
import { asMediaError } from "../base/errors.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import { late } from "../base/late/late.ts";
import type { Late } from "../base/late/late.ts";
import type { Logger } from "../base/log.ts";
import { asksForWebSocket } from "../base/web-socket/handshake.ts";
import { allowsProtocol } from "../config/plan.ts";
import type { ProtocolRule, ResolvedConfig } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import type { StreamName } from "../media/ids.ts";
import type { HttpOutput, OutputAddress, OutputRequest } from "../packaging/http-output.ts";
import type { MediaFile } from "../packaging/media-path.ts";
import type { Presentation } from "../packaging/presentation.ts";
import { dashOutput } from "../protocols/dash/output.ts";
import { hlsOutput } from "../protocols/hls/output.ts";
import { jsonOutput } from "../protocols/json/output.ts";
import { parseFlvPath } from "../protocols/http-flv/path.ts";
import { FLV_PROTOCOL, flvReply, flvSocketReply } from "../protocols/http-flv/reply.ts";
import { parseTsPath } from "../protocols/http-ts/path.ts";
import { TS_PROTOCOL, tsReply } from "../protocols/http-ts/reply.ts";
import { MSE_PROTOCOL, parseMsePath } from "../protocols/mse/path.ts";
import type { StreamDirectory } from "../stream/directory.ts";
import { streamErrors } from "../stream/errors.ts";
import type { RecordedPackets } from "../stream/recorded-packets.ts";
import type { SendWindow } from "../stream/rules.ts";
import type { Vods } from "../vod/late-library.ts";
import type { HttpGate } from "./access/http-gate.ts";
import type { Wanted } from "./access/viewer.ts";
import { parsePicturePath, parseStatusPath } from "./archives/paths.ts";
import { downloadReply, downloadType } from "./download.ts";
import { archiveConnection, mseArchive } from "./archives/connections.ts";
import type { ArchiveConnectionParts } from "./archives/connections.ts";
import { parseArchiveDownload } from "./archives/downloads.ts";
import type { ArchiveDownload } from "./archives/downloads.ts";
import type { RecordingStatuses } from "./archives/recording-status.ts";
import { archiveFolder, recordedStream } from "./archives/stream-archives.ts";
import type { StreamArchives } from "./archives/stream-archives.ts";
import { addsAudioOnly, planOf, playableStream, rulesOf, vodProtocols } from "./live/stream-rules.ts";
import type { Thumbnails } from "./pictures/thumbnails.ts";

/** What playback over HTTP needs. */
export type PlaybackParts = {
  readonly directory: StreamDirectory;
  readonly vods: Vods;
  readonly clock: Clock;
  readonly log: Logger;
  /** The configuration in force. */
  config(): ResolvedConfig;
  /** The live window of a stream, wherever it lives. Throws or rejects with STREAM_STARTING, STREAM_NOT_ON_AIR. */
  window(name: StreamName): Promise<Presentation> | Presentation;
  readonly archives: StreamArchives;
  /** Who may play. */
  readonly access: HttpGate;
};

/** Paths whose meaning is kept; none is longer than 2048 characters. */
const MAX_KEPT_PATHS = 1024;

/** Notices that are known to have been said. */
const MAX_KEPT_NOTICES = 1024;

/** Who plays presentations, in the order in which they are asked whether a path is theirs. */
const OUTPUTS: readonly HttpOutput[] = [hlsOutput, dashOutput, jsonOutput];

const mseReplies = late("MSE-LD", () => import("../protocols/mse/reply.ts"));

/** Whether any of the outputs plays what these protocols may play: only then are segments made. */
export function isPackaged(protocols: ProtocolRule): boolean {
  return OUTPUTS.some(({ protocol }) => allowsProtocol(protocols, protocol));
}

/** What a path means to one output. */
type OutputPath = { readonly protocol: string; readonly parsed: OutputAddress };

/** What a path means. */
type PlayAddress = {
  readonly name: string;
  readonly streamName: StreamName | null;
  /** Not empty: protocols share the paths of segments. The first that may be played answers. */
  readonly outputs: readonly OutputPath[];
  readonly notice: (message: string) => void;
  readonly addsAudioOnly: () => boolean;
  /** What answers for a stream, and the configuration that says so; `null` before it was asked. */
  live: LiveAddress | null;
};

/** What answers for a stream in the configuration in force. */
type LiveAddress = {
  readonly config: ResolvedConfig;
  readonly parsed: OutputAddress;
  readonly wanted: Wanted;
  /** The folder of its archive; `null` where it has none. */
  readonly folder: string | null;
};

/** What plays, and who renders it. */
type Playing = {
  readonly presentation: () => Promise<Presentation> | Presentation;
  readonly parsed: OutputAddress;
  /** Whose session it is. */
  readonly wanted: Wanted;
  readonly recorded?: RecordedMedia;
};

/** What may be recorded where it is not live: the archive's folder, and what is asked for. */
type RecordedMedia = { readonly folder: string; readonly file: MediaFile };

/** Whether a path is one of those at which there are WebSockets. */
export function mayBeWebSocket(path: string): boolean {
  return parseFlvPath(path) !== null || parseMsePath(path) !== null;
}

/** Answers HTTP requests for media: live streams and files. */
export class Playback {
  readonly #parts: PlaybackParts;
  readonly #addresses = new Map<string, PlayAddress>();
  readonly #said = new Set<string>();
  readonly #closing = new AbortController();
  readonly #thumbnails: Late<Thumbnails>;
  readonly #statuses: Late<RecordingStatuses>;
  readonly #connections: ArchiveConnectionParts;
  #fileViewers = 0;

  constructor(parts: PlaybackParts) {
    this.#parts = parts;
    const { clock, log, archives } = parts;
    this.#thumbnails = late("pictures", async () => {
      const loaded = await import("./pictures/thumbnails.ts");
      return new loaded.Thumbnails({ clock, log, stopped: this.#closing.signal });
    });
    this.#statuses = late("recording_status.json", async () => {
      const { RecordingStatuses } = await import("./archives/recording-status.ts");
      return new RecordingStatuses(clock, (folder, { fromUs, toUs }) =>
        archives.recordedExtent(folder, fromUs, toUs),
      );
    });
    this.#connections = { ...parts, onViewer: (change) => (this.#fileViewers += change) };
  }

  /** Viewers that hold a connection on which a file or an archive is sent as it plays. */
  get fileViewers(): number {
    return this.#fileViewers;
  }

  /**
   * Answers a request for media, at once where nothing has to be waited for; `null` when the path is none of any
   * protocol's. `sendWindow`: its listener's. Throws or rejects with STREAM_*, VOD_*, MP4_*.
   */
  handle(request: HttpRequest, sendWindow?: SendWindow): Promise<HttpReply> | HttpReply | null {
    const known = this.#addresses.get(request.path);
    if (known !== undefined) return this.#present(request, known);
    const endless = this.#endless(request, sendWindow);
    if (endless !== null) return endless;
    const told = this.#toldOfArchive(request);
    if (told !== null) return told;
    const wanted = parseArchiveDownload(request.path);
    if (wanted !== null && !this.isFile(request.path.slice(1)))
      return this.#archiveDownload(wanted, request);
    const address = this.#parsePath(request.path);
    return address === null ? this.#download(request) : this.#present(request, address);
  }

  /** A stream as a body without an end, where the path is that of one; none of these paths is ever kept. */
  #endless(request: HttpRequest, sendWindow?: SendWindow): Promise<HttpReply> | HttpReply | null {
    const { directory, access } = this.#parts;
    const archived = archiveConnection(request, this.#connections);
    if (archived !== null)
      return access.connect(request, wantedOver(archived.name, archived.protocol, true), archived.reply);
    const parts = { directory, sendWindow, query: request.query };
    const flv = parseFlvPath(request.path);
    if (flv !== null) {
      const reply = asksForWebSocket(request) ? flvSocketReply : flvReply;
      return access.connect(request, wantedOver(flv, FLV_PROTOCOL), () => reply(flv, parts));
    }
    const ts = parseTsPath(request.path);
    if (ts !== null) return access.connect(request, wantedOver(ts, TS_PROTOCOL), () => tsReply(ts, parts));
    const mse = parseMsePath(request.path);
    if (mse === null) return null;
    const answer = (): Promise<HttpReply> | HttpReply => this.#mse(mse, request, sendWindow);
    const isOfTime = request.query.has("from") || request.query.has("play_from");
    // Without a WebSocket there is nothing to judge, only a word of what it takes.
    return asksForWebSocket(request)
      ? access.connect(request, wantedOver(mse, MSE_PROTOCOL, isOfTime), answer)
      : answer();
  }

  /** What an output makes of a presentation. */
  #present(request: HttpRequest, address: PlayAddress): Promise<HttpReply> | HttpReply {
    const { notice, addsAudioOnly: audioOnly } = address;
    const playing = this.#find(address);
    return this.#parts.access.play(request, playing.wanted, (carriedQuery) => {
      const asked = { request, carriedQuery, notice, addsAudioOnly: audioOnly };
      if (playing.recorded !== undefined) return this.#liveOrRecorded(playing, playing.recorded, asked);
      return replyOf(playing, asked);
    });
  }

  /** What is not in the live window may be in the archive, also when the stream is not on air. */
  #liveOrRecorded(
    playing: Playing,
    recorded: RecordedMedia,
    asked: OutputRequest,
  ): Promise<HttpReply> | HttpReply {
    const orRecorded = (reply: HttpReply): Promise<HttpReply> | HttpReply =>
      reply.status === 404 ? this.#recorded(playing, recorded, asked, () => reply) : reply;
    const instead = (caught: unknown): Promise<HttpReply> => {
      if (!NOT_LIVE.has(asMediaError(caught)?.code ?? "")) throw caught;
      return this.#recorded(playing, recorded, asked, () => {
        throw caught;
      });
    };
    try {
      const reply = replyOf(playing, asked);
      return reply instanceof Promise ? reply.then(orRecorded, instead) : orRecorded(reply);
    } catch (caught) {
      return instead(caught);
    }
  }

  /** `otherwise`: the answer where it is not recorded either. */
  async #recorded(
    { parsed }: Playing,
    { folder, file }: RecordedMedia,
    asked: OutputRequest,
    otherwise: () => HttpReply,
  ): Promise<HttpReply> {
    const recorded = await this.#parts.archives.media(folder, file);
    return recorded === null ? otherwise() : await parsed.reply(recorded, asked);
  }

  #mse(
    path: string,
    request: HttpRequest,
    sendWindow: SendWindow | undefined,
  ): Promise<HttpReply> | HttpReply {
    const { directory, clock, log } = this.#parts;
    return mseReplies(({ mseReply }) =>
      mseReply(path, request, {
        ...{ directory, sendWindow, clock, log },
        file: (name) => this.#packetsOf(name, MSE_PROTOCOL),
        archive: (name) => mseArchive(name, this.#connections),
        onFileViewer: (change) => (this.#fileViewers += change),
      }),
    );
  }

  /** What opens a file as packets, where the name is that of one. Throws STREAM_PROTOCOL_OFF. */
  #packetsOf(name: string, protocol: string): (() => Promise<RecordedPackets>) | null {
    if (!this.isFile(name)) return null;
    if (!allowsProtocol(vodProtocols(this.#parts.config(), name), protocol))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
    return () => this.#parts.vods.openPackets(name);
  }

  /** A file itself, where the path is that of one. */
  #download(request: HttpRequest): Promise<HttpReply> | HttpReply | null {
    const name = request.path.slice(1);
    const contentType = downloadType(name);
    if (contentType === null || !this.isFile(name)) return null;
    if (!allowsProtocol(vodProtocols(this.#parts.config(), name), "mp4"))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "mp4" });
    return this.#parts.access.play(request, wantedOver(name, "mp4"), () =>
      downloadReply(this.#parts.vods, name, contentType),
    );
  }

  /** What is recorded, or a picture of it, where the path asks for that. Throws or rejects with STREAM_*, DVR_*. */
  #toldOfArchive(request: HttpRequest): Promise<HttpReply> | HttpReply | null {
    const name = parseStatusPath(request.path);
    const picture = name === null ? parsePicturePath(request.path) : null;
    if (name === null && picture === null) return null;
    // A file of a vod may be called preview.mp4.
    if (this.isFile(name ?? picture!.name) || this.isFile(request.path.slice(1))) return null;
    const stream = this.#playable(name ?? picture!.name);
    const { folder } = stream;
    if (picture === null) {
      if (folder === null) throw streamErrors.error("STREAM_NOT_RECORDED", { name: stream.name });
      return this.#parts.access.play(request, wantedWord(stream.name, "api"), () =>
        this.#statuses((statuses) => statuses.reply(folder, request.query)),
      );
    }
    const { archives } = this.#parts;
    if (folder === null && picture.atS !== null)
      throw streamErrors.error("STREAM_NOT_RECORDED", { name: stream.name });
    const source = {
      ...{ key: folder ?? stream.name, name: stream.name },
      recorded: (atUs: number) => archives.keyFrame(folder!, atUs, stream.name),
      live: () => this.#parts.window(stream.name),
    };
    return this.#parts.access.play(request, wantedWord(stream.name, "jpeg"), () =>
      this.#thumbnails((thumbnails) => thumbnails.reply(picture, source, request)),
    );
  }

  /** A stream that may be played, and the folder of its archive. Throws STREAM_*. */
  #playable(wanted: string): { readonly name: StreamName; readonly folder: string | null } {
    const config = this.#parts.config();
    const { name } = playableStream(config, wanted);
    return { name, folder: archiveFolder(planOf(config, name), name) };
  }

  /** The page that plays a name, as `serve` brings it, for those who may play. Rejects with ACCESS_*. */
  page(
    request: HttpRequest,
    name: string,
    serve: () => Promise<HttpReply>,
  ): Promise<HttpReply> | HttpReply {
    return this.#parts.access.play(request, wantedWord(name, "player"), serve);
  }

  /** Nothing is drawn any more. */
  close(): void {
    this.#closing.abort();
  }

  /** A stretch of a recording as one file. Rejects with STREAM_*, DVR_*. */
  async #archiveDownload(wanted: ArchiveDownload, request: HttpRequest): Promise<HttpReply> {
    const protocol = wanted.format === "mp4" ? "mp4" : TS_PROTOCOL;
    const recorded = recordedStream(this.#parts.config(), wanted.name, protocol);
    const { access, archives } = this.#parts;
    const session = wantedOver(wanted.name, protocol, true);
    const serve = (): Promise<HttpReply> => archives.download(recorded, wanted, request);
    // A transport stream is made while it is sent: its protocol's sessions last as long as their connections.
    return wanted.format === "mp4"
      ? await access.play(request, session, serve)
      : await access.connect(request, session, serve);
  }

  #sayOnce(name: string, message: string): void {
    const key = `${name}\n${message}`;
    if (this.#said.has(key)) return;
    if (this.#said.size >= MAX_KEPT_NOTICES) this.#said.clear();
    this.#said.add(key);
    this.#parts.log.warn(message, { name });
  }

  /** Whether a name is a file's, and no stream's. */
  isFile(name: string): boolean {
    const streamName = parseStreamName(name);
    const isStream = streamName !== null && rulesOf(this.#parts.config(), streamName, "play") !== null;
    return !isStream && this.#parts.vods.find(name) !== null;
  }

  /** What a path means to the outputs that know it; kept, for players ask for few, again and again. */
  #parsePath(path: string): PlayAddress | null {
    const outputs: OutputPath[] = [];
    for (const output of OUTPUTS) {
      const parsed = output.parse(path);
      if (parsed !== null) outputs.push({ protocol: output.protocol, parsed });
    }
    const name = outputs[0]?.parsed.name;
    if (name === undefined) return null;
    const notice = (message: string): void => this.#sayOnce(name, message);
    const audioOnly = oncePer(
      () => this.#parts.config(),
      (config) => addsAudioOnly(config, name),
    );
    const address: PlayAddress = {
      ...{ name, streamName: parseStreamName(name), outputs },
      ...{ notice, addsAudioOnly: audioOnly, live: null },
    };
    if (this.#addresses.size >= MAX_KEPT_PATHS) this.#addresses.clear();
    this.#addresses.set(path, address);
    return address;
  }

  /** What plays under a name: a file of a vod, a stream, or the reason why neither does. Throws STREAM_*, VOD_*. */
  #find(address: PlayAddress): Playing {
    const { name, streamName, outputs, live } = address;
    const config = this.#parts.config();
    if (streamName !== null && live?.config === config) return this.#playing(streamName, live);
    const rules = streamName === null ? null : rulesOf(config, streamName, "play");
    if (rules === null && this.#parts.vods.find(name) !== null) {
      const allowed = vodProtocols(config, name);
      const output = firstAllowed(name, outputs, (protocol) => allowsProtocol(allowed, protocol));
      const wanted = wantedOf(name, output, outputs);
      return { presentation: () => this.#parts.vods.open(name), parsed: output.parsed, wanted };
    }
    if (streamName === null) {
      throw streamErrors.error("STREAM_BAD_NAME", {
        reason: "it has characters or a form that names cannot have",
      });
    }
    if (rules === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
    if (rules.disabled) throw streamErrors.error("STREAM_DISABLED", { name });
    const output = firstAllowed(name, outputs, (protocol) => rules.allowsProtocol(protocol));
    const { parsed } = output;
    const folder = archiveFolder(planOf(config, streamName), streamName);
    if (parsed.span !== undefined && folder === null)
      throw streamErrors.error("STREAM_NOT_RECORDED", { name });
    address.live = { config, parsed, folder, wanted: wantedOf(name, output, outputs) };
    return this.#playing(streamName, address.live);
  }

  #playing(name: StreamName, { config, parsed, folder, wanted }: LiveAddress): Playing {
    const { span, media } = parsed;
    const { archives } = this.#parts;
    if (folder === null) return { presentation: () => this.#parts.window(name), parsed, wanted };
    if (span !== undefined)
      return {
        presentation: () => archives.span({ name, plan: planOf(config, name)!, folder }, span),
        ...{ parsed, wanted },
      };
    const live = { presentation: () => this.#parts.window(name), parsed, wanted };
    return media === undefined ? live : { ...live, recorded: { folder, file: media } };
  }
}

/** Nothing of a stream is live. */
const NOT_LIVE: ReadonlySet<string> = new Set(["STREAM_NOT_ON_AIR", "STREAM_STARTING"]);

function replyOf({ presentation, parsed }: Playing, asked: OutputRequest): Promise<HttpReply> | HttpReply {
  const found = presentation();
  return found instanceof Promise
    ? found.then((ready) => parsed.reply(ready, asked))
    : parsed.reply(found, asked);
}

/** What follows from the configuration in force, found out once for each. */
function oncePer<Value>(config: () => ResolvedConfig, of: (config: ResolvedConfig) => Value): () => Value {
  let known: { readonly config: ResolvedConfig; readonly value: Value } | null = null;
  return () => {
    const now = config();
    if (known?.config !== now) known = { config: now, value: of(now) };
    return known.value;
  };
}

/** Protocols whose viewers are told, or shown, something of what they play. */
const PLAYED: readonly string[] = ["hls", "dash", ...TOLD_PROTOCOLS];

/** What is a session by itself. */
function wantedOver(name: string, proto: string, isDvr = false): Wanted {
  return { name, proto, also: [], isTold: false, isDvr };
}

/** What is no session where nobody has to be asked. */
function wantedWord(name: string, proto: string): Wanted {
  return { name, proto, also: PLAYED, isTold: true, isDvr: false };
}

/** Of the outputs whose path it is, `output` answers; the sessions of the others go for it too: their segments are the same. */
function wantedOf(name: string, { protocol, parsed }: OutputPath, outputs: readonly OutputPath[]): Wanted {
  if (protocol === jsonOutput.protocol || parsed.isTold === true)
    return wantedWord(name, jsonOutput.protocol);
  const also = outputs.map((other) => other.protocol).filter((other) => other !== protocol);
  return { name, proto: protocol, also, isTold: false, isDvr: parsed.span !== undefined };
}

/** The first output whose protocol may be played. Throws STREAM_PROTOCOL_OFF when none may. */
function firstAllowed(
  name: string,
  outputs: readonly OutputPath[],
  allows: (protocol: string) => boolean,
): OutputPath {
  const found = outputs.find(({ protocol }) => allows(protocol));
  if (found !== undefined) return found;
  const protocol = outputs.map((output) => output.protocol).join(", ");
  throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
}
