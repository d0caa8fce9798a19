import { rescale, usToTicks } from "../../base/time.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track, TrackKind } from "../../media/track.ts";
import { BoxWriter } from "./box-writer.ts";
import { packLanguage, threeLetterCode } from "./language-code.ts";
import { sampleAspectOf, writeSampleEntry } from "./sample-entry.ts";
import { trackNumber } from "./track-number.ts";

/** What an init segment may say besides its tracks. */
export type InitSegmentOptions = {
  /** Length of the whole presentation where it is known, as of a file; goes into `mehd`. */
  readonly durationUs?: number;
  /**
   * Where the presentation begins on the media timeline, the same for all tracks; goes into an edit list of each. Without
   * it, or with 0, there is none.
   */
  readonly startUs?: number;
  /** The other configurations of a track, whose samples say so by the indexes from 2 on. */
  readonly laterConfigs?: ReadonlyMap<TrackId, readonly Track[]>;
};

/** Ticks per second of the movie header, and so of `mehd`. */
const MOVIE_TIMESCALE = 1000;
/** Identity transformation, 16.16 and 2.30 fixed point. Spec: ISO/IEC 14496-12 section 6.2.2. */
const UNITY_MATRIX: readonly number[] = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

const HANDLERS: Readonly<Record<TrackKind, { type: string; name: string }>> = {
  video: { type: "vide", name: "VideoHandler" },
  audio: { type: "soun", name: "SoundHandler" },
  text: { type: "text", name: "TextHandler" },
};

/**
 * Builds the init segment of a selection of tracks: `ftyp` and a `moov` without samples.
 *
 * Track numbers come from the ids (`trackNumber`), so the same fragments fit every selection. Unless `startUs` is told
 * there is no edit list: the media timeline is the presentation timeline.
 * Ownership: the result is new. Throws: CODEC_BAD_CONFIG when a track's configuration is not one.
 * Spec: ISO/IEC 14496-12 sections 4.3, 8.2, 8.3, 8.4, 8.5, 8.6.6, 8.8; ISO/IEC 23000-19 section 7.3.1.
 */
export function buildInitSegment(tracks: readonly Track[], options: InitSegmentOptions = {}): Uint8Array {
  const boxes = new BoxWriter();
  writeFileType(boxes, tracks, options);
  boxes.box("moov", () => {
    writeMovieHeader(boxes, tracks);
    for (const track of tracks) writeTrack(boxes, track, options);
    writeMovieExtends(boxes, tracks, options);
  });
  return boxes.finish();
}

/** `cmfc` promises one track of one configuration (ISO/IEC 23000-19 section 7.2), so it is said of that only. */
function writeFileType(boxes: BoxWriter, tracks: readonly Track[], options: InitSegmentOptions): void {
  const compatible = ["iso6", "mp41"];
  if (tracks.length === 1 && (options.laterConfigs?.size ?? 0) === 0) compatible.push("cmfc");
  if (tracks.some((track) => track.codec === "av1")) compatible.push("av01");
  boxes.box("ftyp", () => {
    boxes.fourCc("iso6").u32(0);
    for (const brand of compatible) boxes.fourCc(brand);
  });
}

/** Spec: ISO/IEC 14496-12 section 8.2.2. */
function writeMovieHeader(boxes: BoxWriter, tracks: readonly Track[]): void {
  boxes.fullBox("mvhd", 0, 0, () => {
    boxes.u32(0).u32(0).u32(MOVIE_TIMESCALE).u32(0); // creation, modification, timescale, duration
    boxes.u32(0x10000).u16(0x0100).zeros(10); // rate, volume
    writeMatrix(boxes);
    boxes.zeros(24).u32(1 + Math.max(...tracks.map((track) => trackNumber(track.id)), 0)); // next_track_ID
  });
}

function writeMatrix(boxes: BoxWriter): void {
  for (const entry of UNITY_MATRIX) boxes.u32(entry);
}

function writeTrack(boxes: BoxWriter, track: Track, options: InitSegmentOptions): void {
  boxes.box("trak", () => {
    writeTrackHeader(boxes, track);
    writeEditList(boxes, track, options.startUs ?? 0);
    boxes.box("mdia", () => {
      writeMediaHeader(boxes, track);
      const handler = HANDLERS[track.kind];
      boxes.fullBox("hdlr", 0, 0, () => boxes.u32(0).fourCc(handler.type).zeros(12).cString(handler.name));
      if (needsExtendedLanguage(track)) boxes.fullBox("elng", 0, 0, () => boxes.cString(track.language));
      boxes.box("minf", () => {
        writeMediaInformation(boxes, track);
        writeSampleTable(boxes, [track, ...(options.laterConfigs?.get(track.id) ?? [])]);
      });
    });
  });
}

/** One edit of a duration of 0, which is for all fragments that follow. Spec: ISO/IEC 14496-12 section 8.6.6.1. */
function writeEditList(boxes: BoxWriter, track: Track, startUs: number): void {
  if (startUs <= 0) return;
  boxes.box("edts", () => {
    boxes.fullBox("elst", 1, 0, () => {
      boxes.u32(1).u64(0).u64(usToTicks(startUs, track.timescale)); // entry_count, segment_duration, media_time
      boxes.u16(1).u16(0); // media_rate
    });
  });
}

/** Spec: ISO/IEC 14496-12 section 8.3.2. Width and height are for display: the sample aspect is in them. */
function writeTrackHeader(boxes: BoxWriter, track: Track): void {
  const aspect = sampleAspectOf(track);
  const displayWidth = Math.min(0xffff, Math.round((track.width * aspect.width) / aspect.height));
  boxes.fullBox("tkhd", 0, 3, () => {
    boxes.u32(0).u32(0).u32(trackNumber(track.id)).zeros(4).u32(0); // creation, modification, track_ID, duration
    boxes.zeros(8).u16(0); // layer
    boxes.u16(track.kind === "audio" ? 1 : 0); // alternate_group: audio tracks stand in for each other
    boxes.u16(track.kind === "audio" ? 0x0100 : 0).zeros(2); // volume
    writeMatrix(boxes);
    boxes.u16(displayWidth).u16(0).u16(track.height).u16(0);
  });
}

/** Spec: ISO/IEC 14496-12 section 8.4.2. */
function writeMediaHeader(boxes: BoxWriter, track: Track): void {
  boxes.fullBox("mdhd", 0, 0, () => {
    boxes.u32(0).u32(0).u32(track.timescale).u32(0);
    boxes.u16(packLanguage(threeLetterCode(track.language))).u16(0);
  });
}

/** `elng` has the tag when three letters do not say all of it. Spec: ISO/IEC 14496-12 section 8.4.6. */
function needsExtendedLanguage(track: Track): boolean {
  return (
    track.language.includes("-") || (track.language !== "und" && threeLetterCode(track.language) === "und")
  );
}

/** Spec: ISO/IEC 14496-12 sections 8.4.5, 8.7.2. */
function writeMediaInformation(boxes: BoxWriter, track: Track): void {
  if (track.kind === "video") boxes.fullBox("vmhd", 0, 1, () => boxes.zeros(8));
  else if (track.kind === "audio") boxes.fullBox("smhd", 0, 0, () => boxes.zeros(4));
  else boxes.fullBox("nmhd", 0, 0, () => {});
  boxes.box("dinf", () => {
    boxes.fullBox("dref", 0, 0, () => boxes.u32(1).fullBox("url ", 0, 1, () => {}));
  });
}

/** No samples, and their descriptions. Spec: ISO/IEC 14496-12 section 8.5. */
function writeSampleTable(boxes: BoxWriter, configs: readonly Track[]): void {
  boxes.box("stbl", () => {
    boxes.fullBox("stsd", 0, 0, () => {
      boxes.u32(configs.length);
      for (const config of configs) writeSampleEntry(boxes, config);
    });
    boxes.fullBox("stts", 0, 0, () => boxes.u32(0));
    boxes.fullBox("stsc", 0, 0, () => boxes.u32(0));
    boxes.fullBox("stsz", 0, 0, () => boxes.u32(0).u32(0));
    boxes.fullBox("stco", 0, 0, () => boxes.u32(0));
  });
}

/** Spec: ISO/IEC 14496-12 sections 8.8.1 to 8.8.3. All defaults of samples stand in the fragments. */
function writeMovieExtends(boxes: BoxWriter, tracks: readonly Track[], options: InitSegmentOptions): void {
  const { durationUs } = options;
  boxes.box("mvex", () => {
    if (durationUs !== undefined) {
      boxes.fullBox("mehd", 1, 0, () =>
        boxes.u64(rescale(Math.max(0, durationUs), 1_000_000, MOVIE_TIMESCALE)),
      );
    }
    for (const track of tracks) {
      boxes.fullBox("trex", 0, 0, () => boxes.u32(trackNumber(track.id)).u32(1).zeros(12));
    }
  });
}
