/** Archives that are played through one connection at the speed at which they are watched. */
import type { Clock } from "../../base/clock.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import type { Logger } from "../../base/log.ts";
import { asksForWebSocket } from "../../base/web-socket/handshake.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { StreamName } from "../../media/ids.ts";
import { readSpanQuery } from "../../packaging/span-query.ts";
import { MAX_SPAN_FROM_S, parseTimeSpan } from "../../packaging/time-span.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import { parseFlvPath } from "../../protocols/http-flv/path.ts";
import {
  FLV_CONTENT_TYPE,
  FLV_PROTOCOL,
  formatOf,
  socketFormatOf,
} from "../../protocols/http-flv/reply.ts";
import { parseTsPath } from "../../protocols/http-ts/path.ts";
import { TS_CONTENT_TYPE, TS_PROTOCOL, withTsFormat } from "../../protocols/http-ts/reply.ts";
import type { MseArchive } from "../../protocols/mse/archive-session.ts";
import { MSE_PROTOCOL } from "../../protocols/mse/path.ts";
import type { WireFormatFactory } from "../../stream/wire-format.ts";
import { parseArchiveDownload } from "./downloads.ts";
import { archiveFolder, recordedStream } from "./stream-archives.ts";
import type { StreamArchives } from "./stream-archives.ts";
import { planOf } from "../live/stream-rules.ts";

const bodies = late("archives through a connection", () => import("../../packaging/recorded-body.ts"));

/** What is to be played of whose archive. */
export type ArchiveAddress = { readonly name: string; readonly span: TimeSpan };

/** What this needs of playback. */
export type ArchiveConnectionParts = {
  readonly archives: StreamArchives;
  readonly clock: Clock;
  readonly log: Logger;
  config(): ResolvedConfig;
  /** A viewer has come, or is gone. */
  readonly onViewer: (change: 1 | -1) => void;
};

/**
 * What a name asks for whose last part is a span of time, such as `camera/archive-1700000000-3600`, or a query that has a
 * `from`; `null` where it is live. Throws: SPAN_BAD_TIME.
 */
export function archiveAddress(name: string, query: URLSearchParams): ArchiveAddress | null {
  const slash = name.lastIndexOf("/");
  const span = slash <= 0 ? null : parseTimeSpan(name.slice(slash + 1));
  if (span !== null) return { name: name.slice(0, slash), span };
  const asked = readSpanQuery(query);
  return asked === null ? null : { name, span: asked };
}

/** An archive that is asked for, and what answers. */
export type ArchiveConnection = {
  readonly name: string;
  /** The word of the `protocols` directive. */
  readonly protocol: string;
  /** Throws or rejects with STREAM_*, DVR_*, TRACKS_*. */
  readonly reply: () => Promise<HttpReply> | HttpReply;
};

/**
 * What answers a request for an archive as FLV or a transport stream that takes as long as it plays: `/NAME/SPAN.flv`,
 * `/NAME.flv?from=UTC`, `/NAME/mpegts?from=UTC`, `/NAME/timeshift_abs-FROM.ts`, `/NAME/timeshift_rel-AGO.ts`; `null` for any
 * other. Throws SPAN_*.
 */
export function archiveConnection(
  request: HttpRequest,
  parts: ArchiveConnectionParts,
): ArchiveConnection | null {
  const flv = parseFlvPath(request.path);
  if (flv !== null) {
    const address = archiveAddress(flv, request.query);
    if (address === null) return null;
    return {
      ...{ name: address.name, protocol: FLV_PROTOCOL },
      reply: () => flvReply(address, request, parts),
    };
  }
  const address = tsAddress(request);
  if (address === null) return null;
  const output = { protocol: TS_PROTOCOL, isUtc: true, contentType: TS_CONTENT_TYPE };
  return {
    ...{ name: address.name, protocol: TS_PROTOCOL },
    reply: () => withTsFormat(request.query, (format) => play(address, { ...output, format }, parts)),
  };
}

/** What opens a stream's archive for a viewer over MSE-LD; `null` where it has none. Throws STREAM_*. */
export function mseArchive(
  name: StreamName,
  parts: Pick<ArchiveConnectionParts, "archives" | "config">,
): MseArchive | null {
  const config = parts.config();
  if (archiveFolder(planOf(config, name), name) === null) return null;
  const recorded = recordedStream(config, name, MSE_PROTOCOL);
  return (seconds) => {
    const fromS = Math.min(seconds, MAX_SPAN_FROM_S);
    return parts.archives.play(recorded, { kind: "timeshift_abs", fromS }, true);
  };
}

/** A range is a download, as fast as it is taken; what stays at a distance from now is not. */
function tsAddress({ path, query }: HttpRequest): ArchiveAddress | null {
  const live = parseTsPath(path);
  if (live !== null) return archiveAddress(live, query);
  const file = parseArchiveDownload(path);
  if (file?.format !== "ts") return null;
  const { name, span } = file;
  return span.kind === "timeshift_abs" || span.kind === "timeshift_rel" ? { name, span } : null;
}

function flvReply(
  address: ArchiveAddress,
  request: HttpRequest,
  parts: ArchiveConnectionParts,
): Promise<HttpReply> {
  const isSocket = asksForWebSocket(request);
  const format = isSocket ? socketFormatOf(request) : formatOf(request);
  const contentType = isSocket ? null : FLV_CONTENT_TYPE;
  return play(address, { protocol: FLV_PROTOCOL, format, isUtc: false, contentType }, parts);
}

type Output = {
  readonly protocol: string;
  readonly format: WireFormatFactory;
  readonly isUtc: boolean;
  /** `null`: over a WebSocket. */
  readonly contentType: string | null;
};

async function play(
  { name, span }: ArchiveAddress,
  { protocol, format, isUtc, contentType }: Output,
  parts: ArchiveConnectionParts,
): Promise<HttpReply> {
  const { archives, clock, log, onViewer } = parts;
  const packets = await archives.play(recordedStream(parts.config(), name, protocol), span, isUtc);
  const { startUs, playedUs } = packets;
  const body = { name, packets, startUs, playedUs, format, clock, log, onViewer };
  return await bodies(({ recordedBodyReply, recordedSocketReply }) =>
    contentType === null ? recordedSocketReply(body) : recordedBodyReply(contentType, body),
  );
}
