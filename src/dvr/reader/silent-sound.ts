/**
 * Silence in the place of sound that a stretch of an archive does not have. What it is like stands in the URL itself, as a
 * note behind the name of the segment, so that whoever is asked for it makes the same bytes, whatever else is recorded:
 *
 *     seg-1767225600000-a1aac1190t44100.m4s     track a1, AAC, its configuration in hexadecimal, 44100 ticks a second
 *     seg-1767225600000-a1opus4f70...t48000lde-a2mp3fff324c0t44100.m4s     two of them; `l` is a language
 *
 * MPEG audio has no configuration: there the header of a frame of silence stands for it.
 */
import { ticksToUs, usToTicks } from "../../base/time.ts";
import { silentFrameOf } from "../../codecs/silence.ts";
import type { SilentFrame } from "../../codecs/silence.ts";
import { buildTrack } from "../../codecs/track.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Codec, Track } from "../../media/track.ts";
import { SilentGrid } from "../../packaging/silence/silent-grid.ts";

/** Sound that is nothing but silence. Its track is made of the note alone. */
export type SilentSound = {
  readonly track: Track;
  readonly note: string;
  readonly frame: SilentFrame;
};

/** A stretch of time. Units: microseconds. */
export type FilledSpan = { readonly startUs: number; readonly durationUs: number };

/** The frames that begin within a span, counted from the zero of the media clock; `end` is not one of them. */
type Frames = { readonly first: number; readonly end: number };

/** As many as `MAX_NOTES_LENGTH` has room for. */
const MAX_SOUNDS = 8;
const MAX_NOTE_LENGTH = 79;
/** No clock of an audio track is finer; with it, times are safe integers for longer than anybody records. */
const MAX_TIMESCALE = 1_000_000;
/** A URL that somebody made up may claim any: a second of silence has no more frames than one of sound. Units: Hz. */
const SAMPLE_RATES = { least: 7350, most: 192_000 };
/** No segment that is longer is filled: none that we have cut is. Units: microseconds. */
const MAX_FILLED_US = 600_000_000;
const FRAME_HEADER_BYTES = 4;

const NOTE = /^(a[1-9][0-9]?)(aac|mp3|opus)([0-9a-f]{4,60})t([1-9][0-9]{0,6})(?:l([a-z]{2,3}))?$/;

/** Silence like the sound of a track; `null`: there is none of its kind, or it is too long for a note. */
export function silenceLike(track: Track): SilentSound | null {
  const { id, codec, config, timescale, language } = track;
  const frame = track.kind === "audio" ? silentFrameOf(track) : null;
  if (frame === null) return null;
  const facts = codec === "mp3" ? frame.payload.subarray(0, FRAME_HEADER_BYTES) : config;
  const spoken = /^[a-z]{2,3}$/.test(language) && language !== "und" ? `l${language}` : "";
  return readNote(`${id}${codec}${Buffer.from(facts).toString("hex")}t${timescale}${spoken}`);
}

/** The sounds that a note behind a name tells, `-` between two; none where it is empty. `null`: it is no such note. */
export function parseNotes(text: string): readonly SilentSound[] | null {
  const notes = text === "" ? [] : text.split("-");
  if (notes.length > MAX_SOUNDS) return null;
  const sounds: SilentSound[] = [];
  for (const note of notes) {
    const sound = readNote(note);
    if (sound === null || sounds.some(({ track }) => track.id === sound.track.id)) return null;
    sounds.push(sound);
  }
  return sounds;
}

/** Sounds as `parseNotes` reads them. */
export function formatNotes(sounds: readonly SilentSound[]): string {
  return sounds.map(({ note }) => note).join("-");
}

function readNote(note: string): SilentSound | null {
  const match = note.length > MAX_NOTE_LENGTH ? null : NOTE.exec(note);
  if (match === null) return null;
  const [, id, codec, hex, ticks, language] = match;
  const facts = new Uint8Array(Buffer.from(hex!, "hex"));
  const timescale = Number(ticks);
  if (facts.byteLength * 2 !== hex!.length || timescale > MAX_TIMESCALE) return null;
  const track = trackOf(id as TrackId, codec as Codec, facts, { timescale, language });
  const frame = track === null ? null : silentFrameOf(track);
  if (track === null || frame === null) return null;
  const { sampleRate } = frame;
  return sampleRate < SAMPLE_RATES.least || sampleRate > SAMPLE_RATES.most ? null : { track, note, frame };
}

function trackOf(
  id: TrackId,
  codec: Codec,
  facts: Uint8Array,
  form: { readonly timescale: number; readonly language: string | undefined },
): Track | null {
  const { timescale, language = "und" } = form;
  const known = codec === "mp3" ? { config: new Uint8Array(0), firstFrame: facts } : { config: facts };
  try {
    return buildTrack({ id, codec, ...known, timescale, language });
  } catch {
    // Somebody has made up a URL.
    return null;
  }
}

/** Frames of silence that begin within a span. */
export function silentSamples(sound: SilentSound, span: FilledSpan): number {
  const { first, end } = framesOf(sound, span);
  return end - first;
}

/** Payload bytes of those frames. */
export function silentBytes(sound: SilentSound, span: FilledSpan): number {
  return silentSamples(sound, span) * sound.frame.payload.byteLength;
}

/** What those frames last together. Units: microseconds. */
export function silentUs(sound: SilentSound, span: FilledSpan): number {
  const { first, end } = framesOf(sound, span);
  const { timescale } = sound.track;
  const grid = new SilentGrid(sound.frame, timescale);
  return ticksToUs(grid.ticksOf(end) - grid.ticksOf(first), timescale);
}

/** Those frames as a fragment (`moof`, `mdat`); empty where there are none. Ownership: the result is new. */
export function silentFragment(sound: SilentSound, span: FilledSpan): Uint8Array {
  const { first, end } = framesOf(sound, span);
  const { track, frame } = sound;
  const count = end - first;
  if (count === 0) return new Uint8Array(0);
  const grid = new SilentGrid(frame, track.timescale);
  const { payload } = frame;
  const durations = new Uint32Array(count);
  const baseDts = grid.ticksOf(first);
  for (let n = 0, ticks = baseDts; n < count; n++) {
    const next = grid.ticksOf(first + n + 1);
    durations[n] = next - ticks;
    ticks = next;
  }
  const dataBytes = count * payload.byteLength;
  const header = buildFragmentHeader(1, [
    {
      ...{ track, baseDts, count, durations, dataBytes },
      sizes: new Uint32Array(count).fill(payload.byteLength),
      ctsOffsets: new Int32Array(count),
      syncFlags: new Uint8Array(count).fill(1),
    },
  ]);
  const fragment = new Uint8Array(header.byteLength + dataBytes);
  fragment.set(header);
  for (let n = 0; n < count; n++) fragment.set(payload, header.byteLength + n * payload.byteLength);
  return fragment;
}

function framesOf({ track, frame }: SilentSound, { startUs, durationUs }: FilledSpan): Frames {
  if (durationUs > MAX_FILLED_US) return { first: 0, end: 0 };
  const { timescale } = track;
  const grid = new SilentGrid(frame, timescale);
  const first = grid.indexFrom(usToTicks(startUs, timescale));
  return { first, end: Math.max(first, grid.indexFrom(usToTicks(startUs + durationUs, timescale))) };
}
