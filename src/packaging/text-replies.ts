import type { HttpReply } from "../base/http-message.ts";
import type { Cue } from "../containers/webvtt/cue.ts";
import { writeWebVtt } from "../containers/webvtt/writer.ts";
import { CORS, entityTag } from "./playlist-replies.ts";
import type { TextTrack } from "./presentation.ts";

const encoder = new TextEncoder();

/** What people choose subtitles by: the language, and the place among those that are offered, from 0. */
export function textLabel({ language }: TextTrack, index: number): string {
  return `${language === "und" ? "Subtitles" : language} ${index + 1}`;
}

/**
 * Answers with cues as WebVTT. `version`: of what plays, see `Presentation`; `name`: of these cues among all that has
 * that version. `mpegTsTicks`: as `writeWebVtt` has it.
 */
export function webVttReply(
  cues: readonly Cue[],
  about: { readonly version: string | null; readonly name: string; readonly mpegTsTicks: number | null },
): HttpReply {
  const { version, name, mpegTsTicks } = about;
  const bytes = encoder.encode(writeWebVtt(cues, mpegTsTicks));
  return {
    status: 200,
    headers: [
      ["content-type", "text/vtt; charset=utf-8"],
      ["cache-control", "public, max-age=60"],
      ...(version === null ? [] : entityTag(`${version}-${name}`)),
      ...CORS,
    ],
    body: [bytes],
    ownBytes: bytes.byteLength,
  };
}
