import type { Cue, CueList } from "./cue.ts";
import { webVttErrors } from "./errors.ts";

/** What is read of one file. */
export const SUBTITLE_LIMITS = {
  /** A film has 100 KB; a day of captions 2 MB. */
  fileBytes: 4 * 2 ** 20,
  cues: 50_000,
  /** Of one cue; more is cut off. */
  textLength: 4096,
} as const;

/** `hh:mm:ss.ttt`, with hours or without; SubRip has a comma. Spec: WebVTT section 4.3. */
const TIME = /^(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})$/;
const ARROW = "-->";
/** SubRip's own: `{\an8}` and fonts. */
const SRT_ONLY = /\{\\[^}]{0,64}\}|<\/?font[^>]{0,256}>/gi;
const SETTING = /^(?:vertical|line|position|size|align):[\w.,%-]{1,40}$/;

/**
 * Reads a WebVTT file.
 *
 * Blocks that are no cue (`NOTE`, `STYLE`, `REGION`, broken times, no text) are left out; of those that should be one,
 * the number is told. Throws: WEBVTT_NO_HEADER, WEBVTT_LIMIT. Spec: WebVTT sections 4.1, 6.1.
 */
export function readWebVtt(bytes: Uint8Array): CueList {
  const lines = linesOf(bytes);
  if (!/^WEBVTT(?:[ \t].*)?$/.test(lines[0] ?? "")) throw webVttErrors.error("WEBVTT_NO_HEADER");
  return readBlocks(lines.slice(1), false);
}

/** Reads a SubRip file, as far as it is one: there is no standard of it. Throws: WEBVTT_LIMIT. */
export function readSubRip(bytes: Uint8Array): CueList {
  return readBlocks(linesOf(bytes), true);
}

/** UTF-8; UTF-16 where a byte order mark says so; else Windows-1252, which old subtitles are in. */
function linesOf(bytes: Uint8Array): string[] {
  if (bytes.byteLength > SUBTITLE_LIMITS.fileBytes) {
    throw webVttErrors.error("WEBVTT_LIMIT", {
      what: "the length of subtitles in bytes",
      value: bytes.byteLength,
      limit: SUBTITLE_LIMITS.fileBytes,
    });
  }
  return decode(bytes)
    .replaceAll("\0", "\ufffd")
    .split(/\r\n|\r|\n/);
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function readBlocks(lines: readonly string[], isSubRip: boolean): CueList {
  const cues: Cue[] = [];
  let skipped = 0;
  for (let at = 0; at < lines.length; at++) {
    if (!lines[at]!.includes(ARROW)) continue;
    const times = readTimes(lines[at]!);
    const text: string[] = [];
    let length = 0;
    while (at + 1 < lines.length && lines[at + 1] !== "" && !lines[at + 1]!.includes(ARROW)) {
      const line = lines[++at]!;
      length += line.length + 1;
      if (length <= SUBTITLE_LIMITS.textLength) text.push(line);
    }
    // A cue whose number follows the one before without an empty line between.
    if (isSubRip && lines[at + 1]?.includes(ARROW) === true && /^\d+$/.test(text.at(-1) ?? "")) text.pop();
    const whole = isSubRip ? cleanSubRip(text) : text.join("\n");
    if (times === null || whole === "") {
      skipped++;
      continue;
    }
    cues.push({ ...times, text: whole });
    if (cues.length > SUBTITLE_LIMITS.cues) {
      const limit = SUBTITLE_LIMITS.cues;
      throw webVttErrors.error("WEBVTT_LIMIT", { what: "a number of cues", value: cues.length, limit });
    }
  }
  return { cues: cues.sort((a, b) => a.startUs - b.startUs), skipped };
}

function cleanSubRip(lines: readonly string[]): string {
  return (
    lines
      // What is left may have come together to an arrow.
      .map((line) => line.replace(SRT_ONLY, "").replaceAll(ARROW, "--&gt;").trim())
      .filter((line) => line !== "")
      .join("\n")
      .replace(/&(?![a-z]{2,6};|#\d{1,7};)/gi, "&amp;")
  );
}

/** The line `from --> to settings`; `null` when it is none, or ends before it begins. */
function readTimes(line: string): Omit<Cue, "text"> | null {
  const arrow = line.indexOf(ARROW);
  const [end = "", ...settings] = line
    .slice(arrow + ARROW.length)
    .trim()
    .split(/[ \t]+/);
  const [startUs, endUs] = [readTime(line.slice(0, arrow).trim()), readTime(end)];
  if (startUs === null || endUs === null || endUs <= startUs) return null;
  return { startUs, endUs, settings: settings.filter((setting) => SETTING.test(setting)).join(" ") };
}

function readTime(text: string): number | null {
  const time = TIME.exec(text);
  if (time === null) return null;
  const [, hours = "0", minutes = "0", seconds = "0", fraction = "0"] = time;
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return whole * 1_000_000 + Number(fraction.padEnd(3, "0")) * 1000;
}
