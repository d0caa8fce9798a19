/** What the server says in text: init segments and events, as JSON. */
import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { Track, TrackSet } from "../../media/track.ts";

/** Events that players know. */
export type MseEvent =
  | "resumed"
  | "paused"
  | "seeked"
  | "switched_to_live"
  | "recordings_ended"
  | "stream_unavailable"
  | "tracks_switched";

/** An event; `reason`: for people. */
export function eventText(event: MseEvent, reason?: string): string {
  return JSON.stringify({ type: "event", event, ...(reason === undefined ? {} : { reason }) });
}

/** What an init message says beside the tracks. */
export type InitFacts = {
  /** The bit rate of a track as far as it is known, in kbit/s, never 0. */
  readonly kbpsOf: (track: Track) => number;
  /** How long a file is, in microseconds; `null` for a live stream. */
  readonly durationUs: number | null;
};

/**
 * The message before the first fragment and wherever the tracks change: all tracks that there are, and an init segment of
 * each one that is sent. Of a file it says how long it is, in seconds.
 *
 * Throws: CODEC_BAD_CONFIG when a track's configuration is not one.
 */
export function initText(
  set: TrackSet,
  selected: readonly Track[],
  { kbpsOf, durationUs }: InitFacts,
): string {
  const tracks = set.tracks
    .filter(({ kind }) => kind !== "text")
    .map((track) => describe(track, kbpsOf(track)));
  return JSON.stringify({
    type: "mse_init_segment",
    // Players of different age look into one or the other.
    metadata: {
      ...{ tracks, streams: tracks },
      ...(durationUs === null ? {} : { duration: durationUs / 1_000_000 }),
    },
    tracks: selected.map((track) => ({
      id: trackNumber(track.id),
      track_id: track.id,
      content: track.kind,
      mime: mimeType(track),
      payload: Buffer.from(buildInitSegment([track])).toString("base64"),
    })),
  });
}

/** What `MediaSource.isTypeSupported` is asked for one track. Spec: RFC 6381 section 3. */
export function mimeType(track: Track): string {
  return `${track.kind}/mp4; codecs="${track.codecString}"`;
}

function describe(track: Track, kbps: number): Record<string, string | number> {
  const { id, kind, codec, language } = track;
  const common = { id: trackNumber(id), track_id: id, content: kind, codec, mime: mimeType(track) };
  const facts = { ...common, bitrate: kbps, lang: language };
  if (kind === "video") {
    return { ...facts, width: track.width, height: track.height, fps: track.frameRate };
  }
  return { ...facts, sample_rate: track.sampleRate, channels: track.channels };
}
