import { readU16, readU32 } from "../../base/bytes.ts";
import { asMediaError } from "../../base/errors.ts";
import type { TrackKind } from "../../media/track.ts";
import { boxError, findBox, findPath, needBox, needBytes, printableType } from "./box-reader.ts";
import { versionOf, visitBoxes } from "./box-reader.ts";
import type { Box } from "./box-reader.ts";
import { NO_EDIT, readEditList } from "./edit-list.ts";
import type { Edit } from "./edit-list.ts";
import { mp4Errors } from "./errors.ts";
import { readFragment, readFragmentDefaults } from "./fragment-reader.ts";
import type { FragmentedTrack } from "./fragment-reader.ts";
import { MP4_LIMITS } from "./limits.ts";
import type { ReadSteps } from "./random-access.ts";
import { readSampleEntry } from "./sample-entry-reader.ts";
import type { SampleEntry } from "./sample-entry-reader.ts";
import { SampleTableBuilder } from "./sample-table-builder.ts";
import { readSampleTable } from "./sample-table-reader.ts";
import type { SampleTable } from "./sample-table.ts";
import { TopLevelReader } from "./top-level.ts";
import type { TopLevelBox } from "./top-level.ts";

/** A track of a file that can be served. */
export type MovieTrack = {
  /** track_ID. */
  readonly number: number;
  readonly kind: TrackKind;
  readonly sampleEntry: SampleEntry;
  /** Ticks per second of the track's own times. */
  readonly timescale: number;
  /** BCP 47 tag. */
  readonly language: string;
  readonly edit: Edit;
  readonly samples: SampleTable;
};

/** What an MP4 file holds. */
export type Movie = {
  /** Ticks per second of edit lists' durations and delays. */
  readonly timescale: number;
  /** In the order of the file; not empty, and none is without samples. */
  readonly tracks: readonly MovieTrack[];
  /** Sentences about what was left out or put right. */
  readonly notices: readonly string[];
  /** The file ends before its last fragment does, most often because somebody still writes it. */
  readonly isCutOff: boolean;
};

type OpenTrack = Omit<MovieTrack, "samples"> & { readonly fragments: BuiltTrack; table: SampleTable };

type BuiltTrack = FragmentedTrack & { readonly builder: SampleTableBuilder };

/**
 * Reads the index of an MP4 file: `moov` at either end, and the `moof` of every fragment. Media data are hopped over.
 *
 * Tracks of other kinds than video, audio and text, and of codecs that are not served, are left out with a notice. A file
 * that is cut off, or still being written, is refused where its `moov` says what is missing, and otherwise plays its
 * whole fragments.
 * Run it with `readFrom` or `readFromBytes`. Throws: MP4_* errors with the place of what is wrong.
 * Spec: ISO/IEC 14496-12 sections 4.2, 6.2, 8.2 to 8.8.
 */
export function* readMovie(fileBytes: number): ReadSteps<Movie> {
  const reader = new TopLevelReader(fileBytes);
  const notices: string[] = [];
  let movie: OpenMovie | null = null;
  let fragmentsBefore = 0;
  /** A `moof` whose media follow. */
  let pending: Box | null = null;
  for (let box = yield* reader.next(); box !== null; box = yield* nextBox(reader, movie, notices)) {
    const isWhole = box.offset + box.sizeBytes <= fileBytes;
    if (box.type === "moov" && movie === null) {
      movie = openMovie(yield* reader.read(box, MP4_LIMITS.moovBytes), fileBytes, notices);
    } else if (movie === null) {
      if (!isWhole) throw cutOff(box, fileBytes);
      if (box.type === "moof") fragmentsBefore++;
    } else {
      const isMediaOfFragment = box.type === "mdat" && pending !== null;
      if (!isWhole && (box.type === "moof" || isMediaOfFragment)) {
        movie.cutOff(box);
        if (isMediaOfFragment) pending = null;
        break;
      }
      if (pending !== null) movie.addFragment(pending);
      pending = box.type === "moof" ? yield* reader.read(box, MP4_LIMITS.moofBytes) : null;
    }
  }
  if (movie === null) throw noMovie(fragmentsBefore);
  if (pending !== null) movie.addFragment(pending);
  return movie.finish();
}

/** A track of an init segment. */
export type InitTrack = Omit<MovieTrack, "edit" | "samples">;

/**
 * The tracks that a `moov` tells of, whether it has samples of them or not.
 *
 * `moov`: the whole box. Throws: MP4_* errors with the place of what is wrong.
 * Spec: ISO/IEC 14496-12 sections 8.2 to 8.8.
 */
export function readInitTracks(moov: Uint8Array): readonly InitTrack[] {
  const notices: string[] = [];
  const box = { type: "moov", bytes: moov, start: 8, end: moov.byteLength, base: 0, offset: 0 };
  const tracks = readTracks(box, moov.byteLength, notices);
  if (notices.length > 0) throw mp4Errors.error("MP4_NO_TRACKS", { reason: reasonOf(notices) });
  return tracks.map(({ number, kind, sampleEntry, timescale, language }) => {
    return { number, kind, sampleEntry, timescale, language };
  });
}

/** What comes after the index cannot make a good file bad: the walk just ends there. */
function* nextBox(
  reader: TopLevelReader,
  movie: OpenMovie | null,
  notices: string[],
): ReadSteps<TopLevelBox | null> {
  try {
    return yield* reader.next();
  } catch (caught) {
    const error = asMediaError(caught);
    if (movie === null || error === null || error.code !== "MP4_BOX_SIZE") throw caught;
    notices.push(error.message);
    return null;
  }
}

function cutOff(box: TopLevelBox, fileBytes: number): Error {
  const reason = `it is cut off in its "${box.type}", after ${fileBytes} bytes, or still being written`;
  return mp4Errors.error("MP4_NO_MOOV", { reason });
}

function noMovie(fragmentsBefore: number): Error {
  const reason =
    fragmentsBefore > 0 ? "it has fragments without an init segment" : "the recording was not finished";
  return mp4Errors.error("MP4_NO_MOOV", { reason });
}

/** A movie whose fragments are still being read. */
type OpenMovie = { addFragment(moof: Box): void; cutOff(box: TopLevelBox): void; finish(): Movie };

function openMovie(moov: Box, fileBytes: number, notices: string[]): OpenMovie {
  if (findBox(moov, "cmov") !== null)
    throw mp4Errors.error("MP4_UNSUPPORTED", { what: "a compressed index" });
  const mvhd = needBox(moov, "mvhd");
  const timescale = readTimescale(mvhd, versionOf(mvhd) === 1 ? 20 : 12);
  const tracks = readTracks(moov, fileBytes, notices);
  const byNumber = new Map<number, FragmentedTrack>();
  for (const track of tracks) byNumber.set(track.number, track.fragments);
  let isFragmented = false;
  let isCutOff = false;
  return {
    addFragment(moof) {
      if (!isFragmented) for (const track of tracks) track.fragments.builder.addTable(track.table);
      isFragmented = true;
      readFragment(moof, byNumber);
    },
    cutOff({ type, offset }) {
      isCutOff = true;
      notices.push(`the file is cut off, or still being written, in a "${type}" at byte ${offset}`);
    },
    finish() {
      const whole: MovieTrack[] = [];
      for (const { table, fragments, ...rest } of tracks) {
        const samples = isFragmented ? fragments.builder.finish() : table;
        isCutOff ||= isFragmented && fragments.builder.beyond > 0;
        // The edit lists of a file that goes on in fragments know the length of what stands in the moov only.
        const edit = isFragmented ? { ...rest.edit, durationMovieTicks: 0 } : rest.edit;
        if (samples.count > 0) whole.push({ ...rest, edit, samples });
        else notices.push(`track ${rest.number} has no frames`);
      }
      if (whole.length === 0) throw mp4Errors.error("MP4_NO_TRACKS", { reason: reasonOf(notices) });
      return { timescale, tracks: whole, notices, isCutOff };
    },
  };
}

function reasonOf(notices: readonly string[]): string {
  return notices.length === 0 ? "it has no tracks at all" : notices.slice(0, 4).join("; ");
}

function readTracks(moov: Box, fileBytes: number, notices: string[]): OpenTrack[] {
  const mvex = findBox(moov, "mvex");
  const defaults = mvex === null ? new Map() : readFragmentDefaults(mvex);
  const tracks: OpenTrack[] = [];
  let count = 0;
  visitBoxes(moov, ["trak"], (trak) => {
    if (++count > MP4_LIMITS.tracks) {
      throw mp4Errors.error("MP4_LIMIT", {
        what: "a number of tracks",
        value: count,
        limit: MP4_LIMITS.tracks,
      });
    }
    const notice = (text: string): void => void notices.push(`track ${count}: ${text}`);
    const track = readTrack(trak, fileBytes, notice);
    if (track === null) return;
    if (tracks.some((other) => other.number === track.number)) {
      throw boxError(trak, `there are two tracks with the number ${track.number}`);
    }
    const context = { fileBytes, timescale: track.timescale, notice };
    const fragments = {
      defaults: defaults.get(track.number) ?? { durationTicks: 0, sizeBytes: 0, flags: 0 },
      builder: new SampleTableBuilder(context),
    };
    tracks.push({ ...track, fragments });
  });
  return tracks;
}

const KINDS: Readonly<Record<string, TrackKind>> = {
  vide: "video",
  soun: "audio",
  sbtl: "text",
  subt: "text",
  text: "text",
};

function readTrack(
  trak: Box,
  fileBytes: number,
  notice: (text: string) => void,
): (Omit<OpenTrack, "fragments"> & { table: SampleTable }) | null {
  const mdia = needBox(trak, "mdia");
  const hdlr = needBox(mdia, "hdlr");
  needBytes(hdlr, 0, 12);
  const handler = printableType(hdlr.bytes, hdlr.start + 8);
  const kind = Object.hasOwn(KINDS, handler) ? KINDS[handler] : undefined;
  if (kind === undefined) {
    notice(`a track of the kind "${handler}" is left out`);
    return null;
  }
  const stbl = findPath(mdia, "minf", "stbl");
  if (stbl === null) throw boxError(mdia, 'it holds no "minf" with an "stbl"');
  try {
    const sampleEntry = readSampleEntry(needBox(stbl, "stsd"), kind);
    checkDataReference(mdia);
    const number = readTrackNumber(needBox(trak, "tkhd"));
    const mdhd = needBox(mdia, "mdhd");
    const timescale = readTimescale(mdhd, versionOf(mdhd) === 1 ? 20 : 12);
    const elst = findPath(trak, "edts", "elst");
    const edit = elst === null ? NO_EDIT : readEditList(elst);
    if (edit.ignored > 0) notice(`${edit.ignored} more edits of its edit list are passed over`);
    const language = readLanguage(mdia, mdhd);
    const table = readSampleTable(stbl, { fileBytes, timescale, notice });
    return { number, kind, sampleEntry, timescale, language, edit, table };
  } catch (caught) {
    const error = asMediaError(caught);
    // A film plays without its subtitles, however broken they are.
    if (error === null || (error.code !== "MP4_UNSUPPORTED" && kind !== "text")) throw caught;
    notice(error.message);
    return null;
  }
}

/** Media in other files cannot be reached. Spec: ISO/IEC 14496-12 section 8.7.2. */
function checkDataReference(mdia: Box): void {
  const dref = findPath(mdia, "minf", "dinf", "dref");
  if (dref === null) return;
  needBytes(dref, 0, 8);
  const entries = { ...dref, start: dref.start + 8 };
  visitBoxes(entries, ["url ", "urn ", "alis"], (entry) => {
    needBytes(entry, 0, 4);
    const isSelfContained = (readU32(entry.bytes, entry.start) & 1) === 1;
    if (!isSelfContained)
      throw mp4Errors.error("MP4_UNSUPPORTED", { what: "a track with its media in another file" });
  });
}

function readTrackNumber(tkhd: Box): number {
  const at = versionOf(tkhd) === 1 ? 20 : 12;
  needBytes(tkhd, at, 4);
  return readU32(tkhd.bytes, tkhd.start + at);
}

function readTimescale(box: Box, at: number): number {
  needBytes(box, at, 4);
  const timescale = readU32(box.bytes, box.start + at);
  if (timescale === 0) throw boxError(box, "its timescale is 0");
  return timescale;
}

/** `elng` if there is one, else the three letters of `mdhd`. Spec: ISO/IEC 14496-12 sections 8.4.2.3, 8.4.6. */
function readLanguage(mdia: Box, mdhd: Box): string {
  const elng = findBox(mdia, "elng");
  if (elng !== null) {
    needBytes(elng, 0, 4);
    const text = Buffer.from(elng.bytes.subarray(elng.start + 4, Math.min(elng.end, elng.start + 68)));
    return canonicalLanguage(text.toString("latin1").split("\0", 1)[0]!);
  }
  const at = versionOf(mdhd) === 1 ? 32 : 20;
  needBytes(mdhd, at, 2);
  const packed = readU16(mdhd.bytes, mdhd.start + at);
  const letter = (shift: number): string => String.fromCharCode(0x60 + ((packed >>> shift) & 31));
  return canonicalLanguage(letter(10) + letter(5) + letter(0));
}

/** The shortest form of a language tag: `eng` is `en`. `und` for anything that is none, as QuickTime's own codes. */
function canonicalLanguage(tag: string): string {
  if (!/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/.test(tag)) return "und";
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "und";
  } catch {
    return "und";
  }
}
