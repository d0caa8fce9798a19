import type { Cue } from "./cue.ts";

/**
 * Writes a WebVTT file, or a segment of one.
 *
 * `mpegTsTicks`: what the time 0 of the cues is on the clock of the media they belong to, at 90 kHz.
 * Spec: WebVTT section 4.1; RFC 8216 section 3.5.
 */
export function writeWebVtt(cues: readonly Cue[], mpegTsTicks: number | null = null): string {
  const map = mpegTsTicks === null ? "" : `X-TIMESTAMP-MAP=MPEGTS:${mpegTsTicks},LOCAL:00:00:00.000\n`;
  const blocks = cues.map(({ startUs, endUs, text, settings }) => {
    const times = `${formatTime(startUs)} --> ${formatTime(endUs)}${settings === "" ? "" : ` ${settings}`}`;
    return `\n${times}\n${text}\n`;
  });
  return `WEBVTT\n${map}${blocks.join("")}`;
}

/** The cues that are shown at some time of `[startUs, endUs)`. */
export function cuesBetween(cues: readonly Cue[], startUs: number, endUs: number): readonly Cue[] {
  return cues.filter((cue) => cue.startUs < endUs && cue.endUs > startUs);
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, "0");
}

function formatTime(us: number): string {
  const ms = Math.round(us / 1000);
  const clock = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}`;
  return `${clock}.${String(ms % 1000).padStart(3, "0")}`;
}
