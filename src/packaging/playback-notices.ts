import type { OutputRequest } from "./http-output.ts";
import type { Timeline } from "./presentation.ts";
import { rareAudio } from "./rare-audio.ts";

/**
 * Says of what plays what a publisher can do better: qualities with key frames of their own, and sound that browsers cannot
 * play. Who asks says each sentence once.
 */
export function noticePlayback(
  { tracks, randomAccess }: Timeline,
  asked: Pick<OutputRequest, "notice">,
): void {
  if (asked.notice === undefined) return;
  for (const { id, width, height } of tracks.tracks) {
    if (randomAccess?.unaligned.includes(id) !== true) continue;
    asked.notice(
      `quality ${id} (${width}x${height}) has no key frame where ${tracks.reference.id} is cut: players may stop for ` +
        "a moment when they change to it, and DASH has it as a picture of its own; encode all qualities with the same key frames",
    );
  }
  for (const { id, codec } of rareAudio(tracks.tracks, "cmaf")) {
    const other = codec === "mp3" ? "; in MPEG-TS (index.ts.m3u8) more of them play it" : "";
    asked.notice(
      `sound ${id} is ${codec}, which browsers hardly play in CMAF: they show the picture without it${other}; publish AAC ` +
        "beside it or instead",
    );
  }
}
