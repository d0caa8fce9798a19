/** The packets of an MP4 file, for tests of what writes packets. */
import { readFileSync } from "node:fs";
import type { SourcePacket } from "../../src/media/packet.ts";
import type { TrackSet } from "../../src/media/track.ts";
import { readMediaFile } from "../../src/vod/media-file.ts";
import { MemorySource } from "./memory-source.ts";

/** A file's packets in order of decode time over all tracks. */
export type FilePackets = { readonly tracks: TrackSet; readonly packets: readonly SourcePacket[] };

/** Reads a whole file; it has to fit into memory several times over. */
export async function filePackets(path: string): Promise<FilePackets> {
  const bytes = readFileSync(path);
  const file = await readMediaFile(new MemorySource(bytes));
  const packets: SourcePacket[] = [];
  for (const indexed of file.tracks) {
    const { first, end, samples } = indexed;
    const table = indexed.table(first, end);
    let dts = table.baseDts;
    for (let i = 0; i < table.count; i++) {
      const at = samples.offsetAt(first + i);
      packets.push({
        track: table.track,
        dts,
        pts: dts + table.ctsOffsets[i]!,
        durationTicks: table.durations[i]!,
        isSync: table.syncFlags[i] === 1,
        payload: Uint8Array.from(bytes.subarray(at, at + table.sizes[i]!)),
      });
      dts += table.durations[i]!;
    }
  }
  const seconds = ({ dts, track }: SourcePacket): number => dts / track.timescale;
  return { tracks: file.trackSet, packets: packets.toSorted((a, b) => seconds(a) - seconds(b)) };
}
