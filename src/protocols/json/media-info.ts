import type { Track } from "../../media/track.ts";
import type { Timeline } from "../../packaging/presentation.ts";
import { TrackFigures } from "../../packaging/track-figures.ts";

/** The tracks of something to play, as `media_info.json` shows them. Bit rates are in kbit/s. */
export type MediaInfo = {
  readonly flow_type: "stream" | "file";
  readonly tracks: readonly TrackInfo[];
};

/** One track. What does not apply to its kind, or is not known, is left out. */
export type TrackInfo = {
  readonly track_id: string;
  readonly content: Track["kind"];
  /** As this project names codecs, but for H.265, which clients of media servers know as `hevc`. */
  readonly codec: string;
  /** RFC 6381. */
  readonly codecs: string;
  readonly language?: string;
  /** Average over what can be played now. */
  readonly bitrate: number;
  /** The most that any segment needs. */
  readonly bandwidth: number;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly sample_rate?: number;
  readonly channels?: number;
};

/** Tells what is in a presentation. */
export function mediaInfo(timeline: Timeline): MediaInfo {
  const figures = new TrackFigures(timeline);
  return {
    flow_type: timeline.mutability === "static" ? "file" : "stream",
    tracks: timeline.tracks.tracks.map((track) => trackInfo(figures, track)),
  };
}

/** Tells what one track of it is. */
export function trackInfo(figures: TrackFigures, track: Track): TrackInfo {
  const { averageBps, peakBps } = figures.bandwidth(track.id);
  return {
    track_id: track.id,
    content: track.kind,
    codec: track.codec === "h265" ? "hevc" : track.codec,
    codecs: track.codecString,
    ...(track.language === "und" ? {} : { language: track.language }),
    bitrate: Math.round(averageBps / 1000),
    bandwidth: Math.ceil(peakBps / 1000),
    ...(track.kind === "video" ? videoInfo(figures, track) : {}),
    ...(track.kind === "audio" ? { sample_rate: track.sampleRate, channels: track.channels } : {}),
  };
}

function videoInfo(figures: TrackFigures, track: Track): Pick<TrackInfo, "width" | "height" | "fps"> {
  const fps = figures.frameRate(track.id) || track.frameRate;
  return {
    ...(track.width > 0 ? { width: track.width, height: track.height } : {}),
    ...(fps > 0 ? { fps: Number(fps.toFixed(3)) } : {}),
  };
}
