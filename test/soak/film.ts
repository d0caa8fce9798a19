/** What every publisher of the soak sends: the repository's sample, padded to a bit rate that fills sockets. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { concatBytes, writeU32 } from "../../src/base/bytes.ts";
import { rescale, ticksToUs } from "../../src/base/time.ts";
import { FLV_TAG } from "../../src/containers/flv/file-writer.ts";
import { buildConfigBody, buildFrameBody } from "../../src/containers/flv/tag-writer.ts";
import { readBlocks } from "../../src/vod/block-reader.ts";
import type { IndexedTrack } from "../../src/vod/indexed-track.ts";
import { readMediaFile } from "../../src/vod/media-file.ts";
import { MemorySource } from "../support/memory-source.ts";

/** One FLV tag body and when it is due in a round of the film. */
export type FilmMessage = { readonly typeId: number; readonly timeMs: number; readonly body: Uint8Array };

/** A film that is sent round by round. */
export type Film = {
  /** Sequence headers, sent once in front. */
  readonly configs: readonly FilmMessage[];
  /** In order of time. */
  readonly messages: readonly FilmMessage[];
  readonly durationMs: number;
};

const SAMPLE = resolve(import.meta.dirname, "../../samples/sample.mp4");

/** Filler data. Spec: ITU-T H.264 table 7-1, section 7.3.2.7. */
const FILLER_NALU = 12;

/**
 * Reads the sample and pads each picture to `pictureBytes` with a NAL unit of filler data, as encoders of constant
 * bit rate do: the sample alone is so small that a viewer who stops reading would never fill the kernel's buffers.
 */
export async function loadFilm(pictureBytes: number): Promise<Film> {
  const file = await readMediaFile(new MemorySource(await readFile(SAMPLE)));
  const messages: FilmMessage[] = [];
  const configs: FilmMessage[] = [];
  const blocks = await readBlocks(file.source, file.tracks);
  for (const [index, indexed] of file.tracks.entries()) {
    const config = buildConfigBody(indexed.track);
    if (config !== null) configs.push({ typeId: tagTypeOf(indexed), timeMs: 0, body: config });
    messages.push(...messagesOf(indexed, blocks[index]!, pictureBytes));
  }
  return {
    configs,
    messages: messages.toSorted((a, b) => a.timeMs - b.timeMs),
    durationMs: Math.round((file.endUs - file.startUs) / 1000),
  };
}

function messagesOf(indexed: IndexedTrack, block: Uint8Array, pictureBytes: number): FilmMessage[] {
  const { track, first, end } = indexed;
  const run = indexed.table(first, end);
  const messages: FilmMessage[] = [];
  let dts = run.baseDts;
  let offset = 0;
  for (let i = 0; i < run.count; i++) {
    const frame = block.subarray(offset, (offset += run.sizes[i]!));
    const flags = {
      isKey: run.syncFlags[i] === 1,
      ctsOffsetMs: rescale(run.ctsOffsets[i]!, track.timescale, 1000),
    };
    const payload = track.kind === "video" ? padded(frame, pictureBytes) : frame;
    const timeMs = Math.floor(ticksToUs(dts, track.timescale) / 1000);
    messages.push({ typeId: tagTypeOf(indexed), timeMs, body: buildFrameBody(track, flags, payload) });
    dts += run.durations[i]!;
  }
  return messages;
}

function tagTypeOf({ track }: IndexedTrack): number {
  return track.kind === "video" ? FLV_TAG.video : FLV_TAG.audio;
}

/** The access unit with filler data behind its last NAL unit; unchanged when it is as long already. */
function padded(picture: Uint8Array, pictureBytes: number): Uint8Array {
  const fillerBytes = pictureBytes - picture.byteLength - 4;
  if (fillerBytes < 2) return picture;
  const filler = new Uint8Array(4 + fillerBytes).fill(0xff);
  writeU32(filler, 0, fillerBytes);
  filler[4] = FILLER_NALU;
  filler[filler.byteLength - 1] = 0x80;
  return concatBytes([picture, filler]);
}
