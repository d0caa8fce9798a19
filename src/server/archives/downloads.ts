import type { HttpBodySink, HttpHeaders, HttpReply } from "../../base/http-message.ts";
import { asMediaError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ExportedMp4, ExportedTs } from "../../dvr/archives.ts";
import { parseTimeSpan } from "../../packaging/time-span.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";

/** A stretch of a recording to be had as one file. */
export type ArchiveDownload = {
  readonly name: string;
  readonly span: TimeSpan;
  readonly format: "mp4" | "ts";
};

const FILE = /^\/(.+)\/([^/.]+)\.(mp4|ts)$/;

const SHARED_HEADERS: HttpHeaders = [
  ["access-control-allow-origin", "*"],
  ["access-control-expose-headers", "content-length, content-range, accept-ranges, etag"],
];

/** How much of a body without a known length may wait for its client. Units: bytes. */
const MAX_QUEUED_BYTES = 2 * 1024 * 1024;
/** How often it is looked whether the client has taken it. Units: milliseconds. */
const LOOK_MS = 20;

/**
 * What a decoded path such as `/NAME/archive-FROM-DURATION.mp4` asks for; `null` when it is none of these. NAME may hold
 * slashes.
 */
export function parseArchiveDownload(path: string): ArchiveDownload | null {
  const [, name, stem, format] = FILE.exec(path) ?? [];
  const span = stem === undefined ? null : parseTimeSpan(stem);
  if (name === undefined || span === null) return null;
  return { name, span, format: format === "mp4" ? "mp4" : "ts" };
}

/** One MP4 file of known length, of which any part may be asked for. One that grows is another file each time. */
export function mp4DownloadReply({ file, version, isOver }: ExportedMp4, name: string): HttpReply {
  return {
    status: 200,
    headers: [
      ["content-type", "video/mp4"],
      ["etag", `"${version}"`],
      ["cache-control", isOver ? "public, max-age=60" : "public, no-cache"],
      ["content-disposition", `attachment; filename="${fileName(name)}"`],
      ...SHARED_HEADERS,
    ],
    body: [],
    file,
  };
}

/** A transport stream, made while it is sent. */
export function tsDownloadReply(made: ExportedTs, name: string, log: Logger): HttpReply {
  return {
    status: 200,
    headers: [
      ["content-type", "video/mp2t"],
      ["cache-control", "no-store"],
      ["content-disposition", `attachment; filename="${fileName(name)}"`],
      ...SHARED_HEADERS,
    ],
    body: [],
    isChunked: true,
    stream: (sink) => {
      let hasLeft = false;
      void send(made, sink, () => hasLeft, log);
      return { close: () => void (hasLeft = true) };
    },
  };
}

async function send(
  made: ExportedTs,
  sink: HttpBodySink,
  hasLeft: () => boolean,
  log: Logger,
): Promise<void> {
  try {
    for await (const piece of made.read()) {
      while (!hasLeft() && sink.queuedBytes() > MAX_QUEUED_BYTES) await made.pause(LOOK_MS);
      if (hasLeft()) return;
      sink.write(piece);
    }
    sink.end();
  } catch (caught) {
    if (hasLeft()) return;
    log.warn("a download from the archive ended early", {
      error: asMediaError(caught)?.message ?? String(caught),
    });
    sink.abort();
  }
}

/** What browsers call it: the last part of the stream's name, and the span. */
function fileName(path: string): string {
  return path
    .split("/")
    .slice(-2)
    .join("-")
    .replaceAll(/[^A-Za-z0-9._-]/g, "_");
}
