import type { HttpReply } from "../base/http-message.ts";
import type { Vods } from "../vod/late-library.ts";
import type { DownloadedFile } from "../vod/vod.ts";

/** What may be had: what people keep beside each other in a folder of films. Other files are nobody's business. */
const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ["mp4", "video/mp4"],
  ["m4v", "video/mp4"],
  ["mov", "video/quicktime"],
  ["3gp", "video/3gpp"],
  ["m4a", "audio/mp4"],
  ["mp3", "audio/mpeg"],
  ["aac", "audio/aac"],
  ["mkv", "video/matroska"],
  ["webm", "video/webm"],
  ["ts", "video/mp2t"],
  ["flv", "video/x-flv"],
  ["vtt", "text/vtt; charset=utf-8"],
  ["srt", "application/x-subrip"],
]);

/** The type of a file that may be downloaded, by its name; `null` for any other. */
export function downloadType(path: string): string | null {
  const dot = path.lastIndexOf(".");
  return dot <= path.lastIndexOf("/") + 1
    ? null
    : (CONTENT_TYPES.get(path.slice(dot + 1).toLowerCase()) ?? null);
}

/** Answers with the file itself. Rejects with VOD_*. */
export async function downloadReply(
  vods: Pick<Vods, "download">,
  path: string,
  contentType: string,
): Promise<HttpReply> {
  const file = await vods.download(path);
  return {
    status: 200,
    headers: [
      ["content-type", contentType],
      ["last-modified", httpDate(file)],
      ["etag", `"${file.version}"`],
      ["cache-control", "public, max-age=60"],
      ["access-control-allow-origin", "*"],
      ["access-control-expose-headers", "content-length, content-range, accept-ranges, etag"],
    ],
    body: [],
    file,
  };
}

function httpDate({ modifiedMs }: DownloadedFile): string {
  return new Date(modifiedMs).toUTCString();
}
