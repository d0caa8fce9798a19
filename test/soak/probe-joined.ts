/** What ffprobe says of all that the archive has, joined as players do. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import type { ArchiveViewer } from "./archive-viewer.ts";

const ARGS = ["-v", "warning", "-show_entries", "packet=codec_type", "-of", "csv=p=0"];

/** Returns: what is wrong with the stream's archive from a time on, one line each. */
export async function probeJoined(viewer: ArchiveViewer, fromS: number): Promise<string[]> {
  const playlist = await viewer.load(`archive-${fromS}-now.m3u8`);
  if (playlist?.status !== 200) return [];
  const { segments } = parsePlaylistText(playlist.body.toString());
  const pieces: Buffer[] = [];
  for (const name of [segments[0]?.map, ...segments.map(({ uri }) => uri)]) {
    if (name === null || name === undefined) continue;
    const reply = await viewer.load(name);
    if (reply?.status !== 200)
      return [`${name} cannot be loaded to be probed: ${reply?.status ?? "no answer"}`];
    pieces.push(reply.body);
  }
  const folder = await mkdtemp(join(tmpdir(), "weir-joined-"));
  try {
    const path = join(folder, "joined.mp4");
    await writeFile(path, Buffer.concat(pieces));
    const { stdout, stderr } = await runTool("ffprobe", [...ARGS, path], 120_000);
    const pictures = stdout.split("\n").filter((line) => line.startsWith("video")).length;
    return [
      ...(stderr.trim() === ""
        ? []
        : [`ffprobe says of ${segments.length} segments: ${stderr.slice(0, 500)}`]),
      ...(pictures > 0 ? [] : [`ffprobe finds no pictures in ${segments.length} segments`]),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
