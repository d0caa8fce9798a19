import { readFourCc, readU32 } from "../../base/bytes.ts";
import { buildTrack } from "../../codecs/track.ts";
import { readInitTracks } from "../../containers/mp4/movie.ts";
import { trackIdOf } from "../../containers/mp4/track-number.ts";
import type { Track } from "../../media/track.ts";
import type { ArchiveFile } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";

/** What is read of a media file to find its init segment; most have less than 2 KiB. */
const FIRST_READ_BYTES = 4096;
/** No init segment of ours has more. */
const MAX_INIT_BYTES = 8 * 1024 * 1024;
/** What tells the facts of codecs whose configuration does not. */
const FIRST_FRAME_BYTES = 4096;

/** The beginning of a media file. */
export type MediaHead = { readonly init: Uint8Array; readonly tracks: readonly Track[] };

/**
 * Reads the init segment of a media file, and what tracks it has: those that were recorded, with the same ids.
 *
 * Throws: DVR_BAD_MEDIA, MP4_*, CODEC_*, DVR_DISK_FAILED.
 */
export async function readMediaHead(file: ArchiveFile): Promise<MediaHead> {
  const init = await readInit(file);
  const moov = init.subarray(readU32(init, 0));
  const found = readInitTracks(moov);
  const tracks: Track[] = [];
  for (const { number, sampleEntry, timescale, language } of found) {
    const id = trackIdOf(number);
    if (id === null) throw badMedia(file, `there is no track ${number} in an archive`);
    const { codec, config } = sampleEntry;
    const firstFrame = config.byteLength === 0 ? await readFirstFrame(file, init.byteLength, number) : null;
    tracks.push(
      buildTrack({
        id,
        codec,
        config,
        timescale,
        language,
        ...(firstFrame === null ? {} : { firstFrame }),
      }),
    );
  }
  return { init, tracks };
}

async function readInit(file: ArchiveFile): Promise<Uint8Array> {
  let head = new Uint8Array(FIRST_READ_BYTES);
  head = head.subarray(0, await file.read(0, head));
  const ftypBytes = sizeOfBox(file, head, 0, "ftyp");
  const moovBytes = sizeOfBox(file, head, ftypBytes, "moov");
  const bytes = ftypBytes + moovBytes;
  if (bytes > MAX_INIT_BYTES) throw badMedia(file, `its init segment has ${bytes} bytes`);
  if (bytes <= head.byteLength) return head.subarray(0, bytes);
  const init = new Uint8Array(bytes);
  if ((await file.read(0, init)) < bytes) throw badMedia(file, "it ends within its init segment");
  return init;
}

function sizeOfBox(file: ArchiveFile, head: Uint8Array, at: number, type: string): number {
  if (at + 8 > head.byteLength) throw badMedia(file, `it ends in front of its "${type}"`);
  const bytes = readU32(head, at);
  if (readFourCc(head, at + 4) !== type || bytes < 8)
    throw badMedia(file, `there is no "${type}" at byte ${at}`);
  return bytes;
}

/** The beginning of the first chunk of a track: its first frame, and what follows. */
async function readFirstFrame(file: ArchiveFile, from: number, number: number): Promise<Uint8Array | null> {
  const head = new Uint8Array(FIRST_FRAME_BYTES * 2);
  const sizeBytes = await file.sizeBytes();
  for (let at = from, tries = 0; at + 16 < sizeBytes && tries < 16; tries++) {
    const got = await file.read(at, head);
    const moofBytes = readU32(head, 0);
    // moof, mfhd (16 bytes), traf, tfhd with its track_ID behind version and flags.
    if (readFourCc(head, 4) !== "moof" || moofBytes + 8 > got) return null;
    if (readU32(head, 8 + 16 + 8 + 12) === number) return head.slice(moofBytes + 8, got);
    at += moofBytes + readU32(head, moofBytes);
  }
  return null;
}

function badMedia({ path }: ArchiveFile, reason: string): Error {
  return dvrErrors.error("DVR_BAD_MEDIA", { path, reason });
}
