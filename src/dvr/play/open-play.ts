import type { Clock } from "../../base/clock.ts";
import type { SpanRequest } from "../reader/span-presentation.ts";
import { nothingRecorded } from "../reader/span-presentation.ts";
import type { StreamArchive } from "../reader/stream-archive.ts";
import { ArchivePlay } from "./archive-play.ts";
import type { ArchivePlayParts } from "./archive-play.ts";

/** What one player asks for. */
export type PlayRequest = Omit<SpanRequest, "segmentCount"> & {
  /** Its clock is UTC up to the first gap, and not one that begins at 0. */
  readonly isUtc: boolean;
  /** See `ArchivePlayParts.patienceUs`. */
  patienceUs(): number;
};

const SECOND_US = 1_000_000;
/** What is recorded is in the archive so many segments after it was live, at most. */
const LATE_SEGMENTS = 3;

/** Opens a span of an archive to be played by one player. Rejects with DVR_NOTHING_RECORDED, and what reading rejects with. */
export async function openPlay(
  archive: StreamArchive,
  request: PlayRequest,
  clock: Clock,
): Promise<ArchivePlay> {
  const { fromUs, toUs, keepsGaps } = boundsOf(request);
  const parts: ArchivePlayParts = {
    ...{ archive, clock, toUs, keepsGaps },
    lateUs: LATE_SEGMENTS * request.segmentDurationUs,
    patienceUs: () => request.patienceUs(),
  };
  const play = await ArchivePlay.open(parts, fromUs, request.isUtc);
  if (play === null || (keepsGaps && play.firstUs - fromUs > request.patienceUs())) {
    const endUs = toUs === Infinity ? request.nowUs : toUs;
    throw await nothingRecorded(archive, request, { fromUs, toUs: Math.max(fromUs, endUs) });
  }
  return play;
}

type PlayBounds = Pick<ArchivePlayParts, "toUs" | "keepsGaps"> & { readonly fromUs: number };

/** Who stays so far behind now does so over gaps, too; all others go on behind them. */
function boundsOf({ span, nowUs }: PlayRequest): PlayBounds {
  switch (span.kind) {
    case "archive": {
      const fromUs = Math.round(span.fromS * SECOND_US);
      const toUs = span.durationS === null ? Infinity : fromUs + Math.round(span.durationS * SECOND_US);
      return { fromUs, toUs, keepsGaps: false };
    }
    case "timeshift_abs":
      return { fromUs: Math.round(span.fromS * SECOND_US), toUs: Infinity, keepsGaps: false };
    case "rewind":
      return { fromUs: Math.max(0, nowUs - span.agoS * SECOND_US), toUs: Infinity, keepsGaps: false };
    case "timeshift_rel":
      return { fromUs: Math.max(0, nowUs - span.agoS * SECOND_US), toUs: Infinity, keepsGaps: true };
  }
}
