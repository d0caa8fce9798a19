/** What a server needs to give its archives to others of its cluster: loaded when the first of them asks. */
import type { Clock } from "../../base/clock.ts";
import { diskKeepFiles } from "../keep/storages/disk-keep-files.ts";
import { diskFiles } from "../storages/disk-files.ts";
import { replicateErrors } from "./errors.ts";
import { offeredHours, offeredRange } from "./offered-archive.ts";
import type { OfferedRange } from "./offered-archive.ts";
import { RootStreams } from "./offered-streams.ts";
import { buildHourListing, buildStreamListing } from "./peer-listing.ts";
import type { OfferedHour } from "./peer-listing.ts";
import { parsePeerPath } from "./peer-paths.ts";
import { checkSignature } from "./signature.ts";

/** The archives on this machine's disks, as others ask for them. */
export const offers = {
  checkSignature,
  parsePath: parsePeerPath,
  rootStreams: (clock: Clock): RootStreams => new RootStreams(diskKeepFiles, clock),
  streamListing: buildStreamListing,
  hourListing: buildHourListing,
  hours: (
    folder: string,
    span: { readonly from: number; readonly to: number },
  ): Promise<readonly OfferedHour[]> => offeredHours(diskFiles, folder, span),
  range: (
    place: { readonly folder: string; readonly name: string; readonly file: string },
    wanted: { readonly offset: number; readonly maxBytes: number },
  ): Promise<OfferedRange> => offeredRange(diskFiles, place, wanted),
  noFile: (name: string, path: string): Error => replicateErrors.error("DVR_PEER_NO_FILE", { name, path }),
};
